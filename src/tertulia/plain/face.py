"""The plain face: lines in, lines out, never an escape sequence.

Everything here runs in the main thread, the only one that reads input and writes output. The loops
that read the lines are in `piped.py` and `terminal.py`.
"""

from collections.abc import Callable

from msgspec.json import decode as decode_json
from msgspec.json import encode as encode_json

from tertulia.chat import commands, explain, greetings
from tertulia.chat.chat import Chat
from tertulia.chat.choices import Choices
from tertulia.chat.command_arguments import Command, CommandError
from tertulia.chat.completion import Completion, complete
from tertulia.chat.destination import Destination
from tertulia.chat.display import Glyphs
from tertulia.chat.face_commands import Help, OwnInfo, SayToAll, SetLanguage, SetNotify
from tertulia.client.catchup import chat_message
from tertulia.client.client import Client
from tertulia.client.inbox import Incoming
from tertulia.client.reconnect import Reconnector
from tertulia.i18n import _
from tertulia.plain.output import Output
from tertulia.plain.transcript import Transcript
from tertulia.protocol.messages import (
    Answer,
    Direct,
    DirectMessage,
    Error,
    GetInfo,
    HistoryPage,
    Ok,
    Quit,
    Request,
    Say,
    ServerMessage,
    SetStatus,
    UserInfo,
    UserList,
    Welcome,
)

FIRST_PAGE = 20  # messages shown on entering, on a terminal
PIPE_WAITS_S = 30.0  # for a new connection; a person at a terminal can wait as long as they like


class PlainFace:
    """Hand the lines of a person to the chat, and write what happens there."""

    def __init__(
        self,
        client: Client,
        output: Output,
        to: Destination,
        reconnector: Reconnector,
        choices: Choices,
        *,
        json: bool,
        on_terminal: bool,
    ) -> None:
        self._output = output
        self._json = json
        self._choices = choices
        self.chat = Chat(
            client,
            reconnector,
            self,
            to,
            first_page=FIRST_PAGE if on_terminal else 0,
            gives_up_after_s=None if on_terminal else PIPE_WAITS_S,
        )
        glyphs = Glyphs(output.stdout.encoding or "ascii")
        self._transcript = Transcript(client.welcome.name, glyphs, self.chat.clock.today)

    @property
    def prompt(self) -> str:
        """The prompt, with the status of this user."""
        state = self.chat.state
        status = state.status if self.chat.connected else None
        return self._transcript.prompt(status, state.asked_status)

    def complete(self, before_cursor: str) -> Completion:
        """Return the completions of the word before the cursor."""
        return complete(before_cursor, self.chat.state.names())

    def submit(self, line: str) -> Command | None:
        """Carry out a typed line; return its command, or None if it has none."""
        try:
            command = commands.parse(line)
        except CommandError as error:
            self._output.add_notice(str(error))
            return None
        if isinstance(command, Help):
            for text in commands.help_lines():
                self._output.add_notice(text)
        elif isinstance(command, SetLanguage):
            self._output.add_notice(self._choices.set_language(command))
        elif isinstance(command, SetNotify):
            self._output.add_notice(self._choices.set_notify(command))
        elif isinstance(command, OwnInfo):
            self.chat.ask(GetInfo(name=self.chat.state.name))
        elif isinstance(command, SayToAll):
            self.chat.ask(Say(text=command.text))
        elif isinstance(command, Quit):
            self.chat.quit()
        elif isinstance(command, Request):
            self.chat.ask(command)
        return command

    def finish(self) -> int:
        """Close, write what has come until the end and a farewell; return the exit status."""
        for line in self.chat.farewell():
            self._output.add_notice(line)
        return self.chat.exit_status

    # --- called by the chat --------------------------------------------------------------------

    def show_raw(self, incoming: Incoming) -> None:
        """Write the message as it is, with `--json`."""
        if self._json and incoming.line:
            self._output.add_json(_without_token(incoming))

    def show_message(self, message: ServerMessage) -> None:
        """Write what happened, except with `--json`."""
        line = None if self._json else self._transcript.event(message)
        if line is not None:
            self._output.add_line(line)

    def forget_numbers(self) -> None:
        """Do nothing: the text that was written stays, and has no numbers."""

    def show_notice(self, words: Callable[[], str]) -> None:
        """Write words of this program."""
        self._output.add_notice(words())

    def greet(self, people: int) -> None:
        """Write the greeting."""
        state = self.chat.state
        self._output.add_notice(greetings.greeting(state.name, state.status, people))

    def finish_entering(self) -> None:
        """Write the hints, below the first page of history."""
        for hint in greetings.hints():
            self._output.add_notice(hint)

    def show_answer(self, request: Request, answer: Answer) -> None:
        """Write the answer; with `--json` only the words, because `show_raw` has written it."""
        match answer:
            case Error():
                self._output.add_notice(explain.request_refused(answer, request))
            case HistoryPage():
                for message in answer.messages:
                    self.show_message(chat_message(message))
                if not self._json:
                    self._show_end_of_page(answer)
            case UserList() if not self._json:
                for line in self._transcript.users(self.chat.state.users):
                    self._output.add_line(line)
            case UserInfo() if not self._json:
                self._output.add_line(self._transcript.info(answer))
            case Ok() if isinstance(request, SetStatus):
                self._output.add_notice(
                    _("You are already {status}.").format(status=request.status)
                )

    def show_no_answer(self, request: Request) -> None:
        """Write that there is no answer."""
        self._output.add_notice(explain.unanswered())

    def show_on_its_way(self, request: Direct) -> None:
        """Write that the message waits to be confirmed."""
        text = _("On its way to {name}: {text}")
        self._output.add_notice(text.format(name=request.to, text=request.text))

    def show_delivery(self, _request: Direct, message: DirectMessage) -> None:
        """Write the message, except a note to oneself, which arrives as a message."""
        if message.to != message.sender:
            self.show_message(message)

    def show_uncertain_delivery(self, request: Direct) -> None:
        """Write the message that was perhaps not delivered, so that it can be copied."""
        self._output.add_notice(explain.perhaps_arrived(request))

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
