"""Checks who may post to a hook, and how often. Any thread may call.

Wrong secrets are limited by address, separately from wrong codes: a program with an old secret must
not keep people at the same computer out of the chat. `now` is in seconds of the monotonic clock.
"""

import threading
from collections import OrderedDict

from msgspec import UNSET

from tertulia.protocol.messages import Error
from tertulia.server import refusals
from tertulia.server.config import Config
from tertulia.server.hub.hooks import hash_of
from tertulia.server.hub.notices import Notices
from tertulia.server.workers.guesses import Guesses
from tertulia.server.workers.rate_limit import TokenBucket

_PER_S, _BURST = 1.0, 20.0  # notices through one hook
_MAX_LIMITS = 1_000  # hooks whose notices are counted; at the bound the oldest is forgotten


class HookAccess:
    """The rate limits of all hooks, and the wrong secrets of each address."""

    def __init__(self, config: Config, notices: Notices) -> None:
        self._is_limited = config.rate_limit_per_s is not None
        self._notices = notices
        self._guesses = Guesses(config)
        self._lock = threading.Lock()
        self._limits: OrderedDict[str, TokenBucket] = OrderedDict()

    def check(self, secret: str, address: str, now: float) -> Error | None:
        """Return the refusal of a post, if it is refused."""
        verdict = self._guesses.judge(address, lambda: self._notices.knows(secret), now)
        if verdict is False:
            return refusals.hook_unknown()
        if verdict is not True:
            return refusals.guessed_too_often(UNSET, verdict)
        retry_after_s = self._spend(hash_of(secret), now) if self._is_limited else 0.0
        return refusals.rate_limited(UNSET, retry_after_s) if retry_after_s else None

    def _spend(self, secret_hash: str, now: float) -> float:
        with self._lock:
            bucket = self._limits.pop(secret_hash, None) or TokenBucket(_PER_S, _BURST, now)
            self._limits[secret_hash] = bucket  # the last one is the most recent
            if len(self._limits) > _MAX_LIMITS:
                self._limits.popitem(last=False)
            return bucket.spend(now)
