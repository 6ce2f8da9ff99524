"""Which messages have been said lately, by their nonce: so that a resent one is not said again."""

from collections import OrderedDict
from collections.abc import Hashable


class RecentNonces:
    """What each nonce became, for `keep_s` seconds; at `max_entries` the oldest is forgotten.

    Used under the Hub's lock.
    """

    def __init__(self, keep_s: float, max_entries: int) -> None:
        self._keep_s = keep_s
        self._max_entries = max_entries
        self._entries: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable, now: float) -> int | None:
        """Return the seq of a message said before, or None."""
        while self._entries:
            oldest, (said_at, _) = next(iter(self._entries.items()))
            if now - said_at <= self._keep_s:
                break
            del self._entries[oldest]
        entry = self._entries.get(key)
        return None if entry is None else entry[1]

    def remember(self, key: Hashable, seq: int, now: float) -> None:
        """Note a message as said."""
        self._entries[key] = (now, seq)
        if len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)
