"""What is kept beside the messages: typed rows, which a Keeper stores and gives back at the start.

Each kind of row is a table of the history's file. The first field is its key: a row that is put
takes the place of one with the same key. Times are RFC 3339 in UTC; names are as they are shown.
`operator` is the name of whoever decided it, or "server" for the console on the machine itself.
"""

from typing import Protocol, TypeVar

from msgspec import Struct


class Ban(Struct, frozen=True, kw_only=True):
    """Who may not come in: a name with the address that it came from, an address, or a network."""

    key: str  # `name:` and the name's key, or `address:` and the address: 10.0.0.7 can be a name
    name: str | None = None
    address: str | None = None  # an IP address, or a network as 10.0.0.0/28
    until: str | None = None  # None: until it is lifted
    operator: str
    reason: str | None = None
    time: str


class Mute(Struct, frozen=True, kw_only=True):
    """Who may not speak in the general chat: a name, with the address that it came from."""

    key: str  # the name's key
    name: str
    address: str | None = None
    until: str | None = None  # None: until it is lifted
    operator: str
    time: str


class Switch(Struct, frozen=True, kw_only=True):
    """What is on now: `hushed` or `locked`, or that the pinned message came through a hook."""

    key: str
    operator: str
    time: str


class Pin(Struct, frozen=True, kw_only=True):
    """The pinned message, and who pinned it."""

    key: str = "pinned"  # there is one at most
    seq: int
    sent: str
    sender: str
    text: str
    operator: str
    time: str


class Insider(Struct, frozen=True, kw_only=True):
    """Who may come back while the room is locked."""

    key: str  # the name's key
    name: str
    ended: str | None = None  # the end of the last session; None: it is here


class HeldName(Struct, frozen=True, kw_only=True):
    """A name that is held for whoever has its key."""

    key: str  # the name's key
    name: str
    key_hash: str
    ended: str | None = None  # the end of the last session; None: it is here


class Visit(Struct, frozen=True, kw_only=True):
    """A session, for the attendance."""

    key: int  # the number of its `joined`
    name: str
    address: str
    joined: str
    ended: str | None = None
    reason: str | None = None


class Hook(Struct, frozen=True, kw_only=True):
    """A secret address that programs can say something through."""

    key: str  # the hash of the secret
    name: str
    operator: str
    time: str


class HookMessage(Struct, frozen=True, kw_only=True):
    """That a message came through a hook."""

    key: int  # the message's number


class Place(Struct, frozen=True, kw_only=True):
    """Up to which entry of the log a node of a cluster has everything, and its state there."""

    key: str = "place"  # there is one at most
    chat: str
    log: str  # the log's id
    place: int
    state: bytes


class MissingMessages(Struct, frozen=True, kw_only=True):
    """Numbers of messages that a node of a cluster has never had, if there are such messages."""

    key: int  # numbers above this one
    through: int


class MissingVisits(Struct, frozen=True, kw_only=True):
    """Keys of visits that a node of a cluster has never had, or of whose end it knows nothing."""

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
    """Returns the rows of a kind that an earlier run has kept."""

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
    """Return which row a change is about; of several changes to one row the last one counts."""
    if isinstance(change, Removed):
        return change.kind, change.key
    return type(change), change.key
