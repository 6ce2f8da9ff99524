"""Waits for sockets: with `poll` where the system has it, otherwise (on Windows) with `select`.

`poll` is used where possible because it is not limited to the first 1,024 descriptors of a program.
It blocks the connection's thread.
"""

import select
import socket


class Waiter:
    """Waits for a connection's socket, and for a second socket that only wakes the thread up."""

    def __init__(self, waker: socket.socket, sock: socket.socket) -> None:
        self._waker = waker
        self._sock = sock
        self._poll = None
        if hasattr(select, "poll"):
            self._poll = select.poll()
            self._poll.register(waker, select.POLLIN)
            self._poll.register(sock, select.POLLIN)

    def wait(self, within_s: float, *, sends: bool) -> tuple[bool, bool]:
        """Return whether the waker is readable, and whether the socket is readable or broken.

        With `sends` it also returns when the socket accepts bytes to send.
        """
        if self._poll is None:
            return self._select(within_s, sends=sends)
        self._poll.modify(self._sock, select.POLLIN | (select.POLLOUT if sends else 0))
        ready = dict(self._poll.poll(within_s * 1000))
        is_woken = self._waker.fileno() in ready
        return is_woken, bool(ready.get(self._sock.fileno(), 0) & ~select.POLLOUT)

    def _select(self, within_s: float, *, sends: bool) -> tuple[bool, bool]:
        writers = [self._sock] if sends else []
        # Windows reports a broken socket only in the third list.
        readers = [self._waker, self._sock]
        readable, _writable, broken = select.select(readers, writers, [self._sock], within_s)
        return self._waker in readable, self._sock in readable or self._sock in broken


def is_ready(sock: socket.socket, *, sends: bool, within_s: float) -> bool:
    """Return whether a socket becomes readable in time; with `sends`, whether it accepts bytes."""
    within_s = max(0.0, within_s)
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(sock, select.POLLIN | (select.POLLOUT if sends else 0))
        return bool(poll.poll(within_s * 1000))
    readable, writable, broken = select.select([sock], [sock] if sends else [], [sock], within_s)
    return bool(readable or writable or broken)
