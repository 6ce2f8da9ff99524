"""What a node of several tells its workers: outcomes that have come back from the common log."""

from typing import Any, NamedTuple

from msgspec import UNSET, Struct, UnsetType


class OrderedRow(NamedTuple):
    """The outcome of a request, for the connection with this number.

    Without a request, only the session's own status changes wait to be sent.
    """

    number: int
    request: Any = None
    outcome: Any = None


class Ordered(Struct, frozen=True):
    """Outcomes for connections of one worker."""

    rows: list[OrderedRow]


class ServesAgain(Struct, frozen=True):
    """This node serves again: what was held for that can go on."""


class StandsStill(Struct, frozen=True):
    """The common log has begun to stand still: the pings of those who wait are answered."""


class SendAway(Struct, frozen=True):
    """This node has not served for too long: let everyone try another one."""


class NodesNamed(Struct, frozen=True):
    """The nodes that are up have changed: let the clients know that want to."""

    nodes: list[str]  # as in `welcome.nodes`
    per_node: list[int] | UnsetType = UNSET
