"""Token buckets that limit the requests of a name and the registrations of an address.

`now` is in seconds of the monotonic clock.
"""

import threading
from collections import OrderedDict, deque

from tertulia.server.config import Config

_MAX_ADDRESSES = 10_000  # with counted registrations; at the bound the oldest is forgotten


class TokenBucket:
    """Up to `burst` tokens, to which `per_s` are added each second."""

    __slots__ = ("_burst", "_per_s", "_tokens", "last_spent_at")

    def __init__(self, per_s: float, burst: float, now: float) -> None:
        self._per_s = per_s
        self._burst = self._tokens = max(1.0, burst)
        self.last_spent_at = now

    def spend(self, now: float, tokens: float = 1.0) -> float:
        """Spend tokens and return 0.0; if there are too few, return the seconds to wait.

        That is the time in which as many tokens are added. It is longer than necessary, but a
        client that always waits so long is never refused again.
        """
        self._tokens = min(self._burst, self._tokens + (now - self.last_spent_at) * self._per_s)
        self.last_spent_at = now
        if self._tokens >= tokens:
            self._tokens -= tokens
            return 0.0
        return tokens / self._per_s


class RateLimit(TokenBucket):
    """The token bucket of one name, and its recent refusals.

    Only the worker of the name's session uses it.
    """

    __slots__ = ("_flood_refusals", "_flood_window_s", "_refused_at")

    def __init__(self, config: Config, now: float) -> None:
        per_s = config.rate_limit_per_s or 0.0
        super().__init__(per_s, per_s * config.rate_burst_s, now)
        self._flood_window_s = config.flood_window_s
        self._flood_refusals = config.flood_refusals
        self._refused_at: deque[float] | None = None  # most names have no refusals

    def note_refused(self, now: float) -> None:
        """Count a refusal."""
        if self._refused_at is None:
            self._refused_at = deque(maxlen=self._flood_refusals)
        self._refused_at.append(now)

    def is_flood(self, now: float) -> bool:
        """Return whether so many requests were refused recently that the connection has to end."""
        refused_at = self._refused_at
        return (
            refused_at is not None
            and len(refused_at) == refused_at.maxlen
            and now - refused_at[0] <= self._flood_window_s
        )


class Unlimited(RateLimit):
    """The limit of a console on this machine: none."""

    __slots__ = ()

    def spend(self, now: float, tokens: float = 1.0) -> float:
        """Return 0.0."""
        return 0.0


class RateLimits:
    """The limits of all names and addresses, which survive reconnections. Any thread may call.

    A name's limit is kept for `rate_keep_s` after its last request. The number of limits is bounded
    because the registrations of each address are limited.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._limits_addresses = config.rate_limit_per_s is not None and not config.shared_addresses
        self._lock = threading.Lock()
        self._in_use: dict[str, tuple[RateLimit, int]] = {}  # by name, with the number of users
        self._kept: OrderedDict[str, RateLimit] = OrderedDict()
        self._addresses: OrderedDict[str, TokenBucket] = OrderedDict()

    def acquire(self, key: str, now: float) -> RateLimit:
        """Return the limit of a name for one session, which has to call `release` at its end."""
        with self._lock:
            self._forget_old(now)
            limit, users = self._in_use.get(key, (None, 0))
            if limit is None:
                limit = self._kept.pop(key, None) or RateLimit(self._config, now)
            self._in_use[key] = limit, users + 1
            return limit

    def release(self, key: str) -> None:
        """Note the end of a session that has acquired the limit of its name."""
        with self._lock:
            limit, users = self._in_use.pop(key)
            if users > 1:
                self._in_use[key] = limit, users - 1
            else:
                self._kept[key] = limit

    def spend_registration(self, address: str, now: float) -> float:
        """Count a registration; return 0.0, or the seconds until the address may try again."""
        if not self._limits_addresses:
            return 0.0
        with self._lock:
            bucket = self._addresses.pop(address, None)
            if bucket is None:
                config = self._config
                bucket = TokenBucket(config.registrations_per_s, config.registration_burst, now)
            self._addresses[address] = bucket  # the last one is the most recent
            if len(self._addresses) > _MAX_ADDRESSES:
                self._addresses.popitem(last=False)
            return bucket.spend(now)

    def _forget_old(self, now: float) -> None:
        while self._kept:
            oldest = next(iter(self._kept.values()))
            if now - oldest.last_spent_at <= self._config.rate_keep_s:
                break
            self._kept.popitem(last=False)
