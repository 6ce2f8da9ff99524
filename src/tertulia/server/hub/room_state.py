"""The whole state of the Room as values, with which another node can begin."""

from typing import Any

import msgspec
from msgspec import Struct

from tertulia.protocol.messages import Status
from tertulia.protocol.names import Name
from tertulia.server.hub.moderation import Departure
from tertulia.server.hub.records import (
    Ban,
    HeldName,
    Hook,
    Insider,
    Mute,
    Pin,
    Record,
    Row,
    Switch,
)

_KINDS: dict[str, type[Record]] = {
    kind.__name__: kind for kind in (Ban, Mute, Switch, Pin, Insider, HeldName, Hook)
}

PackedRow = tuple[str, dict[str, Any]]
# A sender's key, a nonce, the message's time in seconds, and its number.
KnownNonce = tuple[str, str, float, int]


class Present(Struct, array_like=True, gc=False):
    """A session, as all nodes know it."""

    name: Name
    address: str
    token: str
    node: str
    number: int  # the number in its route
    since: str
    status: Status
    chosen: Status
    is_operator: bool
    joined_seq: int


class RoomState(Struct, array_like=True):
    """The Room at one moment. It is equal on all nodes at the same place in the log."""

    present: list[Present] = []
    rows: list[PackedRow] = []
    departures: list[Departure] = []
    hooks_used: dict[str, str] = {}
    held_names_looked_at: str | None = None
    nonces: list[KnownNonce] = []

    def records(self, kind: type[Row]) -> list[Row]:
        """Return the rows of a kind. See Records."""
        return [msgspec.convert(row, kind) for name, row in self.rows if name == kind.__name__]

    def all_records(self) -> list[Record]:
        """Return all rows."""
        return [msgspec.convert(row, _KINDS[name]) for name, row in self.rows]


def pack_row(record: Record) -> PackedRow:
    """Return a row with the name of its kind."""
    return type(record).__name__, msgspec.to_builtins(record)
