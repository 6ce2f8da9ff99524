"""Mail from a cluster's node to its workers: outcomes that have come back from the common log."""

from typing import Any, NamedTuple

from msgspec import UNSET, Struct, UnsetType


class OrderedRow(NamedTuple):
    """The outcome of a request, for the connection with this number.

    Without a request, only the session's own status changes have to be sent.
    """

    number: int
    request: Any = None
    outcome: Any = None


class Ordered(Struct, frozen=True):
    """Outcomes for connections of one worker."""

    rows: list[OrderedRow]


class ServesAgain(Struct, frozen=True):
    """This node serves again: requests that were held for that can be carried out."""


class StandsStill(Struct, frozen=True):
    """The common log has stopped: pings of connections that wait for it are answered now."""


class SendAway(Struct, frozen=True):
    """This node has not served for too long: users should try another one."""


class NodesNamed(Struct, frozen=True):
    """The nodes that are up have changed: tell the clients that asked to know."""

    nodes: list[str]  # as in `welcome.nodes`
    per_node: list[int] | UnsetType = UNSET
