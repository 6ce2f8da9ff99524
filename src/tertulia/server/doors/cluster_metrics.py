"""The metrics that only a node of a cluster has, and how to get their values from the figures.

Pure. A single server neither shows nor loads them. Operators choose the names of nodes.
"""

from collections.abc import Callable, Iterator

from tertulia.protocol.measures import ClusterMeasures, Measures, NodeMeasures
from tertulia.server.doors.metrics import Metric, Sample, Samples

_VERDICTS = ("again", "early", "fenced")
_ROWS = ("messages", "visits")


def _cluster_of(measures: Measures) -> ClusterMeasures:
    assert isinstance(measures.cluster, ClusterMeasures)
    return measures.cluster


def _one(value: Callable[[ClusterMeasures], float]) -> Samples:
    return lambda measures: (("", value(_cluster_of(measures))),)


def _by(
    label: str, values: tuple[str, ...], counts: Callable[[ClusterMeasures], dict[str, int]]
) -> Samples:
    def samples(measures: Measures) -> Iterator[Sample]:
        counted = counts(_cluster_of(measures))
        return ((f'{{{label}="{value}"}}', counted.get(value, 0)) for value in values)

    return samples


def _by_node(value: Callable[[NodeMeasures], float | None]) -> Samples:
    """Return the samples of all nodes that have this value."""

    def samples(measures: Measures) -> Iterator[Sample]:
        cluster = _cluster_of(measures)
        for node in cluster.nodes:
            found = value(node)
            if found is not None:
                yield f'{{chat="{_quoted(cluster.chat)}",node="{_quoted(node.name)}"}}', found

    return samples


def _quoted(name: str) -> str:
    """Return a name quoted for a label: names of other nodes come from the log."""
    return name.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _info(measures: Measures) -> Iterator[Sample]:
    cluster = _cluster_of(measures)
    yield f'{{chat="{_quoted(cluster.chat)}",node="{_quoted(cluster.node)}"}}', 1


def _own_word_age(measures: Measures) -> Iterator[Sample]:
    age_s = _cluster_of(measures).own_word_age_s
    if age_s is not None:
        yield "", age_s


CLUSTER_METRICS = (
    Metric("cluster_info", "gauge", "The chat and the name of this node. Always 1.", _info),
    # --- the nodes
    Metric(
        "cluster_node_up",
        "gauge",
        "Whether a node is up, as this one sees it: 1 or 0, for every node ever seen in the log.",
        _by_node(lambda node: int(node.is_up)),
    ),
    Metric(
        "cluster_node_silence_seconds",
        "gauge",
        "Time since the last sign of life of a node that is up; stops when the log stands still.",
        _by_node(lambda node: node.silent_s if node.is_up else None),
    ),
    Metric(
        "cluster_serves",
        "gauge",
        "Whether this node serves its users: 1, or 0 while its own batches do not come back.",
        _one(lambda c: int(c.serves)),
    ),
    Metric(
        "cluster_connected",
        "gauge",
        "Whether this node is connected to a nats-server: 1 or 0.",
        _one(lambda c: int(c.is_connected)),
    ),
    # --- the log
    Metric(
        "cluster_place",
        "gauge",
        "Place in the log of the last entry that this node has applied.",
        _one(lambda c: c.place),
    ),
    Metric(
        "cluster_lag_entries",
        "gauge",
        "Known entries of the log that this node has not applied yet.",
        _one(lambda c: c.lag),
    ),
    Metric(
        "cluster_own_word_age_seconds",
        "gauge",
        "Time since this node sent its latest batch that came back; from 5 s on it does not serve.",
        _own_word_age,
    ),
    Metric(
        "cluster_batches_ignored_total",
        "counter",
        "Batches in the log that did not count: sent twice, too early, or from a dead node.",
        _by("verdict", _VERDICTS, lambda c: c.ignored),
    ),
    Metric(
        "cluster_entries_unreadable_total",
        "counter",
        "Entries of the log that are not batches of a node.",
        _one(lambda c: c.unreadable),
    ),
    Metric(
        "cluster_digests_compared_total",
        "counter",
        "Digests of the common state that were compared, including this node's own.",
        _one(lambda c: c.digests_compared),
    ),
    Metric(
        "cluster_digests_diverged_total",
        "counter",
        "Digests that differed. Must be 0: a node stops at the first one.",
        _one(lambda c: c.diverged),
    ),
    # --- this node's own commands
    Metric(
        "cluster_commands_total",
        "counter",
        "Commands that this node has sent to the log, one for each request that changes the chat.",
        _one(lambda c: c.commands),
    ),
    Metric(
        "cluster_batches_total",
        "counter",
        "Batches of these commands; each counts once, however often it was sent.",
        _one(lambda c: c.batches),
    ),
    Metric(
        "cluster_batches_resent_total",
        "counter",
        "Times that a batch was sent again because it had not come back for half a second.",
        _one(lambda c: c.resent),
    ),
    Metric(
        "cluster_batches_refused_total",
        "counter",
        "Times that the log did not accept a batch, for example while it had no leader.",
        _one(lambda c: c.refused),
    ),
    Metric(
        "cluster_commands_queued",
        "gauge",
        "Commands that wait to be sent; from 10,000 on, requests are held.",
        _one(lambda c: c.queued),
    ),
    Metric(
        "cluster_commands_under_way",
        "gauge",
        "Commands that were sent and have not come back.",
        _one(lambda c: c.under_way),
    ),
    Metric(
        "cluster_batches_under_way",
        "gauge",
        "Batches that were sent and have not come back; at most eight.",
        _one(lambda c: c.batches_under_way),
    ),
    # --- the link to the nats-servers
    Metric(
        "cluster_connects_total",
        "counter",
        "Connections to a nats-server that were made.",
        _one(lambda c: c.connects),
    ),
    Metric(
        "cluster_consumers_total",
        "counter",
        "Consumers that have read the log; a new one is made after every fault.",
        _one(lambda c: c.consumers),
    ),
    Metric(
        "cluster_holes_total",
        "counter",
        "Times that entries were missing between those that came; they were read again.",
        _one(lambda c: c.holes),
    ),
    Metric(
        "cluster_stalls_total",
        "counter",
        "Times that nothing came from the log for 1.6 s, not even a heartbeat.",
        _one(lambda c: c.stalls),
    ),
    Metric(
        "cluster_link_errors_total",
        "counter",
        "Errors of the connection to the nats-servers.",
        _one(lambda c: c.link_errors),
    ),
    # --- from node to node
    Metric(
        "cluster_snapshots_sent_total",
        "counter",
        "States of the chat that other nodes have begun to fetch from this one.",
        _one(lambda c: c.snapshots_sent),
    ),
    Metric(
        "cluster_snapshots_fetched_total",
        "counter",
        "States of the chat that this node has fetched from another one.",
        _one(lambda c: c.snapshots_fetched),
    ),
    Metric(
        "cluster_letters_sent_total",
        "counter",
        "Letters sent to other nodes outside the log: direct messages, receipts, questions.",
        _one(lambda c: c.letters_sent),
    ),
    Metric(
        "cluster_letters_received_total",
        "counter",
        "Letters received from other nodes.",
        _one(lambda c: c.letters_received),
    ),
    Metric(
        "cluster_direct_messages_on_the_way",
        "gauge",
        "Direct messages to users of other nodes that are not confirmed yet.",
        _one(lambda c: c.directs_on_the_way),
    ),
    Metric(
        "cluster_history_missing_numbers",
        "gauge",
        "Event numbers whose messages or visits this node's history lacks and fetches from others.",
        _by("rows", _ROWS, lambda c: c.missing),
    ),
)
