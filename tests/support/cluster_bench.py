"""Several nodes of one chat without NATS or threads: a list of entries is their log.

What a node publishes is in the air until a test lets it into the log, and an entry is applied by a
node when a test says so. Both clocks stand: that of the log, and the monotonic one of the nodes.
"""

import itertools
import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from standing_clock import StandingClock

from tertulia.protocol.lines import decode_server_message, encode
from tertulia.protocol.messages import ChatMessage, Register, Say
from tertulia.server.cluster import snapshot as snapshots
from tertulia.server.cluster.bootstrap import known_nonces
from tertulia.server.cluster.commands import (
    Genesis,
    NodeLeave,
    SignOfLife,
    pack,
)
from tertulia.server.cluster.executor import Executor
from tertulia.server.cluster.genesis import make_first_entries, rules_of
from tertulia.server.cluster.hub import NodeHub
from tertulia.server.cluster.letters import Letter
from tertulia.server.cluster.proposer import Proposer, Ticket
from tertulia.server.cluster.replica import Replica
from tertulia.server.cluster.snapshot import Snapshot
from tertulia.server.config import Config
from tertulia.server.hub.hub import Registered
from tertulia.server.hub.ordered import Ordered, OrderedRow
from tertulia.server.hub.records import Change, Records, Row, no_records
from tertulia.server.hub.room_state import RoomState
from tertulia.server.hub.session import Receipt, Session
from tertulia.server.hub.wait import Wait
from tertulia.server.workers.switchboard import Switchboard

START_MS = 1_795_000_000_000  # 2026-11-18


class Entry(NamedTuple):
    """As the link hands it over."""

    place: int
    time_ms: int
    data: bytes


class Log:
    """The entries, and the time that the next one gets."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.time_ms = START_MS

    def put(self, data: bytes, after_ms: int = 0) -> Entry:
        """Take in an entry."""
        self.time_ms += after_ms
        entry = Entry(len(self.entries) + 1, self.time_ms, data)
        self.entries.append(entry)
        return entry


class Mail:
    """A worker's mailbox, which keeps what comes."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.is_open = True

    def post(self, mail: Any) -> bool:
        if self.is_open:
            self.mails.append(mail)
        return self.is_open

    def collect(self) -> list[Any]:
        """Return what has come since the last time."""
        mails, self.mails = self.mails, []
        return mails

    def outcomes(self) -> list[Any]:
        """Return the outcomes that have come since the last time."""
        rows = [row for mail in self.collect() if isinstance(mail, Ordered) for row in mail.rows]
        return [row.outcome for row in rows if row.request is not None]


class Rows:
    """A history's stand-in, which keeps messages: it is asked for nonces, and is never full."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.messages: list[ChatMessage] = []
        self.changes: list[Change] = []
        self.receipts: list[Receipt | None] = []

    def reserve_space(self) -> bool:
        return True

    def write(self, message: ChatMessage, receipt: Receipt | None) -> None:
        self.messages.append(message)
        self.receipts.append(receipt)

    def acknowledge(self, receipt: Receipt) -> None:
        self.receipts.append(receipt)

    def keep(self, changes: Sequence[Change], receipt: Receipt | None = None) -> None:
        self.changes += changes
        self.receipts.append(receipt)

    def reserve_soon(self, seq: int) -> None: ...

    def records(self, kind: type[Row]) -> list[Row]:
        return []

    def nonces_at(self, moment_s: float, seq: int) -> list[tuple[int, str, str, str]]:
        """As NodeHistory.nonces_at."""
        since = moment_s - self._config.nonce_keep_s
        found = [
            (one.seq, one.time, one.sender, one.nonce)
            for one in self.messages
            if one.seq <= seq
            and isinstance(one.nonce, str)
            and datetime.fromisoformat(one.time).timestamp() >= since
        ]
        return found[-self._config.max_nonces :]


class BenchNode:
    """One node: its Hub, its place in the log, and what it has in the air."""

    def __init__(
        self,
        name: str,
        log: Log,
        *,
        rows: bool = False,
        **options: Any,
    ) -> None:
        self.name, self.log = name, log
        self.config = Config(port=0, cluster=("nats://127.0.0.1",), node=name, **options)
        self.clock = StandingClock()
        self.rows = Rows(self.config) if rows else None
        self.air: list[bytes] = []
        history: Any = self.rows
        self.hub = NodeHub(self.config, history, self._log_time, self.clock.monotonic)
        self.switchboard = Switchboard(name)
        self.mail = Mail()
        self.proposer = Proposer(
            *(name, lambda: [f"{name}:5000"], self.air.append, lambda step: step()),
            self.clock.monotonic,
        )
        self.replica = Replica(self.hub, self.proposer, self._begin)
        mailbox: Any = self.mail
        self._mailbox = mailbox
        self.replica.executor = Executor(self.hub, self.switchboard)
        self.hub.attach(self.proposer, self.switchboard.mailbox_of)
        self.genesis: Genesis | None = None
        self.tokens: dict[int, str] = {}  # of sessions, by the numbers of their routes
        self.letters: list[tuple[str, Any]] = []  # to other nodes, which never get them
        self.hub.meet(self)

    def is_own(self, session: Session) -> bool:
        """Return whether a session is served here."""
        return self.hub.is_own(session)

    def is_up(self, node: str) -> bool:
        """Return whether a node is up."""
        return node in self.replica.nodes.up()

    def post(self, node: str, letter: Letter) -> None:
        """Note a letter to another node."""
        self.letters.append((node, letter))

    def tell_all(self, letter: Letter) -> None:
        """Note a letter to all other nodes."""
        self.letters.append(("", letter))

    def wake(self, session: Session) -> None:
        """Nothing waits here."""

    def ask_idle(self, *asked: Any) -> None:
        """Nobody answers."""

    def _log_time(self) -> float:
        return self.replica.log_time() if hasattr(self, "replica") else 0.0

    def _begin(self, genesis: Genesis, state: RoomState) -> None:
        self.genesis = genesis
        self.hub.resume(genesis.epoch, genesis.seq, state)
        assert self.replica.executor is not None
        self.replica.executor.resume()

    # --- the log -------------------------------------------------------------------------------

    def land(self, count: int | None = None, after_ms: int = 0) -> None:
        """Let what is in the air, or the first entries of it, into the log."""
        landed = self.air[:count]
        del self.air[: len(landed)]
        for data in landed:
            self.log.put(data, after_ms)

    def follow(self, through: int | None = None) -> list[Ticket]:
        """Apply the entries up to a place, or all; return the tickets that wait in vain."""
        self.hub.activity.executing = threading.get_ident()
        for entry in self.log.entries[self.replica.place : through]:
            self.replica.apply(entry)
        self.hub.activity.executing = None
        lost = self._note_burial()
        self.proposer.send_queued()
        assert self.replica.executor is not None
        self.replica.executor.post_outcomes()
        return lost

    def _note_burial(self) -> list[Ticket]:
        """Give up the incarnation if the others have taken this node for dead."""
        own = self.replica.nodes.by_name.get(self.name)
        if self.proposer.incarnation and (
            own is None or own.incarnation != self.proposer.incarnation
        ):
            return self.proposer.give_up_incarnation()
        return []

    def pass_time(self, seconds: float) -> None:
        """Let this node's clock go on, and do what is then due."""
        self.clock.s += seconds
        self.proposer.tick()

    def give_life(self) -> None:
        """Propose a sign of life."""
        self.proposer.submit(SignOfLife(*self.replica.latest_digest()))

    def leave(self) -> None:
        """Propose an orderly end."""
        self.proposer.submit(NodeLeave())

    # --- snapshots -----------------------------------------------------------------------------

    def packed(self, *, with_nonces: bool = True) -> bytes:
        """Return the state as bytes."""
        return snapshots.pack(self.replica.snapshot(), with_nonces=with_nonces)

    def digest(self) -> bytes:
        """Return the digest of the state."""
        return snapshots.digest(self.replica.snapshot())

    def resume(self, data: bytes, rows: Rows | None = None) -> None:
        """Go on from a packed state; with rows as a node does from its own file."""
        snapshot = snapshots.unpack(data)
        assert isinstance(snapshot, Snapshot)
        if rows is not None:
            found = rows.nonces_at(snapshot.nodes.time_ms / 1_000, snapshot.seq)
            snapshot.room.nonces = known_nonces(found)
        self.replica.resume(snapshot)
        self.hub.resume(snapshot.epoch, snapshot.seq, snapshot.room)
        assert self.replica.executor is not None
        self.replica.executor.resume()

    # --- users ---------------------------------------------------------------------------------

    def register(self, name: str, address: str = "10.0.0.1", **fields: Any) -> int:
        """Propose a registration; return the number of its route."""
        may_challenge = fields.pop("may_challenge", False)
        route = self.switchboard.connect(self._mailbox)
        request = Register(name=name, id=1, **fields)
        outcome = self.hub.register(request, address, route, may_challenge=may_challenge)
        assert outcome is Wait.FOR_ORDER, outcome
        return route.number

    def settle(self) -> None:
        """Let everything into the log and apply it."""
        while self.air or self.replica.place < len(self.log.entries):
            self.land()
            self.follow()

    def join(self, name: str, address: str | None = None, **fields: Any) -> Session:
        """Register a user, and apply that here."""
        self.mail.collect()
        number = self.register(name, address or f"10.9.0.{next(_addresses)}", **fields)
        self.settle()
        (outcome,) = self.mail.outcomes()
        assert isinstance(outcome, Registered), outcome
        assert outcome.session.route.number == number
        self.tokens[number] = str(outcome.welcome.token)
        return outcome.session

    def find(self, name: str) -> Session:
        """Return a user who is here, as this node knows it."""
        session = self.hub.room.registry.find(name)
        assert session is not None, name
        return session

    def say(self, session: Session, text: str = "hola", **fields: Any) -> None:
        """Propose a message."""
        request = Say(text=text, **fields)
        assert self.hub.say(session, request, self._mailbox) is Wait.FOR_ORDER

    def operate(self, session: Session, request: Any) -> Any:
        """Propose an operator's request."""
        return self.hub.moderator.carry_out(session, request, self._mailbox)

    def events(self, after: int = 0) -> list[Any]:
        """Return all events that this node knows, as they travel."""
        cursor, found = max(after, self.hub.events.first_seq), []
        while True:
            part = self.hub.events.read(cursor, 1_000_000, encode)
            if part is None:
                return found
            found += [decode_server_message(piece) for piece in part.pieces]
            cursor = part.through

    def users(self) -> list[str]:
        """Return the users who are here, in the order of the list."""
        return [one.name.shown for one in self.hub.people()]


_addresses = itertools.count(1)


class Bench:
    """Nodes with one log, all of which are up."""

    def __init__(self, *names: str, begun: bool = True, **options: Any) -> None:
        self.log = Log()
        self.options = options
        self.nodes = {name: BenchNode(name, self.log, **options) for name in names}
        if begun:
            self.begin()
            for node in self.nodes.values():
                node.pass_time(1.0)
            self.settle()

    def __getitem__(self, name: str) -> BenchNode:
        return self.nodes[name]

    def begin(self, records: Records = no_records, log: str = "log", seq: int = 0) -> None:
        """Put the beginning of a log into it."""
        config = next(iter(self.nodes.values())).config
        time = "2026-11-18T10:00:00.000Z"
        for commands in make_first_entries(log, "epoch", seq, rules_of(config), records, time):
            self.log.put(pack("a", 0, 0, commands))

    def fresh(self, name: str, **options: Any) -> BenchNode:
        """Return one more node, which has applied nothing."""
        node = self.nodes[name] = BenchNode(name, self.log, **{**self.options, **options})
        return node

    def settle(self, after_ms: int = 0) -> None:
        """Let everything into the log, and have all apply it."""
        while any(node.air for node in self.nodes.values()):
            for node in self.nodes.values():
                node.land(after_ms=after_ms)
            for node in self.nodes.values():
                node.follow()
        for node in self.nodes.values():
            node.follow()

    def check_alike(self) -> None:
        """All nodes have the same state and know the same events."""
        first, *others = self.nodes.values()
        for other in others:
            assert other.replica.place == first.replica.place
            assert other.digest() == first.digest()
            assert other.packed() == first.packed()
            after = max(first.hub.events.first_seq, other.hub.events.first_seq)
            assert other.events(after) == first.events(after)


def requests_of(rows: list[OrderedRow]) -> list[Any]:
    """Return the requests of rows."""
    return [row.request for row in rows]
