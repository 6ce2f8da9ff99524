"""The records that are kept beside the messages: typed rows, which a Keeper stores and restores.

Each kind of row is a table in the history's file. The first field is its key: a new row replaces
one with the same key. Times are RFC 3339 in UTC; names are in the form that is shown. `operator` is
the name of the operator who decided, or "server" for the console on the machine itself.
"""

from typing import Protocol, TypeVar

from msgspec import Struct


class Ban(Struct, frozen=True, kw_only=True):
    """Keeps out a name with the address that it came from, an address, or a network."""

    key: str  # `name:` and the name's key, or `address:` and the address: 10.0.0.7 can be a name
    name: str | None = None
    address: str | None = None  # an IP address, or a network as 10.0.0.0/28
    until: str | None = None  # None: until it is lifted
    operator: str
    reason: str | None = None
    time: str


class Mute(Struct, frozen=True, kw_only=True):
    """Silences a name in the general chat, with the address that it came from."""

    key: str  # the name's key
    name: str
    address: str | None = None
    until: str | None = None  # None: until it is lifted
    operator: str
    time: str


class Switch(Struct, frozen=True, kw_only=True):
    """A state that is on: `hushed`, `locked`, or that the pinned message came from a hook."""

    key: str
    operator: str
    time: str


class Pin(Struct, frozen=True, kw_only=True):
    """The pinned message, and who pinned it."""

    key: str = "pinned"  # there is at most one row
    seq: int
    sent: str
    sender: str
    text: str
    operator: str
    time: str


class Insider(Struct, frozen=True, kw_only=True):
    """A user who may come back while the room is locked."""

    key: str  # the name's key
    name: str
    ended: str | None = None  # the end of the last session; None: it is here


class HeldName(Struct, frozen=True, kw_only=True):
    """A name that is held for the owner of a key."""

    key: str  # the name's key
    name: str
    key_hash: str
    ended: str | None = None  # the end of the last session; None: it is here


class Visit(Struct, frozen=True, kw_only=True):
    """A session, for the attendance list."""

    key: int  # the number of its `joined`
    name: str
    address: str
    joined: str
    ended: str | None = None
    reason: str | None = None


class Hook(Struct, frozen=True, kw_only=True):
    """A secret address to which programs can post messages."""

    key: str  # the hash of the secret
    name: str
    operator: str
    time: str


class HookMessage(Struct, frozen=True, kw_only=True):
    """Marks a message that came from a hook."""

    key: int  # the message's number


class Place(Struct, frozen=True, kw_only=True):
    """The last entry of the log that a cluster's node has applied, and its state there.

    A second row, the "beginning", notes which log the node was to begin last, with the place 0 and
    a secret name as the state.
    """

    key: str = "place"
    chat: str
    log: str  # the log's id
    place: int
    state: bytes


class MissingMessages(Struct, frozen=True, kw_only=True):
    """A range of numbers whose messages, if there are any, a cluster's node has never had."""

    key: int  # numbers above this one
    through: int


class MissingVisits(Struct, frozen=True, kw_only=True):
    """A range of keys whose visits, or the ends of these, a cluster's node has never had."""

    key: int  # keys above this one
    through: int


Record = (
    Ban
    | Mute
    | Switch
    | Pin
    | Insider
    | HeldName
    | Visit
    | Hook
    | HookMessage
    | Place
    | MissingMessages
    | MissingVisits
)
Row = TypeVar(
    "Row",
    Ban,
    Mute,
    Switch,
    Pin,
    Insider,
    HeldName,
    Visit,
    Hook,
    HookMessage,
    Place,
    MissingMessages,
    MissingVisits,
)


class Records(Protocol):
    """Returns the rows of a kind from earlier runs."""

    def __call__(self, kind: type[Row], /) -> list[Row]:
        """Return them in the order of their keys."""


def no_records(_kind: type[Row]) -> list[Row]:
    """Return no rows: nothing is kept from one run to the next."""
    return []


class Removed(Struct, frozen=True):
    """The row of this kind with this key is to be deleted."""

    kind: type[Record]
    key: str | int


Change = Record | Removed


def place_of(change: Change) -> tuple[type[Record], str | int]:
    """Return the row that a change is about. The last of several changes to a row counts."""
    if isinstance(change, Removed):
        return change.kind, change.key
    return type(change), change.key
