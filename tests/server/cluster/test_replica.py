"""What an entry does on every node: beginnings, nodes that come and end, digests, garbage."""

from typing import Any

import pytest
from cluster_bench import Bench, BenchNode

from tertulia.protocol.messages import CloseReason, Left, Register, SetStatus, Status
from tertulia.server.cluster.commands import (
    FORMAT,
    PYTHON,
    FormatTooNew,
    Genesis,
    Idle,
    NodeLeave,
    NodeUp,
    SayText,
    SignOfLife,
    pack,
)
from tertulia.server.cluster.genesis import make_first_entries, rules_of
from tertulia.server.cluster.membership import Verdict
from tertulia.server.cluster.replica import Diverged
from tertulia.server.hub.hub import Registered
from tertulia.server.hub.records import Ban, HeldName, Hook, Insider, Mute, Pin, Switch, Visit
from tertulia.server.workers.mail import Expel

TIME = "2026-11-18T10:00:00.000Z"
ROWS: list[Any] = [
    Ban(key="name:eva", name="eva", operator="server", time=TIME),
    Mute(key="luis", name="luis", operator="server", time=TIME),
    Switch(key="locked", operator="server", time=TIME),
    Pin(seq=7, sent=TIME, sender="ana", text="bienvenidos", operator="server", time=TIME),
    Hook(key="hash", name="backup", operator="server", time=TIME),
    Insider(key="ana", name="ana"),
    HeldName(key="ana", name="ana", key_hash="of her key"),
]


def rows_of(kind: Any) -> list[Any]:
    return [row for row in ROWS if type(row) is kind]


@pytest.fixture
def pair() -> Bench:
    return Bench("a", "b")


# --- the beginning of a log ----------------------------------------------------------------------


def first_entries(
    node: BenchNode,
    log: str = "log",
    seq: int = 0,
    records: Any = lambda _kind: [],
    nonces: Any = (),
) -> list[bytes]:
    rules = rules_of(node.config)
    entries = make_first_entries(log, "epoch of " + log, seq, rules, records, TIME, nonces)
    return [pack(node.name, 0, 0, commands) for commands in entries]


def test_a_log_begins_with_what_one_node_has_kept() -> None:
    bench = Bench("a", "b", begun=False, hold_names_days=30.0)
    for entry in first_entries(bench["a"], seq=5_000, records=rows_of):
        bench.log.put(entry)
    bench.settle()
    bench.check_alike()
    room = bench["b"].hub.room
    assert [type(row) for row in room.state().all_records()] == [
        *(Ban, Mute, Switch, Pin, Insider, Hook, HeldName)
    ]
    ended = [row for row in room.state().all_records() if isinstance(row, Insider | HeldName)]
    assert [row.ended for row in ended] == [TIME, TIME], "nobody is here yet"
    assert bench["b"].hub.events.last_seq == 5_000
    assert bench["b"].replica.epoch == "epoch of log"


def test_a_log_begins_when_all_parts_are_there_in_whatever_order() -> None:
    bench = Bench("a", begun=False)
    genesis, part = first_entries(bench["a"], records=rows_of)
    for entry in (part, genesis, genesis):
        bench.log.put(entry)
    bench.settle()
    assert bench["a"].genesis is None, "a part before its genesis is nobody's"
    bench.log.put(part)
    bench.settle()
    assert bench["a"].genesis is not None


def test_of_two_beginnings_the_first_that_is_complete_counts() -> None:
    bench = Bench("a", "b", begun=False)
    long = first_entries(bench["a"], "long", 9_000, rows_of)
    (short,) = first_entries(bench["b"], "short")
    for entry in (long[0], short, long[1], short, long[0]):
        bench.log.put(entry)
    bench.settle()
    bench.check_alike()
    assert bench["a"].replica.epoch == "epoch of short"
    assert bench["a"].replica._beginnings == {}, "nothing is kept of the other one"
    assert bench["a"].hub.events.last_seq == 0


def test_nobody_comes_up_or_says_anything_before_the_log_has_begun() -> None:
    bench = Bench("a", begun=False)
    node = bench["a"]
    node.pass_time(1.0)
    bench.settle()
    bench.log.put(pack("a", 1, 1, [SayText(1, "hola")]))
    assert node.proposer.incarnation == 0
    bench.begin()
    node.pass_time(1.0)
    bench.settle()
    assert node.proposer.incarnation == bench.log.entries[-1].place


def test_held_names_of_the_history_stay_held() -> None:
    bench = Bench("a", begun=False, hold_names_days=30.0)
    for entry in first_entries(bench["a"], records=rows_of):
        bench.log.put(entry)
    bench.settle()
    name = bench["a"].hub.room.state().records(HeldName)[0]
    assert (name.name, name.key_hash) == ("ana", "of her key")


# --- nodes ---------------------------------------------------------------------------------------


def test_an_orderly_end_releases_the_users_of_the_node_alone(pair: Bench) -> None:
    pair["a"].join("ana")
    pair["b"].join("luis")
    pair.settle()
    pair["a"].leave()
    pair.settle()
    pair.check_alike()
    assert pair["b"].users() == ["luis"]
    assert [one.reason for one in pair["b"].events() if hasattr(one, "reason")] == ["lost"]


def test_what_comes_after_an_orderly_end_in_the_same_batch_is_nobodys(pair: Bench) -> None:
    node = pair["a"]
    node.pass_time(0.0)
    held, node.proposer.incarnation = node.proposer.incarnation, 0  # so that both are one batch
    node.leave()
    node.register("ana")
    node.proposer.incarnation = held
    node.proposer.send_queued()
    pair.settle()
    assert pair["b"].users() == []
    pair.check_alike()


def test_a_silent_node_is_dead_at_the_same_entry_everywhere(pair: Bench) -> None:
    dead = pair["a"]
    dead.join("ana")
    number = dead.switchboard._mailboxes.copy().popitem()[0]
    pair["b"].join("luis", "10.0.9.1")
    dead.follow()
    dead.mail.collect()
    for _ in range(11):
        pair["b"].give_life()
        pair["b"].land(after_ms=1_000)
        pair["b"].follow()
    assert pair["b"].users() == ["luis"]
    assert not pair["b"].replica.nodes.by_name["a"].is_up
    node = pair["b"].register("ana", "10.0.0.1")
    pair["b"].settle()
    assert [type(one) for one in pair["b"].mail.outcomes()][-1] is Registered, node
    dead.say(dead.find("ana"), "¿sigo aquí?")  # it does not know yet
    pair.settle()
    pair.check_alike()
    assert dead.proposer.incarnation == 0
    expelled = [mail for mail in dead.mail.collect() if isinstance(mail, Expel)]
    assert [mail.session_number for mail in expelled] == [number]
    assert expelled[0].last_message.reason is CloseReason.SHUTDOWN
    assert expelled[0].last_message.cause == "cut_off"
    assert pair["b"].replica.ignored[Verdict.FENCED] == 1
    assert not [one for one in pair["b"].events() if getattr(one, "text", "") == "¿sigo aquí?"]


def test_a_node_that_was_taken_for_dead_comes_up_again(pair: Bench) -> None:
    for _ in range(11):
        pair["b"].give_life()
        pair["b"].land(after_ms=1_000)
        pair["b"].follow()
    pair.settle()
    pair["a"].pass_time(1.0)
    pair.settle()
    assert pair["a"].proposer.incarnation == len(pair.log.entries)
    pair["a"].join("ana")
    pair.settle()
    pair.check_alike()


def test_a_start_under_the_same_name_ends_the_sessions_of_the_run_before(pair: Bench) -> None:
    pair["a"].join("ana")
    pair.settle()
    again = BenchNode("a", pair.log)
    again.follow()
    assert again.users() == ["ana"]
    again.pass_time(1.0)
    again.settle()
    pair["b"].follow()
    assert again.users() == pair["b"].users() == []
    assert again.packed() == pair["b"].packed()


def test_batches_that_come_twice_or_early_are_ignored_by_all_alike(pair: Bench) -> None:
    node = pair["a"]
    session = node.join("ana")
    node.say(session, "uno")
    node.say(session, "dos")
    first, second = node.air
    node.air[:] = [second, first, first, second, second]
    pair.settle()
    pair.check_alike()
    said = [one.text for one in pair["b"].events() if hasattr(one, "text") and one.text]
    assert said == ["uno", "dos"]
    ignored = pair["b"].replica.ignored
    assert (ignored[Verdict.EARLY], ignored[Verdict.AGAIN]) == (1, 2)


def test_garbage_moves_the_place_and_nothing_else(pair: Bench) -> None:
    before = pair["a"].hub.room.state()
    for entry in (b"", b"{}", b"\x93\x01\x02\x03", pack("a", 1, 1, [])):
        pair.log.put(entry)
    pair.settle()
    assert pair["a"].hub.room.state() == before
    assert pair["b"].replica.unreadable == 4
    pair.check_alike()


def test_commands_that_belong_to_no_session_or_no_batch_do_nothing(pair: Bench) -> None:
    incarnation = pair["a"].proposer.incarnation
    genesis = Genesis("x", "x", 9, pair["a"].replica.rules)  # type: ignore[arg-type]
    commands = [SayText(77, "hola"), Idle(78), genesis, NodeUp("x", FORMAT, [])]
    pair.log.put(pack("a", incarnation, 1, commands))  # type: ignore[arg-type]
    pair["b"].follow()
    assert pair["b"].events() == []
    assert pair["b"].replica.epoch == "epoch"
    assert pair["b"].replica.nodes.by_name["a"].incarnation == incarnation


def test_a_later_format_is_told(pair: Bench) -> None:
    pair.log.put(b"\x91" + bytes([FORMAT + 1]))
    with pytest.raises(FormatTooNew):
        pair["a"].follow()


# --- digests -------------------------------------------------------------------------------------


def live(bench: Bench, seconds: int) -> None:
    """Let signs of life of all nodes into the log."""
    for _ in range(seconds):
        for node in bench.nodes.values():
            node.give_life()
        bench.settle(after_ms=500)


def test_digests_are_compared(pair: Bench) -> None:
    pair["a"].join("ana")
    live(pair, 30)
    assert min(node.replica.digests_compared for node in pair.nodes.values()) > 20
    assert pair["a"].replica.latest_digest() == pair["b"].replica.latest_digest()
    assert pair["a"].replica.latest_digest()[0] > 0


def test_a_digest_is_taken_every_ten_seconds_and_the_latest_are_kept(
    pair: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tertulia.server.cluster.replica._MAX_DIGESTS", 2)
    replica = pair["a"].replica
    ages_ms: dict[int, int] = {}  # by the places of the digests
    for _ in range(100):
        live(pair, 1)
        place, _digest = replica.latest_digest()
        if place:
            ages_ms.setdefault(place, replica.nodes.age_ms)
    assert len(ages_ms) > 2
    assert [age_ms // 10_000 for age_ms in ages_ms.values()] == [*range(1, len(ages_ms) + 1)]
    assert list(replica._digests) == list(ages_ms)[-2:]


def test_a_node_that_has_come_to_another_state_is_found(pair: Bench) -> None:
    session = pair["a"].join("ana")
    live(pair, 12)
    pair["b"].find("ana").status = Status.OCUPADO  # as a fault of our own would
    assert session.status is Status.ACTIVO
    with pytest.raises(Diverged):
        live(pair, 30)
    assert sum(node.replica.diverged for node in pair.nodes.values()) == 1


def test_a_digest_for_a_place_that_nobody_has_one_of_is_not_compared(pair: Bench) -> None:
    pair["a"].proposer.submit(SignOfLife(1, b"whatever"))
    pair["a"].proposer.submit(SignOfLife(0, b""))
    pair.settle()
    assert pair["b"].replica.digests_compared == 0


# --- states --------------------------------------------------------------------------------------


def test_a_fresh_node_goes_on_from_the_state_of_another(pair: Bench) -> None:
    session = pair["a"].join("ana")
    pair["a"].say(session, "hola", nonce="n1")
    pair.settle()
    fresh = pair.fresh("c")
    fresh.resume(pair["b"].packed())
    pair["a"].hub.set_status(session, SetStatus(status="OCUPADO"))
    pair["a"].say(session, "hola", nonce="n1")
    pair.settle()
    pair.check_alike()
    assert [type(one).__name__ for one in fresh.events()] == ["Presence"], "it was said once"
    fresh.pass_time(1.0)
    pair.settle()
    fresh.join("luis")
    pair.settle()
    pair.check_alike()


def test_what_was_said_before_the_log_is_not_said_again() -> None:
    """A node that begins a log after another one was lost knows what has no answer yet."""
    bench = Bench("a", "b", begun=False)
    rows = BenchNode("c", bench.log, rows=True)
    bench.nodes["c"] = rows
    said_at = bench.log.time_ms / 1_000
    before = [("ana", f"before {number}", said_at, number) for number in range(1, 4_990)]
    for entry in first_entries(bench["a"], seq=5_000, nonces=before):
        bench.log.put(entry)
    for node in bench.nodes.values():
        node.pass_time(1.0)
    bench.settle()
    session = rows.join("ana")
    rows.say(session, "hola", nonce="n1")
    rows.say(session, "antes", nonce="before 4989")
    bench.settle()
    bench.check_alike()
    assert rows.rows is not None
    (message,) = rows.rows.messages
    assert message.nonce == "n1"
    known = [nonce for _, nonce, _, _ in bench["b"].hub.room.state().nonces]
    assert known == [*(nonce for _, nonce, _, _ in before), "n1"]


def test_users_are_told_nothing_of_an_entry_that_was_their_nodes_before(pair: Bench) -> None:
    """A node reads its own entries of an earlier run, and has no tickets for them."""
    pair["a"].join("ana")
    pair.settle()
    again = BenchNode("a", pair.log)
    again.follow()
    assert again.mail.mails == []
    request = Register(name="luis", id=4)
    route = again.switchboard.connect(again.mail)  # type: ignore[arg-type]
    again.hub.register(request, "10.0.5.5", route)
    assert again.air == [], "it is not up"
    again.pass_time(1.0)
    again.settle()
    assert [type(one) for one in again.mail.outcomes()] == [Registered]


def test_a_node_with_another_python_is_told(pair: Bench, caplog: pytest.LogCaptureFixture) -> None:
    for python in ("", PYTHON):
        pair.log.put(pack("c", 0, 0, [NodeUp("boot" + python, FORMAT, [], python)]))
    pair.settle()
    assert "another Python" not in caplog.text
    pair.log.put(pack("c", 0, 0, [NodeUp("new", FORMAT, [], "3.99")]))
    pair["a"].follow()
    assert f"another Python node=c python=3.99 own={PYTHON}" in caplog.text


def test_a_node_leaves_and_is_forgotten_by_nobody(pair: Bench) -> None:
    pair["a"].proposer.submit(NodeLeave())
    pair.settle()
    assert sorted(pair["b"].replica.nodes.by_name) == ["a", "b"]
    assert sorted(pair["b"].replica.nodes.up()) == ["b"]


@pytest.mark.parametrize(
    ("leave", "recorded"),
    [(NodeLeave(CloseReason.SHUTDOWN), "shutdown"), (NodeLeave(), "lost")],
)
def test_attendance_has_why_a_node_is_down_and_the_others_lose_its_users(
    leave: NodeLeave, recorded: str
) -> None:
    pair = Bench("a", "b", rows=True)
    ana, luis = pair["a"].join("ana"), pair["b"].join("luis")
    pair["a"].proposer.submit(leave)
    pair.settle()
    for node in pair.nodes.values():
        assert node.users() == ["luis"]
        assert [one.reason for one in node.events() if isinstance(one, Left)] == ["lost"]
        assert node.rows is not None
        ended = {one.key: one.reason for one in node.rows.changes if isinstance(one, Visit)}
        assert ended == {ana.joined_seq: recorded, luis.joined_seq: None}
        assert node.hub.room.moderation.departures
    pair.check_alike()
