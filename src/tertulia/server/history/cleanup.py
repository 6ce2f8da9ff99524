"""Deletes messages that are older than `--keep` allows, in small steps on the writer's thread.

A wrong clock that is far ahead must not delete everything. So after a jump ahead, nothing is
deleted until the next check, an hour later, and only if the clock has not jumped again.
"""

import logging
from datetime import datetime, timedelta

from tertulia.protocol.times import rfc3339
from tertulia.server.history.store import MessageStore

log = logging.getLogger("tertulia.server")

LOOK_EVERY_S = 3_600.0
_STEP = 2_000  # messages checked before the writer returns to its queue
# Between the newest message and a start; after a longer pause, the clock may be wrong.
_MAX_PAUSE = timedelta(days=7)
_MAX_JUMP_S = 86_400.0  # of the clock while the server runs


class Cleanup:
    """The clean-up of one history. Its methods raise sqlite3.Error."""

    def __init__(self, store: MessageStore, keep_days: float) -> None:
        """Begin with a look at the newest message, which an earlier run has stored."""
        self._store = store
        self._keep = timedelta(days=keep_days)
        self._newest = store.newest_time()
        self._clock_offset_s: float | None = None  # the wall clock minus the monotonic one
        # The present round: the last seq checked, the time limit, the number of deleted messages.
        self._position: int | None = None
        self._before_time = ""
        self._deleted = 0
        self._is_index_loose = False  # The index still has words of deleted messages.

    def step(self, now: datetime, monotonic_s: float) -> float:
        """Do one small step; return the seconds until the next one is due."""
        if self._position is None and not self._is_index_loose:
            if not self._trusts_clock(now, monotonic_s):
                return LOOK_EVERY_S
            self._position, self._before_time, self._deleted = 0, rfc3339(now - self._keep), 0
        if self._position is not None:
            deleted, self._position = self._store.forget(
                self._before_time, after=self._position, count=_STEP
            )
            self._deleted += deleted
            self._is_index_loose = self._position is None and self._deleted > 0
        elif not self._store.compact_index():
            self._is_index_loose = False
            self._store.empty_wal()
            log.info("history shortened deleted=%d before=%s", self._deleted, self._before_time)
        is_done = self._position is None and not self._is_index_loose
        return LOOK_EVERY_S if is_done else 0.0

    def _trusts_clock(self, now: datetime, monotonic_s: float) -> bool:
        offset_s = now.timestamp() - monotonic_s
        if self._clock_offset_s is not None:
            has_jumped = offset_s - self._clock_offset_s > _MAX_JUMP_S
        else:
            has_jumped = self._newest is not None and self._newest < rfc3339(now - _MAX_PAUSE)
        self._clock_offset_s = offset_s
        if has_jumped:
            log.warning(
                "clock has jumped ahead: nothing is deleted yet clock=%s next_look_in_s=%.0f",
                rfc3339(now),
                LOOK_EVERY_S,
            )
        return not has_jumped
