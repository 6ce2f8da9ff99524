"""Commands that a face carries out itself.

Data only; safe in any thread. Some of them lead to a request to the server.
"""

from enum import StrEnum

from msgspec import Struct


class Help(Struct, frozen=True):
    """Show the help about commands and other input."""


class Open(Struct, frozen=True):
    """Open the conversation with a user."""

    name: str


class OwnInfo(Struct, frozen=True):
    """Request the server's information about this user."""


class Close(Struct, frozen=True):
    """Close the conversation with a user; None means the one that is open."""

    name: str | None = None


class SayToAll(Struct, frozen=True):
    """Send a text to the general chat, even if another conversation is open."""

    text: str


class SetLanguage(Struct, frozen=True):
    """Use another language from now on."""

    language: str


class Theme(StrEnum):
    """The colours of the full screen."""

    AUTO = "auto"  # the colours that fit the terminal
    DARK = "dark"
    LIGHT = "light"


class SetTheme(Struct, frozen=True):
    """Use these colours; None switches between dark and light."""

    theme: Theme | None


class Notify(StrEnum):
    """Which messages ring the bell."""

    OFF = "off"
    MENTIONS = "mentions"  # also for direct messages
    ALL = "all"


class SetNotify(Struct, frozen=True):
    """Choose which messages ring the bell; None leaves a setting unchanged.

    `terminal` also shows them with OSC 9. With `only_at`, only `@name` is a mention, not the name
    alone.
    """

    notify: Notify | None = None
    terminal: bool | None = None
    only_at: bool | None = None


class ShowStatuses(Struct, frozen=True):
    """Switch on or off whether each change of status is shown as a line in the chat."""


class SetPlain(Struct, frozen=True):
    """Use the line-by-line face from the next start on, or the full screen."""

    plain: bool


class ShowText(Struct, frozen=True):
    """Show the conversation as bare text, so that it can be copied."""


class SendAgain(Struct, frozen=True):
    """Send again the last message that was not delivered."""


class AskForSecret(Struct, frozen=True):
    """Ask the person for the operator's secret, without showing it."""


class Ignore(Struct, frozen=True):
    """Hide a user's messages; without a name, list the users whom the person ignores."""

    name: str | None = None


class Unignore(Struct, frozen=True):
    """Show a user's messages again."""

    name: str


class PinMarked(Struct, frozen=True):
    """Pin the message that the person has marked; without a mark, the newest message."""


class ShowSeen(Struct, frozen=True):
    """Show who has seen a message; None means the marked one, or this user's newest one."""

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
