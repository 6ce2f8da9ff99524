"""Limits how fast a client makes requests, once its server has refused one as too early."""

import threading

_SLACK = 1.1  # slower than the server asks for, because not all requests take equally long to it


class Pace:
    """The time of the next request, in seconds of the monotonic clock. Any thread may call.

    There is none to wait for until the server has refused a request. From then on the requests keep
    the interval that it named, also over reconnections: a server remembers whom it has refused.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._interval_s = 0.0
        self._next_at = 0.0
        self._slowed_at = 0.0

    @property
    def next_at(self) -> float:
        """When the next request may be made."""
        with self._lock:
            return self._next_at

    def take_turn(self, now: float) -> float:
        """Take the next turn for a request, and return when that is."""
        with self._lock:
            at = max(now, self._next_at)
            self._next_at = at + self._interval_s
            return at

    def slow_down(self, sent_at: float, now: float, retry_after_s: float) -> None:
        """Note that a request, made at `sent_at`, was refused until `retry_after_s` from now."""
        with self._lock:
            if sent_at >= self._slowed_at:  # made at the present pace, which is too fast
                self._interval_s = max(self._interval_s, retry_after_s) * _SLACK
                self._slowed_at = now
            self._next_at = max(self._next_at, now + self._interval_s)
