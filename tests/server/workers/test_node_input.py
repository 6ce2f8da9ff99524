"""On several machines: pings of a connection whose requests wait for a log that stands still.

A ping is answered at once, and everything else keeps its order.
"""

import select
from collections.abc import Iterator
from math import inf

import pytest
from msgspec import UNSET
from node_bench import NodeBench
from worker_bench import socket_of

from tertulia.protocol.lines import MAX_LINE_BYTES, encode
from tertulia.protocol.messages import (
    CloseReason,
    ListUsers,
    Ping,
    Pong,
    Quit,
    Register,
    Say,
    SetStatus,
)
from tertulia.server.doors.websocket import WebSocketDoor
from tertulia.server.hub.ordered import ServesAgain, StandsStill
from tertulia.server.workers.connection import Connection, Hold
from tertulia.server.workers.mail import Challenge, ChallengeOver
from tertulia.server.workers.poller import READABLE
from tertulia.server.workers.watchdog import Due

BUSY = SetStatus(status="OCUPADO", id=2)


@pytest.fixture
def bench() -> Iterator[NodeBench]:
    """A node whose log stands still, until the test lets it go on."""
    bench = NodeBench()
    bench.near.hub.note_stillness(stands_still=True)
    yield bench
    bench.close()


def frame(data: bytes, opcode: int = 0x81) -> bytes:
    """Return a frame of a client, masked with zeros."""
    size = bytes((0x80 + len(data),)) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
    return bytes((opcode,)) + size + bytes(4) + data


def web(*requests: object) -> bytes:
    return b"".join(frame(encode(one)[:-1]) for one in requests)  # type: ignore[arg-type]


def test_pings_behind_a_request_that_waits_for_its_outcome_are_answered(bench: NodeBench) -> None:
    ana = bench.enter("ana")
    bench.receive(ana, BUSY, Ping(id=3), ListUsers(id=4), Ping(id=5))
    assert ana.hold is Hold.ORDER
    assert bench.heard(ana) == [Pong(id=3), Pong(id=5)]
    bench.receive(ana, Ping(id=6))
    bench.receive(ana, Say(text="uno", id=7), b'{"type":"pi')
    bench.receive(ana, b'ng","id":8}\n', Ping(id=9), b"\r\n")
    assert bench.heard(ana) == [Pong(id=6), Pong(id=8), Pong(id=9)]
    bench.settle()
    assert bench.kinds(ana) == ["Ok", "UserList", "Ok", "Presence", "ChatMessage"]


def test_pings_behind_a_request_that_waits_for_its_turn_are_answered(bench: NodeBench) -> None:
    ana = bench.enter("ana")
    bench.receive(ana, Say(text="uno", id=1), ListUsers(id=2))
    bench.receive(ana, Ping(id=3))
    assert (ana.hold, bench.heard(ana)) == (Hold.TURN, [Pong(id=3)])
    bench.settle()
    assert bench.kinds(ana) == ["Ok", "UserList", "ChatMessage"]


def test_a_newcomer_who_waits_gets_an_answer_to_a_ping(bench: NodeBench) -> None:
    ana = bench.connect()
    bench.receive(ana, Register(name="ana", id=1), Say(text="uno"), Ping(id=2))
    bench.receive(ana, Ping(id=3))
    assert bench.heard(ana) == [Pong(id=2), Pong(id=3)]
    bench.settle()
    assert bench.kinds(ana) == ["Welcome", "Joined", "ChatMessage"]


def test_pings_of_a_web_socket_are_answered_too(bench: NodeBench) -> None:
    ana = bench.enter("ana")
    ana.door = WebSocketDoor()
    bench.receive(ana, web(BUSY, Ping(id=3), ListUsers(id=4)) + frame(b"eh", 0x89))
    bench.receive(ana, web(Ping(id=5))[:9])
    bench.receive(ana, web(Ping(id=5))[9:])
    bench.flush()
    sent, socket_of(ana).sent = bytes(socket_of(ana).sent), bytearray()
    assert sent.index(b'{"type":"pong","id":3}') < sent.index(b"\x8a\x02eh")
    assert sent.endswith(b'{"type":"pong","id":5}')
    bench.settle()
    bench.flush()
    sent = bytes(socket_of(ana).sent)
    assert sent.index(b'"ok"') < sent.index(b'"users"')
    assert b"pong" not in sent


def test_what_is_wrong_in_between_is_answered_in_its_place(bench: NodeBench) -> None:
    ana = bench.enter("ana")
    bench.receive(ana, BUSY, b'{"type":"ping","id":"x"}\n', b"{nonsense\n", Ping(id=3))
    assert bench.heard(ana) == [Pong(id=3)]
    bench.settle()
    assert bench.kinds(ana) == ["Ok", "Error", "Error", "Presence"]


@pytest.mark.parametrize("door", ["native", "web"])
def test_a_client_is_read_only_up_to_what_its_door_takes(bench: NodeBench, door: str) -> None:
    ana = bench.enter("ana")
    encoded = encode
    if door == "web":
        ana.door = WebSocketDoor()
        encoded = web  # type: ignore[assignment]
    bench.receive(ana, encoded(BUSY))
    line, count = encoded(Say(text="x" * 1_000)), 0
    while ana.is_read:
        bench.receive(ana, line)
        count += 1
    assert MAX_LINE_BYTES // len(line) <= count <= MAX_LINE_BYTES // len(line) + 2
    assert bench.watched(ana) == 0
    bench.settle()
    bench.flush()
    assert bench.watched(ana) == READABLE
    assert sum(message.text == "x" * 1_000 for message in said(bench)) >= count - 1


def said(bench: NodeBench) -> list[Say]:
    return [one for one in bench.far.events() if hasattr(one, "text")]


def test_a_client_that_sends_pings_meanwhile_is_not_silent(bench: NodeBench) -> None:
    ana = bench.enter("ana")
    bench.receive(ana, BUSY)
    for number in range(10):
        bench.pass_time(20.0)
        bench.receive(ana, Ping(id=number))
        due = [what for one, what in bench.watchdog.check([ana], bench.clock.s)]
        assert Due.SILENT not in due
        assert Due.PING not in due
    assert bench.heard(ana) == [Pong(id=number) for number in range(10)]


def test_a_byte_that_was_read_ahead_puts_off_the_ping_when_the_wait_is_over(
    bench: NodeBench,
) -> None:
    ana = bench.enter("ana")
    bench.receive(ana, BUSY)
    bench.pass_time(20.0)
    bench.receive(ana, Ping(id=3))
    bench.settle()
    bench.pass_time(15.0)
    assert bench.watchdog.check([ana], bench.clock.s) == []
    bench.pass_time(15.0)
    assert bench.watchdog.check([ana], bench.clock.s) == [(ana, Due.PING)]


def test_what_is_read_ahead_is_counted(bench: NodeBench) -> None:
    ana = bench.enter("ana")
    bench.receive(ana, BUSY)
    observer = bench.observer
    requests, received = observer.requests, observer.received_bytes
    bench.receive(ana, Ping(id=3))
    assert observer.requests == requests + 1
    assert observer.received_bytes == received + len(encode(Ping(id=3)))


def test_a_ping_behind_shows_a_newcomer_in_its_way_that_the_session_is_alive(
    bench: NodeBench,
) -> None:
    ana, newcomer = bench.enter("ana"), bench.connect()
    bench.input._backlog_bytes = 0
    bench.fill(ana)
    bench.receive(ana, BUSY)
    assert ana.hold is Hold.BACKLOG, "it is challenged all the same"
    assert ana.session is not None
    number = ana.session.route.number
    bench.dispatcher.read_mail(Challenge(number, newcomer, bench.mailbox))
    bench.empty(ana)
    bench.flush()
    assert ana.hold is Hold.ORDER
    bench.mailbox.collect()
    bench.receive(ana, Ping(id=3))
    assert bench.mailbox.collect() == [ChallengeOver(newcomer)]
    assert ana.challenge_until == inf


def test_the_end_of_the_input_is_read_and_waits(bench: NodeBench) -> None:
    ana, luis = bench.enter("ana"), bench.enter("luis")
    bench.receive(ana, BUSY, Say(text="uno"))
    bench.receive(ana, b"")
    assert bench.watched(ana) == 0
    assert not socket_of(ana).is_closed
    bench.settle()
    assert bench.texts(luis) == ["Presence", "uno", "Left"]
    assert [one.reason for one in bench.far.events() if type(one).__name__ == "Left"] == ["quit"]


def test_a_broken_connection_is_not_looked_at_until_its_request_is_over(bench: NodeBench) -> None:
    ana, luis = bench.enter("ana"), bench.enter("luis")
    bench.receive(ana, BUSY, Say(text="uno"))
    bench.epoll.masks.setdefault(ana.fd, READABLE)
    bench.poller._masks.setdefault(ana.fd, READABLE)
    bench.ready(ana, READABLE | select.EPOLLHUP | select.EPOLLERR)
    assert bench.watched(ana) == 0
    bench.settle()
    assert bench.texts(luis) == ["Presence", "uno"]
    assert bench.watched(ana) == READABLE
    socket_of(ana).error = ConnectionResetError()
    bench.ready(ana, READABLE | select.EPOLLHUP)
    assert socket_of(ana).is_closed


def test_a_connection_that_breaks_while_it_is_read_ahead_is_closed(bench: NodeBench) -> None:
    ana = bench.enter("ana")
    bench.receive(ana, BUSY)
    socket_of(ana).error = ConnectionResetError()
    bench.ready(ana, READABLE)
    assert socket_of(ana).is_closed
    bench.settle()
    assert bench.far.users() == []
    assert bench.observer.faults == 0


def test_a_flood_of_pings_ends_a_connection_that_waits(bench: NodeBench) -> None:
    ana = bench.connect()
    bench.receive(ana, Register(name="ana"), *(Ping(id=number) for number in range(100)))
    answers = bench.kinds(ana)
    assert (answers.count("Pong"), answers[-1]) == (63, "Error")
    assert answers.count("Error") == 1
    assert bench.observer.requests == 64 + 1, "the pings after that are not looked at"
    bench.receive(ana, b"")
    bench.settle()
    assert (bench.near.users(), bench.routes()) == ([], 0)


def test_a_client_that_takes_nothing_is_not_read_ahead(bench: NodeBench) -> None:
    ana = bench.enter("ana")
    bench.receive(ana, BUSY)
    bench.fill(ana)
    assert not ana.is_read
    bench.empty(ana)
    bench.receive(ana, Ping(id=3))
    assert bench.heard(ana)[-1] == Pong(id=3)


def test_the_last_word_ends_the_looking(bench: NodeBench) -> None:
    ana: Connection = bench.enter("ana")
    bench.near.hub.serve_until(0.0)
    bench.receive(ana, Say(text="uno", id=1), Ping(id=2))
    bench.connections.finish(ana, CloseReason.SHUTDOWN, None, bench.clock.s)
    bench.receive(ana, Ping(id=3))
    assert bench.heard(ana) == [Pong(id=2)]
    bench.near.hub.serve_until(inf)
    bench.dispatcher.read_mail(ServesAgain())
    bench.settle()
    assert bench.kinds(ana) == []


def test_while_the_log_goes_on_a_ping_keeps_its_place(bench: NodeBench) -> None:
    bench.near.hub.note_stillness(stands_still=False)
    ana = bench.enter("ana")
    bench.receive(ana, BUSY, Ping(id=3))
    bench.receive(ana, Ping(id=4))
    assert bench.heard(ana) == []
    bench.settle()
    bench.ready(ana, READABLE)
    answers = [one for one in bench.heard(ana) if getattr(one, "id", UNSET) is not UNSET]
    assert [one.id for one in answers] == [2, 3, 4]


def test_pings_that_wait_are_answered_when_the_log_begins_to_stand_still(bench: NodeBench) -> None:
    bench.near.hub.note_stillness(stands_still=False)
    ana, luis, eva = bench.enter("ana"), bench.enter("luis"), bench.connect("10.0.0.9")
    bench.receive(ana, BUSY, Ping(id=3))
    bench.receive(ana, Ping(id=4))
    bench.receive(luis, Say(text="uno", id=1), ListUsers(id=2), Ping(id=3))
    bench.receive(eva, Register(name="eva"), Ping(id=2))
    assert bench.heard(ana) == bench.heard(luis) == bench.heard(eva) == []
    assert bench.near.hub.note_stillness(stands_still=True)
    assert not bench.near.hub.note_stillness(stands_still=True)
    assert bench.watched(ana) == 0
    bench.dispatcher.read_mail(StandsStill())
    assert bench.watched(ana) == READABLE
    bench.ready(ana, READABLE)
    assert bench.heard(ana) == [Pong(id=3), Pong(id=4)]
    assert (bench.heard(luis), bench.heard(eva)) == ([Pong(id=3)], [Pong(id=2)])
    bench.settle()
    assert [bench.kinds(one)[0] for one in (ana, luis, eva)] == ["Ok", "Ok", "Welcome"]


def test_a_client_that_waits_for_something_else_is_not_read_ahead(bench: NodeBench) -> None:
    ana, luis = bench.enter("ana"), bench.enter("luis")
    luis.hold_for(Hold.DELIVERY)
    bench.dispatcher.read_mail(StandsStill())
    assert (ana.looks_ahead, luis.looks_ahead) == (False, False)
    bench.receive(luis, Ping(id=3))
    assert bench.heard(luis) == []


def test_a_read_ahead_that_finds_nothing_changes_nothing(bench: NodeBench) -> None:
    ana = bench.enter("ana")
    bench.receive(ana, BUSY)
    bench.ready(ana, READABLE)
    assert (ana.hold, bench.observer.faults) == (Hold.ORDER, 0)
    bench.settle()
    assert bench.kinds(ana) == ["Ok", "Presence"]


def test_a_quit_behind_waits_for_its_turn(bench: NodeBench) -> None:
    ana = bench.enter("ana")
    bench.receive(ana, BUSY, Quit(), Ping(id=3))
    assert bench.heard(ana) == [Pong(id=3)]
    bench.settle()
    assert bench.kinds(ana) == ["Ok", "Presence"]
    assert socket_of(ana).is_shut_down
