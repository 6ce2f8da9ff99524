"""How many requests a session may make: a token bucket, and how many were refused lately."""

from collections import deque

from tertulia.server.config import Config


class RateLimit:
    """The token bucket of one session, and its recent refusals.

    Only the session's worker uses it. `now` is in seconds of the monotonic clock.
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
        self._refused_at: deque[float] | None = (
            None  # created at the first refusal: most sessions never have one
        )

    def spend(self, now: float) -> float:
        """Spend a token and return 0.0, or return the seconds until there is one."""
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
        """Return whether so many requests were refused lately that the connection has to end."""
        refused_at = self._refused_at
        return (
            refused_at is not None
            and len(refused_at) == refused_at.maxlen
            and now - refused_at[0] <= self._flood_window_s
        )
