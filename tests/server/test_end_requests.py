"""How a server that runs is asked to end, with signals that the test hands over, and no waiting."""

import os
import signal
from collections.abc import Callable

import pytest

from tertulia.server import end_requests
from tertulia.server.end_requests import EndRequest, EndRequests

TERM, HUP = signal.SIGTERM, signal.SIGHUP


class Ended(Exception):
    """The program has ended at once."""


class Signals:
    """Gives the thread that waits for signals those of a list: (seconds after the last, signal)."""

    def __init__(self, *arriving: tuple[float, signal.Signals]) -> None:
        self.now = 1000.0
        self._arriving = list(arriving)

    def sigwait(self, _signals: set[signal.Signals]) -> signal.Signals:
        if not self._arriving:
            raise TimeoutError("no further signal comes")
        after_s, number = self._arriving.pop(0)
        self.now += after_s
        return number

    def sigtimedwait(self, signals: set[signal.Signals], timeout_s: float) -> signal.Signals | None:
        if not self._arriving or self._arriving[0][0] > timeout_s:
            if self._arriving:
                after_s, number = self._arriving[0]
                self._arriving[0] = (after_s - timeout_s, number)
            self.now += timeout_s
            return None
        return self.sigwait(signals)


class Watch:
    """What becomes of the signals, on the thread of the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.requests = EndRequests()
        self._monkeypatch = monkeypatch

    def follow(self, *arriving: tuple[float, signal.Signals]) -> str:
        """Return how the wait for signals has ended."""
        patch, signals = self._monkeypatch.setattr, Signals(*arriving)
        patch(signal, "sigwait", signals.sigwait)
        patch(signal, "sigtimedwait", signals.sigtimedwait)
        patch(end_requests.time, "monotonic", lambda: signals.now)
        patch(os, "_exit", self._exit)
        patch(end_requests.threading, "Thread", self._run_here)
        try:
            self.requests.watch({TERM, HUP})
        except Ended:
            return "ended at once"
        except TimeoutError:
            return "waits for a second signal"
        return "waits for nothing"

    def _exit(self, status: int) -> None:
        assert status == 1
        raise Ended

    def _run_here(self, target: Callable[[], None], **_options: object) -> "Started":
        return Started(target)


class Started:
    """A thread whose work is done where it is started."""

    def __init__(self, target: Callable[[], None]) -> None:
        self.start = target


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    return Watch(monkeypatch)


def test_the_requests_come_in_their_order_and_then_none() -> None:
    requests = EndRequests()
    requests.add(EndRequest.HAND_OVER)
    requests.add(EndRequest.STOP)
    found = [requests.wait(0.0) for _ in range(3)]
    assert found == [EndRequest.HAND_OVER, EndRequest.STOP, None]


def test_a_wait_without_end_is_not_too_long_for_a_lock() -> None:
    requests = EndRequests()
    requests.add(EndRequest.STOP)
    assert requests.wait(float("inf")) is EndRequest.STOP


@pytest.mark.parametrize(
    ("arriving", "end"),
    [
        ([(0, TERM)], "waits for a second signal"),
        ([(0, TERM), (0, HUP)], "waits for a second signal"),
        ([(0, HUP), (0.2, TERM), (0.2, HUP)], "waits for a second signal"),
        ([(0, TERM), (0.6, TERM)], "ended at once"),
        ([(0, TERM), (0.4, TERM), (0.4, TERM)], "ended at once"),
    ],
)
def test_a_second_signal_ends_the_program_unless_it_comes_with_the_first(
    watch: Watch, arriving: list[tuple[float, signal.Signals]], end: str
) -> None:
    assert watch.follow(*arriving) == end
    assert watch.requests.wait(0.0) is EndRequest.STOP
    assert watch.requests.wait(0.0) is None, "they are one request"
