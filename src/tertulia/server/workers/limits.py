"""Token buckets, floods of refusals, and how many connections there may be."""

import threading
from collections import deque

from tertulia.server.config import Config


class RateLimit:
    """The requests of one session: a token bucket, and a count of its recent refusals.

    Its session's worker alone uses it.
    """

    __slots__ = (
        "_burst",
        "_filled_at",
        "_flood_refusals",
        "_flood_window_s",
        "_per_s",
        "_refused_at",
        "_tokens",
    )

    def __init__(self, config: Config, now: float) -> None:
        self._per_s = config.rate_limit_per_s
        self._burst = max(1.0, (self._per_s or 0.0) * config.rate_burst_s)
        self._tokens = self._burst
        self._filled_at = now
        self._flood_window_s = config.flood_window_s
        self._flood_refusals = config.flood_refusals
        self._refused_at: deque[float] | None = None  # of most sessions nothing is ever refused

    def spend(self, now: float) -> float:
        """Take a token; return 0, or the seconds until there is one."""
        if self._per_s is None:
            return 0.0
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_s)
        self._filled_at = now
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return 0.0
        return (1.0 - self._tokens) / self._per_s

    def note_refused(self, now: float) -> None:
        """Count a refusal."""
        if self._refused_at is None:
            self._refused_at = deque(maxlen=self._flood_refusals)
        self._refused_at.append(now)

    def is_flood(self, now: float) -> bool:
        """Tell whether as many requests were refused lately as make a flood."""
        refused_at = self._refused_at
        return (
            refused_at is not None
            and len(refused_at) == refused_at.maxlen
            and now - refused_at[0] <= self._flood_window_s
        )


class Admission:
    """How many connections are open, and how many of them have not registered.

    Any thread may call.
    """

    def __init__(self, config: Config) -> None:
        self._lock = threading.Lock()
        self._max_open = config.max_users + config.max_unregistered
        self._max_per_address = (
            None if config.shared_addresses else config.max_unregistered_per_address
        )
        self._open = 0
        self._unregistered: dict[str, int] = {}

    def admit(self, address: str) -> bool:
        """Count one more connection in, if there may be one."""
        with self._lock:
            unregistered = self._unregistered.get(address, 0)
            if self._open >= self._max_open or (
                self._max_per_address is not None and unregistered >= self._max_per_address
            ):
                return False
            self._open += 1
            self._unregistered[address] = unregistered + 1
            return True

    def count_registered(self, address: str) -> None:
        """Note that a connection has registered."""
        with self._lock:
            self._forget_unregistered(address)

    def count_released(self, address: str) -> None:
        """Note that a connection, still open, has no session any more."""
        with self._lock:
            self._unregistered[address] = self._unregistered.get(address, 0) + 1

    def count_closed(self, address: str, *, is_registered: bool) -> None:
        """Count a connection out, which had a session until now or had none."""
        with self._lock:
            self._open -= 1
            if not is_registered:
                self._forget_unregistered(address)

    def _forget_unregistered(self, address: str) -> None:
        left = self._unregistered.pop(address) - 1
        if left:
            self._unregistered[address] = left
