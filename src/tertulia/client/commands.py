"""What a person can type: one table, from which parsing, help and completion come.

Spanish and English words hold always, whatever the language of the face. Pure functions: a typed
line in, a request (or `Help`) out, or a CommandError that says what to do.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import NamedTuple

from msgspec import Struct

from tertulia.i18n import N_, _, language
from tertulia.protocol.messages import (
    MAX_PAGE,
    Direct,
    History,
    Info,
    Quit,
    Say,
    Search,
    SetStatus,
    Status,
    Users,
)


class Help(Struct, frozen=True):
    """Show what can be typed."""


Command = Say | Direct | SetStatus | Users | Info | History | Search | Help | Quit

_OLDER = 20  # messages that /history shows unless told


class CommandError(Exception):
    """A line that cannot be carried out; its text tells the person what to do."""


class Argument(Enum):
    """What goes after the word of a command, for completion."""

    NOTHING = auto()
    NAME = auto()
    STATUS = auto()


class CommandSpec(NamedTuple):
    """A row of the table; `argument_words` and `help` are msgids."""

    spanish: str
    english: str
    argument: Argument
    argument_words: str
    help: str
    parse: Callable[[str], Command]

    @property
    def word(self) -> str:
        """The word in the user's language."""
        return self.spanish if language() == "es" else self.english


class Completion(NamedTuple):
    """What can stand in a line from `start` to the cursor, the likeliest first."""

    start: int
    candidates: list[str]


_STATUS_WORDS = {
    "activo": Status.ACTIVO,
    "active": Status.ACTIVO,
    "ocupado": Status.OCUPADO,
    "busy": Status.OCUPADO,
    "inactivo": Status.INACTIVO,
    "inactive": Status.INACTIVO,
    "ausente": Status.INACTIVO,
    "away": Status.INACTIVO,
}


def parse(line: str) -> Command | None:
    """Read a typed line; None for one with nothing in it. Raises CommandError."""
    typed = line.strip()
    if not typed:
        return None
    if typed.startswith(("//", "@@")):
        return Say(text=typed[1:])
    if typed.startswith("@"):
        return _parse_direct(typed[1:])
    if not typed.startswith("/"):
        return Say(text=line.rstrip())
    word, *arguments = typed.split(maxsplit=1)
    spec = _BY_WORD.get(word.lower())
    if spec is None:
        raise CommandError(_unknown_command(word))
    return spec.parse("".join(arguments))


def complete(before_cursor: str, names: Sequence[str]) -> Completion:
    """Say what the word before the cursor can become; `names` are in the order of preference."""
    text = before_cursor.lstrip()
    word = text.split(" ")[-1]
    start = len(before_cursor) - len(word)
    if word == text:
        return Completion(start, _complete_first(word, names))
    spec = _BY_WORD.get(text.split(" ", 1)[0].lower())
    if spec is not None and text.count(" ") == 1:
        if spec.argument is Argument.STATUS:
            own = _status_words()
            others = [other for other in _STATUS_WORDS if word and other not in own]
            return Completion(start, _matching(word, [*own, *others], "{}"))
        if spec.argument is Argument.NAME:
            return Completion(start, _matching(word, names, "{} "))
    return Completion(start, _matching(word, names, "{} ") if word else [])


def help_lines() -> list[str]:
    """Write the help, a line for each thing that can be typed."""
    rows = [
        (_("TEXT"), _("say it to everyone")),
        (_("@NAME TEXT"), _("a direct message: only that person sees it")),
    ]
    for spec in COMMANDS:
        words = [spec.word, *{spec.spanish, spec.english} - {spec.word}]
        argument = f" {_(spec.argument_words)}" if spec.argument_words else ""
        rows.append((", ".join(words) + argument, _(spec.help)))
    text = _("TEXT")
    rows.append((f"//{text}, @@{text}", _("say a text that begins with “/” or “@”")))
    width = max(len(left) for left, _right in rows)
    return [f"  {left:<{width}}  {right}" for left, right in rows]


def hints() -> list[str]:
    """Write what a newcomer has to know."""
    return [
        _("Type something and press Enter to speak to everyone."),
        _("Begin with @ and a name to write to that person alone; Tab completes names."),
        _("{help} shows all commands; {quit} leaves.").format(help=_HELP.word, quit=_QUIT.word),
    ]


def how_to_leave() -> str:
    """Write how to leave, for who tried it another way."""
    return _("To leave, type {quit} or press Ctrl-D.").format(quit=_QUIT.word)


def _complete_first(word: str, names: Sequence[str]) -> list[str]:
    if word.startswith("/"):
        own = [spec.word for spec in COMMANDS]
        others = [other for spec in COMMANDS for other in (spec.spanish, spec.english)]
        words = dict.fromkeys(other for other in [*own, *others] if other.startswith(word.lower()))
        return [
            found if _BY_WORD[found].argument is Argument.NOTHING else f"{found} "
            for found in words
        ]
    if word.startswith("@"):
        return _matching(word[1:], names, "@{} ")
    return _matching(word, names, "{}: ") if word else []


def _matching(beginning: str, words: Sequence[str], form: str) -> list[str]:
    wanted = _plain_letters(beginning)
    return [form.format(word) for word in words if _plain_letters(word).startswith(wanted)]


def _plain_letters(text: str) -> str:
    """Let `jose` find `José`."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _parse_direct(arguments: str) -> Direct:
    name, *rest = arguments.split(maxsplit=1)[:2] or [""]
    name = name.rstrip(":,")  # no name ends so
    if not name or not rest or arguments[0].isspace():
        raise CommandError(_("Say to whom, and what: @NAME TEXT"))
    return Direct(to=name, text=rest[0])


def _parse_info(arguments: str) -> Info:
    if not arguments or len(arguments.split()) > 1:
        raise CommandError(_("Say about whom: {command} NAME").format(command=_INFO.word))
    return Info(name=arguments)


def _parse_history(arguments: str) -> History:
    if not arguments:
        return History(limit=_OLDER)
    number = int(arguments) if re.fullmatch("[0-9]{1,9}", arguments) else 0
    if not 1 <= number <= MAX_PAGE:
        text = _("Say how many, from 1 to {most}: {command} 50")
        raise CommandError(text.format(most=MAX_PAGE, command=_HISTORY.word))
    return History(limit=number)


def _parse_search(arguments: str) -> Search:
    if not arguments:
        raise CommandError(_("Say what to look for: {command} WORDS").format(command=_SEARCH.word))
    return Search(text=arguments)


def _parse_status(arguments: str) -> SetStatus:
    status = _STATUS_WORDS.get(arguments.lower())
    if status is None:
        choices = ", ".join(f"{_STATUS.word} {word}" for word in _status_words())
        raise CommandError(_("Say which status: {choices}").format(choices=choices))
    return SetStatus(status=status)


def _status_words() -> tuple[str, ...]:
    return ("activo", "ocupado", "inactivo") if language() == "es" else ("active", "busy", "away")


def _parse_bare(command: Command) -> Callable[[str], Command]:
    def parse_nothing(arguments: str) -> Command:
        if arguments:
            # "/quit smoking is hard" was meant to be said.
            raise CommandError(
                _("Nothing goes after that command. To say a text that begins with “/”, type “//”.")
            )
        return command

    return parse_nothing


def _unknown_command(word: str) -> str:
    from difflib import get_close_matches  # slow to import, and seldom needed

    guesses = get_close_matches(word.lower(), list(_BY_WORD), n=1, cutoff=0.65)
    if guesses:
        text = _("There is no command {word}. Did you mean {guess}?")
        return text.format(word=word, guess=_BY_WORD[guesses[0]].word)
    return _("There is no command {word}. {help} shows all.").format(word=word, help=_HELP.word)


_HELP = CommandSpec(
    "/ayuda", "/help", Argument.NOTHING, "", N_("show this help"), _parse_bare(Help())
)
_INFO = CommandSpec(
    "/info", "/info", Argument.NAME, N_("NAME"),
    N_("show a person's address, status, since when"), _parse_info,
)  # fmt: skip
_STATUS = CommandSpec(
    "/estado", "/status", Argument.STATUS, N_("STATUS"),
    N_("change your status: active, busy or away"), _parse_status,
)  # fmt: skip
_HISTORY = CommandSpec(
    "/historial", "/history", Argument.NOTHING, N_("[NUMBER]"),
    N_("show older messages; again: still older ones"), _parse_history,
)  # fmt: skip
_SEARCH = CommandSpec(
    "/buscar", "/search", Argument.NOTHING, N_("WORDS"),
    N_("look for messages that hold these words"), _parse_search,
)  # fmt: skip
_QUIT = CommandSpec("/salir", "/quit", Argument.NOTHING, "", N_("leave"), _parse_bare(Quit()))
COMMANDS = (
    CommandSpec(
        "/msg", "/msg", Argument.NAME, N_("NAME TEXT"), N_("the same as @NAME TEXT"), _parse_direct
    ),
    CommandSpec(
        "/usuarios", "/users", Argument.NOTHING, "", N_("show who is here"), _parse_bare(Users())
    ),
    _INFO,
    _STATUS,
    _HISTORY,
    _SEARCH,
    _HELP,
    _QUIT,
)
_BY_WORD = {word: spec for spec in COMMANDS for word in (spec.spanish, spec.english)}
