"""`tertulia-server PORT --operator`: the console of a running server, line by line.

It has no name in the chat and no address. On a terminal it asks before it acts on several people;
in a pipe it prints their names, and its exit status shows whether everything was done.
"""

import itertools
import os
import re
import select
import socket
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from tertulia.i18n import N_, _, language
from tertulia.operator_commands import (
    OPERATOR_COMMANDS,
    BadCommand,
    ShowAttendance,
    operator_help_rows,
    parse_operator_command,
    typed_name,
)
from tertulia.operator_words import bans, done, fits, hook_created, hooks, session_words
from tertulia.operator_words import refused as order_refused
from tertulia.protocol.attendance import ListAttendance
from tertulia.protocol.hooks import HookCreated, HookList
from tertulia.protocol.lines import LineBuffer, decode_server_message, encode
from tertulia.protocol.messages import (
    Answer,
    Closing,
    Error,
    GetHistory,
    GetInfo,
    HistoryPage,
    ListUsers,
    Ok,
    Ping,
    Pong,
    Request,
    ServerMessage,
    UserInfo,
    UserList,
)
from tertulia.protocol.moderation import BanList, ImposeBan
from tertulia.safetext import visible_in_a_line
from tertulia.server.console import words
from tertulia.server.console.attendance import Refused, all_sessions, write_csv
from tertulia.server.console.place import connect_to_console, console_path
from tertulia.state_directory import state_directory
from tertulia.wrapping import wrapped_for

_ANSWER_TIMEOUT_S = 30.0
_RECEIVE_BYTES = 65_536
_MAX_LINE_BYTES = 256 * 1024 * 1024  # a list of all bans is long, and the server is trusted
_HISTORY = 20  # messages that are shown if no number is given
_MAX_HISTORY = 200


class _OwnCommand(NamedTuple):
    """A command that only reads, or that is for the console itself. Its texts are msgids."""

    spanish: str
    english: str
    argument_words: str
    help: str
    parse: Callable[[str, str], Request | None]  # returns None for a command without a request

    @property
    def word(self) -> str:
        return self.spanish if language() == "es" else self.english


class ServerGone(Exception):
    """The server has ended or does not answer any more."""


def run_console(port: int) -> int:
    """Connect to this user's server at a port, and carry out what is typed.

    Returns the exit status: 0, or 1 if there is no server or something was not done.
    """
    directory = state_directory()
    if directory is None:
        return _fail(_("there is no home directory: set XDG_STATE_HOME"))
    path = console_path(directory, port)
    try:
        sock = connect_to_console(path)
    except (FileNotFoundError, ConnectionRefusedError):
        text = _(
            "no server of this user runs on port {port}: start one, or open the console as the "
            "user who has started it (its socket would be {path}). For the console of a service, "
            "root sets XDG_STATE_HOME: its log has the command"
        )
        return _fail(text.format(port=port, path=path))
    except OSError as error:
        text = _("cannot open the console {path}: {reason}")
        return _fail(text.format(path=path, reason=error.strerror))
    with sock:
        console = Console(sock, port, is_terminal=sys.stdin.isatty() and sys.stdout.isatty())
        try:
            console.run()
        except ServerGone as end:
            console.is_all_done = False
            print(wrapped_for(sys.stderr, f"tertulia-server: {end}"), file=sys.stderr)
        except BrokenPipeError:  # the reader of stdout has ended
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
    return 0 if console.is_all_done else 1


def _fail(text: str) -> int:
    print(wrapped_for(sys.stderr, f"tertulia-server: {text}"), file=sys.stderr)
    return 1


class Console:
    """One connection, with the input and the output of its console."""

    def __init__(self, sock: socket.socket, port: int, *, is_terminal: bool) -> None:
        self.is_all_done = True
        self._sock = sock
        self._port = port
        self._is_terminal = is_terminal
        self._ids = itertools.count(1)
        self._from_server = LineBuffer(_MAX_LINE_BYTES)
        self._typed = b""
        self._has_typed_all = False
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def run(self) -> None:
        """Carry out all lines. Raises ServerGone."""
        if self._is_terminal:
            text = _("You keep order, and nobody sees you here. {help} shows all commands.")
            self._print(text.format(help=HELP.word))
        while (line := self._next_line()) is not None:
            typed = line.strip()
            if not typed or typed.startswith("#"):
                continue
            try:
                if not self._carry_out(typed if typed.startswith("/") else f"/{typed}"):
                    return
            except BadCommand as problem:
                self._complain(str(problem))

    def _carry_out(self, line: str) -> bool:
        """Carry out a line; return False if it was the last one. Raises BadCommand, ServerGone."""
        word, *rest = line.split(maxsplit=1)
        request = parse_operator_command(line)
        if request is None:
            command = _OWN_BY_WORD.get(word.lower())
            if command is None:
                raise BadCommand(_unknown(word))
            asked = command.parse(command.word, "".join(rest).strip())
            if asked is None:
                if command is HELP:
                    self._print(*_help_lines())
                return command is HELP
            self._show(asked, self._ask(asked))
            return True
        if isinstance(request, ShowAttendance):
            self._show_attendance(request)
            return True
        if isinstance(request, ImposeBan) and not self._confirms(request):
            return True
        self._show(request, self._ask(request))
        return True

    def _show_attendance(self, wanted: ShowAttendance) -> None:
        sessions = all_sessions(self._ask)
        try:
            if wanted.file is None:
                session = None
                for session in sessions:
                    self._print(session_words(session))
                if session is None:
                    self._print(_("Nobody has been here."))
            else:
                path = write_csv(wanted.file, sessions)
                text = _("The attendance is in {file}.")
                self._print(text.format(file=visible_in_a_line(path)))
        except Refused as refused:
            self._show(ListAttendance(), refused.answer)

    def _confirms(self, ban: ImposeBan) -> bool:
        """Print the people that a ban applies to; return whether to carry it out."""
        if ban.address is UNSET:
            return True
        answer = self._ask(replace(ban, check=True))
        if not isinstance(answer, UserList):
            self._show(ban, answer)
            return False
        if answer.users:
            self._print(fits(answer.users))
        if len(answer.users) < 2 or not self._is_terminal:
            return True
        agreed = _("y yes")
        sys.stdout.write(_("Go on? [y/N]") + " ")
        sys.stdout.flush()
        line = self._next_line(prompts=False)
        return line is not None and line.strip().lower() in agreed.split()

    def _show(self, request: Request, answer: Answer) -> None:
        match answer:
            case Error():
                self._complain(order_refused(request, answer))
            case UserList():
                self._print(*words.people(answer.users))
            case BanList():
                self._print(*bans(answer.bans))
            case HookCreated():
                address = _("SERVER-IP")
                where = f"http://{address}:{self._port}"
                self._print(*hook_created(answer, where))
            case HookList():
                self._print(*hooks(answer.hooks))
            case UserInfo():
                self._print(words.about(answer))
            case HistoryPage():
                self._print(*words.messages(answer))
            case Ok():
                self._print(done(request))

    def _print(self, *lines: str) -> None:
        encoding = sys.stdout.encoding
        for line in lines:
            print(line.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()

    def _complain(self, text: str) -> None:
        self.is_all_done = self.is_all_done and self._is_terminal
        if self._is_terminal:
            self._print(text)
        else:
            print(f"tertulia-server: {text}", file=sys.stderr)

    # --- both ends -----------------------------------------------------------------------------

    def _next_line(self, *, prompts: bool = True) -> str | None:
        """Wait for a line that is typed; answer the server meanwhile. None at the end."""
        if prompts and self._is_terminal:
            sys.stdout.write("> ")
            sys.stdout.flush()
        while b"\n" not in self._typed and not self._has_typed_all:
            if not self._wait_for_typing():
                continue
            data = os.read(sys.stdin.fileno(), _RECEIVE_BYTES)
            self._typed += data
            self._has_typed_all = not data
        line, newline, self._typed = self._typed.partition(b"\n")
        if not line and not newline:
            return None
        return line.decode(errors="replace")

    def _wait_for_typing(self) -> bool:
        """Wait until something is typed, or the server has sent something; return whether typed."""
        stdin = sys.stdin.fileno()
        self._poll.register(stdin, select.POLLIN)
        ready = [fd for fd, _mask in self._poll.poll()]
        self._poll.unregister(stdin)
        if self._sock.fileno() in ready:
            self._receive()
            while (message := self._next_message()) is not None:
                self._handle_message(message)
        return stdin in ready

    def _ask(self, request: Request) -> Answer:
        """Send a request, and wait for its answer. Raises ServerGone."""
        number = next(self._ids)
        self._send(replace(request, id=number))
        give_up_at = time.monotonic() + _ANSWER_TIMEOUT_S
        while True:
            while (message := self._next_message()) is not None:
                if isinstance(message, Answer) and message.id == number:
                    return message
                self._handle_message(message)
            if not self._poll.poll(max(0.0, give_up_at - time.monotonic()) * 1_000):
                raise ServerGone(_("the server does not answer"))
            self._receive()

    def _handle_message(self, message: ServerMessage) -> None:
        match message:
            case Ping():
                self._send(Pong(id=message.id))
            case Closing():
                raise ServerGone(_("the server has stopped"))
            case Error(id=answered) if answered is UNSET:  # the server accepts no further console
                raise ServerGone(visible_in_a_line(message.message))

    def _send(self, request: Request) -> None:
        try:
            self._sock.sendall(encode(request))
        except OSError:
            # It may have sent the reason before.
            self._receive()
            while (message := self._next_message()) is not None:
                self._handle_message(message)
            raise ServerGone(_("the server has stopped")) from None

    def _receive(self) -> None:
        try:
            data = self._sock.recv(_RECEIVE_BYTES)
        except OSError:
            data = b""
        if not data:
            raise ServerGone(_("the server has stopped"))
        self._from_server.feed(data)

    def _next_message(self) -> ServerMessage | None:
        line = self._from_server.next_line()
        return None if line is None else decode_server_message(line)


# --- the console's own commands ------------------------------------------------------------------


def _parse_users(word: str, arguments: str) -> ListUsers:
    _refuse_arguments(word, arguments)
    return ListUsers()


def _parse_nothing(word: str, arguments: str) -> None:
    _refuse_arguments(word, arguments)


def _parse_info(word: str, arguments: str) -> GetInfo:
    name, rest = typed_name(arguments, word)
    _refuse_arguments(f"{word} {name}", rest)
    return GetInfo(name=name)


def _parse_history(word: str, arguments: str) -> GetHistory:
    number = int(arguments) if re.fullmatch("[0-9]{1,9}", arguments) else 0
    if not arguments:
        number = _HISTORY
    if not 1 <= number <= _MAX_HISTORY:
        text = _("Give a number of messages from 1 to {most}, for example: {command} 50")
        raise BadCommand(text.format(most=_MAX_HISTORY, command=word))
    return GetHistory(limit=number)


def _refuse_arguments(word: str, arguments: str) -> None:
    if arguments:
        text = _("{command} takes nothing after it.")
        raise BadCommand(text.format(command=visible_in_a_line(word)))


HELP = _OwnCommand("/ayuda", "/help", "", N_("show this help"), _parse_nothing)
_OWN_COMMANDS = (
    _OwnCommand("/usuarios", "/users", "", N_("show who is here"), _parse_users),
    _OwnCommand(
        "/info", "/info", N_("NAME"), N_("show a person's address, status and join time"),
        _parse_info,
    ),
    _OwnCommand(
        "/historial", "/history", N_("[NUMBER]"), N_("show the latest messages with their numbers"),
        _parse_history,
    ),
    HELP,
    _OwnCommand("/salir", "/quit", "", N_("leave the console"), _parse_nothing),
)  # fmt: skip
_OWN_BY_WORD = {
    word: command for command in _OWN_COMMANDS for word in (command.spanish, command.english)
}


def _unknown(word: str) -> str:
    from difflib import get_close_matches  # slow to import and seldom needed

    known = {
        found: command.word
        for command in (*OPERATOR_COMMANDS, *_OWN_COMMANDS)
        for found in (command.spanish, command.english)
    }
    guesses = get_close_matches(word.lower(), known, n=1, cutoff=0.65)
    if guesses:
        text = _("There is no command {word}. Did you mean {guess}?")
        return text.format(word=visible_in_a_line(word), guess=known[guesses[0]])
    text = _("There is no command {word}. {help} shows all commands.")
    return text.format(word=visible_in_a_line(word), help=HELP.word)


def _help_lines() -> list[str]:
    rows = operator_help_rows(OPERATOR_COMMANDS)
    for command in _OWN_COMMANDS:
        both = [command.word, *{command.spanish, command.english} - {command.word}]
        argument = f" {_(command.argument_words)}" if command.argument_words else ""
        rows.append((", ".join(both) + argument, _(command.help)))
    return [line for left, right in rows for line in (f"  {left}", f"      {right}")]
