"""The signals that end the program, stop it for a while, or report that the terminal is gone.

The handlers run in the event loop, between two callbacks. Textual's own handlers would interrupt
the main thread anywhere: they stop its threads there, and start them twice when another process
sent the stop.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

from tertulia.jobcontrol import stop_job, wait_for_foreground

# After so long the program is ended by force, so that no user stays in the chat without a terminal.
END_WITHIN_S = 10
_ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)

Suspend = Callable[[], contextlib.AbstractContextManager[None]]


def cancel_deadline() -> None:
    """Cancel the alarm that an ending signal has set, because the program has reached its end."""
    signal.alarm(0)


@contextlib.contextmanager
def collected() -> Iterator[list[int]]:
    """Collect the ending signals that come while the event loop is blocked.

    The loop also gets them when it runs again.
    """
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _frame: came.append(number))
        for number in _ENDING
    }
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
            signal.siginterrupt(number, False)  # as the loop had set it


class Signals:
    """The signal handlers of one app.

    `on_end` is called once, with the first ending signal. `suspend` gives up the terminal during
    its context, and then takes it back. If the end comes while the program is stopped or in the
    background, `on_end_outside` is called instead: the terminal then belongs to the shell, and the
    program ends at once. `terminal` is None in tests without a terminal.
    """

    def __init__(
        self,
        on_end: Callable[[signal.Signals], None],
        suspend: Suspend,
        on_end_outside: Callable[[signal.Signals], None] | None = None,
        terminal: int | None = None,
    ) -> None:
        self._on_end = on_end
        self._on_end_outside = on_end_outside or on_end
        self._suspend = suspend
        self._terminal = terminal
        self._ending = False
        self._stopped = False

    def listen(self) -> None:
        """Set the handlers. Call it in the running loop, after Textual's driver has set its own."""
        loop = asyncio.get_running_loop()
        for number in _ENDING:
            loop.add_signal_handler(number, self._end, number)
        loop.add_signal_handler(signal.SIGTSTP, self._stop)
        loop.add_signal_handler(signal.SIGCONT, self._continue)

    def stop_job(self) -> bool:
        """Stop the program because of Ctrl+Z; return False if there is no shell to return to."""
        self._give_up_terminal(stop_job)
        return self._stopped

    def _end(self, number: signal.Signals) -> None:
        if not self._ending:
            self._ending = True
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(END_WITHIN_S)
            self._on_end(number)

    def _stop(self) -> None:
        self._give_up_terminal(_stop_here)

    def _continue(self) -> None:
        """Take the terminal back if another process sent the stop, so that it was not given up."""
        if not self._stopped and not self._ending:
            with collected() as came:
                self._wait_for_foreground(came)
            if came:
                # The shell controls the terminal, but not with its own settings.
                signal.signal(signal.SIGTTOU, signal.SIG_IGN)
                self._end(signal.Signals(came[0]))
                return
            with self._suspend():
                pass  # giving it up and taking it back sets it up again
        self._stopped = False

    def _give_up_terminal(self, stop: Callable[[], bool]) -> None:
        """Call `stop` without the terminal, and take it back in the foreground."""
        with collected() as came, self._suspend():
            self._stopped = stop()
            self._wait_for_foreground(came)
            if came:
                self._ending = True
                self._on_end_outside(signal.Signals(came[0]))

    def _wait_for_foreground(self, came: list[int]) -> None:
        if self._terminal is not None:
            wait_for_foreground(self._terminal, lambda: bool(came))


def _stop_here() -> bool:
    # Sent to this thread, so that the stop is effective before the terminal is taken back.
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
    return True
