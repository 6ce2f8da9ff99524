"""The input on one of several machines: it answers pings while a connection waits for the log.

Its requests wait, and are carried out in their order. While the log stands still, a `ping` among
them is answered at once, so that a client can tell a waiting node from a dead one. The door bounds
how much is read for that. Only the worker's thread runs this.
"""

from typing import Any

from tertulia.server.hub.wait import Wait
from tertulia.server.workers.connection import HELD_BY_THE_LOG, OPEN_STATES, Connection
from tertulia.server.workers.door import AnyRequest
from tertulia.server.workers.handler import Step
from tertulia.server.workers.input import Input
from tertulia.server.workers.poller import READABLE
from tertulia.server.workers.shared import Shared


class NodeInput(Input):
    """The input of a worker's connections, on one of several machines."""

    def __init__(self, shared: Shared, *parts: Any) -> None:
        super().__init__(shared, *parts)
        assert shared.node is not None
        self._node = shared.node

    def _on_other_event(self, connection: Connection, mask: int) -> None:
        if not (connection.looks_ahead and connection.is_read):
            super()._on_other_event(connection, mask)
        elif mask == READABLE:
            self._read_ahead(connection)
        else:
            self._poller.pause(connection)  # it is broken, which shows when the hold ends

    def _wait_for_order(self, connection: Connection, request: AnyRequest, wait: Wait) -> None:
        super()._wait_for_order(connection, request, wait)
        if self._node.stands_still(self.now):
            self.look_ahead(connection)

    def _do_step(self, connection: Connection, request: AnyRequest, step: Step) -> None:
        super()._do_step(connection, request, step)
        if step is Step.WAIT_FOR_TURN and self._node.stands_still(self.now):
            self.look_ahead(connection)

    def look_ahead(self, connection: Connection) -> None:
        """Begin to answer the pings of a connection, if it is held for the log."""
        if connection.hold in HELD_BY_THE_LOG and connection.state in OPEN_STATES:
            connection.looks_ahead = True
            self._poller.update(connection)
            self._answer_pings(connection)

    def _read_ahead(self, connection: Connection) -> None:
        """Read the bytes after a request that waits, and answer the pings in them."""
        door = connection.door
        try:
            data = connection.recv(min(self._receive_bytes, door.free_bytes))
        except BlockingIOError:
            self._doorkeeper.on_nothing_read(connection)
            return
        except OSError as error:
            self.close_broken(connection, error)
            return
        if data:
            self._observer.received_bytes += len(data)
            connection.last_byte_at = self.now
            if connection.challengers:
                self._connections.answer_challengers(connection)
            door.feed(data)
            self._answer_pings(connection)
        else:
            door.feed_eof()
        self._poller.update(connection)

    def _answer_pings(self, connection: Connection) -> None:
        for ping in connection.door.pop_pings():
            if connection.state not in OPEN_STATES:
                return  # too many pings: the connection ends
            self._observer.requests += 1
            self.act(connection, ping, self._handler.handle(connection, ping, self.now))
