"""What the outside tells the program: to end, to stop for a while, that the terminal is gone.

The handlers run in the event loop, never in the middle of anything: Textual's own ones stop its
threads from within whatever the main thread does, and start them twice when a stop comes from
outside.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tertulia.tui.app import ChatApp

END_WITHIN_S = 10  # then by force: a terminal that is gone must not keep a user in the chat
_DEADLY = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)


def end_in_time() -> None:
    """Note that the program has come to its end, after a signal, without force."""
    signal.alarm(0)


@contextlib.contextmanager
def noted() -> Iterator[list[int]]:
    """List the signals to end that come while the event loop waits; it gets them afterwards."""
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _frame: came.append(number))
        for number in _DEADLY
    }
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
            signal.siginterrupt(number, False)  # as the loop had it


class Signals:
    """The signals of one app."""

    def __init__(self, app: "ChatApp") -> None:
        self._app = app
        self._ending = False
        self._stopped = False

    def listen(self) -> None:
        """Begin to listen. Call in the running loop, once the driver has set its handlers."""
        loop = asyncio.get_running_loop()
        for number in _DEADLY:
            loop.add_signal_handler(number, self._end, number)
        loop.add_signal_handler(signal.SIGTSTP, self._stop)
        loop.add_signal_handler(signal.SIGCONT, self._go_on)

    def _end(self, number: signal.Signals) -> None:
        if not self._ending:
            self._ending = True
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(END_WITHIN_S)
            self._app.end_by(number)

    def _stop(self) -> None:
        with self._app.suspend():
            self._stopped = True
            # To this thread, so that it has taken effect before the screen is taken back.
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)

    def _go_on(self) -> None:
        """Take the terminal back; who stopped this program from outside has left it as it was."""
        if not self._stopped and not self._ending:
            with self._app.suspend():
                pass  # giving it up and taking it again sets everything anew
        self._stopped = False
