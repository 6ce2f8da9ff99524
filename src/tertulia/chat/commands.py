"""What a person can type: one table, from which parsing, help and completion come.

Spanish and English words hold always, whatever the language of the face. Pure functions: a typed
line in, a request or a wish for the face out, or a CommandError that says what to do. Some commands
are for the full screen alone: `on_screen` asks for these too.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import NamedTuple

from tertulia.chat.wishes import (
    Help,
    Notify,
    Open,
    SendAgain,
    SetLanguage,
    SetNotify,
    SetTheme,
    ShowText,
    Wish,
)
from tertulia.i18n import N_, _, language
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

Command = Say | Direct | SetStatus | ListUsers | GetInfo | GetHistory | Search | Quit | Wish

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
    on_screen: bool = False  # nowhere else
    choices: tuple[str, ...] = ()  # what can go after it, if that is a word of a few

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


def parse(line: str, *, on_screen: bool = False) -> Command | None:
    """Read a typed line; None for one with nothing in it. Raises CommandError."""
    typed = line.strip()
    if not typed:
        return None
    if typed.startswith(("//", "@@")):
        return Say(text=typed[1:])
    if typed.startswith("@"):
        return _checked(_parse_direct(typed[1:]), on_screen)
    if not typed.startswith("/"):
        return Say(text=line.rstrip())
    word, *arguments = typed.split(maxsplit=1)
    spec = _BY_WORD.get(word.lower())
    if spec is None:
        raise CommandError(_unknown_command(word, on_screen))
    if spec.on_screen and not on_screen:
        text = _("{command} is for the full screen, which tertulia has without --plain.")
        raise CommandError(text.format(command=word))
    return _checked(spec.parse("".join(arguments)), on_screen)


def complete(before_cursor: str, names: Sequence[str], *, on_screen: bool = False) -> Completion:
    """Say what the word before the cursor can become; `names` are in the order of preference."""
    text = before_cursor.lstrip()
    word = text.split(" ")[-1]
    start = len(before_cursor) - len(word)
    if word == text:
        return Completion(start, _complete_first(word, names, on_screen))
    spec = _BY_WORD.get(text.split(" ", 1)[0].lower())
    if spec is not None and text.count(" ") == 1:
        if spec.argument is Argument.STATUS:
            own = _status_words()
            others = [other for other in _STATUS_WORDS if word and other not in own]
            return Completion(start, _matching(word, [*own, *others], "{}"))
        if spec.choices:
            return Completion(start, _matching(word, spec.choices, "{}"))
        if spec.argument is Argument.NAME:
            return Completion(start, _matching(word, names, "{} "))
    return Completion(start, _matching(word, names, "{} ") if word else [])


def help_rows(*, on_screen: bool = False) -> list[tuple[str, str]]:
    """Write the help: what can be typed, and what that does."""
    rows = [
        (_("TEXT"), _("say it to everyone")),
        (_("@NAME TEXT"), _("a direct message: only that person sees it")),
    ]
    for spec in _commands(on_screen):
        words = [spec.word, *{spec.spanish, spec.english} - {spec.word}]
        argument = f" {_(spec.argument_words)}" if spec.argument_words else ""
        rows.append((", ".join(words) + argument, _(spec.help)))
    text = _("TEXT")
    rows.append((f"//{text}, @@{text}", _("say a text that begins with “/” or “@”")))
    return rows


def help_lines() -> list[str]:
    """Write the help, a line for each thing that can be typed."""
    rows = help_rows()
    width = max(len(left) for left, _right in rows)
    return [f"  {left:<{width}}  {right}" for left, right in rows]


def help_word() -> str:
    """Return the command that shows the help."""
    return _HELP.word


def quit_word() -> str:
    """Give the command that leaves."""
    return _QUIT.word


def search_word() -> str:
    """Give the command that looks for messages."""
    return _SEARCH.word


def _commands(on_screen: bool) -> list[CommandSpec]:
    return [spec for spec in COMMANDS if on_screen or not spec.on_screen]


def _complete_first(word: str, names: Sequence[str], on_screen: bool) -> list[str]:
    if word.startswith("/"):
        specs = _commands(on_screen)
        own = [spec.word for spec in specs]
        others = [other for spec in specs for other in (spec.spanish, spec.english)]
        words = dict.fromkeys(other for other in [*own, *others] if other.startswith(word.lower()))
        return [
            found if _BY_WORD[found].argument is Argument.NOTHING else f"{found} "
            for found in words
        ]
    if word.startswith("@"):
        return _matching(word[1:], names, "@{} ")
    return _matching(word, names, "{}: ") if word else []


def _matching(beginning: str, words: Sequence[str], form: str) -> list[str]:
    wanted = plain_letters(beginning)
    return [form.format(word) for word in words if plain_letters(word).startswith(wanted)]


def plain_letters(text: str) -> str:
    """Let `jose` find `José`."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _checked(command: Command, on_screen: bool) -> Command:
    if isinstance(command, Open) and not on_screen:
        raise CommandError(_to_whom_and_what())
    return command


def _to_whom_and_what() -> str:
    return _("Say to whom, and what: @NAME TEXT")


def _parse_direct(arguments: str) -> Direct | Open:
    name, *rest = arguments.split(maxsplit=1)[:2] or [""]
    name = name.rstrip(":,")  # no name ends so
    if not name or arguments[0].isspace():
        raise CommandError(_to_whom_and_what())
    return Direct(to=name, text=rest[0]) if rest else Open(name)


def _parse_info(arguments: str) -> GetInfo:
    if not arguments or len(arguments.split()) > 1:
        raise CommandError(_("Say about whom: {command} NAME").format(command=_INFO.word))
    return GetInfo(name=arguments)


def _parse_history(arguments: str) -> GetHistory:
    if not arguments:
        return GetHistory(limit=_OLDER)
    number = int(arguments) if re.fullmatch("[0-9]{1,9}", arguments) else 0
    if not 1 <= number <= MAX_PAGE:
        text = _("Say how many, from 1 to {most}: {command} 50")
        raise CommandError(text.format(most=MAX_PAGE, command=_HISTORY.word))
    return GetHistory(limit=number)


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


def _parse_choice(choices: dict[str, Command], words: str) -> Callable[[str], Command]:
    """Take one of a few words; `words` is a msgid that names them."""

    def parse_one(arguments: str) -> Command:
        found = choices.get(arguments.lower())
        if found is None:
            raise CommandError(_("After that command goes: {choices}").format(choices=_(words)))
        return found

    return parse_one


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


def _unknown_command(word: str, on_screen: bool) -> str:
    from difflib import get_close_matches  # slow to import, and seldom needed

    known = [found for found, spec in _BY_WORD.items() if on_screen or not spec.on_screen]
    guesses = get_close_matches(word.lower(), known, n=1, cutoff=0.65)
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
_LANGUAGES: dict[str, Command] = {"es": SetLanguage("es"), "en": SetLanguage("en")}
_LANGUAGE = CommandSpec(
    "/idioma", "/language", Argument.NOTHING, "es|en",
    N_("speak Spanish or English from here on"), _parse_choice(_LANGUAGES, "es|en"),
    choices=tuple(_LANGUAGES),
)  # fmt: skip
_NOTIFY_MODES: dict[str, Command] = {
    "off": SetNotify(Notify.OFF),
    "mentions": SetNotify(Notify.MENTIONS),
    "all": SetNotify(Notify.ALL),
    "terminal": SetNotify(Notify.MENTIONS, terminal=True),
    "nada": SetNotify(Notify.OFF),
    "menciones": SetNotify(Notify.MENTIONS),
    "todo": SetNotify(Notify.ALL),
}
_NOTIFY = CommandSpec(
    "/avisos", "/notify", Argument.NOTHING, N_("off|mentions|all|terminal"),
    N_("ring the bell for nothing, for mentions and direct messages, for all"),
    _parse_choice(_NOTIFY_MODES, "off|mentions|all|terminal"),
    on_screen=True, choices=tuple(_NOTIFY_MODES),
)  # fmt: skip
_THEMES: dict[str, Command] = {
    "": SetTheme(None),
    "dark": SetTheme(dark=True),
    "light": SetTheme(dark=False),
    "oscuro": SetTheme(dark=True),
    "claro": SetTheme(dark=False),
}
_THEME = CommandSpec(
    "/tema", "/theme", Argument.NOTHING, N_("[dark|light]"), N_("change the colours"),
    _parse_choice(_THEMES, "[dark|light]"), on_screen=True, choices=tuple(filter(None, _THEMES)),
)  # fmt: skip
_TEXT = CommandSpec(
    "/copiar", "/copy", Argument.NOTHING, "", N_("show the conversation as bare text, to copy it"),
    _parse_bare(ShowText()), on_screen=True,
)  # fmt: skip
_AGAIN = CommandSpec(
    "/reenviar", "/resend", Argument.NOTHING, "",
    N_("send the last message again that was not delivered"),
    _parse_bare(SendAgain()), on_screen=True,
)  # fmt: skip
_QUIT = CommandSpec("/salir", "/quit", Argument.NOTHING, "", N_("leave"), _parse_bare(Quit()))
COMMANDS = (
    CommandSpec(
        "/msg", "/msg", Argument.NAME, N_("NAME TEXT"), N_("the same as @NAME TEXT"), _parse_direct
    ),
    CommandSpec(
        "/usuarios",
        "/users",
        Argument.NOTHING,
        "",
        N_("show who is here"),
        _parse_bare(ListUsers()),
    ),
    _INFO,
    _STATUS,
    _HISTORY,
    _SEARCH,
    _AGAIN,
    _TEXT,
    _NOTIFY,
    _THEME,
    _LANGUAGE,
    _HELP,
    _QUIT,
)
_BY_WORD = {word: spec for spec in COMMANDS for word in (spec.spanish, spec.english)}
