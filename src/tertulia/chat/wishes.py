"""What a person can ask of the face itself: nothing of this goes to the server."""

from enum import StrEnum

from msgspec import Struct


class Help(Struct, frozen=True):
    """Show what can be typed."""


class Open(Struct, frozen=True):
    """Turn to the conversation with a user."""

    name: str


class SetLanguage(Struct, frozen=True):
    """Speak another language from here on."""

    language: str


class SetTheme(Struct, frozen=True):
    """Use light or dark colours; None: the others."""

    dark: bool | None


class Notify(StrEnum):
    """What the bell rings for."""

    OFF = "off"
    MENTIONS = "mentions"  # and direct messages
    ALL = "all"


class SetNotify(Struct, frozen=True):
    """Ring the bell for these; with `terminal` the terminal is asked to show them, too (OSC 9)."""

    notify: Notify
    terminal: bool = False


class ShowText(Struct, frozen=True):
    """Show the conversation as bare text, to be copied."""


class SendAgain(Struct, frozen=True):
    """Send the last message again that could not be delivered."""


Wish = Help | Open | SetLanguage | SetTheme | SetNotify | ShowText | SendAgain
