"""A bounded queue of messages that the server has sent and the program has not read yet.

The connection's thread puts messages in and never waits; any thread may get them. Numbered events
can be fetched again and direct messages cannot, so each kind has its own bound. At the bound the
oldest are dropped, and a `Gap` or a `Dropped` takes their place. Between two gaps, the last event
of some kinds is kept because it is still valid.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

from msgspec import Struct

from tertulia.protocol.lines import encode
from tertulia.protocol.messages import Gap, NumberedEvent, ServerMessage
from tertulia.protocol.moderation import Hushed, Locked, Pinned

MAX_NUMBERED_BYTES = 8 * 1024 * 1024  # as much as the server's own log keeps
MAX_OTHER_BYTES = 8 * 1024 * 1024  # direct messages, and answers if they are put here
_ITEM_BYTES = 512  # the approximate size of the objects that hold one line


class Dropped(Struct, frozen=True):
    """The number of messages or answers that were dropped because the program read too slowly."""

    count: int


class Incoming(NamedTuple):
    """A message and the line that contained it; `message` is None for an unknown type."""

    message: ServerMessage | Dropped | None
    line: bytes


class Inbox:
    """A queue of messages in their order of arrival.

    It consists of two bounded queues, one for numbered events and one for all other messages. The
    messages that remain in both are returned in the order of arrival.
    """

    def __init__(
        self,
        max_numbered_bytes: int = MAX_NUMBERED_BYTES,
        max_other_bytes: int = MAX_OTHER_BYTES,
    ) -> None:
        self._changed = threading.Condition()
        self._numbered = _BoundedQueue(max_numbered_bytes, _MissedEvents)
        self._others = _BoundedQueue(max_other_bytes, _MissedOthers)
        self._arrivals = 0
        self._closed = False

    @property
    def has_room(self) -> bool:
        """Return whether there is room for many more direct messages and answers."""
        with self._changed:
            return self._others.is_half_empty

    def put(self, incoming: Incoming) -> None:
        """Add a message; if there is no room for it, drop older messages of its kind."""
        with self._changed:
            self._arrivals += 1
            if isinstance(incoming.message, NumberedEvent | Gap):
                self._numbered.append(self._arrivals, incoming)
            else:
                self._others.append(self._arrivals, incoming)
            self._changed.notify()

    def get(self, timeout: float | None) -> Incoming | None:
        """Remove and return the oldest message; None after `timeout` seconds, or at the end.

        The end is reached when the inbox is closed and empty. Without a timeout this waits until
        then.
        """
        with self._changed:
            self._changed.wait_for(self._ready, timeout)
            if self._numbered.first_arrival() < self._others.first_arrival():
                return self._numbered.get_oldest()
            return self._others.get_oldest()

    def close(self) -> None:
        """Close the inbox: `get` returns the remaining messages and then never waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _ready(self) -> bool:
        return self._closed or bool(self._numbered) or bool(self._others)


class _Missed(Protocol):
    """The substitute for the messages of one kind that were dropped."""

    def add(self, dropped: Incoming) -> None:
        """Add a dropped message, which came after the ones added before."""

    def pop(self) -> Incoming:
        """Remove and return the first substitute."""

    def __bool__(self) -> bool:
        """Return whether there is any substitute."""


class _MissedEvents:
    """Gaps, and between them the last valid event of each kind: at most three items."""

    def __init__(self) -> None:
        self._gap: Gap | None = None
        # The events that are still valid, the oldest first.
        self._standing: dict[type, Incoming] = {}

    def __bool__(self) -> bool:
        return self._gap is not None

    def add(self, dropped: Incoming) -> None:
        message = dropped.message
        if isinstance(message, Gap):
            after, through = message.after, message.through
        else:
            assert isinstance(message, NumberedEvent)
            after, through = message.seq - 1, message.seq
            if isinstance(message, Hushed | Locked | Pinned):
                self._standing.pop(type(message), None)
                self._standing[type(message)] = dropped
        self._gap = Gap(after=after if self._gap is None else self._gap.after, through=through)

    def pop(self) -> Incoming:
        gap = self._gap
        assert gap is not None
        kind, standing = next(iter(self._standing.items()), (Gap, None))
        if standing is None:
            self._gap = None
            return Incoming(gap, encode(gap)[:-1])
        message = standing.message
        assert isinstance(message, NumberedEvent)
        if gap.after < message.seq - 1:
            self._gap = Gap(after=message.seq - 1, through=gap.through)
            before = Gap(after=gap.after, through=message.seq - 1)
            return Incoming(before, encode(before)[:-1])
        del self._standing[kind]
        is_last = message.seq >= gap.through
        self._gap = None if is_last else Gap(after=message.seq, through=gap.through)
        return standing


class _MissedOthers:
    """The number of dropped direct messages and answers."""

    def __init__(self) -> None:
        self._count = 0

    def __bool__(self) -> bool:
        return self._count > 0

    def add(self, _dropped: Incoming) -> None:
        self._count += 1

    def pop(self) -> Incoming:
        count, self._count = self._count, 0
        return Incoming(Dropped(count), b"")


class _BoundedQueue:
    """The newest messages up to `max_bytes`, after the substitutes for the dropped ones."""

    def __init__(self, max_bytes: int, missed: Callable[[], _Missed]) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._items: deque[tuple[int, Incoming]] = deque()
        self._missed = missed()
        self._missed_at = 0  # the arrival number of the first dropped message

    def __bool__(self) -> bool:
        return bool(self._missed) or bool(self._items)

    @property
    def is_half_empty(self) -> bool:
        return self._bytes <= self._max_bytes // 2

    def first_arrival(self) -> float:
        if self._missed:
            return self._missed_at
        return self._items[0][0] if self._items else float("inf")

    def append(self, arrival: int, incoming: Incoming) -> None:
        self._items.append((arrival, incoming))
        self._bytes += len(incoming.line) + _ITEM_BYTES
        while self._bytes > self._max_bytes and len(self._items) > 1:
            first_dropped, dropped = self._pop()
            if not self._missed:
                self._missed_at = first_dropped
            self._missed.add(dropped)

    def get_oldest(self) -> Incoming | None:
        if self._missed:
            return self._missed.pop()
        return self._pop()[1] if self._items else None

    def _pop(self) -> tuple[int, Incoming]:
        arrival, incoming = self._items.popleft()
        self._bytes -= len(incoming.line) + _ITEM_BYTES
        return arrival, incoming
