"""The figures of a server that has served nobody."""

from pathlib import Path

import msgspec

from tertulia.protocol.measures import (
    BUCKETS_S,
    ClusterMeasures,
    DoorMeasures,
    HistoryMeasures,
    Latencies,
    LogMeasures,
    Measures,
    NodeMeasures,
    ProcessMeasures,
    RoleMeasures,
    TrafficMeasures,
)
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


def figures(**more: object) -> Measures:
    """Return figures that all differ from one another."""
    measures = Measures(
        time=1_000.0,
        process=ProcessMeasures(
            pid=1, parent_pid=2, restarts=3, version="0.1.0", python="3.11.7", started=4.5,
            uptime_s=5.5, cpu_s=6.5, resident_bytes=7, virtual_bytes=8, open_files=9,
            max_open_files=10, voluntary_switches=11, involuntary_switches=12, threads=13,
        ),
        threads=[],
        roles=[
            RoleMeasures(
                role="main", threads=14, cpu_s=15.5, voluntary_switches=16, involuntary_switches=17
            )
        ],
        workers=18,
        users={"ACTIVO": 19, "INACTIVO": 20},
        sessions=21,
        doors=[DoorMeasures(door="web", state="registered", connections=22)],
        tls_connections=23,
        slow_consumers=24,
        turned_away=25,
        traffic=TrafficMeasures(
            connections=26, sessions=27, requests=28, events=29, messages=30, directs=31,
            deliveries=32, received_bytes=33, sent_bytes=34, gaps=35, faults=36,
            left={"slow": 37, "quit": 38}, refused_connections={"tls_failed": 39},
            refused_requests={"malformed": 40}, rate_limited={"hooks": 41},
        ),
        log=LogMeasures(last_seq=42, events=43, bytes=44, max_bytes=45),
        history=HistoryMeasures(
            file_bytes=46, queue=47, max_queue=48, questions=49, commits=50, failed_commits=51,
            stored=52, last_commit_age_s=53.5, problem="",
        ),
        mailboxes=54,
        longest_mailbox=55,
        log_lines=56,
        say_to_last_send=Latencies(counts=[57] * (len(BUCKETS_S) + 1), sum_s=58.5),
        commit=Latencies(counts=[59] * (len(BUCKETS_S) + 1), sum_s=60.5),
        problem="",
    )  # fmt: skip
    return msgspec.structs.replace(measures, **more)


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
