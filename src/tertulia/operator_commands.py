"""The commands that an operator can type, in the chat or on the console of the server's machine.

The table of the commands, and the parser from a typed line to a request of the protocol. Both
programs use this module, and it imports neither. The Spanish and English words always work, in
every language of the user. Pure; safe in any thread.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from tertulia.i18n import N_, _, language
from tertulia.protocol.hooks import CreateHook, ListHooks, RemoveHook
from tertulia.protocol.moderation import (
    MAX_MINUTES,
    ImposeBan,
    ImposeMute,
    Kick,
    LiftBan,
    LiftMute,
    ListBans,
    OperatorRequest,
    PinMessage,
    ReleaseName,
    SetHush,
    SetLock,
)
from tertulia.protocol.networks import parse_network

_MINUTES_IN = {"": 1, "m": 1, "min": 1, "h": 60, "d": 1_440}
_DURATION = re.compile(
    r"([+-]?[0-9]{1,9}(?:[.,][0-9]{1,9})?) ?(m|min|h|d|)\Z", re.ASCII | re.IGNORECASE
)
_ON = frozenset(("", "on", "yes", "si", "s", "y"))
_OFF = frozenset(("off", "no", "n"))
_NONE = frozenset(("off", "no", "none", "nada", "ninguno"))


class BadCommand(Exception):
    """A line that cannot be carried out; the text of the error explains what to do."""


class ShowAttendance(NamedTuple):
    """A command for the whole attendance, which a program requests page by page."""

    file: str | None  # the file to write it to, as CSV; None if it is to be shown


Wanted = OperatorRequest | ShowAttendance


class Subject(Enum):
    """The meaning of the first word after a command, for completion."""

    NOTHING = auto()
    NAME = auto()  # the name of a user who is or was here
    NAME_OR_ADDRESS = auto()
    ON_OR_OFF = auto()
    MESSAGE = auto()  # the number of a message
    FILE = auto()


class OperatorCommand(NamedTuple):
    """A row of the table; `argument_words` and `help` are msgids."""

    spanish: str
    english: str
    subject: Subject
    argument_words: str
    help: str
    parse: Callable[[str, str], Wanted]  # called with the command's word and the arguments

    @property
    def word(self) -> str:
        """Return the command in the user's language."""
        return self.spanish if language() == "es" else self.english


def find_operator_command(word: str) -> OperatorCommand | None:
    """Return the command with this word, in any case and with or without accents."""
    return _BY_WORD.get(_plain(word))


def parse_operator_command(line: str) -> Wanted | None:
    """Parse a line that begins with a command; return None for any other line.

    Raises BadCommand.
    """
    word, *arguments = line.split(maxsplit=1) or [""]
    command = find_operator_command(word)
    return None if command is None else command.parse(command.word, "".join(arguments).strip())


def without_secret(line: str) -> str:
    """Return a typed line in a form that can be shown and stored: without the operator's secret."""
    word, *secret = line.split(maxsplit=1) or [""]
    return f"{word} …" if secret and _plain(word) in OPERATOR_WORDS else line


def operator_help_rows(commands: Sequence[OperatorCommand]) -> list[tuple[str, str]]:
    """Return the rows of the help: each command, and its effect."""
    rows = []
    for command in commands:
        words = [command.word, *{command.spanish, command.english} - {command.word}]
        argument = f" {_(command.argument_words)}" if command.argument_words else ""
        rows.append((", ".join(words) + argument, _(command.help)))
    return rows


def typed_name(arguments: str, command: str) -> tuple[str, str]:
    """Return the name at the beginning of the arguments, and the rest. Raises BadCommand."""
    word, *rest = arguments.split(maxsplit=1)[:2] or [""]
    # As in "@luis: …"; a name never contains these characters.
    name = word.removeprefix("@").rstrip(":,")
    if not name:
        raise BadCommand(_("Give a name: {command} NAME").format(command=command))
    return name, "".join(rest)


def _parse_kick(word: str, arguments: str) -> Kick:
    name, reason = typed_name(arguments, word)
    return Kick(name=name, reason=reason or UNSET)


def _parse_ban(word: str, arguments: str) -> ImposeBan:
    name, address, rest = _target(arguments, word)
    minutes, reason = _duration(rest)
    return ImposeBan(name=name, address=address, minutes=minutes, reason=reason or UNSET)


def _parse_unban(word: str, arguments: str) -> LiftBan:
    name, address, rest = _target(arguments, word)
    if rest:
        raise BadCommand(_("Give only one name or address after {command}.").format(command=word))
    return LiftBan(name=name, address=address)


def _parse_mute(word: str, arguments: str) -> ImposeMute:
    name, rest = typed_name(arguments, word)
    minutes, more = _duration(rest)
    if more:
        text = _("After the name, give a number of minutes or nothing: {command} {name} 10")
        raise BadCommand(text.format(command=word, name=name))
    return ImposeMute(name=name, minutes=minutes)


def _parse_unmute(word: str, arguments: str) -> LiftMute:
    name, rest = typed_name(arguments, word)
    if rest:
        raise BadCommand(_("Give only one name after {command}.").format(command=word))
    return LiftMute(name=name)


def _parse_release(word: str, arguments: str) -> ReleaseName:
    name, rest = typed_name(arguments, word)
    if rest:
        raise BadCommand(_("Give only one name after {command}.").format(command=word))
    return ReleaseName(name=name)


def _parse_bans(word: str, arguments: str) -> ListBans:
    if arguments:
        raise BadCommand(_("{command} takes nothing after it.").format(command=word))
    return ListBans()


def _parse_hush(word: str, arguments: str) -> SetHush:
    return SetHush(on=_is_on(word, arguments))


def _parse_lock(word: str, arguments: str) -> SetLock:
    return SetLock(on=_is_on(word, arguments))


def _parse_pin(word: str, arguments: str) -> PinMessage:
    if _plain(arguments) in _NONE:
        return PinMessage()
    if not re.fullmatch("[0-9]{1,15}", arguments):
        text = _(
            "Give the number of a message: {command} 1042, or {command} {none} to remove the "
            "pinned one"
        )
        raise BadCommand(text.format(command=word, none=word_for_none()))
    return PinMessage(seq=int(arguments))


def _parse_hook(word: str, arguments: str) -> CreateHook:
    name, rest = typed_name(arguments, word)
    if rest:
        raise BadCommand(_("Give only one name after {command}.").format(command=word))
    return CreateHook(name=name)


def _parse_hooks(word: str, arguments: str) -> ListHooks:
    if arguments:
        raise BadCommand(_("{command} takes nothing after it.").format(command=word))
    return ListHooks()


def _parse_unhook(word: str, arguments: str) -> RemoveHook:
    name, rest = typed_name(arguments, word)
    if rest:
        raise BadCommand(_("Give only one name after {command}.").format(command=word))
    return RemoveHook(name=name)


def _parse_attendance(word: str, arguments: str) -> ShowAttendance:
    quoted = re.fullmatch(r"(['\"])(.+)\1", arguments)  # as in a shell, for a name with spaces
    arguments = arguments if quoted is None else quoted[2]
    if arguments and (not arguments.lower().endswith(".csv") or "\0" in arguments):
        text = _("Give a file whose name ends with .csv, or nothing: {command} today.csv")
        raise BadCommand(text.format(command=word))
    return ShowAttendance(arguments or None)


def on_and_off() -> tuple[str, str]:
    """Return the words after /hush and /lock that switch them on and off."""
    return ("sí", "no") if language() == "es" else ("on", "off")


def word_for_none() -> str:
    """Return the word after /pin that means no message."""
    return "nada" if language() == "es" else "none"


def _target(arguments: str, word: str) -> tuple[str | UnsetType, str | UnsetType, str]:
    """Return a name or an address, and the rest. A name that looks like an address needs a @."""
    first, *rest = arguments.split(maxsplit=1)[:2] or [""]
    if not first.removeprefix("@").rstrip(":,"):
        text = _("Give a name or an address: {command} NAME, or {command} 10.0.0.7")
        raise BadCommand(text.format(command=word))
    if parse_network(first) is not None or "/" in first:
        return UNSET, first, "".join(rest)
    return first.removeprefix("@").rstrip(":,"), UNSET, "".join(rest)


def _duration(arguments: str) -> tuple[float | UnsetType, str]:
    """Return the minutes at the beginning of the arguments, if there are any, and the rest."""
    first, *rest = arguments.split(maxsplit=1)[:2] or [""]
    found = _DURATION.match(first)
    if found is None:
        return UNSET, arguments
    minutes = float(found[1].replace(",", ".")) * _MINUTES_IN[found[2].lower()]
    if not 1 <= minutes <= MAX_MINUTES:
        text = _("Give a time from 1 minute to {days} days, for example 30, 2h or 7d")
        raise BadCommand(text.format(days=MAX_MINUTES // 1_440))
    return minutes, "".join(rest)


def _is_on(word: str, arguments: str) -> bool:
    choice = _plain(arguments)
    if choice not in _ON | _OFF:
        text = _("After {command}, type nothing or {on} to begin, and {off} to end it.")
        on, off = on_and_off()
        raise BadCommand(text.format(command=word, on=on, off=off))
    return choice in _ON


def _plain(word: str) -> str:
    """Return a word in small letters without accents."""
    letters = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).strip()


OPERATOR_WORDS = ("/operador", "/operator")  # asks for the secret, which is typed without echo


def word_in_own_language(words: tuple[str, str]) -> str:
    """Return the Spanish or the English one of two words, for the user's language."""
    return words[0] if language() == "es" else words[1]


KICK = OperatorCommand(
    "/expulsar", "/kick", Subject.NAME, N_("NAME [REASON]"),
    N_("end a person's session; the person can come back"), _parse_kick,
)  # fmt: skip
BAN = OperatorCommand(
    "/vetar", "/ban", Subject.NAME_OR_ADDRESS, N_("NAME|ADDRESS|NETWORK [MINUTES] [REASON]"),
    N_("keep out a person with their address, an address, or a network such as 10.0.0.0/28"),
    _parse_ban,
)  # fmt: skip
UNBAN = OperatorCommand(
    "/perdonar", "/unban", Subject.NAME_OR_ADDRESS, N_("NAME|ADDRESS|NETWORK"),
    N_("lift a ban"), _parse_unban,
)  # fmt: skip
BANS = OperatorCommand(
    "/vetos", "/bans", Subject.NOTHING, "", N_("show who may not come in"), _parse_bans
)
MUTE = OperatorCommand(
    "/silenciar", "/mute", Subject.NAME, N_("NAME [MINUTES]"),
    N_("keep a person from speaking in the general chat"), _parse_mute,
)  # fmt: skip
UNMUTE = OperatorCommand(
    "/devolver", "/unmute", Subject.NAME, N_("NAME"), N_("let a person speak again"),
    _parse_unmute,
)  # fmt: skip
HUSH = OperatorCommand(
    "/silencio", "/hush", Subject.ON_OR_OFF, N_("[on|off]"),
    N_("let only operators speak in the general chat, or everyone again"), _parse_hush,
)  # fmt: skip
LOCK = OperatorCommand(
    "/cerrar-sala", "/lock", Subject.ON_OR_OFF, N_("[on|off]"),
    N_("let nobody new in, or everyone again"), _parse_lock,
)  # fmt: skip
PIN = OperatorCommand(
    "/fijar", "/pin", Subject.MESSAGE, N_("NUMBER|none"),
    N_("pin a message at the top for everyone, or remove the pinned one"), _parse_pin,
)  # fmt: skip
RELEASE = OperatorCommand(
    "/liberar", "/release", Subject.NAME, N_("NAME"),
    N_("free a name that is held for somebody who is away"), _parse_release,
)  # fmt: skip
ATTENDANCE = OperatorCommand(
    "/asistencia", "/attendance", Subject.FILE, N_("[FILE.csv]"),
    N_("show who was here, from when to when, or write it to a file for spreadsheets"),
    _parse_attendance,
)  # fmt: skip
HOOK = OperatorCommand(
    "/aviso-web", "/hook", Subject.NOTHING, N_("NAME"),
    N_("make a secret address through which a program can speak as NAME"), _parse_hook,
)  # fmt: skip
HOOKS = OperatorCommand(
    "/avisos-web", "/hooks", Subject.NOTHING, "",
    N_("show the names that programs can speak as"), _parse_hooks,
)  # fmt: skip
UNHOOK = OperatorCommand(
    "/quitar-aviso-web", "/unhook", Subject.NOTHING, N_("NAME"),
    N_("remove the secret address of NAME"), _parse_unhook,
)  # fmt: skip
OPERATOR_COMMANDS = (
    *(KICK, BAN, UNBAN, BANS, MUTE, UNMUTE, HUSH, LOCK, PIN, RELEASE, ATTENDANCE),
    *(HOOK, HOOKS, UNHOOK),
)
_BY_WORD = {
    _plain(word): command
    for command in OPERATOR_COMMANDS
    for word in (command.spanish, command.english)
}
