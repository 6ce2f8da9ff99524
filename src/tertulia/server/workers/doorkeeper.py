"""Finds out what the new connections of a worker speak, and opens TLS for those that ask for it.

Only the worker's thread uses it; it never waits.
"""

from tertulia.protocol.messages import CloseReason, ErrorCode
from tertulia.server import refusals
from tertulia.server.observer import ADDRESS_DENIED, NO_PROXY_HEADER, Observer
from tertulia.server.workers.connection import Connection
from tertulia.server.workers.connections import Connections
from tertulia.server.workers.door import Entrance
from tertulia.server.workers.output import Output
from tertulia.server.workers.poller import Poller
from tertulia.server.workers.proxy_header import BadHeader, ProxyHeaderReader
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
        self._access = shared.access
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
        if entrance.proxy is not None:
            data = self._read_header(connection, entrance, entrance.proxy, data, now)
            if not data:
                return False
        entrance.is_quiet = False
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

    def _read_header(
        self,
        connection: Connection,
        entrance: Entrance,
        reader: ProxyHeaderReader,
        data: bytes,
        now: float,
    ) -> bytes:
        """Take in the header of a proxy; return what came after it, if the client may come in."""
        try:
            header = reader.read(data)
        except BadHeader:
            self._observer.on_refused(connection.address, NO_PROXY_HEADER)
            answer = entrance.refuse_as(data, refusals.no_proxy_header())
            self._output.send_bytes(connection, answer)
            self._connections.finish(connection, CloseReason.REFUSED, None, now)
            return b""
        if header is None:
            return b""
        entrance.proxy = None
        # HAProxy names itself when it only looks whether the server lives.
        entrance.is_quiet = header.address in (None, connection.address)
        has_room = self._connections.readdress(connection, header.address or connection.address)
        if not self._access.admits(connection.address):
            self._observer.on_refused(connection.address, ADDRESS_DENIED)
            entrance.is_quiet = True
            self._connections.close(connection, CloseReason.REFUSED)
        elif not has_room:
            self._observer.on_refused(connection.address, ErrorCode.SERVER_FULL)
            answer = entrance.refuse_as(header.rest, refusals.server_full())
            self._output.send_bytes(connection, answer)
            self._connections.finish(connection, CloseReason.REFUSED, None, now)
        else:
            return header.rest
        return b""

    def wait_for_room(self, connection: Connection) -> None:
        """Wait for the socket to take what TLS itself has to say, if it has not."""
        if connection.tls is not None and connection.tls.has_unsent and not connection.blocked:
            connection.blocked = True
            self._poller.update(connection)
