"""The general chat as encoded lines: written once, read by every session from its own cursor.

Any thread may append and take; both hold the log's lock for a moment and do no I/O.
"""

import threading
from bisect import bisect_left, bisect_right
from typing import NamedTuple

from tertulia.protocol.messages import Gap


class Stretch(NamedTuple):
    """Consecutive lines of the log as one piece, and the number of each."""

    data: bytes
    seqs: list[int]


class EventLog:
    """The last `max_bytes` of the events, numbered by seq.

    A cursor is the seq of the last event that a reader has got: a number, so that a slow reader
    keeps nothing alive. What has been trimmed before it was read is announced by a `Gap`.
    """

    def __init__(self, max_bytes: int, last_seq: int = 0) -> None:
        self._lock = threading.Lock()
        self._max_bytes = max_bytes
        self._slack_bytes = max_bytes // 8  # trimmed in one go, for deleting shifts the lists
        self._lines: list[bytes] = []
        self._seqs: list[int] = []
        self._ends: list[int] = []  # where each line ends, counted in bytes since the beginning
        self._start = 0  # where the first line kept begins
        self._trimmed_seq = last_seq
        self.last_seq = last_seq

    def append(self, seq: int, line: bytes) -> None:
        """Add an event; its `seq` has to be larger than all before."""
        with self._lock:
            self._lines.append(line)
            self._seqs.append(seq)
            end = (self._ends[-1] if self._ends else self._start) + len(line)
            self._ends.append(end)
            self.last_seq = seq
            if end - self._start > self._max_bytes + self._slack_bytes:
                self._trim(end - self._max_bytes)

    def take(self, cursor: int, max_bytes: int, before: int | None = None) -> Stretch | Gap | None:
        """Read on from a cursor: at most `max_bytes` but at least one line; None at the end.

        The end is the last event, or the last one `before` a number.
        """
        with self._lock:
            if cursor >= self.last_seq:
                return None
            if cursor < self._trimmed_seq:
                return Gap(after=cursor, through=self.last_seq)
            first = bisect_right(self._seqs, cursor)
            start = self._ends[first - 1] if first else self._start
            last = max(first + 1, bisect_right(self._ends, start + max_bytes))
            if before is not None:
                last = min(last, bisect_left(self._seqs, before))
                if last <= first:
                    return None
            return Stretch(b"".join(self._lines[first:last]), self._seqs[first:last])

    def has_news(self, cursor: int) -> bool:
        """Tell whether there is something after a cursor.

        Under the lock, so that a worker that goes to sleep and another one that appends cannot
        miss each other.
        """
        with self._lock:
            return cursor < self.last_seq

    def _trim(self, start: int) -> None:
        count = min(bisect_right(self._ends, start), len(self._ends) - 1)
        if count:
            self._trimmed_seq = self._seqs[count - 1]
            self._start = self._ends[count - 1]
            del self._lines[:count], self._seqs[:count], self._ends[:count]
