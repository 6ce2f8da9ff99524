"""Finds out, before Enter, the recipients of the typed line, or its command.

It follows the same rules as `Controller.submit`. No widget; the texts are in the present language.
Runs on the event loop's thread.
"""

from datetime import date
from enum import Enum, auto
from typing import NamedTuple

from tertulia.chat.command_arguments import CommandError
from tertulia.chat.command_words import find_command
from tertulia.chat.commands import parse, usage
from tertulia.chat.face_commands import Open, SayToAll
from tertulia.chat.order_words import silence_words
from tertulia.chat.state import State
from tertulia.i18n import _
from tertulia.operator_commands import find_operator_command
from tertulia.protocol.messages import Direct, Say
from tertulia.safetext import visible_in_a_line
from tertulia.tui.model.conversations import GENERAL, Conversations


class Reach(Enum):
    """The recipients of a line."""

    EVERYONE = auto()
    ONE = auto()
    NOBODY = auto()  # it is a command, or it cannot be carried out


class Target(NamedTuple):
    """The recipients of a line, and a text about them."""

    reach: Reach
    words: str


def target_of(line: str, state: State | None, conversations: Conversations | None) -> Target:
    """Return the target of a line; the arguments are None before there is a connection."""
    current = GENERAL if conversations is None else conversations.current.name
    try:
        command = parse(line, on_screen=True)
    except CommandError as error:
        return _command(line.strip(), error)
    match command:
        case None | Say() if current != GENERAL:
            return _to_one(current, state, conversations)
        case None | Say() | SayToAll():
            return to_everyone(state)
        case Direct(to=name) | Open(name):
            return _to_one(name, state, conversations, is_whole=isinstance(command, Direct))
    return _command(line.strip())


def to_everyone(state: State | None = None) -> Target:
    """Return the target of a line for the general chat, where writing may be forbidden."""
    if state is None or (not state.is_hushed and state.may_speak):
        return Target(Reach.EVERYONE, _("To everyone"))
    if state.may_speak:
        return Target(Reach.EVERYONE, _("To everyone; only operators may speak now"))
    return Target(Reach.NOBODY, silence_words(state, date.today()))


def _to_one(
    name: str,
    state: State | None,
    conversations: Conversations | None,
    *,
    is_whole: bool = True,
) -> Target:
    if state is not None and conversations is not None:
        name = state.registered_name(name)
        is_here = state.status_of(name) is not None
        is_unknown = state.knows_users and not is_here and name not in conversations
        if is_unknown and is_whole:
            text = _("Nobody called “{name}” is here: Enter sends nothing")
            return Target(Reach.NOBODY, text.format(name=visible_in_a_line(name)))
    text = _("Only to {name}")
    return Target(Reach.ONE, text.format(name=visible_in_a_line(name)))


def _command(line: str, error: CommandError | None = None) -> Target:
    word = line.split(maxsplit=1)[0] if line.startswith("/") else ""
    spec = find_command(word) or find_operator_command(word)
    if spec is not None and spec.help:
        words = f"{usage(spec)}: {_(spec.help)}"
    elif error is not None and (spec is not None or not line.startswith("/")):
        words = str(error)
    else:
        words = _("A command: nobody gets this line")
    return Target(Reach.NOBODY, words)
