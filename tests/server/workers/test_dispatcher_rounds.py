"""What is due by now, and what becomes of the output, at the end of a round."""

import errno
from collections.abc import Iterator
from typing import Any

import pytest
from worker_bench import FakeHistory, PartingDoor, WorkerBench, socket_of

from tertulia.protocol.messages import (
    CloseReason,
    ErrorCode,
    GetHistory,
    Ping,
    Pong,
    Presence,
    Quit,
    Say,
    Status,
)
from tertulia.server.workers.connection import NOT_HELD, Hold, State
from tertulia.server.workers.poller import READABLE, WRITABLE


class Bench(WorkerBench):
    """Two users, and the deadlines of one of them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.ana, self.luis = self.join("ana"), self.join("luis")
        self.heard(self.ana)
        self.check(0.0)

    def check(self, later_s: float) -> None:
        """Look at the deadlines, so much later; everyone but ana has shown life by then."""
        self.pass_time(later_s)
        for connection in self.connections:
            if connection is not self.ana:
                connection.last_byte_at = self.clock.s
        self.dispatcher.check_deadlines()


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench(idle_after_s=None)
    yield bench
    bench.close()


# --- what is due ---------------------------------------------------------------------------------


def test_a_connection_that_does_not_register_is_refused(bench):
    newcomer = bench.connect()
    bench.check(19.9)
    assert newcomer.state is State.UNREGISTERED
    bench.check(0.1)
    [error] = bench.heard(newcomer)
    assert (error.code, newcomer.state) == (ErrorCode.REGISTER_TIMEOUT, State.DRAINING)
    assert bench.observer.refused == {"register_timeout": 1}


def test_a_silent_connection_is_pinged_and_then_closed(bench):
    bench.check(30.0)
    assert bench.heard(bench.ana) == [Ping()]
    bench.check(15.0)
    assert bench.ana.state is State.CLOSED
    assert bench.observer.left == {CloseReason.TIMEOUT: 1}
    assert bench.luis.state is State.REGISTERED


def test_a_connection_that_takes_nothing_is_closed_as_slow(bench):
    bench.fill(bench.ana)
    bench.pass_time(29.0)
    bench.ana.last_byte_at = bench.clock.s
    bench.check(1.0)
    assert bench.observer.left == {CloseReason.SLOW: 1}


def test_how_long_a_client_takes_nothing_is_counted_from_when_its_socket_was_full(bench):
    bench.pass_time(1_000.0)
    bench.fill(bench.ana)
    assert bench.ana.progress_at == bench.clock.s


def test_the_end_of_a_finished_connection_does_not_wait_for_its_client(bench):
    bench.fill(bench.ana)
    bench.receive(bench.ana, Quit())
    bench.check(2.9)
    assert bench.ana.state is State.FINISHING
    bench.check(0.1)
    assert bench.ana.state is State.CLOSED
    assert bench.observer.left == {CloseReason.QUIT: 1}


def test_a_connection_whose_answer_has_not_come_in_time_is_told_so_by_its_door(bench):
    bench.ana.door = PartingDoor()
    bench.ana.answers_due = 1
    bench.receive(bench.ana, Quit())
    bench.flush()
    assert bench.ana.state is State.FINISHING
    bench.check(3.0)
    assert socket_of(bench.ana).sent.endswith(b"bye quit\n")
    assert bench.ana.state is State.CLOSED


def test_an_idle_user_is_shown_as_inactive_to_all_and_to_itself():
    bench = Bench(idle_after_s=10.0)
    bot = bench.join("bot", events="messages")
    bench.check(10.0)
    assert bench.ana.session.status is bot.session.status is Status.INACTIVO
    shown = [event for event in bench.heard(bot) if isinstance(event, Presence)]
    assert [(event.name, event.by) for event in shown] == [("bot", "server")]
    bench.close()


def test_a_fault_in_what_is_due_costs_that_connection(bench, monkeypatch):
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(bench.output, "send", fail)
    bench.check(30.0)
    monkeypatch.undo()
    assert bench.ana.state is State.CLOSED
    assert bench.observer.faults == 1
    assert bench.kinds(bench.luis) == ["Left"]


# --- the fate of the output ----------------------------------------------------------------------


def test_a_blocked_connection_is_waited_for(bench):
    bench.fill(bench.ana)
    assert bench.watched(bench.ana) == READABLE | WRITABLE
    assert bench.ana.deadline <= bench.clock.s + 30.0


def test_an_event_that_is_not_taken_blocks_as_well(bench):
    socket_of(bench.ana).room = 5
    bench.receive(bench.luis, Say(text="hola"))
    bench.pass_time(5.0)
    bench.flush()
    assert bench.watched(bench.ana) == READABLE | WRITABLE
    assert bench.ana.progress_at == bench.clock.s


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.EPIPE, CloseReason.LOST), (errno.ETIMEDOUT, CloseReason.TIMEOUT)],
)
@pytest.mark.parametrize("sends", ["an answer", "an event"])
def test_a_broken_connection_is_closed_and_the_others_hear_of_it(bench, number, reason, sends):
    socket_of(bench.ana).error = OSError(number, "an error")
    if sends == "an answer":
        bench.output.send(bench.ana, Pong())
    else:
        bench.receive(bench.luis, Say(text="hola"))
    bench.flush()
    assert bench.ana.state is State.CLOSED
    assert bench.observer.left == {reason: 1}
    assert bench.kinds(bench.luis)[-1] == "Left"


def test_an_overflowing_connection_is_closed_as_slow():
    bench = Bench(private_bytes=1_000)
    bench.fill(bench.ana)
    for _ in range(100):
        bench.output.send(bench.ana, Pong())
    bench.flush()
    assert bench.ana.state is State.CLOSED
    assert bench.observer.left == {CloseReason.SLOW: 1}
    bench.close()


def test_a_client_that_has_taken_its_backlog_goes_on(bench):
    bench.ana.hold_for(Hold.BACKLOG)
    bench.ana.door.decoded = [Ping(id=1)]
    bench.output.send(bench.ana, Pong())
    assert bench.heard(bench.ana) == [Pong(), Pong(id=1)]
    assert bench.ana.hold is NOT_HELD


@pytest.mark.parametrize("hold", [Hold.DELIVERY, Hold.SPACE, Hold.MESSAGE])
def test_what_goes_out_ends_no_other_hold(hold):
    bench = Bench(history=FakeHistory())
    bench.ana.hold_for(hold)
    bench.ana.door.decoded = [Ping(id=1)]
    bench.ana.queue_page(GetHistory())
    bench.output.send(bench.ana, Pong())
    assert bench.heard(bench.ana) == [Pong()]
    assert bench.ana.hold is hold
    assert len(bench.shared.history.tickets) == 1
    bench.close()


def test_what_the_output_has_set_going_is_sent_in_the_same_round(bench):
    bench.ana.hold_for(Hold.BACKLOG)
    bench.ana.door.decoded = [Ping(id=1)]
    bench.output.send(bench.ana, Pong())
    bench.dispatcher.flush()
    assert socket_of(bench.ana).sent.count(b'"pong"') == 2


def test_a_fault_in_what_follows_from_the_output_costs_that_connection(bench, monkeypatch):
    monkeypatch.setattr(bench.watchdog, "watch_blocked", lambda *_: 1 / 0)
    socket_of(bench.ana).room = 1
    bench.receive(bench.luis, Say(text="hola"))
    bench.flush()
    assert bench.ana.state is State.CLOSED
    assert bench.observer.faults == 1
    assert bench.luis.state is State.REGISTERED


def test_a_page_that_waits_for_a_socket_without_private_output_is_asked_for_when_it_takes_more():
    history: Any = FakeHistory()
    bench = Bench(history=history)
    socket_of(bench.ana).room = 0
    bench.receive(bench.luis, Say(text="hola"))
    bench.flush()
    assert bench.ana.blocked
    assert not bench.ana.out
    bench.receive(bench.ana, GetHistory(id=1))
    assert history.tickets == []
    bench.empty(bench.ana)
    bench.flush()
    assert [ticket.request.id for ticket in history.tickets] == [1]
    bench.close()
