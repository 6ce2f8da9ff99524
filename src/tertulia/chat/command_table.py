"""The table of the commands that a person can type, for parsing, help, completion and palette.

The Spanish and English words always work, in every language of the face. Some commands exist only
in the full screen. Constants and pure functions; safe in any thread.
"""

from enum import Enum, auto
from typing import NamedTuple

from tertulia.chat.command_arguments import (
    Command,
    Parser,
    parse_bare,
    parse_choice,
    parse_close,
    parse_direct,
    parse_history,
    parse_ignore,
    parse_info,
    parse_search,
    parse_secret,
    parse_seen,
    parse_status,
    parse_to_all,
    parse_unignore,
)
from tertulia.chat.face_commands import (
    Help,
    Notify,
    SendAgain,
    SetLanguage,
    SetNotify,
    SetPlain,
    SetTheme,
    ShowStatuses,
    ShowText,
    Theme,
)
from tertulia.i18n import N_, language
from tertulia.operator_commands import OPERATOR_WORDS
from tertulia.protocol.messages import ListUsers, Quit


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
    parse: Parser
    on_screen: bool = False  # True if it exists only in the full screen
    choices: tuple[str, ...] = ()  # the words that can follow it, if there are only a few

    @property
    def word(self) -> str:
        """Return the command in the user's language."""
        return self.spanish if language() == "es" else self.english


def listed(*, on_screen: bool) -> list[CommandSpec]:
    """Return the commands of the plain face, or of the full screen."""
    return [spec for spec in COMMANDS if on_screen or not spec.on_screen]


HELP = CommandSpec(
    "/ayuda", "/help", Argument.NOTHING, "", N_("show this help"), parse_bare(Help())
)
INFO = CommandSpec(
    "/info", "/info", Argument.NAME, N_("NAME"),
    N_("show a person's address, status and join time"), parse_info,
)  # fmt: skip
TO_ALL = CommandSpec(
    "/todos", "/all", Argument.NOTHING, N_("TEXT"),
    N_("send a text to everyone, from any conversation"), parse_to_all,
)  # fmt: skip
STATUS = CommandSpec(
    "/estado", "/status", Argument.STATUS, N_("STATUS"),
    N_("change your status: active, busy or away"), parse_status,
)  # fmt: skip
HISTORY = CommandSpec(
    "/historial", "/history", Argument.NOTHING, N_("[NUMBER]"),
    N_("show older messages, further back each time"), parse_history,
)  # fmt: skip
SEARCH = CommandSpec(
    "/buscar", "/search", Argument.NOTHING, N_("WORDS"),
    N_("search for messages that contain these words"), parse_search,
)  # fmt: skip
_LANGUAGES: dict[str, Command] = {"es": SetLanguage("es"), "en": SetLanguage("en")}
LANGUAGE = CommandSpec(
    "/idioma", "/language", Argument.NOTHING, "es|en",
    N_("change the language to Spanish or English"), parse_choice(_LANGUAGES, "es|en"),
    choices=tuple(_LANGUAGES),
)  # fmt: skip
_NOTIFY_MODES: dict[str, Command] = {
    "off": SetNotify(Notify.OFF, terminal=False),
    "mentions": SetNotify(Notify.MENTIONS, terminal=False, only_at=False),
    "at": SetNotify(Notify.MENTIONS, terminal=False, only_at=True),
    "all": SetNotify(Notify.ALL, terminal=False),
    "terminal": SetNotify(terminal=True),
    "nada": SetNotify(Notify.OFF, terminal=False),
    "menciones": SetNotify(Notify.MENTIONS, terminal=False, only_at=False),
    "arroba": SetNotify(Notify.MENTIONS, terminal=False, only_at=True),
    "todo": SetNotify(Notify.ALL, terminal=False),
    "statuses": ShowStatuses(),
    "estados": ShowStatuses(),
}
_NOTIFY_WORDS = N_("off|mentions|at|all|terminal|statuses")
NOTIFY = CommandSpec(
    "/avisos", "/notify", Argument.NOTHING, _NOTIFY_WORDS,
    N_("choose when the bell rings, and what is announced"),
    parse_choice(_NOTIFY_MODES, _NOTIFY_WORDS),
    choices=tuple(_NOTIFY_MODES),
)  # fmt: skip
_THEMES: dict[str, Command] = {
    "": SetTheme(None),
    "auto": SetTheme(Theme.AUTO),
    "dark": SetTheme(Theme.DARK),
    "light": SetTheme(Theme.LIGHT),
    "oscuro": SetTheme(Theme.DARK),
    "claro": SetTheme(Theme.LIGHT),
}
_THEME_WORDS = N_("[dark|light|auto]")
THEME = CommandSpec(
    "/tema", "/theme", Argument.NOTHING, _THEME_WORDS,
    N_("choose the colours; auto chooses what fits"),
    parse_choice(_THEMES, _THEME_WORDS),
    on_screen=True, choices=tuple(filter(None, _THEMES)),
)  # fmt: skip
_PLAIN_MODES: dict[str, Command] = {
    "on": SetPlain(plain=True),
    "off": SetPlain(plain=False),
    "sí": SetPlain(plain=True),
    "no": SetPlain(plain=False),
}
PLAIN = CommandSpec(
    "/simple", "/plain", Argument.NOTHING, N_("on|off"),
    N_("start line by line from now on, as with --plain"), parse_choice(_PLAIN_MODES, "on|off"),
    choices=tuple(_PLAIN_MODES),
)  # fmt: skip
TEXT = CommandSpec(
    "/copiar", "/copy", Argument.NOTHING, "", N_("show the conversation as plain text, to copy it"),
    parse_bare(ShowText()), on_screen=True,
)  # fmt: skip
SEEN = CommandSpec(
    "/vistos", "/seen", Argument.NOTHING, N_("[NUMBER]"),
    N_("show who has seen your last message"), parse_seen,
)  # fmt: skip
AGAIN = CommandSpec(
    "/reenviar", "/resend", Argument.NOTHING, "", N_("send the last undelivered message again"),
    parse_bare(SendAgain()), on_screen=True,
)  # fmt: skip
IGNORE = CommandSpec(
    "/ignorar", "/ignore", Argument.NAME, N_("[NAME]"),
    N_("hide what a person writes, or show whom you ignore"), parse_ignore,
)  # fmt: skip
UNIGNORE = CommandSpec(
    "/atender", "/unignore", Argument.NAME, N_("NAME"), N_("show again what a person writes"),
    parse_unignore,
)  # fmt: skip
OPERATOR = CommandSpec(
    *OPERATOR_WORDS, Argument.NOTHING, "", N_("keep order in the chat: asks for the secret"),
    parse_secret,
)  # fmt: skip
CLOSE = CommandSpec(
    "/cerrar", "/close", Argument.NAME, N_("[NAME]"),
    N_("close a conversation; a new message opens it again"), parse_close, on_screen=True,
)  # fmt: skip
QUIT = CommandSpec(
    "/salir", "/quit", Argument.NOTHING, "", N_("leave the chat"), parse_bare(Quit())
)
MESSAGE = CommandSpec(
    "/msg", "/msg", Argument.NAME, N_("NAME TEXT"), N_("send a direct message, like @NAME TEXT"),
    parse_direct,
)  # fmt: skip
USERS = CommandSpec(
    "/usuarios", "/users", Argument.NOTHING, "", N_("show who is here"), parse_bare(ListUsers())
)
COMMANDS = (
    MESSAGE,
    TO_ALL,
    CLOSE,
    USERS,
    INFO,
    STATUS,
    HISTORY,
    SEARCH,
    SEEN,
    AGAIN,
    TEXT,
    NOTIFY,
    THEME,
    LANGUAGE,
    PLAIN,
    IGNORE,
    UNIGNORE,
    OPERATOR,
    HELP,
    QUIT,
)
