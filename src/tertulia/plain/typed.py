"""The text that a person types or pastes into the plain face: its command, help, explanations.

Pure functions: input is a text; output is a command, or text in the user's language.
"""

from tertulia.chat.command_arguments import Command, CommandError
from tertulia.chat.commands import help_rows, parse
from tertulia.chat.face_commands import SayToAll
from tertulia.i18n import _
from tertulia.plain.pastes import Pasted
from tertulia.protocol.messages import Direct, Say
from tertulia.protocol.texts import MAX_TEXT_BYTES


def command_of(text: str, *, operator: bool = False) -> Command | None:
    """Parse a typed text; return None for an empty one. Raises CommandError.

    A text of several lines can only be a message. A pasted text is a message to everyone.
    """
    if isinstance(text, Pasted):
        return Say(text=text.rstrip("\n"))
    command = parse(text, operator=operator)
    if "\n" not in text.strip():
        return command
    match command:
        case Direct():
            return Direct(to=command.to, text=_indented(text, command.text))
        case SayToAll():
            return SayToAll(_indented(text, command.text))
        case Say():
            return command
    raise CommandError(
        _("A command has only one line. To send a text that begins with “/”, type “//”.")
    )


def paste_words(lines: int, text: str) -> str:
    """Return an explanation for a text that contains this many lines after a paste."""
    if len(text.encode()) > MAX_TEXT_BYTES:
        words = _(
            "{count} lines pasted: they are too long for one message, which can have {max_text} "
            "bytes. Ctrl+C takes them back."
        )
        return words.format(count=lines, max_text=MAX_TEXT_BYTES)
    try:
        command = command_of(text)
    except CommandError as error:
        return str(error)
    if isinstance(command, Direct):
        words = _(
            "{count} lines pasted: Enter sends them as one message only to {name}, Ctrl+C takes "
            "them back."
        )
        return words.format(count=lines, name=command.to)
    words = _(
        "{count} lines pasted: Enter sends them as one message to everyone, Ctrl+C takes them back."
    )
    return words.format(count=lines)


def help_lines(*, on_terminal: bool, operator: bool = False) -> list[str]:
    """Return the help: one line for each command or input and, on a terminal, for each key."""
    rows = help_rows(operator=operator)
    if on_terminal:
        rows += [
            (_("Enter"), _("send what you have typed")),
            (_("Alt+Enter, Ctrl+O"), _("begin another line of the same message")),
            (_("arrow up, arrow down"), _("bring back what you typed before")),
            (_("Tab"), _("complete a name or a command")),
            ("Ctrl+C", _("take back what you are typing, or what has not been sent yet")),
            ("Ctrl+D", _("leave the chat")),
        ]
    return [f"{left}: {right}" for left, right in rows]


def _indented(line: str, text: str) -> str:
    """Return the text of a message with the indentation of its first line, and its last lines.

    The first line may follow the name directly, after a space, or begin on the next line.
    """
    start = line.rindex(text)
    while line[start - 1] in " \t":
        start -= 1
    if line[start - 1] != "\n":
        start += 1  # the space after the name
    return line[start:].rstrip("\n")
