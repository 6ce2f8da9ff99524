"""One epoll: for which events a worker waits on each of its connections.

Only the worker's thread uses it.
"""

import select
from collections.abc import Callable

from tertulia.server.workers.connection import CLOSED, Connection

READABLE = select.EPOLLIN
WRITABLE = select.EPOLLOUT


class Poller:
    """An epoll in which every connection has the mask that its state asks for."""

    def __init__(self, mailbox_fd: int) -> None:
        self._epoll = select.epoll()
        self._epoll.register(mailbox_fd, READABLE)
        self._masks: dict[int, int] = {}  # by descriptor; those that wait for something
        # Returns descriptors and their events, after at most so many seconds for the first one.
        self.wait: Callable[[float], list[tuple[int, int]]] = self._epoll.poll

    def add(self, connection: Connection) -> None:
        """Wait for the first bytes of a connection that is new and not held. Raises OSError."""
        self._epoll.register(connection.fd, READABLE)
        self._masks[connection.fd] = READABLE

    def update(self, connection: Connection) -> None:
        """Wait for what the connection has to wait for now: nothing, if it is closed by now."""
        if connection.state is CLOSED:
            return
        mask = WRITABLE if connection.blocked else 0
        if connection.is_read:
            mask |= READABLE
        fd = connection.fd
        before = self._masks.get(fd, 0)
        if mask == before:
            return
        if not mask:  # a mask of 0 would still report every error, again and again
            self._epoll.unregister(fd)
            del self._masks[fd]
            return
        if before:
            self._epoll.modify(fd, mask)
        else:
            self._epoll.register(fd, mask)
        self._masks[fd] = mask

    def pause(self, connection: Connection) -> None:
        """Wait for nothing of a connection until `update` is called for it."""
        if self._masks.pop(connection.fd, 0):
            self._epoll.unregister(connection.fd)

    def forget(self, connection: Connection) -> None:
        """Forget a connection whose socket is about to be closed, which ends the waiting."""
        self._masks.pop(connection.fd, None)

    def close(self) -> None:
        """Free the descriptor."""
        self._epoll.close()
