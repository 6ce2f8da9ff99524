"""A histogram that one thread fills in and any thread may read."""

from bisect import bisect_left
from collections.abc import Iterable

from tertulia.protocol.measures import BUCKETS_S, Latencies


class Histogram:
    """Counts durations in buckets. Only one thread calls `note`."""

    __slots__ = ("counts", "sum_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS_S) + 1)
        self.sum_s = 0.0

    def note(self, seconds: float, times: int = 1) -> None:
        """Count a duration, `times` times."""
        self.counts[bisect_left(BUCKETS_S, seconds)] += times
        self.sum_s += seconds * times

    def add(self, others: Iterable["Histogram"]) -> None:
        """Add what other histograms have counted; their threads may go on counting."""
        others = list(others)
        columns = zip(self.counts, *(other.counts for other in others), strict=True)
        self.counts = [sum(column) for column in columns]
        self.sum_s += sum(other.sum_s for other in others)

    @property
    def latencies(self) -> Latencies:
        """The counts so far."""
        return Latencies(counts=list(self.counts), sum_s=self.sum_s)
