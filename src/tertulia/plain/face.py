"""The plain face: it reads and writes lines, and never writes an escape sequence.

Everything here runs in the main thread, the only one that reads input and writes output. The loops
that read the lines are in `piped.py` and `terminal.py`.
"""

import time
from collections.abc import Callable, Iterable
from math import inf

from msgspec.json import decode as decode_json
from msgspec.json import encode as encode_json

from tertulia.chat import explain, greetings
from tertulia.chat.bursts import Bursts
from tertulia.chat.chat import Chat
from tertulia.chat.choices import Choices
from tertulia.chat.command_arguments import Command, CommandError
from tertulia.chat.completion import Completion, complete
from tertulia.chat.destination import Destination
from tertulia.chat.exit_status import EXIT_FINE, EXIT_NOT_ALL_SAID
from tertulia.chat.face_commands import (
    Help,
    OwnInfo,
    SayToAll,
    SetLanguage,
    SetNotify,
    SetPlain,
    ShowSeen,
    ShowStatuses,
)
from tertulia.chat.ignored import Ignored
from tertulia.chat.order_words import standing_words
from tertulia.chat.seen_words import about_words, nothing_said, seen_lines
from tertulia.chat.similar import similar_name
from tertulia.chat.whereabouts import Whereabouts
from tertulia.client.catchup import chat_message
from tertulia.client.client import Client
from tertulia.client.inbox import Incoming
from tertulia.client.reconnect import Reconnector
from tertulia.i18n import _, ngettext
from tertulia.plain.order import Order, OrderCommand
from tertulia.plain.output import Output
from tertulia.plain.script import COMMAND_INVALID, Outcomes, Script
from tertulia.plain.transcript import Transcript
from tertulia.plain.typed import command_of, help_lines, paste_words
from tertulia.plain.words import status_words
from tertulia.protocol.attendance import AskSeenBy, ListAttendance, SeenBy
from tertulia.protocol.messages import (
    Answer,
    ChatMessage,
    Direct,
    DirectMessage,
    Error,
    ErrorCode,
    GetInfo,
    HistoryPage,
    Ok,
    Presence,
    Quit,
    Request,
    Say,
    ServerMessage,
    SetStatus,
    Status,
    UserInfo,
    UserList,
    Welcome,
)
from tertulia.protocol.moderation import BecomeOperator, OperatorRequest

FIRST_PAGE = 20  # messages shown after entering, on a terminal
# The codes of refused lines, in addition to those of the server.
NOT_CONFIRMED = "not_confirmed"  # the request may have been carried out
NOT_SENT = "not_sent"
MAX_LEFT_SHOWN = 5  # lines that were not carried out; further ones are only counted
PIPE_WAITS_S = 30.0  # for a new connection; a person at a terminal can wait without limit


class PlainFace:
    """Passes the lines of a person to the chat, and writes the chat's events."""

    def __init__(
        self,
        client: Client,
        output: Output,
        to: Destination,
        reconnector: Reconnector,
        choices: Choices,
        script: Script,
        *,
        on_terminal: bool,
        has_editor: bool = True,
        operator_secret: str | None = None,
        ignored: Ignored | None = None,
        whereabouts: Whereabouts | None = None,
    ) -> None:
        self._output = output
        self._json = script.json
        self._on_terminal = on_terminal
        self._has_editor = on_terminal and has_editor  # otherwise the system itself edits the lines
        self.outcomes = Outcomes(output, json=script.json)
        self._choices = choices
        self.chat = Chat(
            client,
            reconnector,
            self,
            to,
            first_page=FIRST_PAGE if on_terminal else 0,
            gives_up_after_s=inf if on_terminal else PIPE_WAITS_S,
            operator_secret=operator_secret,
            ignored=ignored,
            whereabouts=whereabouts,
        )
        self.order = Order(
            self.chat, output, self.outcomes, self._write_line,
            to=to, asks=self._has_editor and not script.json,
        )  # fmt: skip
        self._transcript = Transcript(client.welcome.name, self.chat.clock.today)
        self._mention = choices.mention_of(client.welcome.name)
        self._bursts = Bursts()

    def prompt(self, line_number: int = 1) -> str:
        """Return the prompt for a line of the text that is being typed."""
        if self.order.question:
            return self.order.question + " "
        state = self.chat.state
        status = state.status if self.chat.connected else None
        return self._transcript.prompt(
            status, state.asked_status, line_number, may_speak=state.may_speak
        )

    def complete(self, before_cursor: str) -> Completion:
        """Return the completions of the word before the cursor."""
        state = self.chat.state
        return complete(before_cursor, state.names(), operator=state.is_operator)

    def submit(self, line: str) -> Command | None:
        """Carry out a typed line; return its command, or None if it has none.

        The caller carries out Quit. Pasted text is never a command.
        """
        if self.order.question and self.order.answer_question(line):
            return None
        try:
            command = command_of(line, operator=self.chat.state.is_operator)
        except CommandError as error:
            self.outcomes.refuse_line(line, COMMAND_INVALID, str(error))
            return None
        if isinstance(command, Help):
            is_operator = self.chat.state.is_operator
            for text in help_lines(on_terminal=self._has_editor, operator=is_operator):
                self._output.add_notice(text)
        elif isinstance(command, OrderCommand):
            self.order.carry_out(line, command)
        elif isinstance(command, ShowSeen):
            self._ask_who_has_seen(line, command)
        elif isinstance(command, SetLanguage):
            self._output.add_notice(self._choices.set_language(command))
        elif isinstance(command, SetNotify):
            self._set_notify(line, command)
        elif isinstance(command, ShowStatuses):
            self._output.add_notice(self._choices.switch_statuses())
        elif isinstance(command, SetPlain):
            self._output.add_notice(self._choices.set_plain(command))
        elif isinstance(command, OwnInfo):
            self._ask(line, GetInfo(name=self.chat.state.name))
        elif isinstance(command, SayToAll):
            self._ask(line, Say(text=command.text))
        elif isinstance(command, Request) and not isinstance(command, Quit):
            self._ask(line, command)
        return command

    def say(self, text: str, to: str | None = None) -> None:
        """Send a text to everyone, or to one user, even if it begins like a command."""
        if text.strip():
            self._ask(text, Say(text=text) if to is None else Direct(to=to, text=text))
        else:
            self.outcomes.refuse_line(text, ErrorCode.TEXT_INVALID, explain.empty())

    def explain_paste(self, lines: int, text: str) -> None:
        """Write an explanation for a text that contains pasted lines."""
        self._output.add_notice(paste_words(lines, text))

    def explain_discard(self, lines: int) -> None:
        """Write that a text of several lines was discarded."""
        words = _("{count} lines were taken back. The arrow up brings them back into the line.")
        self._output.add_notice(words.format(count=lines))

    def take_back(self) -> None:
        """Discard the messages that were not sent yet; if there are none, write how to leave."""
        if self.order.question:
            self.order.cancel()
            return
        taken = self.chat.take_back()
        for request in taken:
            self.outcomes.succeed(request)
            words = _("Taken back, and not sent: {text}")
            self._output.add_notice(words.format(text=request.text))
        if not taken:
            self._output.add_notice(greetings.how_to_leave())

    def finish(self, lines_left: Iterable[str] = ()) -> int:
        """Close, write the last events and a farewell; return the exit status.

        `lines_left` were not carried out.
        """
        self.order.give_up()
        farewell = self.chat.farewell()
        for request in farewell.unanswered:
            self.outcomes.refuse(request, NOT_CONFIRMED, explain.perhaps_arrived(request))
        for request in farewell.unsent:
            self.outcomes.refuse(request, NOT_SENT, explain.not_sent(request.text))
        self._refuse_left(list(filter(str.strip, lines_left)))
        self._output.add_notice(farewell.summary)
        status = self.chat.exit_status
        if status == EXIT_FINE and self.outcomes.refused and not self._on_terminal:
            return EXIT_NOT_ALL_SAID
        return status

    def _refuse_left(self, lines: list[str]) -> None:
        """Note the lines that were not carried out, and write the first of them."""
        more = len(lines) - MAX_LEFT_SHOWN
        for number, line in enumerate(lines):
            is_shown = number < MAX_LEFT_SHOWN
            self.outcomes.refuse_line(line, NOT_SENT, explain.not_sent(line), is_shown=is_shown)
        if more > 0:
            text = ngettext(
                "{count} more line was not sent.", "{count} more lines were not sent.", more
            )
            self._output.add_error(text.format(count=more))

    def _write_line(self, text: str) -> None:
        if not self._json:
            self._output.add_line(text)

    def _set_notify(self, line: str, command: SetNotify) -> None:
        if command.terminal:  # it would need an escape sequence
            words = _("Only the full screen can ask the terminal to show a message.")
            self.outcomes.refuse_line(line, COMMAND_INVALID, words)
            return
        self._output.add_notice(self._choices.set_notify(command))
        self._mention = self._choices.mention_of(self.chat.state.name)

    def _write(self, message: ServerMessage, *, is_old: bool, numbered: bool = False) -> None:
        if not self._json:
            for line in self._transcript.event(message, is_old=is_old, numbered=numbered):
                self._output.add_line(line)

    def _guess(self, error: Error, request: Request) -> str:
        """Return a sentence that suggests a similar name, if nobody has the name in the request."""
        if error.code == ErrorCode.USER_NOT_CONNECTED and isinstance(request, Direct | GetInfo):
            name = request.to if isinstance(request, Direct) else request.name
            guess = similar_name(name, self.chat.state.names())
            if guess is not None:
                return " " + _("Did you mean “{guess}”?").format(guess=guess)
        return ""

    def _is_noise(self, message: ServerMessage) -> bool:
        """Return whether a message is a change of status that the person does not want to see."""
        return (
            isinstance(message, Presence)
            and self._on_terminal
            and message.name != self.chat.state.name
            and not self._choices.settings.notify_statuses
        )

    def _ring_for(self, message: ServerMessage) -> None:
        """Ring for a message if the settings allow it, once for a burst."""
        if not isinstance(message, ChatMessage | DirectMessage) or not self._on_terminal:
            return
        if message.sender == self.chat.state.name:
            return
        calls = isinstance(message, DirectMessage) or self._mention.is_in(message.text)
        if self._choices.rings_for(calls=calls) and self._bursts.begins(time.monotonic()):
            self._output.ring()

    def _ask_who_has_seen(self, line: str, command: ShowSeen) -> None:
        own = self.chat.state.own_message
        if command.seq is not None:
            self._ask(line, AskSeenBy(seq=command.seq))
        elif own is None:
            self.outcomes.refuse_line(line, COMMAND_INVALID, nothing_said())
        else:
            self._ask(line, AskSeenBy(seq=own.seq))

    def _ask(self, line: str, request: Request) -> None:
        self.chat.enqueue(self.outcomes.begin(line, request))

    # --- called by the chat --------------------------------------------------------------------

    def show_raw(self, incoming: Incoming) -> None:
        """With `--json`, write the message unchanged."""
        if self._json and incoming.line:
            self._output.add_json(_without_token(incoming))

    def show_message(self, message: ServerMessage) -> None:
        """Write an event; with `--json` do nothing."""
        is_old = isinstance(message, ChatMessage) and self.chat.state.is_from_before(message.seq)
        if not is_old:
            self._ring_for(message)
        if not self._is_noise(message):
            self._write(message, is_old=is_old)

    def show_changed_people(self) -> None:
        """Do nothing: people are written only on request."""

    def forget_numbers(self) -> None:
        """Do nothing: the written text cannot be changed, and has no numbers."""

    def show_notice(self, words: Callable[[], str]) -> None:
        """Write a text of this program."""
        self._output.add_notice(words())

    def show_failure(self, words: Callable[[], str]) -> None:
        """Write a text about a failure."""
        self._output.add_error(words())

    def greet(self, people: int) -> None:
        """Write the greeting."""
        state = self.chat.state
        status = status_words(state.status)
        self._output.add_notice(greetings.greeting(state.name, status, people))
        if where := self.chat.whereabouts.greeting():
            self._output.add_notice(where)
        for text in standing_words(state, self.chat.clock.today()):
            self._output.add_notice(text + ".")

    def finish_entering(self) -> None:
        """Write the hints, below the first page of history."""
        for hint in greetings.hints(completes=self._has_editor):
            self._output.add_notice(hint)

    def show_answer(self, request: Request, answer: Answer) -> None:
        """Write the answer; with `--json` only texts, as `show_raw` wrote the answer itself."""
        if not isinstance(answer, Error):
            self.outcomes.succeed(request)
        if isinstance(request, OperatorRequest | BecomeOperator | ListAttendance):
            self.order.show_answer(request, answer)
            return
        match answer:
            case Error(code=ErrorCode.UNAVAILABLE) if isinstance(request, Say):
                self.outcomes.succeed(request)  # the message was sent, but is not stored
                self._output.add_error(explain.request_refused(answer, request))
            case Error():
                words = explain.request_refused(answer, request)
                self.outcomes.refuse(request, answer.code, words + self._guess(answer, request))
            case HistoryPage():
                state = self.chat.state
                for message in answer.messages:
                    # They are needed for /seen.
                    numbered = state.is_operator or message.sender == state.name
                    self._write(chat_message(message), is_old=True, numbered=numbered)
                if not self._json:
                    self._show_end_of_page(answer)
            case UserList() if not self._json:
                for line in self._transcript.users(self.chat.state.users):
                    self._output.add_line(line)
            case SeenBy() if not self._json:
                about = about_words(answer, self.chat.state.own_message)
                for line in (about, *seen_lines(answer)):
                    self._output.add_line(line)
            case UserInfo() if not self._json:
                self._output.add_line(self._transcript.info(answer))
            case Ok() if isinstance(request, SetStatus):
                status = status_words(Status(request.status))
                self._output.add_notice(_("You are already {status}.").format(status=status))

    def show_no_answer(self, request: Request) -> None:
        """Write that there is no answer."""
        self.outcomes.refuse(request, NOT_CONFIRMED, explain.unanswered())

    def show_on_its_way(self, request: Say | Direct) -> None:
        """Write that a message is not confirmed yet."""
        self._output.add_notice(explain.on_its_way(request))

    def show_delivery(self, request: Direct, message: DirectMessage) -> None:
        """Write the message; a message to oneself is written when it arrives."""
        self.outcomes.succeed(request)
        if message.to != message.sender:
            self.show_message(message)

    def show_uncertain_delivery(self, request: Direct) -> None:
        """Write the message that may not have been delivered, so that it can be copied."""
        self.outcomes.refuse(request, NOT_CONFIRMED, explain.perhaps_arrived(request))

    def _show_end_of_page(self, page: HistoryPage) -> None:
        if not page.messages:
            self._output.add_notice(_("No messages found."))
        elif page.more:
            self._output.add_notice(_("There are older messages."))


def _without_token(incoming: Incoming) -> bytes:
    if not isinstance(incoming.message, Welcome):
        return incoming.line
    fields = decode_json(incoming.line)
    del fields["token"]
    return encode_json(fields)
