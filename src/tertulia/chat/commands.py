"""The commands that a person can type: one table, used for parsing, help and completion.

The Spanish and English words always work, whatever the language of the face. Pure functions: a
typed line in, and out comes a request, a command for the face, or a CommandError that says what to
do. Some commands exist only in the full screen: `on_screen` includes them.
"""

import re
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import NamedTuple

from tertulia.chat.face_commands import (
    FaceCommand,
    Help,
    Notify,
    Open,
    SayToAll,
    SendAgain,
    SetLanguage,
    SetNotify,
    SetTheme,
    ShowText,
)
from tertulia.chat.similar import plain_letters
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

Command = Say | Direct | SetStatus | ListUsers | GetInfo | GetHistory | Search | Quit | FaceCommand

_OLDER = 20  # messages that /history shows without a number


class CommandError(Exception):
    """A line that cannot be carried out; the text of the error says what to do."""


class Argument(Enum):
    """The kind of word that follows a command, for completion."""

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
    on_screen: bool = False  # exists only in the full screen
    choices: tuple[str, ...] = ()  # the words that can follow it, if they are few

    @property
    def word(self) -> str:
        """The command in the user's language."""
        return self.spanish if language() == "es" else self.english


class Completion(NamedTuple):
    """The texts that can replace the line from `start` to the cursor, the likeliest first."""

    start: int
    candidates: list[str]


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


def parse(line: str, *, on_screen: bool = False) -> Command | None:
    """Parse a typed line; return None for an empty one. Raises CommandError."""
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
        text = _("{command} works only on the full screen. Start tertulia without --plain.")
        raise CommandError(text.format(command=word))
    return _checked(spec.parse("".join(arguments)), on_screen)


def complete(before_cursor: str, names: Sequence[str], *, on_screen: bool = False) -> Completion:
    """Return the completions of the word before the cursor; preferred `names` come first."""
    text = before_cursor.lstrip()
    word = text.split(" ")[-1]
    start = len(before_cursor) - len(word)
    if word == text:
        return Completion(start, _complete_first(word, names, on_screen))
    spec = _BY_WORD.get(text.split(" ", 1)[0].lower())
    if spec is not None and text.count(" ") == 1:
        if spec.argument is Argument.STATUS:
            own = _status_words()
            others = [other for other in STATUS_WORDS if word and other not in own]
            return Completion(start, _matching(word, [*own, *others], "{}"))
        if spec.choices:
            return Completion(start, _matching(word, spec.choices, "{}"))
        if spec.argument is Argument.NAME:
            return Completion(start, _matching(word, names, "{} "))
    return Completion(start, _matching(word, names, "{} ") if word else [])


def help_rows(*, on_screen: bool = False) -> list[tuple[str, str]]:
    """Return the rows of the help: what can be typed, and what it does."""
    rows = [
        (_("TEXT"), _("send it to everyone")),
        (_("@NAME TEXT"), _("send it only to that person (a direct message)")),
    ]
    for spec in _commands(on_screen):
        words = [spec.word, *{spec.spanish, spec.english} - {spec.word}]
        argument = f" {_(spec.argument_words)}" if spec.argument_words else ""
        rows.append((", ".join(words) + argument, _(spec.help)))
    text = _("TEXT")
    rows.append((f"//{text}, @@{text}", _("send a text that begins with “/” or “@”")))
    return rows


def help_lines() -> list[str]:
    """Return the help as lines of text, one for each thing that can be typed."""
    rows = help_rows()
    width = max(len(left) for left, _right in rows)
    return [f"  {left:<{width}}  {right}" for left, right in rows]


def help_word() -> str:
    """Return the command that shows the help."""
    return _HELP.word


def quit_word() -> str:
    """Return the command that leaves the chat."""
    return _QUIT.word


def search_word() -> str:
    """Return the command that searches for messages."""
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


def _checked(command: Command, on_screen: bool) -> Command:
    if isinstance(command, Open) and not on_screen:
        raise CommandError(_to_whom_and_what())
    return command


def _to_whom_and_what() -> str:
    return _("Give a name and a text: @NAME TEXT")


def _parse_direct(arguments: str) -> Direct | Open:
    name, *rest = arguments.split(maxsplit=1)[:2] or [""]
    name = name.rstrip(":,")  # as in "@luis: hello"; no name ends with one
    if not name or arguments[0].isspace():
        raise CommandError(_to_whom_and_what())
    return Direct(to=name, text=rest[0]) if rest else Open(name)


def _parse_to_all(arguments: str) -> SayToAll:
    if not arguments:
        raise CommandError(_("Give a text: {command} TEXT").format(command=_TO_ALL.word))
    return SayToAll(text=arguments)


def _parse_info(arguments: str) -> GetInfo:
    if not arguments or len(arguments.split()) > 1:
        raise CommandError(_("Give a name: {command} NAME").format(command=_INFO.word))
    return GetInfo(name=arguments)


def _parse_history(arguments: str) -> GetHistory:
    if not arguments:
        return GetHistory(limit=_OLDER)
    number = int(arguments) if re.fullmatch("[0-9]{1,9}", arguments) else 0
    if not 1 <= number <= MAX_PAGE:
        text = _("Give a number of messages from 1 to {most}, for example: {command} 50")
        raise CommandError(text.format(most=MAX_PAGE, command=_HISTORY.word))
    return GetHistory(limit=number)


def _parse_search(arguments: str) -> Search:
    if not arguments:
        raise CommandError(
            _("Give the words to search for: {command} WORDS").format(command=_SEARCH.word)
        )
    return Search(text=arguments)


def _parse_status(arguments: str) -> SetStatus:
    status = STATUS_WORDS.get(arguments.lower())
    if status is None:
        choices = ", ".join(f"{_STATUS.word} {word}" for word in _status_words())
        raise CommandError(_("Choose a status: {choices}").format(choices=choices))
    return SetStatus(status=status)


def _parse_choice(choices: dict[str, Command], words: str) -> Callable[[str], Command]:
    """Return a parser for one of a few words; `words` is a msgid that lists them."""

    def parse_one(arguments: str) -> Command:
        found = choices.get(arguments.lower())
        if found is None:
            raise CommandError(
                _("After that command, type one of these: {choices}").format(choices=_(words))
            )
        return found

    return parse_one


def _status_words() -> tuple[str, ...]:
    return ("activo", "ocupado", "inactivo") if language() == "es" else ("active", "busy", "away")


def _parse_bare(command: Command) -> Callable[[str], Command]:
    def parse_nothing(arguments: str) -> Command:
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


def _unknown_command(word: str, on_screen: bool) -> str:
    from difflib import get_close_matches  # slow to import and seldom needed

    known = [found for found, spec in _BY_WORD.items() if on_screen or not spec.on_screen]
    guesses = get_close_matches(word.lower(), known, n=1, cutoff=0.65)
    if guesses:
        text = _("There is no command {word}. Did you mean {guess}?")
        return text.format(word=word, guess=_BY_WORD[guesses[0]].word)
    return _("There is no command {word}. {help} shows all commands.").format(
        word=word, help=_HELP.word
    )


_HELP = CommandSpec(
    "/ayuda", "/help", Argument.NOTHING, "", N_("show this help"), _parse_bare(Help())
)
_INFO = CommandSpec(
    "/info", "/info", Argument.NAME, N_("NAME"),
    N_("show a person's address, status and join time"), _parse_info,
)  # fmt: skip
_TO_ALL = CommandSpec(
    "/todos", "/all", Argument.NOTHING, N_("TEXT"),
    N_("send a text to everyone, from any conversation"), _parse_to_all,
)  # fmt: skip
_STATUS = CommandSpec(
    "/estado", "/status", Argument.STATUS, N_("STATUS"),
    N_("change your status: active, busy or away"), _parse_status,
)  # fmt: skip
_HISTORY = CommandSpec(
    "/historial", "/history", Argument.NOTHING, N_("[NUMBER]"),
    N_("show older messages, further back each time"), _parse_history,
)  # fmt: skip
_SEARCH = CommandSpec(
    "/buscar", "/search", Argument.NOTHING, N_("WORDS"),
    N_("search for messages that contain these words"), _parse_search,
)  # fmt: skip
_LANGUAGES: dict[str, Command] = {"es": SetLanguage("es"), "en": SetLanguage("en")}
_LANGUAGE = CommandSpec(
    "/idioma", "/language", Argument.NOTHING, "es|en",
    N_("change the language to Spanish or English"), _parse_choice(_LANGUAGES, "es|en"),
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
    N_("choose when the bell rings: never, for mentions and direct messages, or always"),
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
    "/tema", "/theme", Argument.NOTHING, N_("[dark|light]"),
    N_("switch between dark and light colours"), _parse_choice(_THEMES, "[dark|light]"),
    on_screen=True, choices=tuple(filter(None, _THEMES)),
)  # fmt: skip
_TEXT = CommandSpec(
    "/copiar", "/copy", Argument.NOTHING, "", N_("show the conversation as plain text, to copy it"),
    _parse_bare(ShowText()), on_screen=True,
)  # fmt: skip
_AGAIN = CommandSpec(
    "/reenviar", "/resend", Argument.NOTHING, "", N_("send the last undelivered message again"),
    _parse_bare(SendAgain()), on_screen=True,
)  # fmt: skip
_QUIT = CommandSpec(
    "/salir", "/quit", Argument.NOTHING, "", N_("leave the chat"), _parse_bare(Quit())
)
COMMANDS = (
    CommandSpec(
        "/msg", "/msg", Argument.NAME, N_("NAME TEXT"), N_("the same as @NAME TEXT"), _parse_direct
    ),
    _TO_ALL,
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
