"""Finds out what the new connections of a worker speak, and opens TLS for those that ask for it.

Only the worker's thread uses it; it never waits.
"""

from tertulia.protocol.messages import CloseReason
from tertulia.server.observer import Observer
from tertulia.server.workers.connection import Connection
from tertulia.server.workers.connections import Connections
from tertulia.server.workers.door import Entrance
from tertulia.server.workers.output import Output
from tertulia.server.workers.poller import Poller
from tertulia.server.workers.shared import Shared
from tertulia.server.workers.watchdog import Watchdog


class Doorkeeper:
    """The way of a connection from its entrance to its door."""

    def __init__(
        self,
        shared: Shared,
        connections: Connections,
        output: Output,
        watchdog: Watchdog,
        poller: Poller,
        observer: Observer,
    ) -> None:
        self._register_timeout_s = shared.config.register_timeout_s
        self._handshake_timeout_s = shared.config.handshake_timeout_s
        self._connections = connections
        self._output = output
        self._watchdog = watchdog
        self._poller = poller
        self._observer = observer

    def enter(self, connection: Connection, entrance: Entrance, data: bytes, now: float) -> bool:
        """Take in the first bytes; return whether the connection's door has got some of them.

        Raises OSError if TLS fails.
        """
        opened = entrance.open(data)
        if opened is not None and opened.tls is not None:
            channel = entrance.tls = connection.start_tls(opened.tls, opened.rest)
            self._watchdog.look_at(connection, now + self._handshake_timeout_s)
            try:
                data = channel.decrypt()
            except BlockingIOError:
                self.wait_for_room(connection)
                return False
            opened = entrance.open(data)
        if opened is None:
            return False
        if opened.refused is not None:
            self._observer.on_refused(connection.address, opened.refused)
        if opened.answer:
            self._output.send_bytes(connection, opened.answer)
        if opened.door is None:
            reason, time_left_s = CloseReason.REFUSED, self._register_timeout_s
            self._connections.finish(connection, reason, None, now, within_s=time_left_s)
            return False
        connection.door = opened.door
        if opened.rest:
            opened.door.feed(opened.rest)
        return bool(opened.rest)

    def wait_for_room(self, connection: Connection) -> None:
        """Wait for the socket to take what TLS itself has to say, if it has not."""
        if connection.tls is not None and connection.tls.has_unsent and not connection.blocked:
            connection.blocked = True
            self._poller.update(connection)
