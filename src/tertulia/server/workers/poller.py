"""A worker's epoll, with the events that it waits for on each connection.

Only the worker's thread uses it.
"""

import select
from collections.abc import Callable

from tertulia.server.workers.connection import CLOSED, Connection

READABLE = select.EPOLLIN
WRITABLE = select.EPOLLOUT


class Poller:
    """An epoll in which every connection has the mask that fits its state."""

    def __init__(self, mailbox_fd: int) -> None:
        self._epoll = select.epoll()
        self._epoll.register(mailbox_fd, READABLE)
        self._masks: dict[int, int] = {}  # by descriptor; only those that wait for something
        # Waits at most so many seconds for the first event; returns descriptors with their events.
        self.wait: Callable[[float], list[tuple[int, int]]] = self._epoll.poll

    def add(self, connection: Connection) -> None:
        """Wait for the first bytes of a new connection. Raises OSError."""
        self._epoll.register(connection.fd, READABLE)
        self._masks[connection.fd] = READABLE

    def update(self, connection: Connection) -> None:
        """Set the mask that fits the connection's state now. A closed one waits for nothing."""
        if connection.state is CLOSED:
            return
        mask = WRITABLE if connection.blocked else 0
        if connection.is_read:
            mask |= READABLE
        fd = connection.fd
        before = self._masks.get(fd, 0)
        if mask == before:
            return
        if not mask:  # with a mask of 0, epoll would report errors again and again
            self._epoll.unregister(fd)
            del self._masks[fd]
            return
        if before:
            self._epoll.modify(fd, mask)
        else:
            self._epoll.register(fd, mask)
        self._masks[fd] = mask

    def pause(self, connection: Connection) -> None:
        """Wait for nothing on a connection until `update` is called for it."""
        if self._masks.pop(connection.fd, 0):
            self._epoll.unregister(connection.fd)

    def forget(self, connection: Connection) -> None:
        """Forget a connection whose socket is about to be closed, which removes it from epoll."""
        self._masks.pop(connection.fd, None)

    def close(self) -> None:
        """Free the descriptor."""
        self._epoll.close()
