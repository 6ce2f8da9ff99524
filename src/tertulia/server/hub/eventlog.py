"""The general chat as numbered events, which every session reads with its own cursor.

The Hub appends events; their bytes are made once for each encoding, when a reader first needs them.
Any thread may read: it holds the log's lock for a moment and does no I/O.
"""

import threading
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import compress

from msgspec import UNSET, Struct

from tertulia.protocol.messages import ChatMessage, Gap, Joined, Left, NumberedEvent, Presence
from tertulia.protocol.moderation import Hushed, Locked, Pinned

Encode = Callable[[NumberedEvent | Gap], bytes]

_ENVELOPE_BYTES = 96  # of an event without its text, about as many as on the wire
_PEOPLE = frozenset((Joined, Left, Presence))  # not sent to sessions that want only messages
_STANDING = frozenset((Hushed, Locked, Pinned))  # stay in force; only a welcome repeats them
_MAX_EVENTS_SEARCHED = 1_000  # in search of a message, under the lock


class Slice(Struct, frozen=True, gc=False):
    """Consecutive events of the log as bytes.

    `pieces` are the parts of `data` that must not be cut, and `seqs` has the number of each.
    `through` is the cursor of a reader that has received everything; it is higher than the last
    number if events after that were left out. `events` is their number; they may share a piece.
    """

    data: bytes
    pieces: Sequence[bytes]
    seqs: Sequence[int]
    through: int
    events: int

    def after(self, sent: int, cursor: int) -> tuple[bytes, int]:
        """Return the rest of the piece that a partial send has cut, and the new cursor.

        `cursor` is the reader's cursor before these events.
        """
        for piece, seq in zip(self.pieces, self.seqs, strict=True):
            if sent <= 0:
                break
            cursor = seq
            sent -= len(piece)
            if sent < 0:
                return piece[sent:], cursor
        return b"", cursor


class _Lines:
    """The events of the log in one encoding, as far as they were needed."""

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._lines: list[bytes] = []

    def part(self, events: list[NumberedEvent], first: int, last: int) -> list[bytes]:
        """Return the lines of some of the log's events; encode those that are not encoded yet."""
        missing = events[len(self._lines) : last]
        if missing:
            self._lines.extend(map(self._encode, missing))
        return self._lines[first:last]

    def trim(self, count: int) -> None:
        """Forget the lines of events that the log has trimmed."""
        del self._lines[:count]


class _Encodings(dict[Encode, _Lines]):
    """The events of the log in each encoding that was needed."""

    def __missing__(self, encode: Encode) -> _Lines:
        lines = self[encode] = _Lines(encode)
        return lines


class EventLog:
    """The latest events, numbered without holes by `seq`; older ones are trimmed.

    A cursor is the seq of the last event that a reader has received. It is a number, so a slow
    reader keeps no event in memory. A reader whose next event was trimmed gets a `Gap`. No gap
    hides what is still in force: the last event of each kind in _STANDING is sent between two gaps.

    `lock` is the one under which events get their numbers. `max_bytes` bounds the weight of the
    events: the bytes of their texts, and of an envelope for each.
    """

    def __init__(self, lock: threading.Lock, max_bytes: int, last_seq: int = 0) -> None:
        self._lock = lock
        self._max_bytes = max_bytes
        # An eighth more is trimmed together, because each deletion shifts the lists.
        self._bytes_until_trim = max_bytes + max_bytes // 8
        self._events: list[NumberedEvent] = []
        self._ends: list[int] = []  # the weight of all events so far, including each
        # the weight before the first event kept, and including the last
        self._start = self._end = 0
        self._lines = _Encodings()
        self._standing: dict[type[NumberedEvent], NumberedEvent] = {}  # the oldest first
        self._trimmed_seq = last_seq
        self._last_message_seq = last_seq
        self._last_wanted_seq = last_seq  # of the last event for sessions that want only messages
        self._last_people_seq = 0  # of the last event that these do not want; 0: none so far
        self.last_seq = self.first_seq = last_seq  # `first_seq` is that of the start
        self.messages = 0  # number since the start

    def begin_at(self, seq: int) -> None:
        """Set the number before that of the next event. The log is still empty."""
        assert not self._events
        self._trimmed_seq = self._last_message_seq = self._last_wanted_seq = seq
        self.last_seq = self.first_seq = seq

    def append(self, event: NumberedEvent) -> None:
        """Add the event that has the next number; workers read it later. Under the lock."""
        self.last_seq = event.seq
        end = self._end + _ENVELOPE_BYTES
        if type(event) is ChatMessage:
            text = event.text
            end += len(text) if text.isascii() else len(text.encode())
            self._last_message_seq = self._last_wanted_seq = event.seq
            self.messages += 1
        elif type(event) in _PEOPLE:
            self._last_people_seq = event.seq
        else:
            self._last_wanted_seq = event.seq
            if type(event) in _STANDING:
                self._standing.pop(type(event), None)
                self._standing[type(event)] = event
            if type(event) is Pinned and event.message is not UNSET:
                end += len(event.message.text.encode())
        self._end = end
        self._ends.append(end)
        self._events.append(event)
        if end - self._start > self._bytes_until_trim:
            self._trim(end - self._max_bytes)

    def read(
        self,
        cursor: int,
        max_bytes: int,
        encode: Encode,
        *,
        messages_only: bool = False,
        before: int | None = None,
    ) -> Slice | Gap | None:
        """Return the events after a cursor: at most `max_bytes`, but at least one event.

        None if there are none (and none `before` that number, if it is given). With
        `messages_only`, events about users who join, leave or change their status are left out, but
        count as read.
        """
        with self._lock:
            if cursor >= self.last_seq:
                return None
            first = cursor - self._trimmed_seq
            if first < 0:
                return self._after_trimmed(cursor, encode)
            if messages_only and cursor >= self._last_wanted_seq and before is None:
                return Slice(b"", (), (), self.last_seq, 0)
            last = self._last_within(first, max_bytes)
            if before is not None:
                last = min(last, before - 1 - self._trimmed_seq)
                if last <= first:
                    return None
            pieces = self._lines[encode].part(self._events, first, last)
            has_people = messages_only and cursor < self._last_people_seq
            events = self._events[first:last] if has_people else None
        data = b"".join(pieces)
        if len(data) > max_bytes and len(pieces) > 1:
            pieces = _shorten(pieces, max_bytes)
            data = b"".join(pieces)
        through = cursor + len(pieces)
        seqs = range(cursor + 1, through + 1)
        if events is None:
            return Slice(data, pieces, seqs, through, len(pieces))
        wanted = [type(event) not in _PEOPLE for event in events[: len(pieces)]]
        pieces = list(compress(pieces, wanted))
        kept = list(compress(seqs, wanted))
        return Slice(b"".join(pieces), pieces, kept, through, len(pieces))

    def _after_trimmed(self, cursor: int, encode: Encode) -> Slice | Gap:
        """Return the gap up to the next standing event, or that event. Under the lock."""
        for event in self._standing.values():
            if event.seq > cursor + 1:
                return Gap(after=cursor, through=event.seq - 1)
            if event.seq == cursor + 1:
                line = encode(event)
                return Slice(line, (line,), (event.seq,), event.seq, 1)
        return Gap(after=cursor, through=self.last_seq)

    def message(self, seq: int) -> ChatMessage | None:
        """Return the message with this number, if it is still in the log. Under the lock."""
        place = seq - self._trimmed_seq - 1
        event = self._events[place] if 0 <= place < len(self._events) else None
        return event if isinstance(event, ChatMessage) else None

    def last_message_between(self, after: int, before: int) -> int | None:
        """Return the number of the last message in (after, before), or `after` if there is none.

        None if it is unknown: it was trimmed, or too many other events came after it.
        """
        with self._lock:
            if self._last_message_seq <= after:
                return after
            if self._last_message_seq < before:
                return self._last_message_seq
            for seq in range(before - 1, max(after, before - 1 - _MAX_EVENTS_SEARCHED), -1):
                if seq <= self._trimmed_seq:
                    return None
                if type(self._events[seq - self._trimmed_seq - 1]) is ChatMessage:
                    return seq
            return after if before - 1 - after <= _MAX_EVENTS_SEARCHED else None

    @property
    def kept(self) -> tuple[int, int]:
        """Number of the events in the log, and their weight in bytes. Any thread, unlocked."""
        return self.last_seq - self._trimmed_seq, self._end - self._start

    def has_news(self, cursor: int) -> bool:
        """Return whether there are events after a cursor.

        A worker that goes to sleep does not miss an event. It looks here after it has marked itself
        asleep in its mailbox. Another worker appends first, and then wakes those that are asleep.
        """
        return cursor < self.last_seq

    def has_only_people(self, cursor: int) -> bool:
        """Return whether sessions that want only messages need nothing after a cursor. Unlocked."""
        return cursor >= self._last_wanted_seq and cursor >= self._trimmed_seq

    def _last_within(self, first: int, max_bytes: int) -> int:
        start = self._ends[first - 1] if first else self._start
        if self._end - start <= max_bytes:
            return len(self._ends)
        return max(first + 1, bisect_right(self._ends, start + max_bytes))

    def _trim(self, start: int) -> None:
        count = min(bisect_right(self._ends, start), len(self._ends) - 1)
        if count:
            self._trimmed_seq += count
            self._start = self._ends[count - 1]
            del self._events[:count], self._ends[:count]
            for lines in self._lines.values():
                lines.trim(count)


def _shorten(pieces: list[bytes], max_bytes: int) -> list[bytes]:
    """Return as many of the first pieces as fit, at least one."""
    fitting, size = 0, 0
    for piece in pieces:
        size += len(piece)
        if size > max_bytes:
            break
        fitting += 1
    return pieces[: max(1, fitting)]
