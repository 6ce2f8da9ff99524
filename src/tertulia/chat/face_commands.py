"""Commands that a face carries out by itself: none of them sends anything to the server."""

from enum import StrEnum

from msgspec import Struct


class Help(Struct, frozen=True):
    """Show what can be typed."""


class Open(Struct, frozen=True):
    """Open the conversation with a user."""

    name: str


class OwnInfo(Struct, frozen=True):
    """Ask the server what it knows of this user."""


class Close(Struct, frozen=True):
    """Close the conversation with a user; None: the one that is open."""

    name: str | None = None


class SayToAll(Struct, frozen=True):
    """Send a text to the general chat, whatever conversation is open."""

    text: str


class SetLanguage(Struct, frozen=True):
    """Use another language from now on."""

    language: str


class Theme(StrEnum):
    """The colours of the full screen."""

    AUTO = "auto"  # those that fit the terminal
    DARK = "dark"
    LIGHT = "light"


class SetTheme(Struct, frozen=True):
    """Use these colours; None switches between dark and light."""

    theme: Theme | None


class Notify(StrEnum):
    """Which messages ring the bell."""

    OFF = "off"
    MENTIONS = "mentions"  # direct messages too
    ALL = "all"


class SetNotify(Struct, frozen=True):
    """Choose which messages ring the bell; None leaves a choice as it is.

    `terminal` also shows them with OSC 9. With `only_at` the name alone is not a mention.
    """

    notify: Notify | None = None
    terminal: bool | None = None
    only_at: bool | None = None


class ShowStatuses(Struct, frozen=True):
    """Show each change of status as a line in the chat from now on, or no longer."""


class SetPlain(Struct, frozen=True):
    """Start line by line from now on, or with the full screen."""

    plain: bool


class ShowText(Struct, frozen=True):
    """Show the conversation as bare text, so that it can be copied."""


class SendAgain(Struct, frozen=True):
    """Send again the last message that was not delivered."""


class AskForSecret(Struct, frozen=True):
    """Ask the person for the operator's secret, without echo."""


class Ignore(Struct, frozen=True):
    """Hide what a user writes; without a name list whom the person ignores."""

    name: str | None = None


class Unignore(Struct, frozen=True):
    """Show again what a user writes."""

    name: str


class PinMarked(Struct, frozen=True):
    """Pin the message that the person has marked, or else the newest one."""


class ShowSeen(Struct, frozen=True):
    """Show who has seen a message; None: the marked one, or else the newest one of this user."""

    seq: int | None = None


FaceCommand = (
    Help
    | AskForSecret
    | Ignore
    | Unignore
    | Open
    | PinMarked
    | Close
    | OwnInfo
    | SayToAll
    | SetLanguage
    | SetTheme
    | SetNotify
    | ShowStatuses
    | SetPlain
    | ShowText
    | SendAgain
    | ShowSeen
)
