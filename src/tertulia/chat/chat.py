"""A user's chat over as many connections as it takes: requests, answers, events, coming back.

It decides what is asked, in which order, and what happened; a `Face` shows it. Everything here runs
in the face's one thread; the client's own threads only ring its bell. Nothing in here waits.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from msgspec import UNSET
from msgspec.structs import replace

from tertulia.chat import explain, greetings
from tertulia.chat.destination import Destination
from tertulia.chat.jobs import Job, Jobs, Origin
from tertulia.chat.state import State
from tertulia.client.catchup import CatchUp
from tertulia.client.client import Client
from tertulia.client.errors import (
    ConnectionLost,
    End,
    EndReason,
    RegistrationRefused,
    RequestRefused,
)
from tertulia.client.inbox import Dropped, Incoming
from tertulia.client.reconnect import Reconnector
from tertulia.i18n import _, ngettext
from tertulia.protocol.messages import (
    Answer,
    ChatMessage,
    Direct,
    DirectMessage,
    Error,
    ErrorCode,
    Gap,
    GetHistory,
    HistoryPage,
    ListUsers,
    NumberedEvent,
    Ok,
    Ping,
    Quit,
    Request,
    Say,
    ServerMessage,
    SetStatus,
    Status,
    UserList,
)

EXIT_FINE = 0
EXIT_NO_CONNECTION = 3
EXIT_REFUSED = 4
EXIT_LOST = 5

MAX_ARRIVALS_AT_ONCE = 1_000  # then the keyboard has its turn


class Face(Protocol):
    """What a chat tells whoever shows it."""

    def came(self, incoming: Incoming) -> None:
        """Take a message as it came, before anything is made of it."""

    def show(self, message: ServerMessage) -> None:
        """Show what happened; messages of the general chat come in their order, each once."""

    def tell(self, words: Callable[[], str]) -> None:
        """Show words of this program, made when they are shown: the language may change."""

    def greet(self, people: int) -> None:
        """Say hello: the first list of users has come."""

    def caught_up(self) -> None:
        """Note that the page of history shown on entering is there, or will not come."""

    def answered(self, request: Request, answer: Answer) -> None:
        """Show the answer to what the person has asked for."""

    def unanswered(self, request: Request) -> None:
        """Say that there is no answer; the request may have been carried out all the same."""

    def delivered(self, request: Direct, message: DirectMessage) -> None:
        """Show that a direct message has reached the other."""

    def perhaps_delivered(self, request: Direct) -> None:
        """Say that nobody knows whether a direct message has reached the other."""


class Chat:
    """What the person asks for carried out, and what happens handed to the face.

    Requests are carried out one after the other, each answered before the next is sent.
    """

    def __init__(
        self,
        client: Client,
        reconnector: Reconnector,
        face: Face,
        to: Destination,
        *,
        first_page: int,
        gives_up_after_s: float | None = None,
    ) -> None:
        self._client = client
        self._reconnector = reconnector
        self._face = face
        self._to = to
        self._gives_up_after_s = gives_up_after_s
        self.state = State(client.welcome)
        self._catch_up = CatchUp(client.welcome, first_page)
        self._started_at = time.monotonic()
        self._jobs = Jobs()
        self._jobs.add(ListUsers(), Origin.GREETING)
        if self._catch_up.request is not None:
            self._jobs.add(self._catch_up.request, Origin.CATCH_UP)
        self._catching_up_first = first_page > 0
        self._is_list_refused = False
        self._is_status_new = True  # of the one asked for last
        self._chosen: Status | None = None  # granted by the server
        self._quitting = False
        self._exit_status: int | None = None

    # --- for the face --------------------------------------------------------------------------

    @property
    def over(self) -> bool:
        """Tell whether the person has left, or there is no way back into the chat."""
        return self._quitting or self._exit_status is not None

    @property
    def exit_status(self) -> int:
        """Tell how the program should end."""
        return self._exit_status or EXIT_FINE

    @property
    def connected(self) -> bool:
        """Tell whether there is a connection, as far as is known."""
        return self._reconnector.lost_at is None

    @property
    def next_attempt_at(self) -> float | None:
        """Tell when the next attempt to connect begins (monotonic); None while one is made."""
        return self._reconnector.wake_at

    @property
    def idle(self) -> bool:
        """Tell whether everything asked for was carried out and answered, and more may be."""
        return self._jobs.idle and self.connected and not self.over

    @property
    def waiting_jobs(self) -> int:
        """Count what was asked for and has not had its turn."""
        return len(self._jobs)

    @property
    def on_their_way(self) -> int:
        """Count what was to be said and is not known to have arrived."""
        return len(self._jobs.unsent) + self._jobs.is_saying

    @property
    def unsent(self) -> list[Say | Direct]:
        """List what was to be said and has not had its turn."""
        return self._jobs.unsent

    @property
    def oldest_seq(self) -> int:
        """Tell before which number of the general chat nothing has been shown yet."""
        return self._catch_up.oldest_seq

    @property
    def wake_at(self) -> float | None:
        """Tell when `carry_on` is to be called even if nothing comes (monotonic)."""
        if self.connected:
            return self._jobs.wake_at
        times = [self._reconnector.wake_at]
        if self._gives_up_after_s is not None and self._reconnector.lost_at is not None:
            times.append(self._reconnector.lost_at + self._gives_up_after_s)
        return min((time for time in times if time is not None), default=None)

    def ask(self, request: Request) -> None:
        """Have a request carried out when its turn comes."""
        self._jobs.add(request, Origin.TYPED)

    def quit(self) -> None:
        """Leave once everything asked for before is answered; at once without a connection."""
        if self.connected:
            self._jobs.add(Quit(), Origin.TYPED)
        else:
            self._quitting = True

    def receive(self, at_most: int = MAX_ARRIVALS_AT_ONCE) -> bool:
        """Take in what has come; tell whether there may be more."""
        for _arrival in range(at_most):
            incoming = self._client.receive(0)
            if incoming is None:
                return False
            self._take(incoming)
        return True

    def carry_on(self) -> None:
        """Begin what is next: a request, or an attempt to connect anew."""
        now = time.monotonic()
        if self._client.ended is not None and not self.over:
            while self.connected and self.receive():
                pass  # what came just before the end counts
            self._reconnect(self._client.ended, now)
        late = self._jobs.late(now)
        if late is not None:
            self.state.answer_status(granted=False)
            self._face.unanswered(late.request)
        while self.connected and not self.over:
            job = self._jobs.next(now)
            if job is None or not self._begin(job, now):
                return

    def close(self) -> None:
        """End the session, and attempts to have one. Idempotent."""
        self._reconnector.close()
        self._client.close()

    def farewell(self) -> list[str]:
        """Close, take in what came until the end, and write what there is to say goodbye."""
        self.close()
        while self.receive():
            pass
        lines = [_("Not sent: {text}").format(text=request.text) for request in self.unsent]
        stayed = time.monotonic() - self._started_at
        return [*lines, greetings.farewell(stayed, self.state.said, self.state.heard)]

    # --- requests ------------------------------------------------------------------------------

    def _begin(self, job: Job, now: float) -> bool:
        """Send a request; tell whether the next may have its turn."""
        request = job.request
        if isinstance(request, Quit):
            self._quitting = True
            return False
        if isinstance(request, GetHistory) and request.after is request.before is UNSET:
            request = replace(request, before=self._catch_up.oldest_seq)
        try:
            request_id = self._client.send(request)
        except RequestRefused as refusal:
            self._face.answered(request, refusal.error)
            return True
        except ConnectionLost:
            self._jobs.add(request, job.origin, place=0)  # for the next connection
            return False
        if isinstance(request, SetStatus):
            self._is_status_new = request.status != self.state.status
            self.state.ask_status(Status(request.status))
        self._jobs.sent(Job(request, job.origin), request_id, now)
        return True

    def _answer(self, answer: Answer) -> None:
        job = self._jobs.answered(answer, time.monotonic())
        if job is None:
            return
        match job.request, answer:
            case GetHistory(), _ if job.origin is Origin.CATCH_UP:
                self._answer_catch_up(job.request, answer)
            case ListUsers(), Error() if job.origin is not Origin.TYPED:
                self._is_list_refused = True
                self._face.answered(job.request, answer)
            case ListUsers(), UserList() if job.origin is not Origin.TYPED:
                if job.origin is Origin.GREETING:
                    self._face.greet(len(answer.users))
            case Direct(), Ok():
                self._delivered(job.request)
            case SetStatus(), Ok() if self._is_status_new or job.origin is not Origin.TYPED:
                pass  # the server tells everyone, this user too
            case GetHistory(), HistoryPage():
                self._catch_up.older(answer)
                self._face.answered(job.request, answer)
            case _:
                self._face.answered(job.request, answer)
        if isinstance(job.request, SetStatus):
            granted = isinstance(answer, Ok)
            self._chosen = Status(job.request.status) if granted else self._chosen
            self.state.answer_status(granted=granted)
        self._ask_what_is_missing(after_a_page=job.origin is Origin.CATCH_UP)

    def _answer_catch_up(self, request: GetHistory, answer: Answer) -> None:
        if isinstance(answer, HistoryPage):
            self._show(self._catch_up.page(request, answer))
        elif isinstance(answer, Error):
            is_hole = request.after is not UNSET or answer.code != ErrorCode.HISTORY_OFF
            if is_hole and request is self._catch_up.request:
                self._face.tell(lambda: _("Some messages are missing here."))
            self._show(self._catch_up.give_up(request))
        if self._catching_up_first:
            self._catching_up_first = False
            self._face.caught_up()

    def _ask_what_is_missing(self, *, after_a_page: bool = False) -> None:
        if self.state.needs_users and not self._asks_for_users():
            self._jobs.add(ListUsers(), Origin.REFRESH, place=0)
        if self._catch_up.request is not None and not self._jobs.has(Origin.CATCH_UP):
            # There may be many pages: what was typed has its turn between two of them.
            self._jobs.add(self._catch_up.request, Origin.CATCH_UP, place=int(after_a_page))

    def _asks_for_users(self) -> bool:
        """Tell whether the list of users is asked for, or was refused on this connection."""
        return (
            self._is_list_refused
            or self._jobs.has(Origin.GREETING)
            or self._jobs.has(Origin.REFRESH)
        )

    # --- the connection ------------------------------------------------------------------------

    def _reconnect(self, end: End, now: float) -> None:
        reconnector = self._reconnector
        if reconnector.lost_at is None:
            self._face.tell(lambda: explain.connection_ended(end))
            if end.reason is EndReason.GARBLED:  # the next one would say the same
                self._exit_status = EXIT_LOST
                return
            undelivered = self._jobs.interrupted()
            if undelivered is not None:
                self._face.perhaps_delivered(undelivered)
            if self._jobs.has_quit:
                self._quitting = True
                return
            self._face.tell(lambda: _("Connecting again by itself…"))
            self.state.answer_status(granted=False)
            reconnector.lost(end, self._client.welcome.token)
        try:
            client = reconnector.carry_on()
        except RegistrationRefused as refusal:
            error = refusal.error
            self._face.tell(lambda: explain.registration_refused(error, self._to))
            self._exit_status = EXIT_REFUSED
            return
        if client is not None:
            self._go_on_with(client)
            return
        waited_s = now - (reconnector.lost_at or now)
        if self._gives_up_after_s is not None and waited_s >= self._gives_up_after_s:
            self._face.tell(lambda: explain.gave_up(waited_s, self._to))
            self._exit_status = EXIT_LOST

    def _go_on_with(self, client: Client) -> None:
        self._client = client
        self._is_list_refused = False
        self.state.reconnected(client.welcome)
        self._catch_up.reconnected(client.welcome)
        self._face.tell(lambda: _("Connected again."))
        if self._chosen not in (None, client.welcome.status):
            self._jobs.add(SetStatus(status=str(self._chosen)), Origin.REFRESH, place=0)
        self._ask_what_is_missing()

    # --- what happens --------------------------------------------------------------------------

    def _take(self, incoming: Incoming) -> None:
        message = incoming.message
        self._face.came(incoming)
        if isinstance(message, Dropped):
            count = message.count
            self._face.tell(
                lambda: ngettext(
                    "{count} direct message or answer was dropped: it was not read in time.",
                    "{count} direct messages or answers were dropped: they were not read in time.",
                    count,
                ).format(count=count)
            )
            return
        if message is None or isinstance(message, Ping):
            return
        if not isinstance(message, ChatMessage):  # those in their turn, when they are shown
            self.state.apply(message)
        if isinstance(message, NumberedEvent | Gap):
            self._show(self._catch_up.take(message))
        else:
            self._face.show(message)
        if isinstance(message, Answer):
            self._answer(message)
        self._ask_what_is_missing()

    def _show(self, events: Sequence[NumberedEvent]) -> None:
        for event in events:
            if isinstance(event, ChatMessage):
                self.state.apply(event)
            self._face.show(event)

    def _delivered(self, request: Direct) -> None:
        direct = DirectMessage(
            time=datetime.now(UTC).isoformat(),
            sender=self.state.name,
            to=self.state.registered_name(request.to),
            text=request.text,
        )
        self.state.delivered(direct)
        self._face.delivered(request, direct)
