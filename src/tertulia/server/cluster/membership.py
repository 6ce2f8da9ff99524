"""The nodes as the log shows them: which are up, whose batches count, and which are silent.

This is part of the common state, so it reads no clock. Its time comes from the log, never goes
back, and grows little at each entry, so that a pause of the whole log does not count as silence.
Pure.
"""

from enum import Enum, auto

from msgspec import Struct

from tertulia.server.cluster.commands import Batch, NodeUp

_MAX_STEP_MS = 1_500  # by which one entry may lengthen a silence
_MAX_BOOTS = 8  # earlier starts that are remembered: a NodeUp that comes twice counts once


class Node(Struct, array_like=True):
    """One node, and its incarnation: the place of its NodeUp, or 0 while it is down."""

    incarnation: int
    boots: list[str]
    addresses: list[str]
    format: int
    last_number: int = 0  # of its last batch in this incarnation
    alive_at_ms: int = 0  # by `Nodes.age_ms`

    @property
    def is_up(self) -> bool:
        """Whether its batches count."""
        return self.incarnation > 0


class Verdict(Enum):
    """Whether a batch counts, and if not, why."""

    COUNTS = auto()
    AGAIN = auto()  # a copy of one that has come before
    EARLY = auto()  # an earlier one is missing, and will be sent again
    FENCED = auto()  # its incarnation is over


class Nodes(Struct, array_like=True):
    """All nodes by name, and the log's time, in ms since 1970."""

    by_name: dict[str, Node] = {}
    time_ms: int = 0  # never goes back
    entry_ms: int = 0  # time of the last entry
    age_ms: int = 0  # sum of the steps; see `advance`

    def advance(self, time_ms: int) -> None:
        """Advance to the time of the next entry.

        A new leader of the stream may have a clock that is behind: that only stops the time for a
        moment.
        """
        step = time_ms - self.entry_ms
        if self.entry_ms and step > 0:
            self.age_ms += min(step, _MAX_STEP_MS)
        self.entry_ms = time_ms
        self.time_ms = max(self.time_ms, time_ms)

    def note_up(self, name: str, place: int, up: NodeUp) -> bool:
        """Note that a node comes up; return False if this start is known already."""
        known = self.by_name.get(name)
        if known is not None and up.boot in known.boots:
            return False
        boots = [] if known is None else known.boots[1 - _MAX_BOOTS :]
        self.by_name[name] = Node(
            place, [*boots, up.boot], up.addresses, up.format, alive_at_ms=self.age_ms
        )
        return True

    def judge(self, batch: Batch) -> Verdict:
        """Return whether a batch counts, and note that its node is alive."""
        node = self.by_name.get(batch.node)
        if node is None or not node.is_up or node.incarnation != batch.incarnation:
            return Verdict.FENCED
        node.alive_at_ms = self.age_ms
        if batch.number != node.last_number + 1:
            return Verdict.AGAIN if batch.number <= node.last_number else Verdict.EARLY
        node.last_number = batch.number
        return Verdict.COUNTS

    def note_down(self, name: str) -> None:
        """Note that a node is down."""
        self.by_name[name].incarnation = 0

    def silent(self, after_s: float) -> list[str]:
        """Return the nodes that have been silent for too long."""
        limit_ms = self.age_ms - after_s * 1_000
        return [
            name
            for name, node in list(self.by_name.items())
            if node.is_up and node.alive_at_ms < limit_ms
        ]

    def up(self) -> dict[str, Node]:
        """Return the nodes that are up."""
        return {name: node for name, node in list(self.by_name.items()) if node.is_up}
