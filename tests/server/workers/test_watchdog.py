"""Deadlines: what is due and when, and that it is looked for no more often than that."""

from math import inf
from typing import Any

import pytest
from standing_clock import StandingClock
from worker_bench import FakeSocket

from tertulia.protocol.messages import Register, Status
from tertulia.server.config import Config
from tertulia.server.doors.native import NativeDoor
from tertulia.server.hub.hub import Hub, Registered
from tertulia.server.hub.session import Route
from tertulia.server.workers.connection import Connection, Hold, State
from tertulia.server.workers.watchdog import Due, Watchdog

OPTIONS = {
    "ping_after_s": 30.0,
    "silence_timeout_s": 45.0,
    "challenge_timeout_s": 3.0,
    "write_timeout_s": 30.0,
}


class Bench:
    """A watchdog over one registered connection, which was last heard at second 0."""

    def __init__(self, idle_after_s: float | None = None) -> None:
        config = Config(port=0, idle_after_s=idle_after_s, **OPTIONS)
        self.clock = StandingClock()
        self.clock.s = 0.0
        self.hub = Hub(config, monotonic=self.clock.monotonic, wall=self.clock.wall)
        self.dog = Watchdog(config)
        self.connection = unregistered()
        outcome = self.hub.register(Register(name="ana"), "10.0.0.1", Route("", 1))
        assert isinstance(outcome, Registered)
        self.session = self.connection.session = outcome.session
        self.connection.change_state(State.REGISTERED)
        self.check(0.0)

    def check(self, now: float) -> list[Due]:
        """Return what is due at a moment, for which the connection has to be looked at."""
        self.clock.s = now
        self.dog.check_by(self.connection, now)
        return [due for _, due in self.dog.check([self.connection], now)]

    def due_at(self, until: float) -> list[tuple[float, Due]]:
        """Return everything that is due, by looking only when the watchdog asks for it."""
        happened = []
        while self.dog.next_check <= until:
            now = self.clock.s = self.dog.next_check
            for _, due in self.dog.check([self.connection], now):
                happened.append((now, due))
                if due is Due.IDLE:
                    self.hub.idle(self.session)
        return happened

    def hear(self, now: float) -> None:
        self.connection.last_byte_at = now
        self.connection.answer_by = inf


def unregistered() -> Connection:
    sock: Any = FakeSocket()
    return Connection(sock, "10.0.0.1", NativeDoor(), 0.0)


@pytest.fixture
def bench() -> Bench:
    return Bench()


# --- when to look --------------------------------------------------------------------------------


def test_the_next_check_is_at_the_earliest_deadline():
    dog = Watchdog(Config(port=0))
    first, second = unregistered(), unregistered()
    dog.check_by(first, 130.0)
    dog.check_by(second, 120.0)
    dog.check_by(second, 125.0)
    assert dog.next_check == 120.0
    assert dog.check([first, second], 100.0) == []
    assert dog.next_check == 120.0
    assert (first.deadline, second.deadline) == (130.0, 120.0)


def test_a_deadline_can_be_put_off():
    dog = Watchdog(Config(port=0))
    connection = unregistered()
    dog.check_by(connection, 120.0)
    dog.set_deadline(connection, 130.0)
    assert connection.deadline == 130.0


def test_however_many_come_in_all_are_looked_at_only_now_and_then():
    dog = Watchdog(Config(port=0))
    dog.check([], 100.0)
    for number in range(1_000):
        dog.check_by(unregistered(), 100.0 + number * 1e-5)
        assert dog.next_check == 100.1


def test_the_next_look_is_not_at_once_however_soon_something_is_due():
    dog = Watchdog(Config(port=0))
    connection = unregistered()
    dog.check_by(connection, 100.001)
    assert dog.check([connection], 100.0) == []
    assert dog.next_check == 100.1


def test_a_newcomer_whose_handshake_is_over_in_time_is_looked_at_when_its_time_ends():
    dog = Watchdog(Config(port=0))
    connection = unregistered()
    connection.register_by = 120.0
    dog.check_by(connection, 110.0)
    assert dog.check([connection], 110.0) == []
    assert (connection.deadline, dog.next_check) == (120.0, 120.0)
    assert dog.check([connection], 120.0) == [(connection, Due.REGISTER_TIMEOUT)]


def test_a_new_session_is_looked_at_when_it_can_first_be_due():
    bench = Bench(idle_after_s=300.0)
    bench.connection.last_byte_at = bench.session.last_active = 50.0
    bench.dog.watch_session(bench.connection, bench.session, 50.0)
    assert bench.connection.deadline == 80.0
    bench.session.last_active = -245.0  # as a client says that comes back
    bench.dog.watch_session(bench.connection, bench.session, 50.0)
    assert bench.connection.deadline == 55.0


def test_what_is_due_earlier_is_not_put_off_by_what_begins_later(bench):
    planned = bench.connection.deadline
    assert planned == 30.0
    bench.dog.watch_blocked(bench.connection, 10.0)
    assert bench.connection.deadline == planned
    bench.dog.watch_challenged(bench.connection, 28.0)
    assert bench.connection.deadline == planned
    assert bench.connection.challenge_until == 31.0
    assert bench.dog.next_check == planned
    bench.dog.check_by(unregistered(), 40.0)
    assert bench.dog.next_check == planned


@pytest.mark.parametrize(
    ("idle_after_s", "last_byte_at", "deadline"),
    [(None, 50.0, 80.0), (300.0, 50.0, 80.0), (20.0, 50.0, 70.0), (300.0, 48.0, 78.0)],
)
def test_a_new_session_is_first_due_for_a_ping_or_as_idle(idle_after_s, last_byte_at, deadline):
    bench = Bench(idle_after_s)
    bench.connection.last_byte_at, bench.session.last_active = last_byte_at, 50.0
    bench.dog.watch_session(bench.connection, bench.session, 50.0)
    assert bench.connection.deadline == deadline


def test_a_new_session_whose_socket_is_full_is_looked_at_in_time():
    bench = Bench(idle_after_s=300.0)
    bench.connection.last_byte_at = bench.session.last_active = 50.0
    bench.connection.blocked, bench.connection.progress_at = True, 45.0
    bench.dog.watch_session(bench.connection, bench.session, 50.0)
    assert bench.connection.deadline == 75.0


def test_without_connections_there_is_nothing_to_look_for():
    dog = Watchdog(Config(port=0))
    assert dog.next_check == inf
    dog.check([], 100.0)
    assert dog.next_check == inf


def test_each_connection_is_named_with_what_is_due_for_it():
    dog = Watchdog(Config(port=0))
    early, late = unregistered(), unregistered()
    early.register_by, late.register_by = 10.0, 20.0
    dog.check_by(early, 10.0)
    dog.check_by(late, 20.0)
    assert dog.check([late, early], 10.0) == [(early, Due.REGISTER_TIMEOUT)]
    assert early.deadline == inf
    assert dog.next_check == 20.0


# --- the end of a connection ---------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.FINISHING, State.DRAINING])
def test_the_time_to_finish_or_to_drain_is_over_at_its_deadline(bench, state):
    bench.connection.state = state
    bench.dog.set_deadline(bench.connection, 3.0)
    assert bench.due_at(2.9) == []
    assert bench.due_at(100.0) == [(3.0, Due.EXPIRED)]


def test_a_silent_connection_is_pinged_once_and_then_ended(bench):
    assert bench.due_at(100.0) == [(30.0, Due.PING), (45.0, Due.SILENT)]


def test_a_byte_after_the_ping_saves_the_connection(bench):
    assert bench.due_at(44.0) == [(30.0, Due.PING)]
    bench.hear(44.0)
    assert bench.due_at(100.0) == [(74.0, Due.PING), (89.0, Due.SILENT)]


def test_a_byte_without_a_ping_puts_off_both(bench):
    bench.hear(29.0)
    assert bench.due_at(100.0) == [(59.0, Due.PING), (74.0, Due.SILENT)]


def test_after_a_pause_of_the_whole_server_a_connection_is_asked_before_it_ends(bench):
    bench.clock.s = 1_000.0
    assert bench.dog.check([bench.connection], 1_000.0) == [(bench.connection, Due.PING)]
    assert bench.dog.check([bench.connection], 1_014.9) == []
    assert bench.dog.check([bench.connection], 1_015.0) == [(bench.connection, Due.SILENT)]


@pytest.mark.parametrize("hold", [hold for hold in Hold if hold is not Hold.NOTHING])
def test_a_held_connection_is_not_silent_since_nobody_reads_it(bench, hold):
    bench.connection.hold_for(hold)
    assert bench.due_at(200.0) == []
    bench.connection.release_hold()
    held_until = bench.connection.last_byte_at
    assert held_until > 100.0
    assert bench.due_at(1_000.0) == [
        (held_until + 30.0, Due.PING),
        (held_until + 45.0, Due.SILENT),
    ]


def test_a_connection_that_was_pinged_before_it_was_held_is_not_silent(bench):
    assert bench.due_at(30.0) == [(30.0, Due.PING)]
    bench.connection.hold_for(Hold.DELIVERY)
    assert bench.due_at(60.0) == []
    bench.connection.release_hold()
    assert bench.due_at(75.0) == [(75.0, Due.PING)], "45 s, when it was last seen held, and 30 s"


def test_a_challenged_connection_has_its_time_to_show_life(bench):
    bench.dog.watch_challenged(bench.connection, 10.0)
    assert bench.connection.challenge_until == 13.0
    assert bench.due_at(12.9) == []
    assert bench.due_at(100.0) == [(13.0, Due.SILENT)]


def test_what_else_is_due_meanwhile_does_not_put_off_the_end_of_a_challenge(bench):
    bench.dog.watch_challenged(bench.connection, 28.0)
    assert bench.due_at(31.0) == [(30.0, Due.PING), (31.0, Due.SILENT)]


def test_a_connection_in_its_backlog_can_fail_a_challenge(bench):
    bench.dog.watch_challenged(bench.connection, 10.0)
    bench.connection.hold_for(Hold.BACKLOG)
    assert bench.due_at(100.0) == [(13.0, Due.SILENT)]


@pytest.mark.parametrize("hold", [Hold.DELIVERY, Hold.SPACE, Hold.ORDER, Hold.TURN])
def test_a_challenged_connection_that_is_held_for_others_is_spared(bench, hold):
    bench.dog.watch_challenged(bench.connection, 10.0)
    bench.connection.hold_for(hold)
    assert bench.due_at(100.0) == [(13.0, Due.UNREAD)]
    assert bench.connection.challenge_until == inf


def test_a_challenge_that_is_over_ends_nothing(bench):
    bench.dog.watch_challenged(bench.connection, 10.0)
    bench.connection.pop_challengers()
    assert bench.due_at(29.0) == []


def test_a_connection_that_takes_nothing_is_slow(bench):
    bench.connection.blocked = True
    bench.dog.watch_blocked(bench.connection, 10.0)
    bench.hear(20.0)
    assert bench.due_at(39.9) == []
    assert bench.due_at(100.0) == [(40.0, Due.SLOW)]


def test_a_connection_that_takes_nothing_is_looked_at_although_nothing_else_is_planned(bench):
    bench.dog.set_deadline(bench.connection, inf)
    bench.connection.blocked = True
    bench.dog.watch_blocked(bench.connection, 10.0)
    assert bench.connection.deadline == 40.0


def test_a_connection_that_takes_a_little_now_and_then_is_not_slow(bench):
    bench.connection.blocked = True
    for now in range(10, 200, 10):
        bench.dog.watch_blocked(bench.connection, now)
        bench.hear(now)
        assert bench.due_at(now + 9.9) == []
    bench.hear(200.0)
    assert bench.due_at(300.0) == [(220.0, Due.SLOW)]


def test_a_connection_that_takes_everything_again_is_not_slow(bench):
    bench.connection.blocked = True
    bench.dog.watch_blocked(bench.connection, 10.0)
    bench.connection.blocked = False
    bench.hear(20.0)
    assert bench.due_at(49.0) == []


def test_the_slow_end_comes_before_the_silent_one(bench):
    bench.connection.blocked = True
    bench.connection.progress_at = 10.0
    assert bench.check(45.0) == [Due.SLOW]
    assert bench.connection.deadline == inf


# --- idleness ------------------------------------------------------------------------------------


def test_a_user_without_activity_becomes_idle_however_much_is_heard():
    bench = Bench(idle_after_s=20.0)
    bench.hear(19.0)
    assert bench.due_at(21.0) == [(20.0, Due.IDLE)]
    assert bench.session.status is Status.INACTIVO


def test_activity_puts_the_idleness_off():
    bench = Bench(idle_after_s=20.0)
    bench.clock.s = 15.0
    bench.hub.note_reading(bench.session)
    assert bench.due_at(34.9) == [(30.0, Due.PING)]
    assert bench.due_at(36.0) == [(35.0, Due.IDLE)]


def test_an_idle_user_who_comes_back_is_idle_again_in_time():
    bench = Bench(idle_after_s=20.0)
    assert bench.due_at(20.0) == [(20.0, Due.IDLE)]
    bench.clock.s = 25.0
    bench.hub.note_reading(bench.session)
    bench.hear(25.0)
    assert bench.due_at(46.0) == [(45.0, Due.IDLE)]


def test_a_user_can_be_pinged_and_idle_at_one_moment():
    bench = Bench(idle_after_s=30.0)
    assert bench.due_at(30.0) == [(30.0, Due.PING), (30.0, Due.IDLE)]
