"""Finds out which protocol a worker's new connections speak, and does their TLS handshakes.

Only the worker's thread uses it, except for `compute_step`; it never waits.
"""

from collections import deque

from tertulia.protocol.messages import CloseReason, ErrorCode
from tertulia.server import refusals
from tertulia.server.observer import ADDRESS_DENIED, NO_PROXY_HEADER, Observer
from tertulia.server.workers.connection import UNREGISTERED, Connection, Hold
from tertulia.server.workers.connections import Connections
from tertulia.server.workers.door import Entrance, Opened
from tertulia.server.workers.mail import Answered
from tertulia.server.workers.mailbox import Mailbox
from tertulia.server.workers.output import Output
from tertulia.server.workers.poller import Poller
from tertulia.server.workers.proxy_header import BadHeader, ProxyHeaderReader
from tertulia.server.workers.shared import Shared
from tertulia.server.workers.watchdog import Watchdog
from tertulia.tls.channel import TlsChannel


class AnswerMailer:
    """Posts an answer to the worker of the connection that waits for it. Any thread may use it."""

    def __init__(self, connection: Connection, mailbox: Mailbox) -> None:
        self._connection = connection
        self._mailbox = mailbox

    def answer(self, opened: Opened) -> None:
        """Post the answer; it is dropped if the worker has ended."""
        self._mailbox.post(Answered(self._connection, opened))


class Doorkeeper:
    """Takes connections from their entrance to their door.

    Steps of handshakes wait in `steps_due` until the worker has time for them.
    """

    def __init__(
        self,
        shared: Shared,
        mailbox: Mailbox,
        connections: Connections,
        output: Output,
        watchdog: Watchdog,
        poller: Poller,
        observer: Observer,
    ) -> None:
        # Connections whose handshake has a step due; several threads may take them out. Bound: each
        # connection is in it once, because it is not read until its step is done.
        self.steps_due: deque[Connection] = deque()
        self._access = shared.access
        self._register_timeout_s = shared.config.register_timeout_s
        self._handshake_timeout_s = shared.config.handshake_timeout_s
        self._mailbox = mailbox
        self._connections = connections
        self._output = output
        self._watchdog = watchdog
        self._poller = poller
        self._observer = observer

    def feed(self, connection: Connection, entrance: Entrance, data: bytes, now: float) -> bool:
        """Read the next bytes; return whether the connection's door has got some of them."""
        if entrance.is_quiet:
            if entrance.proxy is not None:
                data = self._read_header(connection, entrance, entrance.proxy, data, now)
                if not data:
                    return False
            entrance.is_quiet = False
        opened = entrance.open(data)
        if opened is None or opened.tls is None:
            return self._continue_with(connection, opened, now)
        entrance.tls = connection.start_tls(opened.tls, opened.rest)
        self._step_due(connection, entrance.tls)
        self._watchdog.check_by(connection, now + self._handshake_timeout_s)
        return False

    def go_on_with_handshake(self, connection: Connection, now: float) -> bool:
        """Go on after a step of the handshake; returns what `feed` does. Raises OSError."""
        connection.release_hold()
        self._poller.update(connection)
        entrance, channel = connection.door, connection.tls
        if connection.state is not UNREGISTERED or channel is None:
            return False  # the connection has ended meanwhile
        try:
            data = channel.decrypt()
        except BlockingIOError:
            self.on_nothing_read(connection)
            return False
        finally:
            if channel.is_open:
                connection.recv = channel.recv
        return isinstance(entrance, Entrance) and self._continue_with(
            connection, entrance.open(data), now
        )

    def _step_due(self, connection: Connection, channel: TlsChannel) -> None:
        connection.hold_for(Hold.HANDSHAKE)
        self._poller.update(connection)
        channel.prepare_step()
        self.steps_due.append(connection)

    def compute_step(self) -> Connection | None:
        """Compute the next step that is due, and return its connection; None if none is due.

        Any thread of the worker may call it, also while another one has the turn.
        """
        try:
            connection = self.steps_due.popleft()
        except IndexError:  # another thread was faster
            return None
        if connection.tls is not None:
            connection.tls.compute_step()
        return connection

    def _read_header(
        self,
        connection: Connection,
        entrance: Entrance,
        reader: ProxyHeaderReader,
        data: bytes,
        now: float,
    ) -> bytes:
        """Read a proxy's header; return the bytes after it if the client's address is admitted."""
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
        entrance.client_address = header.client_address(connection.address)
        # HAProxy names itself when it only checks that the server is alive.
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

    def on_nothing_read(self, connection: Connection) -> None:
        """Note that a read has brought nothing for the door, but perhaps something for TLS itself.

        Then a step of the handshake is due, or TLS's own bytes wait until the socket takes more.
        """
        if connection.tls is None:
            return
        if connection.tls.is_step_due:
            self._step_due(connection, connection.tls)
        if connection.tls.has_unsent and not connection.blocked:
            connection.blocked = True
            self._poller.update(connection)

    def answer(self, connection: Connection, opened: Opened, now: float) -> None:
        """Give a connection the answer that it has waited for, unless it has ended."""
        if connection.state is UNREGISTERED and connection.hold is Hold.ANSWER:
            connection.release_hold()
            self._continue_with(connection, opened, now)

    def _continue_with(self, connection: Connection, opened: Opened | None, now: float) -> bool:
        """Continue with the protocol that a connection speaks, if it is known."""
        if opened is None:
            return False
        if opened.later is not None:
            connection.hold_for(Hold.ANSWER)
            opened.later.ask(AnswerMailer(connection, self._mailbox))
            return False
        if opened.refused is not None:
            self._observer.on_refused(connection.address, opened.refused)
        if opened.answer:
            self._output.send_bytes(connection, opened.answer)
        if opened.door is None:
            connection.source = opened.source
            reason, time_left_s = CloseReason.REFUSED, self._register_timeout_s
            self._connections.finish(connection, reason, None, now, within_s=time_left_s)
            return False
        connection.door = opened.door
        if opened.rest:
            opened.door.feed(opened.rest)
        return bool(opened.rest) or opened.door.has_more
