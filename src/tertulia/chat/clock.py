"""The server's clock, learned from the times of its events.

All users of a chat see the same times and days in the same order, even if their own clocks are
wrong. For one thread.
"""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime

from tertulia.protocol.times import rfc3339

_YEARS = range(1971, 9_999)  # outside of them the arithmetic of datetime fails


class ServerClock:
    """The server's present time; this computer's clock is used until the server has sent a time."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._monotonic = monotonic
        self._wall = wall
        self._ahead_s: float | None = None  # ahead of the monotonic clock

    def forget(self) -> None:
        """Begin again, because a new connection may lead to a server with another clock."""
        self._ahead_s = None

    def learn(self, stamp: str) -> None:
        """Learn from the time of an event that has just arrived. A delayed event does no harm."""
        try:
            moment = datetime.fromisoformat(stamp)
        except ValueError:
            return  # a faulty server: its events are shown without a time
        if moment.year in _YEARS and moment.tzinfo is not None:
            ahead_s = moment.timestamp() - self._monotonic()
            if self._ahead_s is None or ahead_s > self._ahead_s:
                self._ahead_s = ahead_s

    def now(self) -> str:
        """Return the present time, in UTC as the protocol writes it."""
        return rfc3339(self._moment())

    def moment_of(self, stamp: str | None) -> float | None:
        """Return a time of the server by the monotonic clock; None if it is not a valid time."""
        try:
            moment = datetime.fromisoformat(stamp or "")
        except ValueError:
            return None
        if moment.year not in _YEARS or moment.tzinfo is None:
            return None
        return self._monotonic() + (moment - self._moment()).total_seconds()

    def today(self) -> date:
        """Return the current date in this user's time zone."""
        return self._moment().astimezone().date()

    def _moment(self) -> datetime:
        ahead_s = self._ahead_s
        return datetime.fromtimestamp(
            self._wall() if ahead_s is None else self._monotonic() + ahead_s, UTC
        )
