"""The plain face: lines in, lines out, never an escape sequence.

Everything here runs in the main thread, which alone reads what is typed and writes; the client's
own thread only rings the bell. Requests are carried out one after the other, each answered before
the next is sent. How lines come in is the business of `piped.py` and `terminal.py`.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import UNSET
from msgspec.json import decode as decode_json
from msgspec.json import encode as encode_json
from msgspec.structs import replace

from tertulia.client import commands, explain
from tertulia.client.catchup import CatchUp, stored_as_said
from tertulia.client.client import Client
from tertulia.client.display import Glyphs
from tertulia.client.errors import (
    ConnectionLost,
    End,
    EndReason,
    RegistrationRefused,
    RequestRefused,
)
from tertulia.client.explain import Destination
from tertulia.client.inbox import Dropped, Incoming
from tertulia.client.jobs import Job, Jobs, Origin
from tertulia.client.output import Output
from tertulia.client.reconnect import Reconnector
from tertulia.client.state import State
from tertulia.client.transcript import Transcript
from tertulia.i18n import _, ngettext
from tertulia.protocol.messages import (
    Answer,
    ChatMessage,
    Direct,
    DirectMessage,
    Error,
    ErrorCode,
    Gap,
    History,
    HistoryPage,
    Info,
    NumberedEvent,
    Ok,
    Ping,
    Quit,
    Search,
    ServerMessage,
    SetStatus,
    Status,
    UserInfo,
    UserList,
    Users,
    Welcome,
)

EXIT_FINE = 0
EXIT_NO_CONNECTION = 3
EXIT_REFUSED = 4
EXIT_LOST = 5

FIRST_PAGE = 20  # messages shown on entering, on a terminal
MAX_ARRIVALS_AT_ONCE = 1_000  # then the keyboard has its turn
PIPE_WAITS_S = 30.0  # for a new connection; a person at a terminal decides for themselves


class PlainFace:
    """What a person types carried out, and what happens written down."""

    def __init__(
        self,
        client: Client,
        output: Output,
        to: Destination,
        reconnector: Reconnector,
        *,
        json: bool,
        on_terminal: bool,
    ) -> None:
        self._client = client
        self._output = output
        self._to = to
        self._reconnector = reconnector
        self._json = json
        self._on_terminal = on_terminal
        self._glyphs = Glyphs(output.stdout.encoding or "ascii")
        self._state = State(client.welcome)
        self._catch_up = CatchUp(client.welcome, FIRST_PAGE if on_terminal else 0)
        self._transcript = Transcript(self._state.name, self._glyphs)
        self._started_at = time.monotonic()
        self._jobs = Jobs()
        self._jobs.add(Users(), Origin.GREETING)
        if self._catch_up.request is not None:
            self._jobs.add(self._catch_up.request, Origin.CATCH_UP)
        self._hints_due = on_terminal
        self._is_status_new = True  # of the one asked for last
        self._chosen: Status | None = None  # granted by the server
        self._quitting = False
        self._exit_status: int | None = None

    @property
    def over(self) -> bool:
        """Tell whether the person has left, or there is no way back into the chat."""
        return self._quitting or self._exit_status is not None

    @property
    def idle(self) -> bool:
        """Tell whether everything typed was carried out and answered, and more may be typed."""
        return self._jobs.idle and self._reconnector.lost_at is None and not self.over

    @property
    def waiting_jobs(self) -> int:
        """Count what was typed and has not had its turn."""
        return len(self._jobs)

    @property
    def wake_at(self) -> float | None:
        """Tell when `carry_on` is to be called even if nothing comes (monotonic)."""
        if self._reconnector.lost_at is None:
            return self._jobs.wake_at
        times = [self._reconnector.wake_at]
        if not self._on_terminal:
            times.append(self._reconnector.lost_at + PIPE_WAITS_S)
        return min((time for time in times if time is not None), default=None)

    @property
    def prompt(self) -> str:
        """Write the prompt as it is now."""
        status = self._state.status if self._reconnector.lost_at is None else None
        return self._transcript.prompt(status, self._state.asked_status)

    def complete(self, before_cursor: str) -> tuple[int, list[str]]:
        """Say what the word before the cursor can become."""
        return commands.complete(before_cursor, self._state.names())

    def typed(self, line: str) -> commands.Command | None:
        """Take a line that was typed; return what it asks for, if anything."""
        try:
            command = commands.parse(line)
        except commands.CommandError as error:
            self._output.words(str(error))
            return None
        if isinstance(command, commands.Help):
            for text in commands.help_lines():
                self._output.words(text)
        elif isinstance(command, Quit):
            self.quit()
        elif command is not None:
            self._jobs.add(command, Origin.TYPED)
        return command

    def quit(self) -> None:
        """Leave once everything typed before has been answered; at once without a connection."""
        if self._reconnector.lost_at is not None:
            self._quitting = True
        else:
            self._jobs.add(Quit(), Origin.TYPED)

    def receive(self) -> bool:
        """Take in what has come; tell whether there may be more."""
        for _arrival in range(MAX_ARRIVALS_AT_ONCE):
            incoming = self._client.receive(0)
            if incoming is None:
                return False
            self._take(incoming)
        return True

    def carry_on(self) -> None:
        """Begin what is next: a request, or an attempt to connect anew."""
        now = time.monotonic()
        if self._client.ended is not None and not self.over:
            while self._reconnector.lost_at is None and self.receive():
                pass  # what came just before the end counts
            self._reconnect(self._client.ended, now)
        if self._jobs.late(now) is not None:
            self._state.answer_status(granted=False)
            self._output.words(_("No answer from the server; it may have been carried out."))
        while self._reconnector.lost_at is None and not self.over:
            job = self._jobs.next(now)
            if job is None or not self._begin(job, now):
                return

    def finish(self) -> int:
        """Close, write what came until the end and a line to say goodbye; return the status."""
        self.close()
        while self.receive():
            pass
        for request in self._jobs.unsent:
            self._output.words(_("Not sent: {text}").format(text=request.text))
        stayed = time.monotonic() - self._started_at
        self._output.words(explain.farewell(stayed, self._state.said, self._state.heard))
        return self._exit_status or EXIT_FINE

    def close(self) -> None:
        """End the session, and attempts to have one. Idempotent."""
        self._reconnector.close()
        self._client.close()

    # --- requests ------------------------------------------------------------------------------

    def _begin(self, job: Job, now: float) -> bool:
        """Send a request; tell whether the next may have its turn."""
        request = job.request
        if isinstance(request, Quit):
            self._quitting = True
            return False
        if isinstance(request, History) and job.origin is Origin.TYPED:
            request = replace(request, before=self._catch_up.oldest_seq)
        try:
            request_id = self._client.send(request)
        except RequestRefused as refusal:
            self._output.words(explain.request_refused(refusal.error, request))
            return True
        except ConnectionLost:
            self._jobs.add(request, job.origin, first=True)  # for the next connection
            return False
        if isinstance(request, SetStatus):
            self._is_status_new = request.status != self._state.status
            self._state.ask_status(Status(request.status))
        self._jobs.sent(Job(request, job.origin), request_id, now)
        return True

    def _answer(self, answer: Answer) -> None:
        job = self._jobs.answered(answer, time.monotonic())
        if job is None:
            return
        match job.request, answer:
            case History(), HistoryPage() if job.origin is Origin.CATCH_UP:
                self._show(self._catch_up.page(job.request, answer))
                self._give_hints()
            case History(), Error() if job.origin is Origin.CATCH_UP:
                is_hole = job.request.after is not UNSET or answer.code != ErrorCode.HISTORY_OFF
                if is_hole and job.request is self._catch_up.request:
                    self._output.words(_("Some messages are missing here."))
                self._show(self._catch_up.give_up(job.request))
                self._give_hints()
            case History() | Search(), HistoryPage():
                self._show_page(job.request, answer)
            case _, Error():
                self._output.words(explain.request_refused(answer, job.request))
            case Users(), UserList() if job.origin is Origin.GREETING:
                self._greet(len(answer.users))
            case Users(), UserList() if job.origin is Origin.TYPED and not self._json:
                for line in self._transcript.users(self._state.users):
                    self._output.data(line)
            case Info(), UserInfo() if not self._json:
                self._output.data(self._transcript.info(answer))
            case Direct(), Ok():
                self._delivered(job.request)
            case SetStatus(), Ok() if not self._is_status_new and job.origin is Origin.TYPED:
                text = _("You are {status} already.")
                self._output.words(text.format(status=job.request.status))
        if isinstance(job.request, SetStatus):
            granted = isinstance(answer, Ok)
            self._chosen = Status(job.request.status) if granted else self._chosen
            self._state.answer_status(granted=granted)
        self._ask_what_is_missing()

    def _ask_what_is_missing(self) -> None:
        has_list = self._jobs.has(Origin.GREETING) or self._jobs.has(Origin.REFRESH)
        if self._state.needs_users and not has_list:
            self._jobs.add(Users(), Origin.REFRESH, first=True)
        if self._catch_up.request is not None and not self._jobs.has(Origin.CATCH_UP):
            self._jobs.add(self._catch_up.request, Origin.CATCH_UP, first=True)

    # --- the connection ------------------------------------------------------------------------

    def _reconnect(self, end: End, now: float) -> None:
        reconnector = self._reconnector
        if reconnector.lost_at is None:
            self._output.words(explain.connection_ended(end))
            if end.reason is EndReason.GARBLED:  # the next one would say the same
                self._exit_status = EXIT_LOST
                return
            undelivered = self._jobs.interrupted()
            if undelivered is not None:
                text = _("Perhaps not delivered to {name}: {text}")
                text = text.format(name=undelivered.to, text=undelivered.text)
                self._output.words(text)
            if self._jobs.has_quit:
                self._quitting = True
                return
            self._output.words(_("Connecting again by itself…"))
            self._state.answer_status(granted=False)
            reconnector.lost(end, self._client.welcome.token)
        try:
            client = reconnector.carry_on()
        except RegistrationRefused as refusal:
            self._output.words(explain.registration_refused(refusal.error, self._to))
            self._exit_status = EXIT_REFUSED
            return
        if client is not None:
            self._go_on_with(client)
        elif not self._on_terminal and now - (reconnector.lost_at or now) >= PIPE_WAITS_S:
            self._output.words(explain.gave_up(now - (reconnector.lost_at or now), self._to))
            self._exit_status = EXIT_LOST

    def _go_on_with(self, client: Client) -> None:
        self._client = client
        self._state.reconnected(client.welcome)
        self._catch_up.reconnected(client.welcome)
        self._output.words(_("Connected again."))
        if self._chosen not in (None, client.welcome.status):
            self._jobs.add(SetStatus(status=str(self._chosen)), Origin.REFRESH, first=True)
        self._ask_what_is_missing()

    # --- what is shown -------------------------------------------------------------------------

    def _take(self, incoming: Incoming) -> None:
        message = incoming.message
        if self._json and incoming.line:
            self._output.json(_without_token(incoming))
        if isinstance(message, Dropped):
            text = ngettext(
                "{count} direct message or answer was dropped: it was not read in time.",
                "{count} direct messages or answers were dropped: they were not read in time.",
                message.count,
            )
            self._output.words(text.format(count=message.count))
            return
        if message is None or isinstance(message, Ping):
            return
        if not isinstance(message, ChatMessage):  # those in their turn, when they are shown
            self._state.apply(message)
        if isinstance(message, NumberedEvent | Gap):
            self._show(self._catch_up.take(message))
        else:
            self._write(message)
        if isinstance(message, Answer):
            self._answer(message)
        self._ask_what_is_missing()

    def _show(self, events: Sequence[NumberedEvent]) -> None:
        for event in events:
            if isinstance(event, ChatMessage):
                self._state.apply(event)
            self._write(event)

    def _write(self, message: ServerMessage) -> None:
        line = None if self._json else self._transcript.event(message)
        if line is not None:
            self._output.data(line)

    def _show_page(self, request: History | Search, page: HistoryPage) -> None:
        messages = [stored_as_said(message) for message in page.messages]
        if isinstance(request, History):
            messages = self._catch_up.older(page)
        if self._json:
            return
        for message in messages:
            self._write(message)
        if not messages:
            self._output.words(_("Nothing found."))
        elif page.more:
            self._output.words(_("There is more, further back."))

    def _delivered(self, request: Direct) -> None:
        direct = DirectMessage(
            time=datetime.now(UTC).isoformat(),
            sender=self._state.name,
            to=self._state.registered_name(request.to),
            text=request.text,
        )
        self._state.delivered(direct)
        if direct.to != self._state.name:
            self._write(direct)

    def _greet(self, count: int) -> None:
        greeting = _("Hello, {name}. You are {status}.").format(
            name=self._state.name, status=self._state.status
        )
        people = ngettext("There is {count} person here.", "There are {count} people here.", count)
        self._output.words(f"{greeting} {people.format(count=count)}")

    def _give_hints(self) -> None:
        if self._hints_due:
            self._hints_due = False
            for hint in commands.hints():
                self._output.words(hint)


def _without_token(incoming: Incoming) -> bytes:
    if not isinstance(incoming.message, Welcome):
        return incoming.line
    fields = decode_json(incoming.line)
    del fields["token"]
    return encode_json(fields)
