"""Measures one node, and the others as it sees them; finds the reason why it does not serve.

Any thread may call it. It takes no lock: it reads numbers while the link's thread changes them, and
copies a table in one step. So two numbers may differ by an entry of the log.
"""

import time
from collections.abc import Callable

from tertulia.protocol.measures import ClusterMeasures, NodeMeasures, Problem, ProblemKind
from tertulia.server.cluster.bootstrap import Bootstrap
from tertulia.server.cluster.hub import NodeHub
from tertulia.server.cluster.link import Link
from tertulia.server.cluster.membership import Nodes
from tertulia.server.cluster.peers import Peers
from tertulia.server.cluster.proposer import MAX_QUEUED, Proposer
from tertulia.server.cluster.replica import Replica
from tertulia.server.cluster.transfer import StateSender
from tertulia.server.config import Config
from tertulia.server.history.node import NodeHistory


class NodeCollector:
    """Measures the parts of one node."""

    def __init__(
        self,
        config: Config,
        history: NodeHistory | None,
        hub: NodeHub,
        link: Link,
        proposer: Proposer,
        bootstrap: Bootstrap,
        sender: StateSender,
        peers: Peers,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._history = history
        self._hub = hub
        self._link = link
        self._proposer = proposer
        self._bootstrap = bootstrap
        self._sender = sender
        self._peers = peers
        self._monotonic = monotonic

    def problem(self) -> Problem | None:
        """Return why this node does not serve; None if it serves."""
        hub, now = self._hub, self._monotonic()
        if hub.serves(now):
            return None
        if hub.is_stopping:
            return Problem(ProblemKind.STOPPING)
        if not self._link.is_connected:
            return Problem(ProblemKind.NO_NATS)
        if self._proposer.queued >= MAX_QUEUED:
            return Problem(ProblemKind.QUEUE, count=self._proposer.queued)
        age_s = self._own_word_age_s(now)
        if age_s is None:
            return Problem(ProblemKind.BURIED)
        return Problem(ProblemKind.STANDSTILL, seconds=age_s)

    def _own_word_age_s(self, now: float) -> float | None:
        synced_at = self._proposer.synced_at
        return max(0.0, now - synced_at) if self._proposer.incarnation else None

    def measure(self) -> ClusterMeasures:
        """Return the figures of this moment."""
        now, replica = self._monotonic(), self._bootstrap.replica
        proposer, link, peers, counts = self._proposer, self._link, self._peers, self._link.stats
        place = replica.place  # read before the log's end, so that this is not behind it
        return ClusterMeasures(
            chat=self._config.chat,
            node=self._config.node,
            nodes=_nodes(replica.nodes),
            serves=self._hub.serves(now),
            is_connected=link.is_connected,
            place=place,
            log_end=max(place, link.log_end),
            own_word_age_s=self._own_word_age_s(now),
            queued=proposer.queued,
            under_way=proposer.commands_under_way,
            batches_under_way=proposer.batches_under_way,
            commands=proposer.commands,
            batches=proposer.batches,
            resent=proposer.resent,
            ignored=_ignored(replica),
            unreadable=replica.unreadable,
            digests_compared=replica.digests_compared,
            diverged=replica.diverged,
            snapshots_sent=self._sender.states,
            snapshots_fetched=self._bootstrap.states_fetched,
            connects=counts.connects,
            consumers=counts.consumers,
            holes=counts.holes,
            stalls=counts.stalls,
            refused=counts.refused,
            link_errors=counts.errors,
            letters_sent=peers.letters_sent,
            letters_received=peers.letters_received,
            directs_on_the_way=self._hub.directs.on_the_way,
            missing=_missing(self._history),
        )


def _nodes(nodes: Nodes) -> list[NodeMeasures]:
    return [
        NodeMeasures(
            name=name,
            is_up=node.is_up,
            incarnation=node.incarnation,
            silent_s=max(0, nodes.age_ms - node.alive_at_ms) / 1_000,
            addresses=node.addresses,
            format=node.format,
        )
        for name, node in sorted(nodes.by_name.copy().items())
    ]


def _ignored(replica: Replica) -> dict[str, int]:
    return {verdict.name.lower(): count for verdict, count in replica.ignored.items()}


def _missing(history: NodeHistory | None) -> dict[str, int]:
    missing = {"messages": 0, "visits": 0}
    for rows in () if history is None else history.missing:
        missing[rows.of] += rows.through - rows.after
    return missing
