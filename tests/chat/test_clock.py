"""The server's clock, as its events tell it."""

from datetime import UTC, datetime

import pytest

from tertulia.chat.clock import ServerClock


class Time:
    """This computer's clocks."""

    def __init__(self) -> None:
        self.monotonic_s = 1_000.0
        self.wall_s = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()

    def monotonic(self) -> float:
        return self.monotonic_s

    def wall(self) -> float:
        return self.wall_s


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def clock(time: Time) -> ServerClock:
    return ServerClock(time.monotonic, time.wall)


def test_before_the_first_event_this_computers_clock_counts(clock: ServerClock) -> None:
    assert clock.now() == "2026-11-22T12:00:00.000Z"


def test_the_servers_clock_goes_on_whatever_happens_to_this_computers(
    clock: ServerClock, time: Time
) -> None:
    clock.learn("2026-11-23T14:00:00.000Z")
    time.wall_s -= 400 * 86_400
    time.monotonic_s += 1.5
    assert clock.now() == "2026-11-23T14:00:01.500Z"
    assert clock.today() in (datetime(2026, 11, d).date() for d in (22, 23, 24))


def test_an_event_that_came_late_does_not_set_the_clock_back(
    clock: ServerClock, time: Time
) -> None:
    clock.learn("2026-11-22T12:00:00.000Z")
    time.monotonic_s += 10
    clock.learn("2026-11-22T12:00:03.000Z")
    assert clock.now() == "2026-11-22T12:00:10.000Z"
    clock.forget()
    clock.learn("2026-11-22T12:00:03.000Z")
    assert clock.now() == "2026-11-22T12:00:03.000Z"


@pytest.mark.parametrize(
    "stamp",
    ["", "soon", "9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00Z", "2026-11-22T15:00:00", "\x00"],
)
def test_what_is_no_usable_time_is_not_learned(clock: ServerClock, stamp: str) -> None:
    clock.learn(stamp)
    assert clock.now() == "2026-11-22T12:00:00.000Z"
    assert clock.moment_of(stamp) is None


def test_a_time_of_the_server_has_a_place_on_the_monotonic_clock(
    clock: ServerClock, time: Time
) -> None:
    clock.learn("2026-11-23T14:00:00.000Z")
    now = time.monotonic_s
    assert clock.moment_of("2026-11-23T14:00:07.500Z") == now + 7.5
    assert clock.moment_of("2026-11-23T13:59:00.000Z") == now - 60
    assert clock.moment_of(None) is None
