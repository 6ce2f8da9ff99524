"""The journal: what orders the changes of the Room, and gives each its time.

A change is a verb of the Room. On one machine the order is that in which the Hub's lock is taken.
A journal over several machines calls the same verbs when a change comes back from their shared
order; its methods then return before the outcome is known.
"""

from collections.abc import Callable
from typing import Literal, Protocol

from msgspec import UnsetType

from tertulia.protocol.messages import ChatMessage, CloseReason, Status
from tertulia.protocol.times import Stamps
from tertulia.server.hub.eventlog import EventLog
from tertulia.server.hub.room import Conflict, Entered, Newcomer, Refused, Room
from tertulia.server.hub.session import Route, Session

_MOST_EVENTS = 2  # that one verb appends: a registration that takes a session over


class Journal(Protocol):
    """Puts a change into the one order and applies it. Everything is called under the Hub's lock.

    `now` and `last_active` are in seconds of the caller's monotonic clock.
    """

    def register(
        self, newcomer: Newcomer, route: Route, token: str, last_active: float
    ) -> Entered | Conflict | Refused:
        """See Room.register."""

    def release(self, session: Session, reason: CloseReason) -> bool:
        """See Room.release."""

    def say(
        self, session: Session, text: str, nonce: str | UnsetType, now: float
    ) -> ChatMessage | int:
        """See Room.say."""

    def show_status(self, session: Session, status: Status, by: Literal["user", "server"]) -> None:
        """See Room.show_status."""


class LocalJournal:
    """The order on one machine: each change is applied at once."""

    def __init__(
        self,
        room: Room,
        events: EventLog,
        wall: Callable[[], float],
        reserve_soon: Callable[[int], None] | None,
    ) -> None:
        """`reserve_soon` is told how far numbers may go, if they have to be reserved on disk."""
        self._room = room
        self._events = events
        self._time = Stamps(wall).now
        self._reserve_soon = reserve_soon

    def register(
        self, newcomer: Newcomer, route: Route, token: str, last_active: float
    ) -> Entered | Conflict | Refused:
        """See Room.register."""
        if self._reserve_soon is not None:
            self._reserve_soon(self._events.last_seq + _MOST_EVENTS)
        return self._room.register(newcomer, route, token, self._time(), last_active)

    def release(self, session: Session, reason: CloseReason) -> bool:
        """See Room.release."""
        if self._reserve_soon is not None:
            self._reserve_soon(self._events.last_seq + _MOST_EVENTS)
        return self._room.release(session, reason, self._time())

    def say(
        self, session: Session, text: str, nonce: str | UnsetType, now: float
    ) -> ChatMessage | int:
        """See Room.say."""
        if self._reserve_soon is not None:
            self._reserve_soon(self._events.last_seq + _MOST_EVENTS)
        return self._room.say(session, text, nonce, self._time(), now)

    def show_status(self, session: Session, status: Status, by: Literal["user", "server"]) -> None:
        """See Room.show_status."""
        if self._reserve_soon is not None:
            self._reserve_soon(self._events.last_seq + _MOST_EVENTS)
        self._room.show_status(session, status, by, self._time())
