"""Whatever comes in which order: nodes that have applied the same entries have the same state.

Random logs of three nodes, with batches that are lost, doubled and late, times that jump, nodes
that fall silent, and snapshots anywhere. Only the log decides: what a node's own users look at, and
what its options are, changes nothing that all have alike.
"""

import random
from typing import Any

import pytest
from cluster_bench import Bench, BenchNode, Log
from msgspec.structs import replace

from tertulia.protocol.hooks import CreateHook, ListHooks, RemoveHook
from tertulia.protocol.messages import (
    CloseReason,
    Direct,
    GetInfo,
    ListUsers,
    SetStatus,
    Status,
)
from tertulia.protocol.moderation import (
    BecomeOperator,
    ImposeBan,
    ImposeMute,
    Kick,
    LiftBan,
    LiftMute,
    ListBans,
    PinMessage,
    ReleaseName,
    SetHush,
    SetLock,
)
from tertulia.server.hub.hub import Registered
from tertulia.server.hub.moderated import Moderated
from tertulia.server.hub.records import (
    Ban,
    HeldName,
    Hook,
    HookMessage,
    Insider,
    Mute,
    Pin,
    Record,
    Removed,
    Switch,
    Visit,
    place_of,
)
from tertulia.server.hub.session import Session

# Some are the same name, and some are easily taken for one another.
NAMES = ("ana", "Ana", "ana1", "anal", "luis", "lu1s", "José", "jose", "ωμέγα", "eva", "10.0.0.7")
ADDRESSES = (
    "10.0.0.1",
    "10.0.0.2",
    "10.0.0.7",
    "10.0.1.9",
    "127.0.0.1",
    "fe80::1%eth0",
    "2001:db8::7",
)
NETWORKS = ("10.0.0.0/28", "10.0.0.7", "2001:db8::/32", "fe80::1", "no address")
NONCES = ("n1", "n2", "n3", "n4", "n5", "n6")
KEYS = ("a" * 22, "b" * 22)
JUMPS_MS = (0, 0, 1, 40, 900, 1_400, 5_000, 61_000, 620_000, -3_000, -90_000)
GARBAGE = (
    b"",
    b"\x90",
    b"\xc1",
    b"\x95\x01\xa1a\x00\x00\x90",
    b"{}",
    b"\x95\x01\xa1a\x01\x01\x91\xa3say",
)
TIME, SOON = "2026-11-18T10:00:00.000Z", "2026-11-18T11:06:42.000Z"  # before the log, and in it
KEPT_BEFORE: tuple[Record, ...] = (  # by a single server, with whose history the log begins
    Ban(key="name:eva", name="eva", address="10.0.0.7", until=SOON, operator="ana", time=TIME),
    Mute(key="luis", name="luis", operator="ana", time=TIME),
    Mute(key="anal", name="anal", until=TIME, operator="ana", time=TIME),
    Switch(key="hushed", operator="ana", time=TIME),
    Pin(seq=7, sent=TIME, sender="ana", text="hola", operator="ana", time=TIME),
    Hook(key="hash", name="backup", operator="ana", time=TIME),
    Insider(key="ana", name="ana"),
    HeldName(key="ana", name="ana", key_hash="another"),
)
STEPS = 220


class Play:
    """One random log, as three nodes make it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        options: dict[str, Any] = {
            "shared_addresses": self.random.random() < 0.3,
            "max_users": self.random.choice((6, 50)),
            "hold_names_days": self.random.choice((None, 0.005, 30.0)),
            "nonce_keep_s": 600.0,
            "max_nonces": self.random.choice((4, 100)),
        }
        self.options = options
        self.bench = Bench(begun=False)
        log = self.bench.log
        self.nodes = {
            "a": BenchNode("a", log, rows=True, **options),
            "b": BenchNode("b", log, idle_after_s=None, log_bytes=4_000, **options),
            "c": BenchNode("c", log, rows=True, idle_after_s=5.0, **options),
        }
        self.bench.nodes = self.nodes
        rows = self.random.choice(((), KEPT_BEFORE))
        self.bench.begin(
            lambda kind: [row for row in rows if type(row) is kind],
            seq=self.random.choice((0, 7_000)),
        )
        self.tokens: list[str] = []
        self.secrets: list[str] = []
        self.gone: set[str] = set()  # which do nothing for a while
        self.kept: dict[int, list[bytes]] = {}  # states by place: as sent, and as in the own file
        for node in self.nodes.values():
            node.pass_time(1.0)
        self.bench.settle()
        self.first_rows = [
            replace(row, ended=TIME) if isinstance(row, Insider | HeldName) else row
            for row in rows
            if options["hold_names_days"] is not None or not isinstance(row, HeldName)
        ]

    def run(self) -> None:
        for _ in range(STEPS):
            self.step()
        self.gone.clear()
        for _ in range(3):  # a node that was declared dead comes up again
            for node in self.nodes.values():
                node.pass_time(1.0)
            self.bench.settle()

    def step(self) -> None:
        choose = self.random.choice
        node = self.nodes[choose("abc")]
        if self.random.random() < 0.02:
            self.gone ^= {node.name}
        if node.name not in self.gone:
            self.act(node)
            if self.random.random() < 0.3:
                node.give_life()
        self.carry()
        if self.random.random() < 0.05:
            self.keep_state()

    def carry(self) -> None:
        """Let something into the log, or lose it, and let some nodes follow."""
        chance = self.random.random
        for node in self.nodes.values():
            if node.name in self.gone:
                continue
            if chance() < 0.1 and node.air:
                node.air.pop(self.random.randrange(len(node.air)))
            if chance() < 0.1:
                node.air += node.air[-3:]
            if chance() < 0.6:
                node.land(self.random.randint(1, 4), self.random.choice(JUMPS_MS))
            if chance() < 0.03:
                node.log.put(self.random.choice(GARBAGE))
            if chance() < 0.6:
                most = max(node.replica.place, len(node.log.entries) - self.random.randint(0, 3))
                node.follow(most)
                node.pass_time(self.random.choice((0.1, 0.6)))
            self.note(node)

    def note(self, node: BenchNode) -> None:
        for outcome in node.mail.outcomes():
            if isinstance(outcome, Registered):
                self.tokens.append(outcome.welcome.token)
            secret = getattr(getattr(outcome, "answer", None), "secret", None)
            if isinstance(outcome, Moderated) and secret:
                self.secrets.append(secret)
        if node.rows is not None:
            for receipt in node.rows.receipts:
                if receipt is not None and receipt.answer is not None:
                    self.secrets.append(receipt.answer.secret)
            node.rows.receipts.clear()

    def keep_state(self) -> None:
        node = self.nodes[self.random.choice("ac")]
        place = node.replica.place
        self.kept[place] = [node.packed(), node.packed(with_nonces=False)]

    # --- what users do -------------------------------------------------------------------------

    def act(self, node: BenchNode) -> None:
        own = [one for one in node.hub.people() if node.hub.is_own(one)]
        if not own and self.random.random() < 0.3:
            self.order(node)
            return
        if not own or self.random.random() < 0.2:
            self.register(node)
            return
        session = self.random.choice(own)
        acts = (self.say,) * 6 + (self.look,) * 5 + (self.order,) * 12
        acts += (self.show_status, self.idle, self.leave, self.promote, self.promote, self.post)
        self.random.choice(acts)(node, session)

    def register(self, node: BenchNode) -> None:
        choose, chance = self.random.choice, self.random.random
        fields: dict[str, Any] = {"may_challenge": chance() < 0.3}
        if self.tokens and chance() < 0.4:
            fields["token"] = choose(self.tokens[-4:])
        if chance() < 0.4:
            fields["key"] = choose(KEYS)
        if chance() < 0.3:
            fields["status"] = choose(("OCUPADO", "INACTIVO"))
        if chance() < 0.3:
            fields["idle"] = choose((1.0, 100_000.0))
        if chance() < 0.2:
            fields["events"] = "messages"
        node.register(choose(NAMES), choose(ADDRESSES), **fields)

    def say(self, node: BenchNode, session: Session) -> None:
        nonce = {"nonce": self.random.choice(NONCES)} if self.random.random() < 0.7 else {}
        node.say(session, self.random.choice(("hola", "ñandú", "x" * 300)), **nonce)

    def show_status(self, node: BenchNode, session: Session) -> None:
        node.hub.set_status(session, SetStatus(status=self.random.choice(list(Status)).value))

    def idle(self, node: BenchNode, session: Session) -> None:
        node.hub.idle(session)

    def leave(self, node: BenchNode, session: Session) -> None:
        reasons = (CloseReason.QUIT, CloseReason.LOST, CloseReason.SLOW)
        node.hub.release(session, self.random.choice(reasons))

    def promote(self, node: BenchNode, session: Session) -> None:
        node.hub.moderator.promote(session, BecomeOperator(secret=""))

    def post(self, node: BenchNode, _session: Session) -> None:
        secret = self.random.choice([*self.secrets[-3:], "unknown"])
        owner: Any = node.mail
        node.hub.notices.say(secret, "backup done", owner)

    def look(self, node: BenchNode, session: Session) -> None:
        """Do what concerns this node alone."""
        hub, name, owner = node.hub, self.random.choice(NAMES), node.mail
        match self.random.randrange(7):
            case 0:
                hub.users(session, ListUsers(id=1))
            case 1:
                hub.info(session, GetInfo(id=1, name=name))
            case 2:
                hub.note_reading(session)
            case 3:
                hub.moderator.carry_out(session, ListBans(id=1), owner)
            case 4:
                hub.moderator.carry_out(session, ListHooks(id=1), owner)
            case 5:
                check = ImposeBan(id=1, address="10.0.0.0/28", check=True)
                hub.moderator.carry_out(session, check, owner)
            case 6:
                found = hub.room.registry.find(name)
                if found is not None and hub.is_own(found):
                    hub.direct_messages.accept(session, Direct(id=1, to=name, text="psst"))

    def order(self, node: BenchNode, session: Session | None = None) -> None:
        if session is None or self.random.random() < 0.3:
            route = node.switchboard.connect(node.mail)  # type: ignore[arg-type]
            session = node.hub.moderator.open_console(route)
        node.operate(session, self.request(node))

    def request(self, node: BenchNode) -> Any:
        choose, chance = self.random.choice, self.random.random
        name = choose(NAMES)
        minutes = {} if chance() < 0.4 else {"minutes": choose((0.05, 0.2, 1.0, 15.0))}
        reason = {} if chance() < 0.5 else {"reason": choose(("ruido", "r" * 201, "\x07"))}
        match self.random.randrange(14):
            case 0:
                return Kick(name=name, **reason)
            case 1:
                return ImposeBan(name=name, **minutes, **reason)
            case 2:
                return ImposeBan(address=choose(NETWORKS), **minutes)
            case 3:
                return LiftBan(name=name)
            case 4:
                return LiftBan(address=choose(NETWORKS))
            case 5 | 6:
                return ImposeMute(name=name, **minutes)
            case 7:
                return LiftMute(name=name)
            case 8:
                return SetHush(on=chance() < 0.4)
            case 9:
                return SetLock(on=chance() < 0.4)
            case 10:
                last = node.hub.events.last_seq
                return PinMessage(seq=last - self.random.randint(0, min(last, 12)))
            case 11:
                return PinMessage()
            case 12:
                return ReleaseName(name=name)
        return choose(
            (CreateHook(name=choose(("backup", "ana", "eva"))), RemoveHook(name="backup"))
        )


def replica(log: Log, options: dict[str, Any], **more: Any) -> BenchNode:
    """Return a node that proposes nothing."""
    return BenchNode("z", log, **options, **more)


def records(rows: list[Record], changes: list[Any]) -> dict[Any, Record]:
    """Return what is in the file after changes, but for what belongs to messages and visits."""
    kept = {place_of(row): row for row in rows}
    for change in changes:
        kept.pop(place_of(change), None)
        if not isinstance(change, Removed):
            kept[place_of(change)] = change
    return {place: row for place, row in kept.items() if place[0] not in (Visit, HookMessage)}


@pytest.mark.parametrize("seed", range(16))
def test_the_same_entries_give_the_same_state(seed: int) -> None:
    play = Play(seed)
    play.run()
    live = play.nodes["a"]
    whole = replica(play.bench.log, play.options, rows=True)
    whole.follow()
    events, state, digest = whole.events(), whole.packed(with_nonces=False), whole.digest()
    assert len(events) > 3, "the log says little"
    for node in play.nodes.values():
        assert node.packed(with_nonces=False) == state, node.name
        assert node.digest() == digest
        assert node.replica.digests_compared, "no digest was compared"
    assert live.events() == play.nodes["c"].events() == events
    assert whole.rows is not None
    assert live.rows is not None
    assert whole.rows.messages == live.rows.messages
    for node in (whole, live):
        node.hub._store_changes()
    first = play.first_rows
    assert records(first, whole.rows.changes) == records(first, live.rows.changes)
    for place, (sent, own) in play.kept.items():
        check_resumed(play, whole, place, sent, from_own_file=False)
        check_resumed(play, whole, place, own, from_own_file=True)


def check_resumed(
    play: Play, whole: BenchNode, place: int, data: bytes, *, from_own_file: bool
) -> None:
    """Go on from a state, and compare with a node that has applied everything."""
    fresh = replica(play.bench.log, play.options, rows=True)
    fresh.resume(data, whole.rows if from_own_file else None)
    assert fresh.replica.place == place
    assert fresh.rows is not None
    assert whole.rows is not None
    rows = fresh.hub.room.state().all_records()
    assert fresh.packed(with_nonces=not from_own_file) == data or from_own_file
    fresh.follow()
    assert fresh.packed(with_nonces=False) == whole.packed(with_nonces=False)
    assert fresh.digest() == whole.digest()
    assert fresh.events() == whole.events(fresh.hub.events.first_seq)
    fresh.hub._store_changes()
    assert records(rows, fresh.rows.changes) == records(play.first_rows, whole.rows.changes)
