"""Every word that is understood as a command: the words of the table, and others that people try.

People know the other words from other chats, or guess them. The help does not list them, and
completion does not offer them. Words for features that this chat lacks return an explanation.
"""

from collections.abc import Callable

from tertulia.chat.command_arguments import (
    Command,
    CommandError,
    Parser,
    parse_bare,
    parse_info,
)
from tertulia.chat.command_table import (
    COMMANDS,
    HELP,
    INFO,
    LANGUAGE,
    MESSAGE,
    NOTIFY,
    QUIT,
    SEARCH,
    USERS,
    Argument,
    CommandSpec,
)
from tertulia.chat.face_commands import OwnInfo
from tertulia.chat.similar import plain_letters
from tertulia.i18n import _
from tertulia.protocol.messages import ListUsers, SetStatus, Status


def find_command(word: str) -> CommandSpec | None:
    """Return the command with this word, in any case and with or without accents."""
    return _BY_WORD.get(plain_letters(word))


def _parse_who(word: str, arguments: str) -> Command:
    return parse_info(word, arguments) if arguments else ListUsers()


def _parse_address(word: str, arguments: str) -> Command:
    return parse_info(word, arguments) if arguments else OwnInfo()


def _explain(words: Callable[[str], str]) -> Parser:
    """Return a parser that explains which alternative there is instead of a command."""

    def parse_in_vain(_word: str, arguments: str) -> Command:
        raise CommandError(words(arguments))

    return parse_in_vain


def _about_names(name: str) -> str:
    command = " ".join(["tertulia", name or _("NAME"), _("SERVER-IP"), _("PORT")])
    text = _("Your name is chosen at the start. Leave with {quit}, and type: {command}")
    return text.format(quit=QUIT.word, command=command)


def _about_clearing(_arguments: str) -> str:
    return _("Nothing is deleted here. Ctrl+L draws the screen anew.")


def _about_actions(_arguments: str) -> str:
    return _("There is no such command here. Type the text alone to send it.")


def _hidden(word: str, parse: Parser, argument: Argument = Argument.NOTHING) -> CommandSpec:
    return CommandSpec(word, word, argument, "", "", parse)


def _status(word: str, status: Status) -> CommandSpec:
    return _hidden(word, parse_bare(SetStatus(status=status)))


OTHERS: list[tuple[CommandSpec, str]] = [
    (QUIT, "/exit /q /bye /logout /leave /salida /adios /chao"),
    (HELP, "/h /? /commands /comandos"),
    (USERS, "/list /names /people /lista /nombres /gente /personas"),
    (_hidden("/who", _parse_who, Argument.NAME), "/who /quien /quienes"),
    (INFO, "/whois"),
    (_hidden("/ip", _parse_address, Argument.NAME), "/ip /whoami /quiensoy"),
    (MESSAGE, "/dm /tell /w /pm /query /whisper /privado /md /mensaje /susurrar"),
    (SEARCH, "/find"),
    (LANGUAGE, "/lang"),
    (NOTIFY, "/bell /campana"),
    (_status("/activo", Status.ACTIVO), "/activo /activa /active /back /online /disponible"),
    (_status("/ocupado", Status.OCUPADO), "/ocupado /ocupada /busy /dnd"),
    (
        _status("/inactivo", Status.INACTIVO),
        "/inactivo /inactiva /inactive /ausente /away /afk /brb",
    ),
    (_hidden("/nick", _explain(_about_names)), "/nick /name /rename /apodo /nombre"),
    (_hidden("/clear", _explain(_about_clearing)), "/clear /cls /limpiar /borrar"),
    (_hidden("/me", _explain(_about_actions)), "/me /say /yo /decir"),
]
_BY_WORD = {
    plain_letters(word): spec
    for spec, words in [
        *OTHERS,
        *((spec, f"{spec.spanish} {spec.english}") for spec in COMMANDS),
    ]
    for word in words.split()
}
