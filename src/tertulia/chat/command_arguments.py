"""Parses the arguments of a command, and returns the command or raises a CommandError.

Pure functions of the command's word, in the person's language, and of the arguments. They do not
use the table of commands; the table refers to them.
"""

import re
from collections.abc import Callable

from tertulia.chat.face_commands import (
    AskForSecret,
    Close,
    FaceCommand,
    Ignore,
    Open,
    SayToAll,
    ShowSeen,
    Unignore,
)
from tertulia.chat.similar import plain_letters
from tertulia.i18n import _, language
from tertulia.operator_commands import ShowAttendance
from tertulia.protocol.messages import (
    MAX_PAGE,
    Direct,
    GetHistory,
    GetInfo,
    ListUsers,
    Quit,
    Say,
    Search,
    SetStatus,
    Status,
)
from tertulia.protocol.moderation import BecomeOperator, OperatorRequest

Command = (
    Say
    | Direct
    | SetStatus
    | ListUsers
    | GetInfo
    | GetHistory
    | Search
    | Quit
    | BecomeOperator
    | OperatorRequest
    | ShowAttendance
    | FaceCommand
)
Parser = Callable[[str, str], Command]  # called with the command's word and the arguments

_OLDER = 20  # number of messages that /history shows if no number is given

STATUS_WORDS = {
    "activo": Status.ACTIVO,
    "active": Status.ACTIVO,
    "ocupado": Status.OCUPADO,
    "busy": Status.OCUPADO,
    "inactivo": Status.INACTIVO,
    "inactive": Status.INACTIVO,
    "ausente": Status.INACTIVO,
    "away": Status.INACTIVO,
}


class CommandError(Exception):
    """A line that cannot be carried out; the text of the error explains what to do."""


def status_words() -> tuple[str, ...]:
    """Return the words for the statuses in the user's language."""
    return ("activo", "ocupado", "inactivo") if language() == "es" else ("active", "busy", "away")


def to_whom_and_what() -> str:
    """Return the explanation for a direct message without a name or a text."""
    return _("Give a name and a text: @NAME TEXT")


def parse_direct(_word: str, arguments: str) -> Direct | Open:
    """Parse a name and a text; a name alone opens the conversation."""
    name, *rest = arguments.split(maxsplit=1)[:2] or [""]
    # As in "@luis: hello" and "/msg @luis"; a name never contains these characters.
    name = name.removeprefix("@").rstrip(":,")
    if not name or arguments[0].isspace():
        raise CommandError(to_whom_and_what())
    return Direct(to=name, text=rest[0]) if rest else Open(name)


def parse_to_all(word: str, arguments: str) -> SayToAll:
    """Parse a text for everyone."""
    if not arguments:
        raise CommandError(_("Give a text: {command} TEXT").format(command=word))
    return SayToAll(text=arguments)


def parse_secret(_word: str, arguments: str) -> BecomeOperator | AskForSecret:
    """Parse the operator's secret; without it, the person will be asked for it."""
    return BecomeOperator(secret=arguments) if arguments else AskForSecret()


def parse_ignore(word: str, arguments: str) -> Ignore:
    """Parse a name, or nothing."""
    return Ignore(_name(word, arguments) if arguments else None)


def parse_unignore(word: str, arguments: str) -> Unignore:
    """Parse a name."""
    return Unignore(_name(word, arguments))


def parse_info(word: str, arguments: str) -> GetInfo:
    """Parse a name."""
    return GetInfo(name=_name(word, arguments))


def _name(word: str, arguments: str) -> str:
    name = arguments.removeprefix("@")
    if not name or len(name.split()) > 1:
        raise CommandError(_("Give a name: {command} NAME").format(command=word))
    return name


def parse_close(word: str, arguments: str) -> Close:
    """Parse a name, or nothing."""
    if len(arguments.split()) > 1:
        raise CommandError(_("Give one name, or none: {command} NAME").format(command=word))
    return Close(arguments.removeprefix("@") or None)


def parse_history(word: str, arguments: str) -> GetHistory:
    """Parse a number of messages, or nothing."""
    if not arguments:
        return GetHistory(limit=_OLDER)
    number = int(arguments) if re.fullmatch("[0-9]{1,9}", arguments) else 0
    if not 1 <= number <= MAX_PAGE:
        text = _("Give a number of messages from 1 to {most}, for example: {command} 50")
        raise CommandError(text.format(most=MAX_PAGE, command=word))
    return GetHistory(limit=number)


def parse_search(word: str, arguments: str) -> Search:
    """Parse the words to search for."""
    if not arguments:
        raise CommandError(_("Give the words to search for: {command} WORDS").format(command=word))
    return Search(text=arguments)


def parse_seen(word: str, arguments: str) -> ShowSeen:
    """Parse the number of a message, or nothing."""
    if arguments and not re.fullmatch("[0-9]{1,15}", arguments):
        text = _("After {command}, give nothing or the number of a message: {command} 1042")
        raise CommandError(text.format(command=word))
    return ShowSeen(int(arguments) if arguments else None)


def parse_status(word: str, arguments: str) -> SetStatus:
    """Parse a status, in the masculine or the feminine form."""
    status = STATUS_WORDS.get(re.sub("a$", "o", arguments.lower()))
    if status is None:
        choices = ", ".join(f"{word} {choice}" for choice in status_words())
        raise CommandError(_("Choose a status: {choices}").format(choices=choices))
    return SetStatus(status=status)


def parse_choice(choices: dict[str, Command], words: str) -> Parser:
    """Return a parser for one of a few words; `words` is a msgid that lists them."""
    by_plain_letters = {plain_letters(word): command for word, command in choices.items()}

    def parse_one(_word: str, arguments: str) -> Command:
        found = by_plain_letters.get(plain_letters(arguments))
        if found is None:
            raise CommandError(
                _("After that command, type one of these: {choices}").format(choices=_(words))
            )
        return found

    return parse_one


def parse_bare(command: Command) -> Parser:
    """Return a parser for a command without arguments."""

    def parse_nothing(_word: str, arguments: str) -> Command:
        if arguments:
            # "/quit smoking is hard" is probably a message.
            raise CommandError(
                _(
                    "That command takes nothing after it. To send a text that begins with “/”, "
                    "type “//”."
                )
            )
        return command

    return parse_nothing
