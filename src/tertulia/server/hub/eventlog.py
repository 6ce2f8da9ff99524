"""The general chat as encoded lines: written once, read by every session from its own cursor.

Any thread may take; it holds the lock for a moment and does no I/O.
"""

import threading
from bisect import bisect_right
from collections.abc import Sequence
from itertools import compress

from msgspec import Struct

from tertulia.protocol.messages import Gap


class Stretch(Struct, frozen=True):
    """Consecutive lines of the log as one piece, and the number of each.

    `through` is the cursor of who has got it all: beyond the last number, if what follows was left
    out.
    """

    data: bytes
    seqs: Sequence[int]
    through: int


class EventLog:
    """The last `max_bytes` of the events, numbered by seq without holes.

    A cursor is the seq of the last event that a reader has got: a number, so that a slow reader
    keeps nothing alive. What has been trimmed before it was read is announced by a `Gap`.

    `lock` is the one under which events get their numbers.
    """

    def __init__(self, lock: threading.Lock, max_bytes: int, last_seq: int = 0) -> None:
        self._lock = lock
        self._max_bytes = max_bytes
        self._slack_bytes = max_bytes // 8  # trimmed in one go, for deleting shifts the lists
        self._lines: list[bytes] = []
        self._are_messages: list[bool] = []
        self._ends: list[int] = []  # where each line ends, counted in bytes since the beginning
        self._start = self._end = 0  # where the first line kept begins, where the last one ends
        self._trimmed_seq = last_seq
        self._last_message_seq = last_seq
        self.last_seq = last_seq

    def append(self, line: bytes, *, is_message: bool) -> None:
        """Add the event that has the next number. Under the lock."""
        self._lines.append(line)
        self._are_messages.append(is_message)
        self._end = end = self._end + len(line)
        self._ends.append(end)
        self.last_seq = seq = self.last_seq + 1
        if is_message:
            self._last_message_seq = seq
        if end - self._start > self._max_bytes + self._slack_bytes:
            self._trim(end - self._max_bytes)

    def take(
        self,
        cursor: int,
        max_bytes: int,
        *,
        messages_only: bool = False,
        before: int | None = None,
    ) -> Stretch | Gap | None:
        """Read on from a cursor: at most `max_bytes` but at least one line; None at the end.

        The end is the last event, or the last one `before` a number. What is no message counts
        even if it is left out.
        """
        with self._lock:
            if cursor >= self.last_seq:
                return None
            first = cursor - self._trimmed_seq
            if first < 0:
                return Gap(after=cursor, through=self.last_seq)
            if messages_only and cursor >= self._last_message_seq and before is None:
                return Stretch(b"", (), self.last_seq)
            start = self._ends[first - 1] if first else self._start
            last = len(self._ends)
            if self._end - start > max_bytes:
                last = max(first + 1, bisect_right(self._ends, start + max_bytes))
            if before is not None:
                last = min(last, before - 1 - self._trimmed_seq)
                if last <= first:
                    return None
            lines = self._lines[first:last]
            are_messages = self._are_messages[first:last] if messages_only else None
        through = cursor + len(lines)
        seqs = range(cursor + 1, through + 1)
        if are_messages is None:
            return Stretch(b"".join(lines), seqs, through)
        data = b"".join(compress(lines, are_messages))
        return Stretch(data, list(compress(seqs, are_messages)), through)

    def has_news(self, cursor: int) -> bool:
        """Tell whether there is something after a cursor.

        A worker that goes to sleep and another one that appends cannot miss each other: both go
        through the lock of its mailbox, the one before it looks here, the other after it appended.
        """
        return cursor < self.last_seq

    def _trim(self, start: int) -> None:
        count = min(bisect_right(self._ends, start), len(self._ends) - 1)
        if count:
            self._trimmed_seq += count
            self._start = self._ends[count - 1]
            del self._lines[:count], self._are_messages[:count], self._ends[:count]
