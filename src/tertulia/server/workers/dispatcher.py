"""Runs the rounds of a worker.

A round begins with waiting in epoll, until there is something to do. Then bytes and mail are read,
requests are carried out, deadlines are checked, and at the end the output of each connection is
sent. Nothing else in a round waits. A fault in our own code closes only the connection in which it
occurred. Only the worker's thread runs this.

The way of a `say`: `Input._receive` reads the bytes, and `NativeDoor`, a `RequestBuffer`, decodes
them. `RequestHandler.handle` calls `Hub.say`, `Room.say` makes the event, and `EventLog.append`
adds it to the log. `Output.send` queues the `ok`, or with a history `HistoryAnswers.on_stored`
does, once the message is on the disk. At the end of the round, `Mailboxes.announce` wakes the other
workers, `Output.flush_private` sends the `ok`, and `Output.flush_events` sends each session what is
new in the log.
"""

import random
import time
from collections.abc import Callable

from msgspec import UNSET

from tertulia.protocol.messages import Answer, CloseReason, Closing, Ok, Ping, Register
from tertulia.server import refusals
from tertulia.server.history.mail import PageReady, SpaceAgain, Stored
from tertulia.server.hub.directs import GONE
from tertulia.server.hub.ordered import NodesNamed, Ordered, SendAway, ServesAgain, StandsStill
from tertulia.server.observer import Observer
from tertulia.server.workers.connection import (
    BACKLOG,
    FINISHING,
    NOT_HELD,
    UNREGISTERED,
    Connection,
)
from tertulia.server.workers.connections import Connections
from tertulia.server.workers.doorkeeper import Doorkeeper
from tertulia.server.workers.handler import RequestHandler
from tertulia.server.workers.history_answers import HistoryAnswers
from tertulia.server.workers.input import Input
from tertulia.server.workers.mail import (
    Adopt,
    AdoptConsole,
    Answered,
    Beat,
    Challenge,
    ChallengeOver,
    Deliver,
    DeliveryOver,
    DirectsWaiting,
    Drain,
    Evict,
    Expel,
    HandshakeStepDone,
    Mail,
    MeasuresReady,
    NoticeStored,
    Replies,
)
from tertulia.server.workers.mailbox import Mailbox
from tertulia.server.workers.node_handler import NodeMailHandler
from tertulia.server.workers.output import Output, SendResult, Sent
from tertulia.server.workers.poller import Poller
from tertulia.server.workers.shared import Shared
from tertulia.server.workers.watchdog import Due, Watchdog

_MAX_WAIT_S = 3_600.0  # epoll accepts at most some weeks
_GATHER_S = 0.001  # at most, for reading more messages before the first one is sent to everyone


class Dispatcher:
    """The rounds of a worker. `mailbox` is its own."""

    def __init__(
        self,
        shared: Shared,
        connections: Connections,
        handler: RequestHandler,
        input_: Input,
        output: Output,
        doorkeeper: Doorkeeper,
        watchdog: Watchdog,
        poller: Poller,
        observer: Observer,
        mailbox: Mailbox,
        announce: Callable[[Mailbox, float], None],
    ) -> None:
        """`announce` is `Mailboxes.announce`: it wakes the other workers for new events.

        It also gives them the time when the events came in.
        """
        self._events = shared.hub.events
        self._mailbox = mailbox
        self._wait = poller.wait
        self._announce = announce
        self._announced_seq = 0
        self._sent_seq = self._events.last_seq  # everything up to this event was sent to everyone
        self.is_draining = False
        self._sources_due: list[Connection] = []  # they have taken a piece of a long answer
        self._drain = Drain()
        self._register_timeout_s = shared.config.register_timeout_s
        self._hub = shared.hub
        self._connections = connections
        self._handler = handler
        self._input = input_
        self._deliveries = input_.deliveries
        self._output = output
        self._doorkeeper = doorkeeper
        self._watchdog = watchdog
        self._poller = poller
        self._observer = observer
        self._guarded = connections.guarded
        self._history_answers = HistoryAnswers(connections, handler, input_, output, observer)
        self._node_mail_handler = NodeMailHandler(connections, handler, input_, output, shared)

    def run_round(self) -> None:
        """Wait until there is something to do, and do it."""
        ready = self._wait(self._time_to_wait())
        events, observer = self._events, self._observer
        self._input.now = observer.busy_since = now = time.monotonic()
        # Other workers have published the events up to here, and announce them themselves.
        self._announced_seq = events.last_seq
        self._input.on_ready(ready)
        if events.last_seq != self._announced_seq:
            self._gather()
        # Only after what was ready: otherwise a new connection could have got the descriptor of one
        # that was closed meanwhile, and with it the other one's event.
        for mail in self._mailbox.collect():
            self.read_mail(mail)
        if now >= self._watchdog.next_check:
            self.check_deadlines()
        if events.last_seq != self._announced_seq:
            self._announce_news()
        self.flush()
        if self._announced_seq != self._sent_seq:
            self._note_sent(now)
        if events.last_seq != self._announced_seq:  # a send has failed, so a user has left
            self._announce_news()
        observer.rounds += 1
        observer.busy_since = 0.0

    def _time_to_wait(self) -> float:
        """Return the seconds to sleep: 0 if there is something to do.

        The order matters: mark asleep, then look once more, then wait.
        """
        if not self._mailbox.fall_asleep() or self._output.has_work or self._doorkeeper.steps_due:
            return 0.0
        return min(max(0.0, self._watchdog.next_check - time.monotonic()), _MAX_WAIT_S)

    def _note_sent(self, round_began: float) -> None:
        """Note the time from the reading of a message until it was sent to the last session.

        For messages of another worker, that time begins with the other worker's round.
        """
        events, self._sent_seq = self._announced_seq - self._sent_seq, self._announced_seq
        since = self._mailbox.news_since or round_began
        if self._connections:
            self._observer.say_to_last_send.note(time.monotonic() - since, events)

    def _gather(self) -> None:
        """Read bytes that have arrived meanwhile, while there is something to send to everyone.

        Messages of several users at about the same time then need one `send` to each receiver, not
        one for each message. Asking the poller costs less than a single `send`.
        """
        give_up_at = self._input.now + _GATHER_S
        while self._events.last_seq != self._announced_seq and time.monotonic() < give_up_at:
            ready = self._wait(0)
            if not ready:
                break
            self._input.on_ready(ready)

    def _announce_news(self) -> None:
        self._announced_seq = self._events.last_seq
        self._announce(self._mailbox, self._input.now)

    # --- mail ----------------------------------------------------------------------------------

    def read_mail(self, mail: Mail) -> None:
        """Carry out a message from another thread. A fault costs only the connection it names."""
        match mail:
            case Adopt(sockets=sockets):
                for accepted in sockets:
                    connection = self._connections.adopt(accepted, self._input.now)
                    if self.is_draining:
                        self._guarded(connection, self._say_goodbye)
            case AdoptConsole():
                console = self._connections.adopt_console(mail, self._input.now)
                if self.is_draining:
                    self._guarded(console, self._say_goodbye)
            case Drain():
                self.is_draining, self._drain = True, mail
                self._do_for_all(self._say_goodbye)
            case Stored(rows=rows):
                self._history_answers.on_stored(rows)
            case PageReady():
                asker = self._connections.of_session(mail.session_number)
                self._guarded(asker, self._history_answers.on_page, mail)
            case SpaceAgain():
                speaker = self._connections.of_session(mail.session_number)
                self._guarded(speaker, self._history_answers.try_again)
            case Deliver():
                self._deliveries.on_deliver(mail)
            case DirectsWaiting():
                receiver = self._connections.of_session(mail.session_number)
                self._guarded(receiver, self._deliveries.send_queue)
            case Replies(rows=replies):
                for reply in replies:
                    sender = self._connections.of_session(reply.route.number)
                    self._guarded(sender, self._deliveries.on_reply, reply.answer)
            case DeliveryOver():
                self._guarded(mail.sender, self._on_delivery_over, mail)
            case Challenge():
                challenged = self._connections.of_session(mail.session_number)
                begin, now = self._connections.begin_challenge, self._input.now
                if self._guarded(challenged, begin, mail, now) is not True:
                    mail.reply_to.post(ChallengeOver(mail.newcomer))
            case ChallengeOver():
                self._guarded(mail.newcomer, self._on_challenge_over)
            case HandshakeStepDone():
                self._guarded(mail.connection, self._input.go_on_with_handshake)
            case Answered():
                self._guarded(mail.connection, self._input.on_answered, mail.opened)
            case Evict():
                self._guarded(self._connections.of_session(mail.session_number), self._evict)
            case Expel():
                expelled = self._connections.of_session(mail.session_number)
                self._guarded(expelled, self._expel, mail.last_message)
            case NoticeStored():
                self._guarded(mail.connection, self._on_notice_stored, mail)
            case MeasuresReady():
                viewer = self._connections.of_session(mail.session_number)
                self._guarded(viewer, self._on_measures_ready, mail)
            case Ordered(rows=outcomes):
                for row in outcomes:
                    self._node_mail_handler.handle_outcome(row)
            case ServesAgain():
                self._do_for_all(self._node_mail_handler.try_waiting_request)
            case StandsStill():
                self._do_for_all(self._node_mail_handler.look_ahead)
            case SendAway():
                self._do_for_all(self._node_mail_handler.send_away)
            case NodesNamed():
                self._do_for_all(self._node_mail_handler.name_nodes, mail)
            case Beat():
                mail.is_answered = True

    def return_mail(self, mail: Mail) -> None:
        """Answer mail after the end of this worker, which has no connections any more."""
        match mail:
            case Adopt(sockets=sockets):
                for accepted in sockets:
                    accepted.sock.close()
            case AdoptConsole():
                self._connections.turn_away_console(mail.sock, mail.route)
            case Deliver():
                self._deliveries.report_handover(mail, GONE)
            case DeliveryOver():
                # The sender's connection is closed, but its user may send it again from another
                # one.
                self._deliveries.answer_sender(
                    mail.sender, mail.request, mail.delivery, mail.handover
                )
            case Challenge():
                mail.reply_to.post(ChallengeOver(mail.newcomer))
            case Beat():
                mail.is_answered = True
            case Ordered():
                self._node_mail_handler.discard_outcomes(mail.rows)
            case _:
                pass  # the connections that it concerns are closed

    def _do_for_all(self, step: Callable[..., None], *arguments: object) -> None:
        for connection in self._connections:
            self._guarded(connection, step, *arguments)

    def _say_goodbye(self, connection: Connection) -> None:
        drain, reason, now = self._drain, CloseReason.SHUTDOWN, self._input.now
        retry_after = round(random.uniform(*drain.retry_after_s), 3)
        goodbye = Closing(reason=reason, cause=drain.cause, retry_after=retry_after)
        self._connections.finish(connection, reason, goodbye, now, drain.flush_within_s)

    def _on_delivery_over(self, connection: Connection, mail: DeliveryOver) -> None:
        connection.release_hold()
        self._deliveries.answer_sender(connection, mail.request, mail.delivery, mail.handover)
        if connection.hold is NOT_HELD:  # otherwise the message was sent on to another session
            self._input.resume(connection)

    def _on_challenge_over(self, connection: Connection) -> None:
        # Trying once more shows whether the session in its way is still there.
        request = connection.release_hold()
        if connection.state is UNREGISTERED and isinstance(request, Register):
            outcome = self._handler.register(connection, request, may_challenge=False)
            self._input.act(connection, request, outcome)
            if connection.hold is NOT_HELD:
                self._input.resume(connection)

    def _evict(self, connection: Connection) -> None:
        if connection.blocked:  # the client may still read the reason
            self._connections.finish(connection, CloseReason.REPLACED, None, self._input.now)
            return
        goodbye = connection.door.goodbye(CloseReason.REPLACED)
        self._connections.flush_and_close(connection, CloseReason.REPLACED, goodbye)

    def _on_notice_stored(self, connection: Connection, mail: NoticeStored) -> None:
        answer: Answer = Ok(seq=mail.seq)
        if not mail.is_stored:
            answer = refusals.not_stored(UNSET, mail.seq)
        self._connections.finish(connection, CloseReason.QUIT, answer, self._input.now)

    def _expel(self, connection: Connection, last_message: Closing) -> None:
        self._connections.finish(
            connection, CloseReason(last_message.reason), last_message, self._input.now
        )

    def _on_measures_ready(self, connection: Connection, mail: MeasuresReady) -> None:
        self._output.send(connection, mail.answer)
        self._input.resume(connection)

    # --- deadlines and output ------------------------------------------------------------------

    def check_deadlines(self) -> None:
        """Handle the deadlines that have passed."""
        for connection, due in self._watchdog.check(self._connections, self._input.now):
            self._guarded(connection, self._on_due, due)

    def _on_due(self, connection: Connection, due: Due) -> None:
        close, session = self._connections.close, connection.session
        match due:
            case Due.REGISTER_TIMEOUT:
                error = refusals.register_timeout(self._register_timeout_s)
                self._observer.on_refused(connection.address, error.code)
                self._connections.finish(connection, CloseReason.REFUSED, error, self._input.now)
            case Due.SLOW:
                close(connection, CloseReason.SLOW)
            case Due.HANDSHAKE_TIMEOUT | Due.SILENT:
                close(connection, CloseReason.TIMEOUT)
            case Due.EXPIRED:  # with a goodbye, if an answer that it waited for has not come
                goodbye = connection.goodbye
                self._connections.flush_and_close(connection, CloseReason.REFUSED, goodbye)
            case Due.UNREAD:
                self._connections.answer_challengers(connection)
            case Due.PING:
                self._output.send(connection, Ping())
            case Due.IDLE if session is not None:
                self._hub.idle(session)
                self._input.send_own_presence(connection, session)

    def flush(self) -> None:
        """Send each connection its private messages and the events."""
        while happened := self._output.flush_private():
            self._handle_results(happened)
        if happened := self._output.flush_events():
            self._handle_results(happened)
        if self._sources_due:
            due, self._sources_due = self._sources_due, []
            for connection in due:
                self._guarded(connection, self._send_piece)

    def _send_piece(self, connection: Connection) -> None:
        """Queue the next piece of a long answer. The next round sends it: others go first."""
        if connection.state is not FINISHING or connection.source is None:
            return
        try:
            piece = b"" if self.is_draining else connection.source.next_piece()
        except OSError:  # The client notices that the answer is shorter than announced.
            self._connections.close(connection, CloseReason.REFUSED)
            return
        if piece:
            self._output.send_bytes(connection, piece)
            self._watchdog.set_deadline(connection, self._input.now + self._register_timeout_s)
        else:
            connection.source = None
            self._connections.shut_down(connection, self._input.now, self._drain.drain_within_s)

    def _handle_results(self, happened: list[Sent]) -> None:
        for sent in happened:
            self._guarded(sent.connection, self._on_sent, sent)

    def _on_sent(self, connection: Connection, sent: Sent) -> None:
        match sent.result:
            case SendResult.SENT:
                self._input.ask_next_page(connection)
                if connection.source is not None:
                    self._sources_due.append(connection)
                elif connection.state is FINISHING:
                    self._connections.shut_down(
                        connection, self._input.now, self._drain.drain_within_s
                    )
                elif connection.hold is BACKLOG:
                    self._input.resume(connection)
            case SendResult.BLOCKED:
                self._poller.update(connection)
                self._watchdog.watch_blocked(connection, self._input.now)
            case SendResult.BROKEN:
                assert sent.error is not None
                self._input.close_broken(connection, sent.error)
            case SendResult.OVERFLOWING:
                self._connections.close(connection, CloseReason.SLOW)
