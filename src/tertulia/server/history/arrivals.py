"""Puts arrivals and departures in their places between the messages, for an export. Pure."""

import heapq
from collections.abc import Iterable, Iterator

from msgspec import Struct

from tertulia.protocol.messages import StoredMessage
from tertulia.server.hub.records import Visit


class Arrival(Struct, frozen=True, tag="joined", tag_field="type"):
    """A user came in."""

    seq: int
    time: str
    name: str
    address: str


class Departure(Struct, frozen=True, tag="left", tag_field="type"):
    """A user left."""

    time: str
    name: str
    address: str
    reason: str


Exported = StoredMessage | Arrival | Departure


def in_order(messages: Iterable[StoredMessage], visits: Iterable[Visit]) -> Iterator[Exported]:
    """Merge messages and sessions, both in the order of their numbers.

    The end of a session has a time, but no number. It is put after its own beginning, after the
    messages of the same millisecond, and before arrivals in that millisecond.
    """
    ends: list[tuple[str, int, Departure]] = []  # of the sessions that have begun so far
    items: Iterator[StoredMessage | Visit] = heapq.merge(messages, visits, key=_number)
    for item in items:
        # Not the latest time so far: the clock may have been set back.
        now = item.joined if isinstance(item, Visit) else item.time
        while ends and (ends[0][0] < now or (isinstance(item, Visit) and ends[0][0] == now)):
            yield heapq.heappop(ends)[2]
        if not isinstance(item, Visit):
            yield item
            continue
        yield Arrival(item.key, item.joined, item.name, item.address)
        if item.ended is not None:
            went = Departure(item.ended, item.name, item.address, item.reason or "")
            heapq.heappush(ends, (item.ended, item.key, went))
    while ends:
        yield heapq.heappop(ends)[2]


def _number(item: StoredMessage | Visit) -> int:
    return item.key if isinstance(item, Visit) else item.seq
