"""What each signal does to the screen; the handlers are called as the event loop calls them."""

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Iterator

import pytest

from tertulia.tui.terminal import signals
from tertulia.tui.terminal.signals import END_WITHIN_S, Signals, cancel_deadline, collected

WAIT_S = 20.0


class Screen:
    """A screen that notes when it gives up the terminal, and how it ends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[object] = []
        self.ended = asyncio.Event()
        self.signals = Signals(self._end, self._suspend)
        monkeypatch.setattr(signals.signal, "pthread_kill", self._get_stopped)

    def _get_stopped(self, _thread: int, number: signal.Signals) -> None:
        self.seen.append(number)

    def _end(self, number: signal.Signals) -> None:
        self.seen.append(number)
        self.ended.set()

    @contextlib.contextmanager
    def _suspend(self) -> Iterator[None]:
        self.seen.append("gave up")
        yield
        self.seen.append("took back")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_an_ending_signal_ends_the_screen_once_and_sets_a_deadline(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    async def main() -> None:
        screen = Screen(monkeypatch)
        screen.signals.listen()
        os.kill(os.getpid(), number)
        async with asyncio.timeout(WAIT_S):
            await screen.ended.wait()
        screen.signals._end(signal.SIGTERM)
        assert screen.seen == [number]

    asyncio.run(main())
    assert 0 < signal.alarm(0) <= END_WITHIN_S


def test_a_deadline_can_be_cancelled() -> None:
    signal.alarm(END_WITHIN_S)
    cancel_deadline()
    assert signal.alarm(0) == 0


def test_a_stop_gives_up_the_terminal_first_and_takes_it_back_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        screen = Screen(monkeypatch)
        screen.signals._stop()
        assert screen.seen == ["gave up", signal.SIGSTOP, "took back"]
        screen.signals._continue()  # of this stop
        assert len(screen.seen) == 3
        screen.signals._continue()  # of a stop from outside
        assert screen.seen[3:] == ["gave up", "took back"]

    asyncio.run(main())


def test_a_screen_that_is_ending_does_not_take_the_terminal_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        screen = Screen(monkeypatch)
        screen.signals._end(signal.SIGTERM)
        screen.signals._continue()
        assert screen.seen == [signal.SIGTERM]

    asyncio.run(main())


def test_ending_signals_are_collected_and_afterwards_handled_as_before() -> None:
    before = [signal.getsignal(number) for number in signals._ENDING]
    with collected() as came:
        assert came == []
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        assert came == [signal.SIGTERM]
    assert [signal.getsignal(number) for number in signals._ENDING] == before
