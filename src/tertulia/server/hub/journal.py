"""The journal: what orders the changes of the Room, and gives each its time.

A change is a verb of the Room, and the order is that in which the Hub's lock is taken. On several
machines the Hub of each takes it in the order of their common log (server/cluster).
"""

from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import UnsetType

from tertulia.protocol.messages import ChatMessage, CloseReason, Status, StoredMessage
from tertulia.protocol.names import Name
from tertulia.protocol.times import Stamps
from tertulia.server.hub.eventlog import EventLog
from tertulia.server.hub.moderation import Silence
from tertulia.server.hub.records import Ban, Hook, Mute
from tertulia.server.hub.room import Conflict, Entered, Newcomer, Refused, Room
from tertulia.server.hub.session import Route, Session

_MOST_EVENTS = 2  # that one verb appends: a registration that takes a session over


class Journal:
    """Applies each change at once. Everything is called under the Hub's lock.

    `now` and `last_active` are in seconds of the caller's monotonic clock.
    """

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
        self.wall = wall
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

    # --- what operators decide: seldom ---------------------------------------------------------

    def _stamp(self, most_events: int = _MOST_EVENTS) -> str:
        if self._reserve_soon is not None:
            self._reserve_soon(self._events.last_seq + most_events)
        return self._time()

    def has_said(self, session: Session, nonce: str | UnsetType, now: float) -> bool:
        """See Room.has_said."""
        return self._room.has_said(session, nonce, now)

    def silence_of(self, session: Session) -> Mute | Silence | None:
        """See Moderation.silence_of."""
        return self._room.moderation.silence_of(session, self._time())

    def promote(self, session: Session) -> bool:
        """See Moderation.promote."""
        return self._room.moderation.promote(session, self._stamp())

    def kick(self, session: Session, by: str, text: str | UnsetType) -> bool:
        """See Room.release."""
        return self._room.release(session, CloseReason.KICKED, self._stamp(), by, text)

    def ban(self, ban: Ban) -> list[Session]:
        """See Room.ban."""
        self._stamp(len(self._room.registry) + _MOST_EVENTS)
        return self._room.ban(ban)

    def lift_bans(self, bans: Sequence[Ban]) -> None:
        """See Moderation.lift_bans."""
        self._room.moderation.lift_bans(bans)

    def mute(self, mute: Mute) -> None:
        """See Moderation.mute."""
        self._room.moderation.mute(mute, self._stamp())

    def lift_mutes(self, mutes: Sequence[Mute], by: str) -> None:
        """See Moderation.lift_mutes."""
        self._room.moderation.lift_mutes(mutes, by, self._stamp(len(mutes)))

    def hush(self, by: str, *, on: bool) -> None:
        """See Moderation.hush."""
        self._room.moderation.hush(by, self._stamp(), on=on)

    def lock(self, by: str, *, on: bool) -> None:
        """See Moderation.lock."""
        self._room.moderation.lock(by, self._stamp(), on=on)

    def pin_message(self, message: StoredMessage | None, by: str) -> None:
        """See Moderation.pin_message."""
        self._room.moderation.pin_message(message, by, self._stamp())

    def free_name(self, name: Name) -> None:
        """See Room.free_name."""
        self._room.free_name(name)

    def create_hook(self, hook: Hook) -> None:
        """See Hooks.create."""
        self._room.hooks.create(hook)

    def remove_hook(self, hook: Hook) -> None:
        """See Hooks.remove."""
        self._room.hooks.remove(hook)

    def post(self, hook: Hook, text: str) -> ChatMessage:
        """See Room.post."""
        return self._room.post(hook, text, self._stamp())
