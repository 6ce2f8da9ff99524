"""Texts for a person who enters or leaves the chat, in the user's language.

Pure functions; safe in any thread.
"""

from typing import NamedTuple

from tertulia.chat import explain
from tertulia.chat.commands import help_word, quit_word
from tertulia.chat.display import duration
from tertulia.i18n import _, ngettext
from tertulia.protocol.messages import Direct, Say


class Farewell(NamedTuple):
    """The texts at the end of a stay: the messages that were perhaps not sent, and a summary."""

    unanswered: list[Say | Direct]
    unsent: list[Say | Direct]
    summary: str

    @property
    def lines(self) -> list[str]:
        """Return all of it in words, one line for each message."""
        lines = [explain.perhaps_arrived(request) for request in self.unanswered]
        lines += [explain.not_sent(request.text) for request in self.unsent]
        return [*lines, self.summary]


def greeting(name: str, status: str, people: int) -> str:
    """Return the greeting for a user who has entered a chat of so many people."""
    hello = _("Hello, {name}. You are {status}.").format(name=name, status=status)
    here = ngettext("There is {count} person here.", "There are {count} people here.", people)
    return f"{hello} {here.format(count=people)}"


def hints(*, completes: bool = True) -> list[str]:
    """Return the advice for a newcomer, one hint per line.

    `completes` is whether the face completes names.
    """
    to_one = _("To write to only one person, begin with @ and the name. Tab completes names.")
    if not completes:
        to_one = _("To write to only one person, begin with @ and the name.")
    return [
        _("Type something and press Enter to send it to everyone."),
        to_one,
        _("{help} shows all commands, and {quit} leaves the chat.").format(
            help=help_word(), quit=quit_word()
        ),
    ]


def nothing_said() -> str:
    """Return the text for a chat without messages."""
    return _("There are no messages yet. Yours can be the first.")


def how_to_leave() -> str:
    """Return the text for a person who pressed Ctrl-C: how to leave the chat."""
    return _("To leave, type {quit} or press Ctrl+D.").format(quit=quit_word())


def farewell(seconds: float, said: int, heard: int) -> str:
    """Return one line that sums up a stay: its length and the messages sent and received."""
    text = _("You were here for {time}. Messages: {said} sent, {heard} received.")
    return text.format(time=duration(seconds), said=said, heard=heard)
