"""The writer's background work: the search index, and deleting what is older than `--keep`.

It is done in small parts between two groups of messages. Only the writer's thread uses this.
"""

import logging
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

from tertulia.server.history.cleanup import LOOK_EVERY_S, Cleanup
from tertulia.server.history.store import MessageStore

log = logging.getLogger("tertulia.server")

_INDEX_STEP = 2_000  # messages indexed for search before the writer looks at its queue again
_BUSY_INDEX_STEP = 100  # moved from an old index, a millisecond's work, between two groups
_INDEX_BACKLOG = 200_000  # above this, a second's work, indexing does not wait for quiet
_QUIET_S = 0.5  # without work, before the writer begins to index


class Upkeep:
    """The upkeep of one history. `is_writable` is False while the file cannot be written."""

    def __init__(self, store: MessageStore, path: Path, keep_days: float | None) -> None:
        self._store = store
        self._path = path
        self._keep_days = keep_days
        self.unindexed = 1  # messages, at most; those of an earlier run are not counted
        self._has_old_index = True  # perhaps, of an earlier version
        self._cleanup: Cleanup | None = None  # made before anything of this run is stored
        self._forget_at = time.monotonic()

    def index(self, *, is_idle: bool, is_asked: bool, is_writable: bool) -> None:
        """Index some messages if it is quiet, a search waits for it, or too many are not indexed.

        Otherwise replace a part of an old index.
        """
        if not is_writable:
            self.unindexed = 0  # for the searches that wait: the reader says what it can read
        if self.unindexed and (is_idle or is_asked or self.unindexed > _INDEX_BACKLOG):
            self._index_some()
        elif self._has_old_index and is_writable:
            self._replace_old_index(_INDEX_STEP if is_idle else _BUSY_INDEX_STEP)

    def forget(self, *, is_writable: bool) -> None:
        """Delete some messages that are too old, if it is time for it."""
        if time.monotonic() < self._forget_at:
            return
        self._forget_at = time.monotonic() + LOOK_EVERY_S
        if self._keep_days is None or not is_writable:
            return
        try:
            if self._cleanup is None:
                self._cleanup = Cleanup(self._store, self._keep_days)
            self._forget_at = time.monotonic() + self._cleanup.step(
                datetime.now(UTC), time.monotonic()
            )
        except sqlite3.Error as error:
            log.warning("history not shortened error=%s path=%s", error, self._path)

    def wait_s(self, *, is_idle: bool, is_writable: bool) -> float:
        """Return the seconds until there is something to do again, without new messages."""
        if self.unindexed or (self._has_old_index and is_writable):
            return 0.0 if is_idle else _QUIET_S
        return max(0.0, self._forget_at - time.monotonic())

    def _index_some(self) -> None:
        try:
            if not self._store.index(_INDEX_STEP):
                self.unindexed = 0
        except sqlite3.Error as error:  # searches find less until the next attempt succeeds
            log.warning("history not indexed error=%s path=%s", error, self._path)
            self.unindexed = 0

    def _replace_old_index(self, count: int) -> None:
        try:
            self._has_old_index = self._store.replace_old_index(count)
        except sqlite3.Error as error:
            log.warning("history: old index not replaced error=%s path=%s", error, self._path)
            self._has_old_index = False  # tried again at the next start
