"""From bytes to what is done: reading, holding, going on, and the end of the input."""

import errno
import select
from collections.abc import Iterator
from math import inf
from types import SimpleNamespace
from typing import Any

import pytest
from worker_bench import FakeHistory, WorkerBench, socket_of

from tertulia.protocol.lines import encode
from tertulia.protocol.messages import (
    CloseReason,
    Direct,
    Error,
    ErrorCode,
    Ping,
    Pong,
    Quit,
    Received,
    Register,
    Say,
    SetStatus,
)
from tertulia.server.workers.connection import NOT_HELD, Hold, State
from tertulia.server.workers.mail import ChallengeOver
from tertulia.server.workers.poller import READABLE, WRITABLE


@pytest.fixture
def bench() -> Iterator[WorkerBench]:
    bench = WorkerBench(history=FakeHistory())
    yield bench
    bench.close()


def codes(messages: list[Any]) -> list[str]:
    return [message.code for message in messages if isinstance(message, Error)]


# --- reading -------------------------------------------------------------------------------------


def test_the_requests_that_have_come_are_answered_in_their_order(bench):
    ana = bench.join("ana")
    bench.receive(ana, Ping(id=1), Ping(id=2), Ping(id=3))
    assert bench.heard(ana) == [Pong(id=1), Pong(id=2), Pong(id=3)]


def test_a_request_may_come_in_pieces(bench):
    ana = bench.join("ana")
    line = encode(Ping(id=1))
    for i in range(len(line)):
        bench.receive(ana, line[i : i + 1])
    assert bench.heard(ana) == [Pong(id=1)]


def test_of_one_client_only_so_much_is_read_before_others_have_their_turn():
    bench = WorkerBench(receive_bytes=40)
    ana = bench.join("ana")
    bench.receive(ana, Ping(id=1), Ping(id=2))
    assert bench.heard(ana) == [Pong(id=1)]
    assert len(socket_of(ana).incoming[0]) == 2 * len(encode(Ping(id=1))) - 40
    bench.ready(ana, READABLE)
    assert bench.heard(ana) == [Pong(id=2)]
    bench.close()


def test_no_more_is_read_than_a_line_may_have(bench):
    ana = bench.join("ana")
    bench.receive(ana, b"x" * 10_000)
    ana.door.feed(b"x" * 50_000)
    bench.receive(ana, b"y" * 10_000)
    assert list(socket_of(ana).incoming) == [b"y" * (10_000 - 5_536)]


def test_every_byte_is_a_sign_of_life(bench):
    ana = bench.join("ana")
    ana.answer_by = 15.0
    ana.add_challenger(bench.connect(), bench.mailbox)
    bench.pass_time(10.0)
    bench.receive(ana, b" ")
    assert ana.last_byte_at == bench.clock.s
    assert ana.answer_by == inf
    assert [type(mail) for mail in bench.mailbox.collect()] == [ChallengeOver]


def test_a_false_alarm_is_nothing(bench):
    ana = bench.join("ana")
    bench.pass_time(10.0)
    bench.ready(ana, READABLE)
    assert ana.last_byte_at == bench.clock.s - 10.0
    assert ana.state is State.REGISTERED


def test_empty_lines_are_nothing_before_welcome_too(bench):
    newcomer = bench.connect()
    for _ in range(100):
        bench.receive(newcomer, b"\r\n")
    bench.receive(newcomer, Register(name="ana"))
    assert bench.kinds(newcomer) == ["Welcome", "Joined"]


def flood(bench: WorkerBench, connection: Any, line: bytes) -> int:
    """Let a client send a line again and again; return how many bytes of it were carried out."""
    data = line * (1_000_000 // len(line))
    bench.receive(connection, data)
    while connection.state is not State.DRAINING and socket_of(connection).incoming:
        bench.ready(connection, READABLE)
        bench.flush()
    return len(data) - sum(map(len, socket_of(connection).incoming))


@pytest.mark.parametrize(
    "line",
    [b"\n", b"\r\n", encode(Pong()), b"\n" + encode(Pong()), encode(Received(receipt=1))],
    ids=repr,
)
def test_a_flood_of_what_is_free_ends_the_session(bench, line):
    ana, luis = bench.join("ana"), bench.join("luis")
    assert flood(bench, ana, line) <= 2 * 16_384
    (error,) = bench.heard(ana)
    assert error.code == ErrorCode.RATE_LIMITED
    assert error.retry_after > 0
    (left,) = bench.heard(luis)
    assert (left.name, left.reason) == ("ana", CloseReason.FLOOD)


@pytest.mark.parametrize("line", [b"\n", b"\r\n"], ids=repr)
@pytest.mark.parametrize("options", [{}, {"rate_limit_per_s": None}], ids=["limited", "off"])
def test_a_flood_of_empty_lines_before_welcome_closes_the_connection(options, line):
    bench = WorkerBench(**options)
    newcomer = bench.connect()
    assert flood(bench, newcomer, line) <= 2 * 16_384
    assert codes(bench.heard(newcomer)) == [ErrorCode.RATE_LIMITED]
    assert bench.observer.refused == {ErrorCode.RATE_LIMITED: 1}
    bench.close()


def test_hundreds_of_lines_that_are_free_are_fine_and_many_more_over_a_long_time(bench):
    newcomer = bench.connect()
    bench.receive(newcomer, b"\n" * 4_000, Register(name="ana"))
    bench.receive(newcomer, *[Pong()] * 250)
    for _ in range(1_000):
        bench.pass_time(10.0)
        bench.receive(newcomer, b"\r\n" * 10, *[Pong()] * 10)
    bench.receive(newcomer, Ping(id=1))
    assert Pong(id=1) in bench.heard(newcomer)


def test_what_confirms_a_direct_message_is_no_flood():
    bench = WorkerBench(rate_limit_per_s=1e6)
    ana, luis = bench.join("ana", receipts=True), bench.join("luis")
    for receipt in range(1, 2_001):
        bench.receive(luis, Direct(to="ana", text="hola"))
        bench.flush()
        bench.receive(ana, Received(receipt=receipt))
    assert ana.state is State.REGISTERED
    bench.close()


def test_without_a_rate_limit_a_session_may_send_what_it_likes():
    bench = WorkerBench(rate_limit_per_s=None)
    ana = bench.join("ana")
    bench.receive(ana, b"\n" * 30_000, *[Pong()] * 2_000)
    for _ in range(10):
        bench.ready(ana, READABLE)
    bench.receive(ana, Ping(id=1))
    assert bench.heard(ana) == [Pong(id=1)]
    bench.close()


def test_a_bad_line_is_answered_and_the_next_one_is_read(bench):
    ana = bench.join("ana")
    bench.receive(ana, b"no JSON\n", Ping(id=1))
    error, pong = bench.heard(ana)
    assert (error.code, pong) == (ErrorCode.MALFORMED, Pong(id=1))


def test_a_line_that_is_too_long_ends_the_connection(bench):
    ana = bench.join("ana")
    for _ in range(5):
        bench.receive(ana, b"x" * 16_000)
    assert codes(bench.heard(ana)) == [ErrorCode.LINE_TOO_LONG]
    assert bench.observer.left == {CloseReason.PROTOCOL: 1}


def test_after_the_end_of_a_session_nothing_is_carried_out(bench):
    ana = bench.join("ana")
    bench.receive(ana, Quit(), Ping(id=1))
    bench.receive(ana, Ping(id=2))
    assert bench.heard(ana) == []
    assert ana.state is State.DRAINING
    bench.receive(ana, Ping(id=3))
    assert bench.heard(ana) == []
    assert ana.door.decoded == [Ping(id=1)]


def test_a_fault_costs_the_connection_that_is_read(bench, monkeypatch):
    ana, luis = bench.join("ana"), bench.join("luis")
    monkeypatch.setattr(bench.handler, "handle", lambda *_: 1 / 0)
    bench.receive(ana, Ping())
    assert ana.state is State.CLOSED
    assert bench.observer.faults == 1
    assert bench.kinds(luis) == ["Left"]


# --- the end of the input ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (b"", CloseReason.QUIT),
        (b'{"type":"ping"}\n', CloseReason.QUIT),
        (b'{"type":', CloseReason.LOST),
    ],
)
def test_the_end_of_file_ends_the_session(bench, last, reason):
    ana = bench.join("ana")
    if last:
        bench.receive(ana, last)
    bench.receive(ana, b"")
    bench.flush()
    assert bench.observer.left == {reason: 1}
    assert ana.state is State.CLOSED
    assert socket_of(ana).is_closed


def test_the_answers_still_go_to_a_client_that_only_sends_no_more(bench):
    ana = bench.join("ana")
    socket_of(ana).incoming.append(encode(Ping(id=1)))
    bench.ready(ana, READABLE)
    bench.receive(ana, b"")
    assert bench.heard(ana) == [Pong(id=1)]


def test_the_end_of_file_is_read_once(bench):
    ana = bench.join("ana")
    bench.fill(ana)
    bench.receive(ana, b"")
    assert bench.watched(ana) == WRITABLE
    bench.ready(ana, READABLE | WRITABLE)  # a second read would find no more bytes
    assert ana.state is State.FINISHING


def test_the_end_of_file_of_a_draining_connection_closes_it(bench):
    ana = bench.join("ana")
    bench.receive(ana, Quit())
    bench.flush()
    bench.receive(ana, b"")
    assert ana.state is State.CLOSED


def test_the_end_of_file_of_a_finishing_connection_waits_for_its_output(bench):
    ana = bench.join("ana")
    bench.fill(ana)
    bench.receive(ana, Quit())
    bench.receive(ana, b"")
    assert ana.state is State.FINISHING
    assert bench.watched(ana) == WRITABLE, "its end would be found readable for ever"
    bench.empty(ana)
    bench.flush()
    assert ana.state is State.CLOSED


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.ECONNRESET, CloseReason.LOST), (errno.ETIMEDOUT, CloseReason.TIMEOUT)],
)
def test_an_error_of_the_socket_ends_the_connection(bench, number, reason):
    ana = bench.join("ana")
    socket_of(ana).error = OSError(number, "an error")
    bench.ready(ana, READABLE | select.EPOLLERR | select.EPOLLHUP)
    assert ana.state is State.CLOSED
    assert bench.observer.left == {reason: 1}


def test_a_blocked_connection_that_breaks_is_closed_and_not_waited_for(bench):
    ana = bench.join("ana")
    bench.fill(ana)
    socket_of(ana).error = OSError(errno.ECONNRESET, "reset")
    bench.ready(ana, READABLE | WRITABLE | select.EPOLLHUP | select.EPOLLERR)
    assert ana.state is State.CLOSED
    assert ana.fd not in bench.poller._masks
    assert bench.observer.faults == 0


def test_an_error_waits_while_the_connection_is_held(bench):
    ana = bench.join("ana")
    ana.hold_for(Hold.DELIVERY)
    socket_of(ana).error = OSError(errno.ECONNRESET, "an error")
    bench.ready(ana, select.EPOLLERR | select.EPOLLHUP)
    assert ana.state is State.REGISTERED
    assert bench.watched(ana) == 0
    bench.input.resume(ana)
    assert bench.watched(ana) == READABLE


# --- holding and going on ------------------------------------------------------------------------


def test_a_client_that_does_not_take_its_answers_is_not_read_until_it_does():
    bench = WorkerBench(slice_bytes=40, rate_limit_per_s=None)
    ana = bench.join("ana")
    bench.fill(ana)
    bench.receive(ana, *(Ping(id=number) for number in range(10)))
    assert ana.hold is Hold.BACKLOG
    waiting = len(ana.door.decoded)
    assert 0 < waiting < 10
    bench.receive(ana, Ping(id=10))
    assert len(ana.door.decoded) == waiting
    assert bench.watched(ana) == WRITABLE
    bench.empty(ana)
    bench.flush()
    assert ana.hold is NOT_HELD
    assert bench.watched(ana) == READABLE
    bench.ready(ana, READABLE)
    assert bench.heard(ana) == [Pong(id=number) for number in range(11)]
    bench.close()


def test_answers_do_not_pile_up_either_before_the_first_of_them_is_sent():
    bench = WorkerBench(private_bytes=100, rate_limit_per_s=None)
    ana = bench.join("ana")
    bench.receive(ana, *(Ping(id=number) for number in range(100)))
    assert ana.hold is Hold.BACKLOG
    assert 50 < len(ana.out) <= 50 + len(encode(Pong(id=10)))
    assert bench.heard(ana) == [Pong(id=number) for number in range(100)]
    assert ana.hold is NOT_HELD
    bench.close()


def test_the_backlog_is_at_most_half_of_what_would_be_too_slow():
    bench = WorkerBench(private_bytes=100, rate_limit_per_s=None)
    ana = bench.join("ana")
    bench.fill(ana)
    bench.receive(ana, *(Ping(id=number) for number in range(100)))
    bench.flush()
    assert ana.state is State.REGISTERED
    assert ana.hold is Hold.BACKLOG
    bench.close()


def test_the_requests_behind_a_hold_are_carried_out_after_it(bench):
    ana = bench.join("ana")
    bench.shared.history.has_space = False
    bench.receive(ana, Say(id=1, text="hola"), Ping(id=2))
    assert ana.hold is Hold.SPACE
    assert bench.shared.history.waiters == [(bench.mailbox, ana.session.route.number)]
    assert bench.heard(ana) == []
    ana.release_hold()
    bench.input.resume(ana)
    assert bench.heard(ana) == [Pong(id=2)]


def test_going_on_with_a_connection_that_has_ended_does_nothing(bench):
    ana = bench.join("ana")
    bench.connections.close(ana, CloseReason.LOST)
    ana.door.decoded.append(Ping())
    bench.input.resume(ana)
    assert ana.door.decoded == [Ping()]


# --- what comes with an answer -------------------------------------------------------------------


def test_ones_own_status_comes_before_the_end_without_the_others_events(bench):
    bot = bench.join("bot", events="messages")
    bench.receive(bot, SetStatus(status="OCUPADO"), Quit())
    assert bench.kinds(bot) == ["Presence"]


def test_a_socket_that_takes_more_is_sent_more(bench):
    ana = bench.join("ana")
    bench.fill(ana)
    assert bench.watched(ana) == READABLE | WRITABLE
    bench.receive(ana, Ping(id=1))
    bench.empty(ana)
    assert bench.watched(ana) == READABLE
    assert bench.heard(ana) == [Pong(id=1)]


def test_a_change_of_status_is_not_lost_that_another_thread_adds_meanwhile(bench):
    class Growing(list):  # as on several machines
        def copy(self) -> "Growing":
            events = Growing(self)
            if not sent:
                self.append("another")
            return events

    bot, sent = bench.join("bot", events="messages"), []
    bot.session.own_presence = Growing(["one"])
    bench.input._output = SimpleNamespace(
        send_own_presence=lambda _connection, events: sent.append(list(events))
    )
    for _ in range(2):
        bench.input.send_own_presence(bot, bot.session)
    assert sent == [["one"], ["another"]]
    assert bot.session.own_presence == []


def test_a_change_of_status_comes_before_the_hold_that_the_same_request_has_led_to(bench):
    beside = WorkerBench(beside=bench)
    bot, _luis = bench.join("bot", events="messages"), beside.join("luis")
    bench.hub.idle(bot.session)
    bench.input.send_own_presence(bot, bot.session)
    assert bench.kinds(bot) == ["Presence"]
    bench.receive(bot, Direct(id=1, to="luis", text="hola"))
    assert bot.hold is Hold.DELIVERY
    assert bench.kinds(bot) == ["Presence"]
    beside.close()


def test_a_refusal_for_now_is_counted_by_the_limit_that_was_reached():
    bench = WorkerBench(
        shared_addresses=False, registration_burst=1.0, rate_limit_per_s=1.0, rate_burst_s=1.0
    )
    newcomer, ana = bench.connect("10.0.0.1"), bench.join("ana", "10.0.0.2")
    bench.receive(newcomer, *[Register(name="eva", status="ASLEEP")] * 2)
    assert bench.observer.rate_limited == {"registrations": 1}
    bench.receive(ana, Ping(), Ping(), Ping())
    assert bench.observer.rate_limited == {"registrations": 1, "requests": 2}
    bench.close()
