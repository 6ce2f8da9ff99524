"""Limits how fast a client makes requests after its server has refused one as too early.

It reads no clock and never waits. Any thread may use it.
"""

import threading

# Slower than the server requires, because requests differ in how long they take to arrive.
_SLACK = 1.1


class Pace:
    """The time of the next request, in seconds of the monotonic clock. Any thread may call.

    Requests need not wait until the server has refused one. From then on they keep the interval
    that the server named. It stays in force on new connections, because a server remembers the
    refusal.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._interval_s = 0.0
        self._next_at = 0.0
        self._slowed_at = 0.0

    @property
    def next_at(self) -> float:
        """Return the time at which the next request may be made."""
        with self._lock:
            return self._next_at

    def take_turn(self, now: float) -> float:
        """Reserve the next turn for a request, and return its time."""
        with self._lock:
            at = max(now, self._next_at)
            self._next_at = at + self._interval_s
            return at

    def slow_down(self, sent_at: float, now: float, retry_after_s: float) -> None:
        """Note that the request made at `sent_at` was refused until `retry_after_s` from now."""
        with self._lock:
            if sent_at >= self._slowed_at:  # it was made at the present pace, which is too fast
                self._interval_s = max(self._interval_s, retry_after_s) * _SLACK
                self._slowed_at = now
            self._next_at = max(self._next_at, now + self._interval_s)
