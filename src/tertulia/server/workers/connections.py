"""The life cycle of a worker's connections: adopted, registered, finished, closed.

This is the only place where the end of a connection ends its session, and where the socket of a
connection is closed. Only the worker's thread uses it. Times are seconds of the monotonic clock.

A challenge: if a newcomer comes from the address of a session, the Room returns a Conflict, and
`Input._challenge` holds the newcomer and posts a Challenge to the session's worker. There,
`begin_challenge` sends the session a `ping`. With its next byte, its end, or the end of its time,
`answer_challengers` posts a ChallengeOver. In the newcomer's worker,
`Dispatcher._on_challenge_over` has it registered once more: it gets a session or a refusal.
"""

import contextlib
import socket
from collections.abc import Callable, Iterator

from tertulia.protocol.messages import CloseReason, Ping, ServerMessage
from tertulia.server.hub.session import Route, Session
from tertulia.server.observer import Observer
from tertulia.server.workers.access import NO_HEADER
from tertulia.server.workers.connection import (
    CLOSED,
    DRAINING,
    FINISHING,
    OPEN_STATES,
    REGISTERED,
    UNREGISTERED,
    Connection,
)
from tertulia.server.workers.door import Entrance
from tertulia.server.workers.mail import AcceptedSocket, AdoptConsole, Challenge, ChallengeOver
from tertulia.server.workers.output import Output
from tertulia.server.workers.poller import Poller
from tertulia.server.workers.rate_limit import Unlimited
from tertulia.server.workers.shared import Shared
from tertulia.server.workers.watchdog import Watchdog

CONSOLE_ADDRESS, VIEW_ADDRESS = "console", "view"  # in the log


class Connections:
    """A worker's connections, by descriptor and by session."""

    def __init__(
        self,
        shared: Shared,
        poller: Poller,
        output: Output,
        watchdog: Watchdog,
        observer: Observer,
    ) -> None:
        self._config = shared.config
        self._hub = shared.hub
        self._admission = shared.admission
        self._switchboard = shared.switchboard
        self._rate_limits = shared.rate_limits
        self._new_door = shared.new_door
        self._new_console_door = shared.new_console_door
        self._poller = poller
        self._output = output
        self._watchdog = watchdog
        self._observer = observer
        self._by_fd: dict[int, Connection] = {}
        self._by_session: dict[int, Connection] = {}
        # Lookups of the hot path, bound here to avoid a method call.
        self.at = self._by_fd.get
        self.of_session = self._by_session.get

    def __len__(self) -> int:
        return len(self._by_fd)

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._by_fd.values()))

    def adopt(self, accepted: AcceptedSocket, now: float) -> Connection | None:
        """Take over a socket. After a fault in our own code it is closed; returns None."""
        sock, address, header = accepted.sock, accepted.address, accepted.header
        try:
            door = self._new_door()
            if isinstance(door, Entrance):
                if header is NO_HEADER:
                    door.client_address = address
                else:
                    door.expect_header(header)
            connection = Connection(sock, address, door, now)
            self._poller.add(connection)
        except Exception:  # noqa: BLE001 (logged; it costs this connection)
            self._observer.on_fault(address)
            sock.close()
            self._admission.count_closed(address, is_registered=False)
            return None
        self._by_fd[connection.fd] = connection
        self._observer.accepted += 1
        connection.register_by = now + self._config.register_timeout_s
        self._watchdog.set_deadline(connection, connection.register_by)
        return connection

    def adopt_console(self, mail: AdoptConsole, now: float) -> Connection | None:
        """Take over the socket of a console, which has its session at once and follows no events.

        After a fault in our own code the socket is closed; returns None.
        """
        try:
            connection = Connection(mail.sock, mail.address, self._new_console_door(), now)
            self._poller.add(connection)
        except Exception:  # noqa: BLE001 (logged; it costs this connection)
            self._observer.on_fault(mail.address)
            self.turn_away_console(mail.sock, mail.route)
            return None
        connection.session = self._hub.moderator.open_console(mail.route)
        connection.rate_limit = Unlimited(self._config, now)
        connection.change_state(REGISTERED)
        self._by_fd[connection.fd] = connection
        self._by_session[mail.route.number] = connection
        self._observer.on_console(mail.address, is_open=True)
        self._watchdog.check_by(connection, now)
        return connection

    def turn_away_console(self, sock: socket.socket, route: Route) -> None:
        """Close the socket of a console that cannot be served."""
        sock.close()
        self._switchboard.disconnect(route.number)
        self._admission.count_console_closed()

    def register(self, connection: Connection, session: Session, seq: int, now: float) -> None:
        """Give a connection its session, and let it follow the chat from `seq` on."""
        connection.change_state(REGISTERED)
        connection.session = session
        self._by_session[session.route.number] = connection
        self._admission.count_registered(connection.address)
        self._observer.on_joined(session.name.shown, session.address)
        self._output.follow(connection, seq, messages_only=session.own_presence is not None)
        self._watchdog.watch_session(connection, session, now)

    def expect(self, connection: Connection, route: Route) -> None:
        """Note the route of the session that a connection will get, if it is let in."""
        self._by_session[route.number] = connection

    def stop_expecting(self, connection: Connection) -> Route:
        """Note that a connection's registration is decided."""
        route, connection.route = connection.route, None
        assert route is not None
        del self._by_session[route.number]
        return route

    def finish(
        self,
        connection: Connection,
        reason: CloseReason,
        last_message: ServerMessage | None,
        now: float,
        within_s: float | None = None,
    ) -> None:
        """End a connection's session, if it has one; close the connection once its output is sent.

        That may take `within_s` seconds (`flush_timeout_s` if None).

        The answers and the events up to this moment are sent before the last message.
        """
        if connection.state not in OPEN_STATES:
            # The deadline that it has may be far away, for example that of a download.
            if reason is CloseReason.SHUTDOWN:
                self._watchdog.set_deadline(connection, now + self._config.flush_timeout_s)
            return
        self._output.finish(connection, last_message)
        if connection.session is not None:
            self._release(connection, connection.session, reason)
            if not connection.session.is_console:
                self._admission.count_released(connection.address)
        if reason is CloseReason.SHUTDOWN:
            connection.confirmations_due = 0  # the receivers end, too, and do not answer
        connection.goodbye = connection.door.goodbye(reason)
        connection.change_state(FINISHING)
        connection.release_hold()
        self._poller.update(connection)
        flush_timeout_s = self._config.flush_timeout_s if within_s is None else within_s
        self._watchdog.set_deadline(connection, now + flush_timeout_s)

    def readdress(self, connection: Connection, address: str) -> bool:
        """Note the address that a proxy has named; return False if it has too many connections."""
        is_admitted = self._admission.count_elsewhere(connection.address, address)
        connection.address = address
        return is_admitted

    def shut_down(self, connection: Connection, now: float, within_s: float | None = None) -> None:
        """Shut a finished connection down once its output was sent, so that the client can read it.

        It has `within_s` seconds for that (`drain_timeout_s` if None). If answers are still due,
        the connection first waits for them, until the deadline.
        """
        if connection.answers_due or connection.confirmations_due:
            return
        if connection.goodbye:
            self._output.send_bytes(connection, connection.goodbye)
            connection.goodbye = b""
            return  # called again when those are sent
        if connection.door.is_at_eof:
            self.close(connection, CloseReason.REFUSED)
            return
        try:
            connection.shutdown()
        except OSError:  # the client has reset the connection and reads no more
            self.close(connection, CloseReason.REFUSED)
            return
        connection.change_state(DRAINING)
        drain_timeout_s = self._config.drain_timeout_s if within_s is None else within_s
        self._watchdog.set_deadline(connection, now + drain_timeout_s)

    def flush_and_close(
        self, connection: Connection, reason: CloseReason, last_bytes: bytes
    ) -> None:
        """Send what the client takes at once of its output and the last bytes, and close it."""
        self._output.send_bytes(connection, last_bytes)
        self._output.flush_last(connection)
        self.close(connection, reason)

    def close(self, connection: Connection, reason: CloseReason) -> None:
        """Close a connection at once, and end its session if it still has one. Idempotent."""
        if connection.state is CLOSED:
            return
        session, was_registered = connection.session, connection.state is REGISTERED
        if session is not None:
            self._release(connection, session, reason)
        elif (
            connection.state is UNREGISTERED
            and reason is not CloseReason.SHUTDOWN
            and not _is_quiet(connection)
        ):
            self._observer.on_never_registered(connection.address, reason)
        connection.change_state(CLOSED)
        if connection.ticket is not None:
            connection.ticket.is_cancelled = True
        self._poller.forget(connection)
        del self._by_fd[connection.fd]
        if session is not None:
            del self._by_session[session.route.number]
            self._switchboard.disconnect(session.route.number)
        elif connection.route is not None:
            self.stop_expecting(connection)
        self._output.forget(connection)
        if connection.tls is not None:
            with contextlib.suppress(OSError):  # it is broken, and is closed in any case
                connection.tls.say_end()
        connection.sock.close()
        connection.door.close()
        self._observer.closed += 1
        if session is not None and session.is_console:
            self._observer.on_console(connection.address, is_open=False)
            self._admission.count_console_closed()
        else:
            self._admission.count_closed(connection.address, is_registered=was_registered)

    def begin_challenge(self, connection: Connection, challenge: Challenge, now: float) -> bool:
        """Ping the session in a newcomer's way; return False if there is no answer to wait for.

        While a session is held because of others, nobody reads it. So its silence does not mean
        that it is dead.
        """
        if connection.state is not REGISTERED or connection.waits_for_others:
            return False
        if not connection.challengers:
            self._watchdog.watch_challenged(connection, now)
            self._output.send(connection, Ping())
        connection.add_challenger(challenge.newcomer, challenge.reply_to)
        return True

    def answer_challengers(self, connection: Connection) -> None:
        """Let the newcomers try again that wait for this session's answer, each in its worker."""
        challengers = connection.pop_challengers()
        for newcomer, mailbox in challengers:
            mailbox.post(ChallengeOver(newcomer))

    def guarded(
        self, connection: Connection | None, step: Callable[..., object], *arguments: object
    ) -> object:
        """Call a function for a connection and return its result.

        After an exception, this connection is closed and the result is None. It is also None if
        `connection` is None, because it was closed meanwhile.
        """
        if connection is None:
            return None
        try:
            return step(connection, *arguments)
        except Exception:  # noqa: BLE001 (logged; it costs this connection)
            self.close_on_fault(connection)
            return None

    def close_on_fault(self, connection: Connection) -> None:
        """Close a connection in which our own code has failed, while the exception is handled."""
        self._observer.on_fault(connection)
        self.close(connection, CloseReason.LOST)

    def _release(self, connection: Connection, session: Session, reason: CloseReason) -> None:
        replies = self._hub.release(session, reason)
        if replies is not None:
            self._observer.on_left(session.name.shown, session.address, reason)
            if replies:
                self._switchboard.send(replies)
        if connection.rate_limit is not None and not session.is_console:
            connection.rate_limit = None
            self._rate_limits.release(session.name.key)
        if connection.challengers:
            self.answer_challengers(connection)


def _is_quiet(connection: Connection) -> bool:
    return isinstance(connection.door, Entrance) and connection.door.is_quiet
