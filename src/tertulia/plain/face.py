"""The plain face: lines in, lines out, never an escape sequence.

Everything here runs in the main thread, which alone reads what is typed and writes. How lines come
in is the business of `piped.py` and `terminal.py`.
"""

from collections.abc import Callable

from msgspec.json import decode as decode_json
from msgspec.json import encode as encode_json

from tertulia.chat import commands, explain, greetings
from tertulia.chat.chat import Chat
from tertulia.chat.destination import Destination
from tertulia.chat.display import Glyphs
from tertulia.chat.face_commands import Help, SetLanguage
from tertulia.client.catchup import chat_message
from tertulia.client.client import Client
from tertulia.client.inbox import Incoming
from tertulia.client.reconnect import Reconnector
from tertulia.i18n import _, set_language
from tertulia.plain.output import Output
from tertulia.plain.transcript import Transcript
from tertulia.protocol.messages import (
    Answer,
    Direct,
    DirectMessage,
    Error,
    HistoryPage,
    Ok,
    Quit,
    Request,
    ServerMessage,
    SetStatus,
    UserInfo,
    UserList,
    Welcome,
)

FIRST_PAGE = 20  # messages shown on entering, on a terminal
PIPE_WAITS_S = 30.0  # for a new connection; a person at a terminal decides for themselves


class PlainFace:
    """What a person types handed to the chat, and what happens there written down."""

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
        self._output = output
        self._json = json
        self._transcript = Transcript(
            client.welcome.name, Glyphs(output.stdout.encoding or "ascii")
        )
        self.chat = Chat(
            client,
            reconnector,
            self,
            to,
            first_page=FIRST_PAGE if on_terminal else 0,
            gives_up_after_s=None if on_terminal else PIPE_WAITS_S,
        )

    @property
    def prompt(self) -> str:
        """Write the prompt as it is now."""
        state = self.chat.state
        status = state.status if self.chat.connected else None
        return self._transcript.prompt(status, state.asked_status)

    def complete(self, before_cursor: str) -> commands.Completion:
        """Say what the word before the cursor can become."""
        return commands.complete(before_cursor, self.chat.state.names())

    def typed(self, line: str) -> commands.Command | None:
        """Take a line that was typed; return what it asks for, if anything."""
        try:
            command = commands.parse(line)
        except commands.CommandError as error:
            self._output.words(str(error))
            return None
        if isinstance(command, Help):
            for text in commands.help_lines():
                self._output.words(text)
        elif isinstance(command, SetLanguage):
            set_language(command.language)
            self._output.words(_("From here on in English."))
        elif isinstance(command, Quit):
            self.chat.quit()
        elif isinstance(command, Request):
            self.chat.ask(command)
        return command

    def finish(self) -> int:
        """Close, write what came until the end and a line to say goodbye; return the status."""
        for line in self.chat.farewell():
            self._output.words(line)
        return self.chat.exit_status

    # --- what the chat tells -------------------------------------------------------------------

    def show_raw(self, incoming: Incoming) -> None:
        """Write the message as it is, if that is what was asked for."""
        if self._json and incoming.line:
            self._output.json(_without_token(incoming))

    def show_message(self, message: ServerMessage) -> None:
        """Write what happened."""
        line = None if self._json else self._transcript.event(message)
        if line is not None:
            self._output.data(line)

    def show_notice(self, words: Callable[[], str]) -> None:
        """Write words of this program."""
        self._output.words(words())

    def greet(self, people: int) -> None:
        """Say hello."""
        state = self.chat.state
        self._output.words(greetings.greeting(state.name, state.status, people))

    def finish_entering(self) -> None:
        """Give the hints, below what was said before."""
        for hint in greetings.hints():
            self._output.words(hint)

    def show_answer(self, request: Request, answer: Answer) -> None:
        """Write the answer; with `--json` it stands there already, and only words are missing."""
        match answer:
            case Error():
                self._output.words(explain.request_refused(answer, request))
            case HistoryPage():
                for message in answer.messages:
                    self.show_message(chat_message(message))
                if not self._json:
                    self._tell_about(answer)
            case UserList() if not self._json:
                for line in self._transcript.users(self.chat.state.users):
                    self._output.data(line)
            case UserInfo() if not self._json:
                self._output.data(self._transcript.info(answer))
            case Ok() if isinstance(request, SetStatus):
                self._output.words(_("You are {status} already.").format(status=request.status))

    def show_no_answer(self, request: Request) -> None:
        """Say so."""
        self._output.words(explain.unanswered())

    def show_delivery(self, _request: Direct, message: DirectMessage) -> None:
        """Write the message; one to oneself comes in as any other."""
        if message.to != message.sender:
            self.show_message(message)

    def show_uncertain_delivery(self, request: Direct) -> None:
        """Write what was perhaps not delivered, so that it can be sent again."""
        text = _("Perhaps not delivered to {name}: {text}")
        self._output.words(text.format(name=request.to, text=request.text))

    def _tell_about(self, page: HistoryPage) -> None:
        if not page.messages:
            self._output.words(_("Nothing found."))
        elif page.more:
            self._output.words(_("There is more, further back."))


def _without_token(incoming: Incoming) -> bytes:
    if not isinstance(incoming.message, Welcome):
        return incoming.line
    fields = decode_json(incoming.line)
    del fields["token"]
    return encode_json(fields)
