"""One registered user's presence, and what other threads may ask of the worker that owns it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from msgspec import Struct, UnsetType

from tertulia.protocol.messages import Status
from tertulia.protocol.names import Name


class Home(Protocol):
    """The worker that owns a session, as the others may see it.

    Any thread may call; nothing here waits. `reply` is called in any thread, once.
    """

    def hand_over(self, session: "Session", line: bytes, reply: Callable[[bool], object]) -> None:
        """Put a line into the session's output; reply whether the session was there to get it."""

    def challenge(self, session: "Session", reply: Callable[[], object]) -> None:
        """Ping the session and end it if it shows no life; reply as soon as either is known."""

    def evict(self, session: "Session") -> None:
        """Close the connection of a session that has been replaced."""

    def acknowledge(self, receipts: list[tuple["Receipt", bool]]) -> None:
        """Tell speakers that what they said is stored, or that it could not be."""


@dataclass(slots=True, eq=False, kw_only=True)
class Session:
    """One registered user's presence.

    `status`, `chosen`, `idled` and `is_here` change under the Hub's lock; `last_active` is written
    by the owning worker alone, under that lock too.
    """

    name: Name
    address: str
    token: str
    home: Home
    messages_only: bool  # asked for the messages of the general chat alone
    since: str  # RFC 3339
    last_active: float  # seconds of the monotonic clock
    status: Status = Status.ACTIVO  # as shown to everyone
    chosen: Status = Status.ACTIVO  # as the user wants it
    idled: bool = False  # INACTIVO by the server
    is_here: bool = False  # in the Registry
    own_events: list[tuple[int, bytes]] = field(default_factory=list)  # for it alone, with seq


class Receipt(Struct, frozen=True):
    """Who is to be told, in answer to which request, that a message is stored."""

    session: Session
    request_id: int | UnsetType
    seq: int
