"""Moderation with the plain face: an operator's commands, a question, answers; also ignoring.

Main thread only.
"""

from collections.abc import Callable
from typing import NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from tertulia.chat import explain
from tertulia.chat.attendance import AttendanceReading
from tertulia.chat.chat import Chat
from tertulia.chat.command_table import OPERATOR
from tertulia.chat.destination import Destination
from tertulia.chat.face_commands import AskForSecret, Ignore, PinMarked, Unignore
from tertulia.chat.hook_address import curl_options, server_link
from tertulia.chat.order_words import no_secret, not_operator, nothing_to_pin, order_is_yours
from tertulia.i18n import _
from tertulia.operator_commands import BadCommand, ShowAttendance, without_secret
from tertulia.operator_words import bans, done, fits, hook_created, hooks, session_words
from tertulia.plain.output import Output
from tertulia.plain.script import COMMAND_INVALID, Outcomes
from tertulia.protocol.attendance import AttendancePage, ListAttendance
from tertulia.protocol.hooks import HookCreated, HookList
from tertulia.protocol.messages import Answer, Error, ErrorCode, UserList
from tertulia.protocol.moderation import (
    BanList,
    BecomeOperator,
    ImposeBan,
    OperatorRequest,
    PinMessage,
)

OrderCommand = (
    AskForSecret | BecomeOperator | Ignore | Unignore | PinMarked | ShowAttendance | OperatorRequest
)
OrderRequest = OperatorRequest | BecomeOperator | ListAttendance


class _Asked(NamedTuple):
    """A ban that needs a confirmation, and the line in which it was typed."""

    line: str
    ban: ImposeBan


class Order:
    """Carries out an operator's commands. On a terminal it asks before it ends several sessions."""

    def __init__(
        self,
        chat: Chat,
        output: Output,
        outcomes: Outcomes,
        write: Callable[[str], None],
        *,
        to: Destination,
        asks: bool,
    ) -> None:
        """Begin without a question; `write` writes a line of the chat."""
        self._to = to
        self._reading: AttendanceReading | None = None
        self._chat = chat
        self._output = output
        self._outcomes = outcomes
        self._write = write
        self._asks = asks
        self._line = ""  # the line of the last request
        self._asked: _Asked | None = None

    @property
    def question(self) -> str:
        """Return the question to the person, or "". The next line is then the answer."""
        return "" if self._asked is None else _("Go on? [y/N]")

    def carry_out(self, line: str, command: OrderCommand) -> None:
        """Carry out a typed command. On a terminal, the caller asks for the secret."""
        match command:
            case AskForSecret() if not self._asks:
                self._outcomes.refuse_line(line, COMMAND_INVALID, no_secret())
            case AskForSecret():
                pass  # the terminal asks
            case BecomeOperator():
                self.become_operator(command.secret)
            case Ignore() | Unignore():
                self._ignore(command)
            case PinMarked():
                seq = self._chat.state.newest_message
                if seq is None:
                    self._outcomes.refuse_line(line, COMMAND_INVALID, nothing_to_pin())
                else:
                    self._request(line, PinMessage(seq=seq))
            case ShowAttendance():
                self._read_attendance(line, command)
            case _:
                self._request(line, command)

    def become_operator(self, secret: str) -> None:
        """Ask the server to make this user an operator."""
        self._ask(without_secret(f"{OPERATOR.word} {secret}"), BecomeOperator(secret=secret))

    def _ignore(self, command: Ignore | Unignore) -> None:
        ignored = self._chat.ignored
        if command.name is None:
            for text in ignored.lines():
                self._write(text)
            return
        name = self._chat.state.registered_name(command.name)
        change = ignored.add if isinstance(command, Ignore) else ignored.remove
        self._output.add_notice(change(name))

    def _may_order(self, line: str) -> bool:
        if not self._chat.state.is_operator:
            self._outcomes.refuse_line(line, ErrorCode.NOT_OPERATOR, not_operator())
        return self._chat.state.is_operator

    def _request(self, line: str, request: OperatorRequest) -> None:
        """Send a request, or first ask the server which users it affects."""
        if not self._may_order(line):
            return
        if isinstance(request, ImposeBan) and request.address is not UNSET:
            request = replace(request, check=True)
        self._ask(line, request)

    def _read_attendance(self, line: str, command: ShowAttendance) -> None:
        if not self._may_order(line):
            return
        self.give_up()
        try:
            self._reading = AttendanceReading(command)
        except BadCommand as error:
            self._outcomes.refuse_line(line, COMMAND_INVALID, str(error))
        else:
            self._ask(line, self._reading.request)

    def _add_page(self, reading: AttendanceReading, page: AttendancePage) -> None:
        """Show a page of the attendance, or write it to the file, and request the next one."""
        if not reading.is_for_file:
            for row in page.sessions:
                self._write(session_words(row))
        try:
            if reading.add(page):
                self._ask(self._line, reading.request)
                return
        except BadCommand as error:
            self._outcomes.refuse_line(self._line, COMMAND_INVALID, str(error))
        else:
            self._output.add_notice(reading.summary())
        self._reading = None

    def give_up(self) -> None:
        """Request no more pages of the attendance, and remove an incomplete file."""
        if self._reading is not None:
            self._reading.give_up()
            self._reading = None

    def answer_question(self, line: str) -> bool:
        """Use a line as the answer to the question; return False if it is not an answer."""
        assert self._asked is not None
        asked, self._asked = self._asked, None
        answer = line.strip().casefold()
        if answer in _("y yes").split():
            self._ask(asked.line, asked.ban)
            return True
        self.cancel()
        return answer in _("n no").split()

    def cancel(self) -> None:
        """Discard the question without doing anything."""
        self._asked = None
        self._output.add_notice(_("Nothing was done."))

    def show_answer(self, request: OrderRequest, answer: Answer) -> None:
        """Write the answer; if it lists the users affected by a ban, ask or impose the ban."""
        match request, answer:
            case ImposeBan(check=True), UserList():
                ban = replace(request, check=False)
                several = len(answer.users) > 1
                if several:
                    self._output.add_notice(fits(answer.users))
                if several and self._asks:
                    self._asked = _Asked(self._line, ban)
                else:
                    self._ask(self._line, ban)
            case _, BanList():
                for line in bans(answer.bans):
                    self._write(line)
            case _, HookCreated():
                link = server_link(self._chat.whereabouts.address, self._chat.certificate)
                for line in hook_created(answer, link, curl_options(self._chat.certificate)):
                    self._write(line)
            case _, HookList():
                for line in hooks(answer.hooks):
                    self._write(line)
            case ListAttendance(), AttendancePage():
                if self._reading is not None and request is self._reading.request:
                    self._add_page(self._reading, answer)
            case _, Error():
                if isinstance(request, ListAttendance):
                    self.give_up()
                words = explain.request_refused(answer, request)
                self._outcomes.refuse(request, answer.code, words)
            case BecomeOperator(), _:
                self._output.add_notice(order_is_yours())
            case _:
                self._output.add_notice(done(request))

    def _ask(self, line: str, request: OrderRequest) -> None:
        self._line = line
        self._outcomes.begin(line, request)
        self._chat.enqueue(request)
