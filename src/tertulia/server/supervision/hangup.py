"""Distinguishes the end of a terminal from a request for an upgrade: both send SIGHUP.

When a terminal closes, it or its shell sends SIGHUP a moment before or after. So a SIGHUP close to
the end of the controlling terminal is a hangup, and every other one is a request. No clock.
"""

import contextlib
import os
import select

_CLOSE_S = 2.0  # at most between a SIGHUP and the end of the terminal that causes it


class Terminal:
    """The controlling terminal, if there is one."""

    def __init__(self) -> None:
        self._fd = -1
        self._poll = select.poll()
        with contextlib.suppress(OSError):  # a service has no terminal
            self._fd = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
            self._poll.register(self._fd, 0)  # POLLHUP is always reported

    def fileno(self) -> int:
        """Return the descriptor to wait for POLLHUP; -1 without a terminal."""
        return self._fd

    def has_gone(self) -> bool:
        """Return whether the terminal has closed since the last call."""
        if self._fd < 0 or not self._poll.poll(0):
            return False
        self._poll.unregister(self._fd)
        os.close(self._fd)
        self._fd = -1
        return True


class Hangups:
    """Compares the times of SIGHUPs and of the terminal's end."""

    def __init__(self) -> None:
        self._gone_at: float | None = None
        self._signalled_at: float | None = None

    def on_signal(self, now: float) -> bool:
        """Note a SIGHUP; return whether it comes from the terminal's end."""
        self._signalled_at = now
        return _are_close(self._gone_at, now)

    def on_terminal_gone(self, now: float) -> bool:
        """Note the end of the terminal; return whether the last SIGHUP announced it."""
        self._gone_at = now
        return _are_close(self._signalled_at, now)


def _are_close(earlier: float | None, now: float) -> bool:
    return earlier is not None and now - earlier <= _CLOSE_S
