"""Notes when users do something, for all parts of the Hub. Used under the Hub's lock only."""

from collections.abc import Callable

from tertulia.server.hub.journal import Journal
from tertulia.server.hub.room import Room
from tertulia.server.hub.session import Session


class Activity:
    """The activity of the users. `monotonic` is the clock by which they become idle."""

    def __init__(self, room: Room, journal: Journal, monotonic: Callable[[], float]) -> None:
        self._room = room
        self._journal = journal
        self._monotonic = monotonic

    def note(self, session: Session) -> float:
        """Note a request that was not refused; show an idle user's chosen status again.

        Returns the time, in seconds of the monotonic clock.
        """
        monotonic = self._monotonic  # a variable, since calling an attribute takes longer
        now = session.last_active = monotonic()
        if session.is_catching_up:
            session.is_catching_up = False
        if session.status is not session.chosen and session.is_here:
            self._room.show_status(session, session.chosen, "server", self._journal.stamp())
        return now

    def note_reading(self, session: Session) -> None:
        """Note a request that a client may make by itself, to catch up."""
        if not session.is_catching_up:
            self.note(session)
