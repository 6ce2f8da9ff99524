"""A bounded queue of what has come from the server and was not read by the program yet.

The connection's thread puts and never waits; any thread gets. Numbered events can be fetched again,
direct messages cannot, so each kind has a bound of its own. At the bound the oldest are dropped,
and a `Gap` or a `Dropped` stands in their place.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from msgspec import Struct

from tertulia.protocol.lines import encode
from tertulia.protocol.messages import Gap, NumberedEvent, ServerMessage

MAX_NUMBERED_BYTES = 8 * 1024 * 1024  # as much as the server's own log keeps
MAX_OTHER_BYTES = 8 * 1024 * 1024  # direct messages, and answers if they are put here
_ITEM_BYTES = 512  # about what the objects around a line take


class Dropped(Struct, frozen=True):
    """So many direct messages or answers were dropped because the program did not read them."""

    count: int


class Incoming(NamedTuple):
    """A message and the line it came in; `message` is None for an unknown type of message."""

    message: ServerMessage | Dropped | None
    line: bytes


class Inbox:
    """A queue of messages in their order of arrival.

    It consists of two bounded queues, one for numbered events and one for all others. What remains
    of both comes out in the order of arrival.
    """

    def __init__(
        self,
        max_numbered_bytes: int = MAX_NUMBERED_BYTES,
        max_other_bytes: int = MAX_OTHER_BYTES,
    ) -> None:
        self._changed = threading.Condition()
        self._numbered = _BoundedQueue(max_numbered_bytes, _add_to_gap)
        self._others = _BoundedQueue(max_other_bytes, _add_to_dropped)
        self._arrivals = 0
        self._closed = False

    @property
    def has_room(self) -> bool:
        """Whether so few direct messages and answers wait that many more can come."""
        with self._changed:
            return self._others.is_half_empty

    def put(self, incoming: Incoming) -> None:
        """Add a message; drop older ones of its kind if there is no room for it."""
        with self._changed:
            self._arrivals += 1
            if isinstance(incoming.message, NumberedEvent | Gap):
                self._numbered.append(self._arrivals, incoming)
            else:
                self._others.append(self._arrivals, incoming)
            self._changed.notify()

    def get(self, timeout: float | None) -> Incoming | None:
        """Remove and return the oldest message; None after `timeout` seconds, or at the end.

        The end is reached when the inbox is closed and empty. Without a timeout this waits for it.
        """
        with self._changed:
            self._changed.wait_for(self._ready, timeout)
            if self._numbered.first_arrival() < self._others.first_arrival():
                return self._numbered.get_oldest()
            return self._others.get_oldest()

    def close(self) -> None:
        """Accept that nothing more comes: `get` returns what is there and then never waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _ready(self) -> bool:
        return self._closed or bool(self._numbered) or bool(self._others)


def _add_to_gap(gap: Gap | None, dropped: Incoming) -> Gap:
    match dropped.message:
        case Gap(after=after, through=through):
            pass
        case message:
            assert isinstance(message, NumberedEvent)
            after, through = message.seq - 1, message.seq
    return Gap(after=after if gap is None else gap.after, through=through)


def _add_to_dropped(before: Dropped | None, dropped: Incoming) -> Dropped:
    return Dropped(1 if before is None else before.count + 1)


_Note = TypeVar("_Note", bound=Gap | Dropped)


class _BoundedQueue(Generic[_Note]):
    """The newest messages up to `max_bytes`, after a note of what was dropped before them."""

    def __init__(
        self, max_bytes: int, add_to_note: Callable[[_Note | None, Incoming], _Note]
    ) -> None:
        self._max_bytes = max_bytes
        self._add_to_note = add_to_note
        self._bytes = 0
        self._items: deque[tuple[int, Incoming]] = deque()
        self._note: tuple[int, _Note] | None = None

    def __bool__(self) -> bool:
        return self._note is not None or bool(self._items)

    @property
    def is_half_empty(self) -> bool:
        return self._bytes <= self._max_bytes // 2

    def first_arrival(self) -> float:
        if self._note is not None:
            return self._note[0]
        return self._items[0][0] if self._items else float("inf")

    def append(self, arrival: int, incoming: Incoming) -> None:
        self._items.append((arrival, incoming))
        self._bytes += len(incoming.line) + _ITEM_BYTES
        while self._bytes > self._max_bytes and len(self._items) > 1:
            first_dropped, dropped = self._pop()
            note = None
            if self._note is not None:
                first_dropped, note = self._note
            self._note = first_dropped, self._add_to_note(note, dropped)

    def get_oldest(self) -> Incoming | None:
        if self._note is not None:
            note = self._note[1]
            self._note = None
            return Incoming(note, encode(note)[:-1] if isinstance(note, Gap) else b"")
        return self._pop()[1] if self._items else None

    def _pop(self) -> tuple[int, Incoming]:
        arrival, incoming = self._items.popleft()
        self._bytes -= len(incoming.line) + _ITEM_BYTES
        return arrival, incoming
