"""The plain face: lines in, lines out, never an escape sequence.

Everything here runs in the main thread, which alone reads what is typed and writes; the client's
own thread only rings the bell. Requests are carried out one after the other, each answered before
the next is sent. How lines come in is the business of `piped.py` and `terminal.py`.
"""

import signal
import sys
import time
from collections import deque
from contextlib import closing
from datetime import UTC, datetime
from enum import Enum, auto
from typing import NamedTuple

from msgspec.json import decode as decode_json
from msgspec.json import encode as encode_json

from tertulia.client import commands, explain
from tertulia.client.client import Client
from tertulia.client.display import Glyphs
from tertulia.client.errors import (
    ConnectionLost,
    End,
    EndReason,
    NoConnection,
    RegistrationRefused,
    RequestRefused,
)
from tertulia.client.explain import Destination
from tertulia.client.inbox import Dropped, Incoming
from tertulia.client.output import Output
from tertulia.client.state import State
from tertulia.client.transcript import Transcript
from tertulia.client.wakeup import Wakeup
from tertulia.i18n import _, ngettext
from tertulia.protocol.lines import encode
from tertulia.protocol.messages import (
    Answer,
    Direct,
    DirectMessage,
    Error,
    ErrorCode,
    Gap,
    Info,
    Ok,
    Ping,
    Quit,
    Request,
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

ANSWER_WITHIN_S = 60.0  # then the next line has its turn; a dead server is found out before
RETRY_AFTER_S = 1.0  # when a server asks to wait and does not say how long
MAX_ARRIVALS_AT_ONCE = 1_000  # then the keyboard has its turn


class _Origin(Enum):
    TYPED = auto()
    GREETING = auto()  # the first list of users
    REFRESH = auto()  # a list of users that only the state needs


class _Job(NamedTuple):
    request: Request
    origin: _Origin


class _UnderWay(NamedTuple):
    job: _Job
    request_id: int
    give_up_at: float


class PlainFace:
    """What a person types carried out, and what happens written down."""

    def __init__(
        self, client: Client, output: Output, to: Destination, *, json: bool, hints: bool
    ) -> None:
        self._client = client
        self._output = output
        self._to = to
        self._json = json
        self._hints = hints
        self._glyphs = Glyphs(output.stdout.encoding or "ascii")
        self._state = State(client.welcome)
        self._transcript = Transcript(self._state.name, self._glyphs)
        self._started_at = time.monotonic()
        self._jobs = deque([_Job(Users(), _Origin.GREETING)])
        self._under_way: _UnderWay | None = None
        self._not_before = 0.0  # the server has asked to wait until then
        self._quitting = False

    @property
    def over(self) -> bool:
        """Tell whether the person has left, or the connection has ended."""
        return self._quitting or self._client.ended is not None

    @property
    def idle(self) -> bool:
        """Tell whether everything typed was carried out and answered, and more may be typed."""
        return self._under_way is None and not self._jobs and not self.over

    @property
    def waiting_jobs(self) -> int:
        """Count what was typed and has not had its turn."""
        return len(self._jobs)

    @property
    def wake_at(self) -> float | None:
        """Tell when `carry_on` is to be called even if nothing comes (monotonic)."""
        if self._under_way is not None:
            return self._under_way.give_up_at
        return self._not_before if self._jobs else None

    @property
    def prompt(self) -> str:
        """Write the prompt as it is now."""
        return self._transcript.prompt(self._state.status, self._state.asked_status)

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
        elif command is not None:
            self._jobs.append(_Job(command, _Origin.TYPED))
        return command

    def quit(self) -> None:
        """Leave once everything typed before has been answered."""
        self._jobs.append(_Job(Quit(), _Origin.TYPED))

    def receive(self) -> bool:
        """Take in what has come; tell whether there may be more."""
        for _arrival in range(MAX_ARRIVALS_AT_ONCE):
            incoming = self._client.receive(0)
            if incoming is None:
                return False
            self._take(incoming)
        return True

    def carry_on(self) -> None:
        """Give up what was not answered in time, and begin what is next."""
        now = time.monotonic()
        if self._under_way is not None and now >= self._under_way.give_up_at:
            self._under_way = None
            self._state.answer_status(granted=False)
            self._output.words(_("No answer from the server; it may have been carried out."))
        while self._under_way is None and self._jobs and now >= self._not_before:
            self._begin(self._jobs.popleft(), now)
            if self._quitting:
                return

    def finish(self) -> int:
        """Close, write what came until the end and a line to say goodbye; return the status."""
        self._client.close()
        while self.receive():
            pass
        end = self._client.ended or End(EndReason.CLOSED)
        lost = not self._quitting and end.reason is not EndReason.CLOSED
        if lost:
            self._output.words(explain.connection_ended(end, self._to))
        stayed = time.monotonic() - self._started_at
        self._output.words(explain.farewell(stayed, self._state.said, self._state.heard))
        return EXIT_LOST if lost else EXIT_FINE

    def _begin(self, job: _Job, now: float) -> None:
        if isinstance(job.request, Quit):
            self._quitting = True
            return
        try:
            request_id = self._client.send(job.request)
        except RequestRefused as refusal:
            self._output.words(explain.request_refused(refusal.error, job.request))
        except ConnectionLost:
            self._jobs.clear()  # `over` is true now; `finish` says why
        else:
            if isinstance(job.request, SetStatus):
                self._state.ask_status(Status(job.request.status))
            self._under_way = _UnderWay(job, request_id, now + ANSWER_WITHIN_S)

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
        self._state.apply(message)
        text_line = None if self._json else self._transcript.event(message)
        if text_line is not None:
            self._output.data(text_line)
        if isinstance(message, Gap):
            self._output.words(_("Some messages are missing here: they were not read in time."))
        if isinstance(message, Answer):
            self._answer(message)
        if isinstance(message, Gap | UserList) and self._state.needs_users:
            self._jobs.appendleft(_Job(Users(), _Origin.REFRESH))

    def _answer(self, answer: Answer) -> None:
        if self._under_way is None or answer.id != self._under_way.request_id:
            return
        job = self._under_way.job
        self._under_way = None
        match job.request, answer:
            case _, Error(code=ErrorCode.RATE_LIMITED):
                self._not_before = time.monotonic() + (answer.retry_after or RETRY_AFTER_S)
                self._jobs.appendleft(job)
                return
            case _, Error():
                self._output.words(explain.request_refused(answer, job.request))
            case Users(), UserList() if job.origin is _Origin.GREETING:
                self._greet(len(answer.users))
            case Users(), UserList() if job.origin is _Origin.TYPED and not self._json:
                for line in self._transcript.users(self._state.users):
                    self._output.data(line)
            case Info(), UserInfo() if not self._json:
                self._output.data(self._transcript.info(answer))
            case Direct(), Ok():
                self._delivered(job.request)
        if isinstance(job.request, SetStatus):
            self._state.answer_status(granted=isinstance(answer, Ok))

    def _delivered(self, request: Direct) -> None:
        direct = DirectMessage(
            time=datetime.now(UTC).isoformat(),
            sender=self._state.name,
            to=self._state.registered_name(request.to),
            text=request.text,
        )
        self._state.delivered(direct)
        line = self._transcript.event(direct)
        if line is not None and direct.to != self._state.name and not self._json:
            self._output.data(line)

    def _greet(self, count: int) -> None:
        greeting = _("Hello, {name}. You are {status}.").format(
            name=self._state.name, status=self._state.status
        )
        people = ngettext("There is {count} person here.", "There are {count} people here.", count)
        self._output.words(f"{greeting} {people.format(count=count)}")
        if self._hints:
            for hint in commands.hints():
                self._output.words(hint)


def run(to: Destination, *, json: bool) -> int:
    """Connect, chat until the end, and return the exit status."""
    output = Output(sys.stdout, sys.stderr, json=json)
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if on_terminal:
        text = _("Connecting to {host}, port {port}…")
        output.words(text.format(host=to.host, port=to.port))
        output.flush()
    with closing(Wakeup()) as wakeup:
        try:
            client = Client.connect(
                to.host, to.port, to.name, source=to.source, everything=True, notify=wakeup.ring
            )
        except NoConnection as failure:
            output.words(explain.no_connection(failure, to))
            return EXIT_NO_CONNECTION
        except RegistrationRefused as refusal:
            if json:
                output.json(encode(refusal.error)[:-1])
            output.words(explain.registration_refused(refusal.error, to))
            return EXIT_REFUSED
        finally:
            output.flush()
        with client:
            face = PlainFace(client, output, to, json=json, hints=on_terminal)
            ended_by = _chat(face, output, wakeup, on_terminal)
            status = face.finish()
            output.flush()
    if ended_by is not None:
        # Whoever started this program shall see that a signal ended it.
        signal.signal(ended_by, signal.SIG_DFL)
        signal.raise_signal(ended_by)
    return status


def _chat(
    face: PlainFace, output: Output, wakeup: Wakeup, on_terminal: bool
) -> signal.Signals | None:
    """Chat until the end; return the signal that ended it, if one did."""
    try:
        if on_terminal:
            from tertulia.client import terminal  # not needed for pipes, and slow to import

            return terminal.run(face, output, wakeup)
        from tertulia.client import piped

        piped.run(face, output, wakeup)
    except KeyboardInterrupt:
        return signal.SIGINT
    return None


def _without_token(incoming: Incoming) -> bytes:
    if not isinstance(incoming.message, Welcome):
        return incoming.line
    fields = decode_json(incoming.line)
    del fields["token"]
    return encode_json(fields)
