"""Parses a typed line into a request or a command for the face, or raises a CommandError.

It also writes the help about commands. Pure functions over the table of commands.
"""

from tertulia.chat.command_arguments import Command, CommandError, parse_direct, to_whom_and_what
from tertulia.chat.command_table import HELP, QUIT, SEARCH, CommandSpec, listed
from tertulia.chat.command_words import find_command
from tertulia.chat.face_commands import Open
from tertulia.chat.orders import parse_order
from tertulia.i18n import _
from tertulia.operator_commands import OPERATOR_COMMANDS, OperatorCommand, operator_help_rows
from tertulia.protocol.messages import Say


def parse(line: str, *, on_screen: bool = False, operator: bool = False) -> Command | None:
    """Parse a typed line; return None for an empty one. Raises CommandError.

    For a mistyped word the error suggests the most similar command; the commands of operators are
    suggested only to an `operator`.
    """
    typed = line.strip()
    if not typed:
        return None
    if typed.startswith(("//", "@@")):
        return Say(text=typed[1:])
    if typed.startswith("@"):
        return _checked(parse_direct("@", typed[1:]), on_screen)
    if not typed.startswith("/"):
        return Say(text=line.rstrip())
    word, *arguments = typed.split(maxsplit=1)
    spec = find_command(word)
    if spec is None:
        if (request := parse_order(typed)) is not None:
            return request
        raise CommandError(_unknown_command(word, on_screen, operator))
    if spec.on_screen and not on_screen:
        text = _("{command} works only on the full screen. Start tertulia without --plain.")
        raise CommandError(text.format(command=word))
    return _checked(spec.parse(spec.word, "".join(arguments)), on_screen)


def help_rows(*, on_screen: bool = False, operator: bool = False) -> list[tuple[str, str]]:
    """Return the rows of the help: a command or other input, and its effect."""
    if on_screen:
        rows = [
            (_("TEXT"), _("send it to the people whom the border of the text field shows")),
            (_("@NAME TEXT"), _("send it only to that person, and stay in this conversation")),
            (_("@NAME"), _("open the conversation with that person; there, TEXT goes to them")),
        ]
    else:
        rows = [
            (_("TEXT"), _("send it to everyone")),
            (_("@NAME TEXT"), _("send it only to that person (a direct message)")),
        ]
    for spec in listed(on_screen=on_screen):
        words = [spec.word, *{spec.spanish, spec.english} - {spec.word}]
        argument = f" {_(spec.argument_words)}" if spec.argument_words else ""
        rows.append((", ".join(words) + argument, _(spec.help)))
    if operator:
        rows += operator_help_rows(OPERATOR_COMMANDS)
    text = _("TEXT")
    rows.append((f"//{text}, @@{text}", _("send a text that begins with “/” or “@”")))
    return rows


def usage(spec: CommandSpec | OperatorCommand) -> str:
    """Return a command in the user's language, with its arguments."""
    return f"{spec.word} {_(spec.argument_words)}" if spec.argument_words else spec.word


def help_word() -> str:
    """Return the command that shows the help."""
    return HELP.word


def quit_word() -> str:
    """Return the command that leaves the chat."""
    return QUIT.word


def search_word() -> str:
    """Return the command that searches for messages."""
    return SEARCH.word


def _checked(command: Command, on_screen: bool) -> Command:
    if isinstance(command, Open) and not on_screen:
        raise CommandError(to_whom_and_what())
    return command


def _unknown_command(word: str, on_screen: bool, operator: bool) -> str:
    from difflib import get_close_matches  # slow to import and seldom needed

    orders = OPERATOR_COMMANDS if operator else ()
    known = {
        found: spec
        for spec in (*listed(on_screen=on_screen), *orders)
        for found in (spec.spanish, spec.english)
    }
    guesses = get_close_matches(word.lower(), known, n=1, cutoff=0.65)
    if guesses:
        text = _("There is no command {word}. Did you mean {guess}?")
        return text.format(word=word, guess=known[guesses[0]].word)
    return _("There is no command {word}. {help} shows all commands.").format(
        word=word, help=HELP.word
    )
