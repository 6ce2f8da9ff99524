"""The figures of a server that has served nobody."""

from pathlib import Path

import msgspec

from tertulia.protocol.measures import ClusterMeasures, Measures, NodeMeasures
from tertulia.server.config import Config
from tertulia.server.server import Server


def measured(history: Path | None = None) -> Measures:
    """Return what a server measures that has just been started."""
    path = None if history is None else str(history)
    server = Server(Config(port=0, host="127.0.0.1", tls="off", web=False, history=path))
    server.start()
    try:
        return server.measure(each_worker=False)
    finally:
        server.stop()


def cluster_of_three(**more: object) -> ClusterMeasures:
    """Return the figures of a node of three, of which one is down."""
    nodes = [
        NodeMeasures(
            name=f"lab{number}",
            is_up=number != 3,
            incarnation=0 if number == 3 else 8_190 + number,
            silent_s=0.4 * number,
            addresses=[f"10.0.0.{number}:5000"],
            format=1,
        )
        for number in (1, 2, 3)
    ]
    cluster = ClusterMeasures(
        chat="tertulia", node="lab2", nodes=nodes, serves=True, is_connected=True, place=9_210,
        log_end=9_213, own_word_age_s=0.25, queued=2, under_way=5, batches_under_way=1,
        commands=4_000, batches=900, resent=3, ignored={"again": 3, "early": 0, "fenced": 1},
        unreadable=0, digests_compared=18, diverged=0, snapshots_sent=1, snapshots_fetched=0,
        connects=2, consumers=3, holes=0, stalls=1, refused=0, link_errors=1, letters_sent=70,
        letters_received=64, directs_on_the_way=4, missing={"messages": 120, "visits": 0},
    )  # fmt: skip
    return msgspec.structs.replace(cluster, **more)


def clustered(measures: Measures, **more: object) -> Measures:
    """Return the figures as those of such a node."""
    return msgspec.structs.replace(measures, cluster=cluster_of_three(**more))
