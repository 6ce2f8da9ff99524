"""The journal gives each change of the Room its time, and has numbers reserved for it.

A change is a call of one of the Room's verbs, and the order is that in which the Hub's lock is
taken. On several machines, each Hub takes its lock in the order of their common log
(server/cluster).
"""

from collections.abc import Callable
from datetime import UTC, datetime

from tertulia.protocol.times import rfc3339
from tertulia.server.hub.eventlog import EventLog

_MOST_EVENTS = 2  # appended by one verb: a registration that takes a session over


class Stamps:
    """A clock that writes timestamps, and formats only what has changed since the last one.

    Not thread-safe. `wall` returns the time in seconds since the epoch.
    """

    def __init__(self, wall: Callable[[], float]) -> None:
        self.wall = wall
        self._stamp = self._second = ""
        self._stamped_ms: int | None = None
        self._stamped_second: int | None = None

    def now(self) -> str:
        """Return the current time."""
        wall = self.wall  # a variable, since calling an attribute takes longer
        now_ms = int(wall() * 1_000)
        if now_ms != self._stamped_ms:
            self._stamped_ms = now_ms
            second, ms = divmod(now_ms, 1_000)
            if second != self._stamped_second:
                self._stamped_second = second
                self._second = rfc3339(datetime.fromtimestamp(second, UTC)).removesuffix("000Z")
            self._stamp = f"{self._second}{ms:03}Z"
        return self._stamp


class Journal(Stamps):
    """Stamps each change before the Room carries it out. Everything is called under the Hub's lock.

    `reserve_soon` gets the highest number that may be used, if numbers are reserved on disk.
    """

    def __init__(
        self,
        events: EventLog,
        wall: Callable[[], float],
        reserve_soon: Callable[[int], None] | None,
    ) -> None:
        super().__init__(wall)
        self._events = events
        self._reserve_soon = reserve_soon

    def stamp(self, most_events: int = _MOST_EVENTS) -> str:
        """Return the time for the next change, which appends at most `most_events` events."""
        if self._reserve_soon is not None:
            self._reserve_soon(self._events.last_seq + most_events)
        return self.now()

    def nonce_time(self, monotonic: float) -> float:
        """Return the time by which nonces expire: here the machine's own clock, `monotonic`.

        On several machines it is the time of their common log.
        """
        return monotonic
