"""Wakes the main thread from other threads while it waits in `select`.

The other threads must never block in it.
"""

import contextlib
import socket
import threading


class Wakeup:
    """A file that is readable from the first `wake` until `clear`, for `select`."""

    def __init__(self) -> None:
        self._receiver, self._sender = socket.socketpair()
        self._sender.setblocking(False)
        self._lock = threading.Lock()
        self._woken = False

    def wake(self) -> None:
        """Make the file readable. Any thread may call this; it does not wait."""
        with self._lock:
            if not self._woken:
                self._woken = True
                with contextlib.suppress(OSError):  # it is closed, and nobody waits any more
                    self._sender.send(b"\0")

    def clear(self) -> None:
        """Make the file unreadable. Call this before looking for the reason of the wake-up."""
        with self._lock:
            if self._woken:
                self._receiver.recv(1)
                self._woken = False

    def fileno(self) -> int:
        """Return the file descriptor for `select`."""
        return self._receiver.fileno()

    def close(self) -> None:
        """Close the file. A later `wake` does nothing."""
        with self._lock:
            self._sender.close()
            self._receiver.close()
