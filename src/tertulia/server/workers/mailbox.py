"""How other threads reach a worker: a queue of calls, and one wake-up if the worker sleeps."""

import os
import threading
from collections.abc import Callable


class Mailbox:
    """Calls to be made in a worker's thread.

    Any thread may `post` and `nudge`; the others are the worker's own. The queue is bounded by
    what posts to it: a connection has one direct message, challenge or page under way at a time,
    the history acknowledges what its queue had room for, and the Admission bounds the connections.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Callable[[], object]] = []
        self._asleep = False
        self._closed = False
        self._eventfd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def fileno(self) -> int:
        """Return the descriptor that is readable once the worker is to wake up."""
        return self._eventfd

    def post(self, call: Callable[[], object]) -> bool:
        """Have a call made by the worker; False if it has ended."""
        with self._lock:
            if self._closed:
                return False
            self._calls.append(call)
            self._wake()
            return True

    def nudge(self) -> None:
        """Wake the worker, if it sleeps, to look at the event log."""
        with self._lock:
            self._wake()

    def take(self) -> list[Callable[[], object]]:
        """Take all calls, and the wake-up that came with them."""
        with self._lock:
            self._asleep = False
            calls, self._calls = self._calls, []
        return calls

    def fall_asleep(self) -> bool:
        """Mark the worker asleep, unless there is something for it.

        From here on whoever brings something sends a wake-up. What came before that the worker
        finds by looking once more, after this.
        """
        with self._lock:
            self._asleep = not self._calls
            return self._asleep

    def clear_wake_up(self) -> None:
        """Take note of a wake-up."""
        os.eventfd_read(self._eventfd)

    def close(self) -> list[Callable[[], object]]:
        """Free the descriptor, take no more calls, and return those not made yet."""
        with self._lock:
            self._closed = True
            self._asleep = False
            os.close(self._eventfd)
            return self._calls

    def _wake(self) -> None:
        # Under the lock, or the descriptor might be closed, and be another file's, by now.
        if self._asleep:
            self._asleep = False
            os.eventfd_write(self._eventfd, 1)
