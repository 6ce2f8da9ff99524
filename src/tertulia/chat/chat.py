"""A user's chat over several connections: requests, answers, events, reconnecting.

It decides which requests are sent and in which order, and finds out what happened; a `Face` shows
it. Everything here runs in the face's one thread. Only `close` and `farewell` wait, for the
connection's end. The client's threads only notify the face.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from typing import TYPE_CHECKING

from msgspec import UNSET
from msgspec.structs import replace

from tertulia.chat import explain, greetings
from tertulia.chat.answers import Answers
from tertulia.chat.clock import ServerClock
from tertulia.chat.destination import Destination
from tertulia.chat.exit_status import EXIT_FINE, EXIT_LOST, EXIT_REFUSED
from tertulia.chat.face import Face
from tertulia.chat.ignored import Ignored
from tertulia.chat.jobs import Job, Jobs, Origin
from tertulia.chat.rights import Rights
from tertulia.chat.seen_reports import SeenReports
from tertulia.chat.stage import Stage
from tertulia.chat.state import State
from tertulia.chat.status_requests import StatusRequests
from tertulia.chat.whereabouts import Whereabouts
from tertulia.client.client import Client
from tertulia.client.errors import ConnectionLost, End, EndReason, RequestRefused
from tertulia.client.inbox import Dropped, Incoming
from tertulia.client.reconnect import Reconnector
from tertulia.client.session import Expelled, GaveUp, Lost, Refused, Resumed, Session, SessionState
from tertulia.protocol.messages import (
    Answer,
    ChatMessage,
    Direct,
    DirectMessage,
    Error,
    Gap,
    GetHistory,
    HistoryPage,
    ListUsers,
    NodeList,
    NumberedEvent,
    Ok,
    Ping,
    Quit,
    Request,
    Say,
    SetStatus,
    UserList,
    Welcome,
)

if TYPE_CHECKING:
    from tertulia.tls.fingerprint import Fingerprint

MAX_ARRIVALS_AT_ONCE = 1_000  # after these, pressed keys are handled


class Chat:
    """Carries out the person's requests, and passes every event to the face.

    A request is sent once the one before it is answered or set aside (jobs.py). With
    `operator_secret` the person becomes an operator at the start, and again on each new connection.
    With `reports_seen` the face knows which messages were on the screen, and calls `note_seen`.
    """

    def __init__(
        self,
        client: Client,
        reconnector: Reconnector,
        face: Face,
        to: Destination,
        *,
        first_page: int,
        gives_up_after_s: float = inf,
        operator_secret: str | None = None,
        ignored: Ignored | None = None,
        whereabouts: Whereabouts | None = None,
        reports_seen: bool = False,
    ) -> None:
        self._session = Session(client, reconnector, first_page, gives_up_after_s)
        self._catch_up = self._session.catch_up
        self._face = face
        self._to = to
        self.whereabouts = whereabouts or Whereabouts(to)
        self._started_at = time.monotonic()
        self.state = State(client.welcome)
        self.clock = ServerClock()
        self._stage = Stage.ENTERING if first_page else Stage.ENTERED
        self.exit_status = EXIT_FINE  # the exit status of the program once the chat is over
        self._status_requests = StatusRequests(self.state)
        self._jobs = Jobs()
        self.ignored = ignored or Ignored(client.welcome.name)
        self._rights = Rights(operator_secret, self._jobs, self.state)
        self._seen = SeenReports(reports=reports_seen)
        self._answers = Answers(
            face, self.state, self._catch_up, self.ignored, self._rights, self._status_requests
        )
        self._jobs.add(ListUsers(), Origin.GREETING)
        if self._catch_up.request is not None:
            self._jobs.add(self._catch_up.request, Origin.CATCH_UP)
        self._rights.ask_again(client.welcome)

    # --- for the face --------------------------------------------------------------------------

    @property
    def over(self) -> bool:
        """Return whether the person has left, or can never return to the chat."""
        return self._stage is Stage.LEFT

    @property
    def connected(self) -> bool:
        """Return whether there is a connection, as far as is known."""
        return self._session.state is SessionState.CONNECTED

    @property
    def certificate(self) -> "Fingerprint | None":
        """Return the fingerprint of the server's certificate; None without TLS."""
        return self._session.client.fingerprint

    @property
    def next_attempt_at(self) -> float | None:
        """Return when the next attempt to connect begins (monotonic); None during an attempt."""
        return self._session.wake_at

    @property
    def idle(self) -> bool:
        """Return whether no request prevents another one from being sent.

        Only direct messages that were not confirmed yet may still be waiting for their answers.
        """
        return self._jobs.idle and self.connected and not self.over

    @property
    def settled(self) -> bool:
        """Return whether every request is answered, and another one could be sent."""
        return self.idle and not self.on_their_way

    @property
    def waiting_jobs(self) -> int:
        """Return the number of requests that were not sent yet."""
        return len(self._jobs)

    @property
    def on_their_way(self) -> int:
        """Return the number of messages that were not sent or not acknowledged yet."""
        return len(self._jobs.unsent) + len(self._jobs.unanswered)

    @property
    def unsent(self) -> list[Say | Direct]:
        """Return the messages that were never sent."""
        return self._jobs.unsent

    @property
    def oldest_seq(self) -> int:
        """Return the lowest number in the general chat before which nothing was shown yet."""
        return self._catch_up.oldest_seq

    @property
    def wake_at(self) -> float | None:
        """Return when `advance` must be called even if nothing arrives (monotonic)."""
        times = [self._session.wake_at, self._session.gives_up_at]
        if self.connected:
            mute_ends_at = self.clock.moment_of(self.state.mutes.next_end)
            times = [self._jobs.wake_at, mute_ends_at, self._seen.wake_at]
        return min((at for at in times if at is not None), default=None)

    def enqueue(self, request: Request) -> None:
        """Add a request; `advance` sends it when it is the next one."""
        self._session.note_activity(time.monotonic())
        self._jobs.add(request, Origin.TYPED)

    def enqueue_watched(self, request: Request) -> None:
        """Add a request that the person did not make, to update something on the screen."""
        self._jobs.add(request, Origin.WATCHED)

    def note_seen(self) -> bool:
        """Note that the newest message is on an active screen; return whether that is new.

        `advance` reports it to the server when the report is due.
        """
        return self._seen.note(self.state.newest_message or 0)

    def take_back(self) -> list[Say | Direct]:
        """Remove the messages that were never sent from the queue, and return them."""
        return self._jobs.take_back()

    def quit(self) -> None:
        """Leave when every earlier request is answered; without a connection, leave at once."""
        if self.connected:
            self._jobs.add(Quit(), Origin.TYPED)
        else:
            self._leave(EXIT_FINE)

    def receive(self, at_most: int = MAX_ARRIVALS_AT_ONCE) -> bool:
        """Handle received messages; return whether there may be more."""
        for _arrival in range(at_most):
            incoming = self._session.client.receive(0)
            if incoming is None:
                return False
            self._handle(incoming)
        return True

    def advance(self) -> None:
        """Do everything that is due: send the next request, give one up, or connect again."""
        now = time.monotonic()
        self._follow_session(now)
        self._follow_time(now)
        while self.connected and not self.over:
            job = self._jobs.pop_ready(now)
            if job is None or not self._send(job, now):
                return

    def _follow_time(self, now: float) -> None:
        """Do everything that is due because of the time, even if nothing has arrived."""
        if self.state.mutes.next_end and self.state.mutes.end_those_until(self.clock.now()):
            self._face.show_changed_people()
        if (slow := self._jobs.set_aside(now) or self._jobs.pop_slow(now)) is not None:
            self._face.show_on_its_way(slow)
        late = self._jobs.give_up_late(now)
        if late is not None:
            self.state.answer_status(granted=False)
            self._face.show_no_answer(late.request)
        if self.connected and (seen := self._seen.pop_due(now)) is not None:
            self._session.client.mark_seen(seen)

    def close(self) -> None:
        """End the session, or the attempts to connect again. Idempotent."""
        self._session.close()

    def farewell(self) -> greetings.Farewell:
        """Close, handle the last messages, and return the words for the end."""
        self.close()
        while self.receive():
            pass
        stayed_s = time.monotonic() - self._started_at
        summary = greetings.farewell(stayed_s, self.state.said, self.state.heard)
        return greetings.Farewell(self._jobs.unanswered, self._jobs.unsent, summary)

    def _leave(self, exit_status: int) -> None:
        if self._stage is not Stage.LEFT:
            self._stage = Stage.LEFT
            self.exit_status = exit_status

    # --- requests ------------------------------------------------------------------------------

    def _send(self, job: Job, now: float) -> bool:
        """Send a request; return whether the next one may be sent."""
        request = job.request
        if isinstance(request, Quit):
            self._leave(EXIT_FINE)
            return False
        if isinstance(request, GetHistory) and request.after is request.before is UNSET:
            request = replace(request, before=self._catch_up.oldest_seq)
        try:
            request_id = self._session.client.send(request)
        except RequestRefused as refusal:
            self._face.show_answer(request, refusal.error)
            return True
        except ConnectionLost:
            self._jobs.put_back(job)  # to send it on the next connection
            return False
        if isinstance(request, SetStatus):
            self._status_requests.note_sent(request)
        self._jobs.start(job._replace(request=request), request_id, now)
        return True

    def _handle_answer(self, answer: Answer) -> None:
        job = self._jobs.finish(answer, time.monotonic())
        if job is None:
            return
        match job.request, answer:
            case Say() as said, Ok():  # the message itself is shown when it comes as an event
                self.state.note_said(said, answer)
                self._face.show_answer(said, answer)
            case Direct() as sent, Ok():
                sent_at = self.clock.now() if answer.time is UNSET else answer.time
                self._face.show_delivery(sent, self.state.note_delivery(sent, sent_at))
            case GetHistory() as request, _ if job.origin is Origin.CATCH_UP:
                self._handle_missing_page(request, answer)
            case _:
                self._answers.handle(job, answer)
        self._request_missing(after_a_page=job.origin is Origin.CATCH_UP)

    def _handle_missing_page(self, request: GetHistory, answer: Answer) -> None:
        if isinstance(answer, HistoryPage):
            self._show(self._catch_up.add_page(request, answer))
        elif isinstance(answer, Error):
            self._show(self._catch_up.give_up(request, answer), answer)
        if self._stage is Stage.ENTERING:
            self._stage = Stage.ENTERED
            self._face.finish_entering()

    def _request_missing(self, *, after_a_page: bool = False) -> None:
        """Request the list of users and the page of history that are missing, if any."""
        has = self._jobs.has
        if self.state.needs_users and not has(Origin.GREETING) and not has(Origin.REFRESH):
            self._jobs.add(ListUsers(), Origin.REFRESH, place=0)
        if self._catch_up.request is not None and not has(Origin.CATCH_UP):
            # There may be many pages, so one request of the person is sent between two of them.
            self._jobs.add(self._catch_up.request, Origin.CATCH_UP, place=int(after_a_page))

    # --- the connection ------------------------------------------------------------------------

    def _follow_session(self, now: float) -> None:
        """Handle the end of the connection, and the outcome of attempts to connect again."""
        while not self.over:
            if self.connected and self._session.client.ended is not None:
                while self.receive():
                    pass  # messages received before the end are handled too
            match self._session.advance(now):
                case Lost(end):
                    self._handle_loss(end)
                case Expelled(end):
                    self._end_for_good(partial(explain.expelled, end, self._to))
                case Resumed(client, is_renumbered):
                    self._handle_resumption(client.welcome, is_renumbered)
                case Refused(refusal):
                    self._end_for_good(partial(explain.refused, refusal, self._to), EXIT_REFUSED)
                case GaveUp(waited_s):
                    self._end_for_good(partial(explain.gave_up, waited_s, self._to))
                case None:
                    return

    def _handle_loss(self, end: End) -> None:
        if end.reason is EndReason.GARBLED:  # the next connection would not be understood either
            self._end_for_good(lambda: explain.connection_ended(end))
            return
        self._face.show_notice(lambda: explain.connection_ended(end))
        self._jobs.interrupt()
        if self._jobs.has_quit:
            self._leave(EXIT_FINE)
            return
        self._face.show_notice(self.whereabouts.note_loss())
        self.state.answer_status(granted=False)

    def _handle_resumption(self, welcome: Welcome, is_renumbered: bool) -> None:
        self.clock.forget()
        self.state.resume(welcome, is_renumbered=is_renumbered)
        if is_renumbered:
            self._face.forget_numbers()
        for words in self.whereabouts.note_return():
            self._face.show_notice(words)
        request = self._status_requests.to_ask_again(welcome)
        if request is not None:
            self._jobs.add(request, Origin.REFRESH, place=0)
        self._rights.ask_again(welcome)
        self._seen.begin()
        self._request_missing()

    def _end_for_good(self, words: Callable[[], str], exit_status: int = EXIT_LOST) -> None:
        self._face.show_failure(words)
        self._leave(exit_status)

    # --- what comes ----------------------------------------------------------------------------

    def _handle(self, incoming: Incoming) -> None:
        message = incoming.message
        if isinstance(message, DirectMessage) and not self._session.directs.is_new_direct(message):
            return
        self._face.show_raw(incoming)
        if isinstance(message, Dropped):
            count = message.count
            self._face.show_failure(lambda: explain.dropped(count))
            return
        if message is None or isinstance(message, Ping | NodeList):
            return
        if isinstance(message, DirectMessage) and self.ignored.hides(message.sender):
            return
        # `_show` applies messages when they are shown. A list of users may have other purposes.
        if not isinstance(message, ChatMessage | UserList):
            self.state.apply(message)
        if isinstance(message, NumberedEvent):
            self.clock.learn(message.time)
        if isinstance(message, NumberedEvent | Gap):
            self._show(self._catch_up.add_live(message))  # those that may be shown now, in order
        else:
            self._face.show_message(message)
        if isinstance(message, Answer):
            self._handle_answer(message)
        self._request_missing()

    def _show(self, events: Sequence[NumberedEvent | Gap], refusal: Error | None = None) -> None:
        for event in events:
            if isinstance(event, Gap):
                self._face.show_notice(lambda: explain.messages_missing(refusal))
                continue
            if isinstance(event, ChatMessage):
                if self.ignored.hides(event.sender):
                    continue
                self.state.apply(event)
                self._jobs.note_shown(event)
            self._face.show_message(event)
