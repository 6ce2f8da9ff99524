"""What a conversation consists of: messages, comings and goings, words of this program, and
marks between them.

The words of this program are kept as functions that make them, so that they can change their
language.
"""

from collections.abc import Callable
from datetime import date
from enum import Enum, auto

from msgspec import Struct

from tertulia.chat.speakers import speaker_words
from tertulia.protocol.messages import Direct, Joined, Left, Presence, Status

MAX_FOLDED_NAMES = 1_000  # in one entry; further ones are only counted


class Delivery(Enum):
    """The delivery of a message, as far as it is known."""

    DELIVERED = auto()
    SENDING = auto()
    FAILED = auto()
    UNKNOWN = auto()  # there was no answer


class Said(Struct, eq=False):
    """A message.

    `seq` is its number in the general chat; `request` sends it again if it is this user's own
    direct message. The timeline sets the last two fields.
    """

    time: str
    sender: str
    text: str
    own: bool = False
    mention: bool = False
    hook: bool = False  # a program has said it
    seq: int | None = None
    request: Direct | None = None
    delivery: Delivery = Delivery.DELIVERED
    why: Callable[[], str] | None = None  # it was not delivered, in words
    continues: bool = False  # it stands below a message of the same user: no time, no name
    group_since: str = ""  # the time of the first message of the group

    @property
    def speaker(self) -> str:
        """Return the name as it stands before the message."""
        return speaker_words(self.sender, hook=self.hook)

    @property
    def can_be_sent_again(self) -> bool:
        """Return whether it has failed, or perhaps not arrived."""
        return self.delivery in (Delivery.FAILED, Delivery.UNKNOWN)


class Change(Struct):
    """What happened to one user while a `Moved` entry grew."""

    was_here: bool
    is_here: bool
    left: Left | None = None  # the last time
    status: Status | None = None


class Moved(Struct, eq=False):
    """Users who joined, left or changed status one after the other, folded into one entry."""

    time: str
    changes: dict[str, Change]
    others: int = 0  # events of further users, beyond MAX_FOLDED_NAMES

    def fold(self, event: Joined | Left | Presence) -> None:
        """Add one more event."""
        change = self.changes.get(event.name)
        if change is None:
            if len(self.changes) >= MAX_FOLDED_NAMES:
                self.others += 1
                return
            here = not isinstance(event, Joined)
            change = self.changes[event.name] = Change(was_here=here, is_here=here)
        match event:
            case Joined():
                change.is_here = True
            case Left():
                change.is_here, change.left = False, event
            case Presence():
                change.status = event.status


class Told(Struct, eq=False):
    """Words of this program."""

    time: str
    words: Callable[[], str]
    continues: bool = False  # it stands below other words: no time
    group_since: str = ""


class Day(Struct, eq=False):
    """A new day begins here."""

    day: date


class New(Struct, eq=False):
    """What follows is new since the user was here."""


Entry = Said | Moved | Told | Day | New
