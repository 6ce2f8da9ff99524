"""The input of a worker's connections: it reads bytes, and acts on the outcomes of their requests.

The connection's door decodes the bytes, the handler carries each request out, and `Input._actions`
has a method for each type of outcome, or sends the answer. The way of a `say` is told in
dispatcher.py, that of a direct message in deliveries.py, and that of a challenge in connections.py.
Only the worker's thread runs this; it never waits.
"""

import errno
import ssl
from collections import defaultdict
from collections.abc import Callable
from math import inf
from typing import Any

from msgspec import UNSET

from tertulia.protocol.attendance import AskSeenBy
from tertulia.protocol.hooks import HookList
from tertulia.protocol.lines import MAX_LINE_BYTES, BadRequest, LineTooLong
from tertulia.protocol.messages import (
    Answer,
    CloseReason,
    Error,
    ErrorCode,
    GetHistory,
    Register,
    Request,
)
from tertulia.protocol.moderation import BanList, PinMessage
from tertulia.server import refusals
from tertulia.server.history.mail import PageTicket
from tertulia.server.hub.directs import Delivery, Queued, Reply
from tertulia.server.hub.hub import Registered
from tertulia.server.hub.moderated import Moderated
from tertulia.server.hub.room import Conflict
from tertulia.server.hub.session import Session
from tertulia.server.hub.wait import Wait
from tertulia.server.observer import Observer
from tertulia.server.workers.connection import (
    BACKLOG,
    DRAINING,
    NOT_HELD,
    OPEN_STATES,
    Connection,
    Hold,
)
from tertulia.server.workers.connections import Connections
from tertulia.server.workers.deliveries import Deliveries
from tertulia.server.workers.door import AnyRequest, Control, Entrance, HookPost, Opened, Violation
from tertulia.server.workers.doorkeeper import Doorkeeper
from tertulia.server.workers.handler import Finish, Outcome, RequestHandler, Step
from tertulia.server.workers.mail import Challenge, ChallengeOver, Evict, Expel
from tertulia.server.workers.mailbox import Mailbox
from tertulia.server.workers.measure_requests import MeasureRequest
from tertulia.server.workers.output import Output
from tertulia.server.workers.poller import READABLE, WRITABLE, Poller
from tertulia.server.workers.shared import Shared


class Input:
    """The input of a worker's connections. `now` is the round's time, set by the dispatcher."""

    def __init__(
        self,
        shared: Shared,
        mailbox: Mailbox,
        connections: Connections,
        handler: RequestHandler,
        output: Output,
        doorkeeper: Doorkeeper,
        poller: Poller,
        observer: Observer,
    ) -> None:
        self.now = 0.0
        config = shared.config
        self._history = shared.history
        self._pages = shared.pages
        self._measure_requests = shared.measure_requests
        self._switchboard = shared.switchboard
        self._mailbox = mailbox
        self._connections = connections
        self._handler = handler
        self._output = output
        self._doorkeeper = doorkeeper
        self._poller = poller
        self._observer = observer
        self._receive_bytes = config.receive_bytes
        self._backlog_bytes = min(config.slice_bytes, config.private_bytes // 2)
        self.deliveries = Deliveries(shared, mailbox, connections, output, observer)
        # By the outcome's type. Any other type is that of an Answer, which `_send` sends.
        self._actions: defaultdict[type, Callable[[Connection, Any, Any], None]] = defaultdict(
            lambda: self._send,
            {
                Delivery: self.deliveries.deliver,
                Queued: self.deliveries.have_queue_sent,
                list: self._send_late,
                Registered: self._welcome,
                Conflict: self._challenge,
                Finish: self._finish,
                Moderated: self._moderate,
                BanList: self._send_large,
                HookList: self._send_large,
                Step: self._do_step,
                Wait: self._wait_for_order,
                Control: self._send_control,
                Error: self._refuse,
            },
        )

    # --- bytes ---------------------------------------------------------------------------------

    def on_ready(self, ready: list[tuple[int, int]]) -> None:
        """Handle the events that the poller has reported for descriptors."""
        connection_at = self._connections.at
        for fd, mask in ready:
            connection = connection_at(fd)
            if connection is None:
                if fd == self._mailbox.fileno():
                    self._mailbox.clear_wake_up()
                continue
            try:
                if mask == READABLE and connection.hold is NOT_HELD:
                    self._receive(connection)
                else:
                    self._on_other_event(connection, mask)
            except Exception:  # noqa: BLE001 (logged; it costs this connection)
                self._connections.close_on_fault(connection)

    def _on_other_event(self, connection: Connection, mask: int) -> None:
        if mask & ~WRITABLE:
            if connection.hold is NOT_HELD:
                self._receive(connection)
            else:
                self._poller.update(connection)  # it reports nothing more until the hold is over
        if mask & ~READABLE and connection.blocked:
            try:
                if not connection.flush_tls():
                    return
            except OSError as error:
                self.close_broken(connection, error)
                return
            self._output.unblock(connection)
            self._poller.update(connection)
            self.deliveries.send_queue(connection)

    def _receive(self, connection: Connection) -> None:
        """Read bytes from a connection, and carry out the requests in them."""
        door, recv, size = connection.door, connection.recv, self._receive_bytes
        if door.has_more and connection.state in OPEN_STATES:
            size = min(size, door.free_bytes)
        try:
            data = recv(size)  # of the socket, or of the TLS on it
        except BlockingIOError:
            self._doorkeeper.on_nothing_read(connection)
            return
        except OSError as error:
            self.close_broken(connection, error)
            return
        if not data:
            self._on_eof(connection)
            return
        self._observer.received_bytes += len(data)
        connection.last_byte_at = self.now
        if connection.answer_by != inf:  # rarely; a store takes longer than the comparison
            connection.answer_by = inf
        if connection.challengers:
            self._connections.answer_challengers(connection)
        if connection.state in OPEN_STATES:
            if connection.session is None and isinstance(door, Entrance):
                native = door.open_native(data)
                if native is None:
                    if self._doorkeeper.feed(connection, door, data, self.now):
                        self._work(connection)
                    return
                connection.door = door = native
            door.feed(data)  # the door of native clients: `RequestBuffer.feed` in protocol/lines.py
            self._work(connection)

    def go_on_with_handshake(self, connection: Connection) -> None:
        """Find out the protocol of a connection inside TLS, after a step of its handshake."""
        try:
            has_work = self._doorkeeper.go_on_with_handshake(connection, self.now)
        except OSError as error:
            self.close_broken(connection, error)
            return
        if has_work:
            self._work(connection)

    def on_answered(self, connection: Connection, opened: Opened) -> None:
        """Give a connection the answer that another thread has prepared."""
        self._doorkeeper.answer(connection, opened, self.now)

    def _on_eof(self, connection: Connection) -> None:
        connection.door.feed_eof()
        if connection.state is DRAINING:
            self._connections.close(connection, CloseReason.REFUSED)
            return
        if connection.state in OPEN_STATES:
            self._work(connection)
        self._poller.update(connection)

    def _work(self, connection: Connection) -> None:
        """Carry out the requests of an open connection that is not held, until one has to wait."""
        door, out = connection.door, connection.out
        decoded, handler = door.decoded, self._handler
        while decoded or door.has_more:
            if out and len(out) > self._backlog_bytes:  # it is usually empty
                connection.hold_for(BACKLOG)
                return
            if decoded:
                request = decoded.pop()  # the next one: the list has the last one first
                self._observer.requests += 1
                outcome = handler.handle(connection, request, self.now)
                if outcome is not None:
                    self._actions[type(outcome)](connection, request, outcome)
            elif not self._work_line(connection):
                return
            session = connection.session
            if session is not None and session.own_presence:
                self.send_own_presence(connection, session)
            if connection.hold is not NOT_HELD or connection.state not in OPEN_STATES:
                return

    def _work_line(self, connection: Connection) -> bool:
        """Carry out a line not decoded yet, or finish at the end; return False without a line."""
        door = connection.door
        try:
            request = door.next_request()
        except BadRequest as bad:
            self.act(connection, None, self._handler.refuse_line(connection, bad, self.now))
            return True
        except Violation:
            self._finish(connection, None, Finish(CloseReason.PROTOCOL))
            return True
        except LineTooLong:
            error = refusals.line_too_long(MAX_LINE_BYTES)
            self._finish(connection, None, Finish(CloseReason.PROTOCOL, error))
            return True
        if door.empty_bytes and (end := self._handler.count_empty_lines(connection, self.now)):
            self._finish(connection, None, end)
            return True
        if request is not None:
            self._observer.requests += 1
            self.act(connection, request, self._handler.handle(connection, request, self.now))
            return True
        if door.is_at_eof and connection.orders_due:
            connection.hold_for(Hold.TURN)  # its own messages get their places first
        elif door.is_at_eof:
            self.finish_at_eof(connection)
        return False

    def finish_at_eof(self, connection: Connection) -> None:
        """Finish a connection that has reached the end of its input."""
        reason = CloseReason.LOST if connection.door.in_mid_line else CloseReason.QUIT
        self._finish(connection, None, Finish(reason))

    def resume(self, connection: Connection) -> None:
        """Carry out the next requests of a connection whose hold is over."""
        if connection.state in OPEN_STATES:
            connection.release_hold()
            self._poller.update(connection)
            self._work(connection)

    # --- what the handler returns --------------------------------------------------------------

    def act(self, connection: Connection, request: AnyRequest | None, outcome: Outcome) -> None:
        """Send the answer, or take the step, that the handler has returned."""
        if outcome is not None:
            self._actions[type(outcome)](connection, request, outcome)

    def act_and_resume(
        self, connection: Connection, session: Session, request: AnyRequest, outcome: Outcome
    ) -> None:
        """Act on the outcome of a held request, then carry out the next ones."""
        self.act(connection, request, outcome)
        self.send_own_presence(connection, session)
        if connection.hold is NOT_HELD:
            self.resume(connection)

    def _wait_for_order(self, connection: Connection, request: AnyRequest, _wait: Wait) -> None:
        connection.hold_for(Hold.ORDER, request)
        if connection.route is not None:
            self._connections.expect(connection, connection.route)

    def _do_step(self, connection: Connection, request: AnyRequest, step: Step) -> None:
        session, pages, mailbox = connection.session, self._pages, self._mailbox
        if step is Step.WAIT_FOR_TURN:
            connection.hold_for(Hold.TURN, request)
        elif step is Step.WAIT_FOR_NOTICE:
            connection.hold_for(Hold.NOTICE)
        elif step is Step.ASK_PAGE:
            self.ask_next_page(connection)
        elif session is None:
            return
        elif step is Step.TAKE_MEASURES:
            connection.hold_for(Hold.MEASURES)
            self._measure_requests.ask(MeasureRequest(request.id, mailbox, session.route.number))
        elif step is Step.WAIT_FOR_SPACE:
            connection.hold_for(Hold.SPACE, request)
            assert self._history is not None, "only its queue can be full"
            self._history.when_space(mailbox, session.route.number)
        elif isinstance(request, PinMessage | AskSeenBy) and request.seq is not UNSET:
            connection.hold_for(Hold.MESSAGE, request)
            assert pages is not None, "only a history looks for messages"
            seq = request.seq
            look_for = GetHistory(id=request.id, after=max(0, seq - 1), before=seq + 1, limit=1)
            pages.ask(PageTicket(look_for, mailbox, session.route.number, is_for_held=True))

    def _moderate(self, connection: Connection, request: Request, done: Moderated) -> None:
        """Answer an operator, and end the sessions that the request has removed."""
        assert connection.session is not None
        self._observer.on_moderated(connection.session.name.shown, request)
        if done.answer is not None and not isinstance(done.answer, Wait):
            self._output.send(connection, done.answer)
        for expelled in done.expelled:
            session = expelled.session
            self._observer.on_left(session.name.shown, session.address, CloseReason.KICKED)
            # Nothing happens if its connection has ended.
            self._switchboard.post(session.route, Expel(session.route.number, expelled.closing))
            self._switchboard.send(expelled.replies)

    def _welcome(self, connection: Connection, request: Register, new: Registered) -> None:
        connection.hears_nodes = request.nodes
        if new.replaced is not None:
            old = new.replaced
            self._observer.on_left(old.name.shown, old.address, CloseReason.REPLACED)
            self._switchboard.post(old.route, Evict(old.route.number))
        self._connections.register(connection, new.session, new.welcome.seq, self.now)
        self._output.send(connection, new.welcome)
        if new.replaced is not None:
            self.deliveries.send_queue(connection)

    def _challenge(self, connection: Connection, request: Register, conflict: Conflict) -> None:
        connection.hold_for(Hold.CHALLENGE, request)
        route = conflict.obstacle.route
        challenge = Challenge(route.number, connection, self._mailbox)
        if not self._switchboard.challenge(route, challenge):  # it has ended meanwhile
            self._mailbox.post(ChallengeOver(connection))

    def _send(self, connection: Connection, _request: AnyRequest | None, answer: Answer) -> None:
        self._output.send(connection, answer)

    def _send_large(
        self, connection: Connection, _request: Request, answer: BanList | HookList
    ) -> None:
        self._output.send_large(connection, answer)

    def _send_control(self, connection: Connection, _request: Control, control: Control) -> None:
        self._output.send_bytes(connection, control.answer)

    def _refuse(self, connection: Connection, request: AnyRequest | None, error: Error) -> None:
        self._on_refusal(connection, request, error)
        self._output.send(connection, error)

    def _on_refusal(self, connection: Connection, request: AnyRequest | None, error: Error) -> None:
        limited, is_notice = None, isinstance(request, HookPost)
        if error.code == ErrorCode.RATE_LIMITED:
            of_newcomer = "hooks" if is_notice else "registrations"
            limited = "requests" if connection.session is not None else of_newcomer
        elif error.code == ErrorCode.OPERATOR_WRONG:
            self._observer.on_wrong_secret("operator secret", connection.address)
        elif is_notice and error.code == ErrorCode.NOT_FOUND:
            self._observer.on_wrong_secret("hook", connection.address)
        self._observer.on_refused_request(error.code, limited)

    def _send_late(self, _connection: Connection, _request: Request, replies: list[Reply]) -> None:
        self._switchboard.send(replies)

    def _finish(self, connection: Connection, request: AnyRequest | None, end: Finish) -> None:
        if isinstance(end.last_message, Error):
            self._on_refusal(connection, request, end.last_message)
        if end.reason is CloseReason.REFUSED and isinstance(end.last_message, Error):
            name = request.name if isinstance(request, Register) else ""
            self._observer.on_refused(connection.address, end.last_message.code, name)
        self._connections.finish(connection, end.reason, end.last_message, self.now)

    def ask_next_page(self, connection: Connection) -> None:
        """Ask the history for the next page, if the connection can take it now."""
        request, session = connection.next_page(), connection.session
        if request is not None and session is not None and self._pages is not None:
            ticket = PageTicket(request, self._mailbox, session.route.number)
            connection.ticket = ticket
            self._pages.ask(ticket)

    def send_own_presence(self, connection: Connection, session: Session) -> None:
        """Send its own status changes to a session that gets only messages."""
        if session.own_presence:
            # On several machines another thread may be adding one.
            events = session.own_presence.copy()
            del session.own_presence[: len(events)]
            self._output.send_own_presence(connection, events)

    def close_broken(self, connection: Connection, error: OSError) -> None:
        """Close a connection whose socket or TLS has failed."""
        if connection.is_shaking_hands and isinstance(error, ssl.SSLError):
            self._observer.on_tls_failed(connection.address, error.reason or str(error))
        timed_out = error.errno == errno.ETIMEDOUT
        self._connections.close(connection, CloseReason.TIMEOUT if timed_out else CloseReason.LOST)
