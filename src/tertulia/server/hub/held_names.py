"""Names that are reserved for the owner of a key, even while away. Pure state, no clock.

A name is held for the key of the first session that showed one, until some days after its last
session. Only the hash of a key is kept. Used under the Hub's lock only.
"""

import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from tertulia.protocol.names import Name
from tertulia.protocol.times import rfc3339
from tertulia.server.hub.records import Change, HeldName, Removed

_MAX_HELD = 100_000  # at the bound, further names are not held
_LOOK_EVERY = timedelta(hours=1)  # when full, the least time between two searches for expired names


class HeldNames:
    """The rows of held names. The reader of `changes` empties that list.

    `time` is the present time, as RFC 3339.
    """

    def __init__(self, days: float, rows: Iterable[HeldName], time: str) -> None:
        """Begin with the rows of an earlier run, which may have been killed."""
        self._keep_for = timedelta(days=days)
        self._looked_at = datetime.fromisoformat(time)
        self.changes: list[Change] = []  # not stored yet
        self._rows = {row.key: row for row in rows}
        for row in list(self._rows.values()):
            if row.ended is None:
                self._put(replace(row, ended=time))
        self._forget_old(time)

    def __len__(self) -> int:
        return len(self._rows)

    def resume(self, rows: Iterable[HeldName], looked_at: str) -> None:
        """Begin with the rows of another node, whose users may be connected."""
        self._rows = {row.key: row for row in rows}
        self._looked_at = datetime.fromisoformat(looked_at)

    @property
    def looked_at(self) -> str:
        """When expired rows were last searched for, as RFC 3339."""
        return rfc3339(self._looked_at)

    @property
    def rows(self) -> list[HeldName]:
        """Everything that is kept."""
        return list(self._rows.values())

    def is_for_another(self, name: Name, key_hash: str | None, time: str) -> bool:
        """Return whether a name is held for a different key."""
        row = self._rows.get(name.key)
        if row is None or (key_hash is not None and hmac.compare_digest(row.key_hash, key_hash)):
            return False
        return not self._is_over(row, time)

    def begin_session(self, name: Name, key_hash: str | None, time: str) -> None:
        """Note a session that may use this name; hold the name if the session shows a key."""
        row = self._rows.get(name.key)
        if row is not None and self._is_over(row, time):
            self._remove(name.key)
            row = None
        if row is None:
            if key_hash is None or not self._has_room(time):
                return
            row = HeldName(key=name.key, name=name.shown, key_hash=key_hash)
        self._put(replace(row, name=name.shown, ended=None))

    def end_session(self, name: Name, time: str) -> None:
        """Note the end of a session; the days are counted from now on."""
        row = self._rows.get(name.key)
        if row is not None:
            self._put(replace(row, ended=time))

    def holds(self, name: Name) -> bool:
        """Return whether a name is held for a key."""
        return name.key in self._rows

    def free(self, name: Name) -> None:
        """Stop holding a name."""
        if name.key in self._rows:
            self._remove(name.key)

    def _has_room(self, time: str) -> bool:
        now = datetime.fromisoformat(time)
        if len(self._rows) >= _MAX_HELD and now - self._looked_at >= _LOOK_EVERY:
            self._looked_at = now
            self._forget_old(time)
        return len(self._rows) < _MAX_HELD

    def _forget_old(self, time: str) -> None:
        for row in list(self._rows.values()):
            if self._is_over(row, time):
                self._remove(row.key)

    def _is_over(self, row: HeldName, time: str) -> bool:
        if row.ended is None:
            return False
        return datetime.fromisoformat(row.ended) + self._keep_for <= datetime.fromisoformat(time)

    def _put(self, row: HeldName) -> None:
        self._rows[row.key] = row
        self.changes.append(row)

    def _remove(self, key: str) -> None:
        del self._rows[key]
        self.changes.append(Removed(HeldName, key))
