"""Figures and pictures of a server, for tests of the live view."""

from typing import Any

import msgspec

from tertulia.protocol.measures import (
    DoorMeasures,
    HistoryMeasures,
    Latencies,
    LogMeasures,
    Measures,
    ProcessMeasures,
    ThreadMeasures,
    TrafficMeasures,
)
from tertulia.protocol.watching import MeasuresTaken
from tertulia.watch.figures import (
    Figures,
    PathFigures,
    ProcessFigures,
    RoomFigures,
    ThreadFigures,
    Waiting,
)

NO_LATENCIES = Latencies(counts=[0] * 14, sum_s=0.0)


def thread(name: str, kind: str, tid: int, waiting: Waiting, **more: Any) -> ThreadFigures:
    """Return a thread whose rates are known."""
    known = {"cpu": 0.0, "cpu_s": 0.25, "voluntary": 0.5, "involuntary": 0.0}
    return ThreadFigures(name, kind, tid, waiting, **{**known, **more})


def figures(*, workers: int = 4, parent: bool = False, **more: Any) -> Figures:
    """Return a busy server."""
    threads = [
        thread("main", "main", 4711, Waiting.SIGNAL),
        thread("acceptor", "acceptor", 4712, Waiting.POLL, cpu=0.001, voluntary=2.0),
        *(
            thread(
                f"worker-{number}", "worker", 4712 + number,
                (Waiting.EPOLL, Waiting.RUNNING, Waiting.LOCK)[number % 3],
                cpu=0.031 * number, voluntary=111.0 * number, involuntary=3.5, connections=25,
                requests=26.0, events=2500.0 + number, queue=number % 2,
            )
            for number in range(1, workers + 1)
        ),
        thread("history-writer", "history-writer", 5900, Waiting.DISK, cpu=0.03, queue=2),
        thread("history-reader", "history-reader", 5901, Waiting.QUEUE, queue=0),
        thread("console", "console", 5902, Waiting.UNKNOWN),
        thread("log", "log", 5903, Waiting.QUEUE, queue=0),
    ]  # fmt: skip
    server = ProcessFigures("server", 4711, 4_353.2, 0.382, 58_300_000, len(threads))
    processes = [server]
    if parent:
        child = msgspec.structs.replace(server, role="child")
        processes = [ProcessFigures("parent", 4700, 95_353.2, 0.001, 21_300_000, 1, 2), child]
    seen = Figures(
        port=5000, version="1.2.3", model=str(workers), uptime_s=4_353.2, processes=processes,
        threads=threads,
        path=PathFigures(1.5, 104.0, 100.0, 10_000.0, 1_300_000.0, 100.0, 2, 0.3),
        room=RoomFigures(
            {"ACTIVO": 80, "OCUPADO": 12, "INACTIVO": 8},
            {"native": 70, "web": 30, "tls": 12, "console": 1},
            3, 4, 8_100_000, 8_388_608, 12_400_000,
        ),
    )  # fmt: skip
    return msgspec.structs.replace(seen, **more)


def taken(
    *, at: float = 100.0, total: int = 0, pid: int = 4711, parent_pid: int | None = None,
    history: bool = True, model: str = "1", worker: int = 4713, problem: str = "",
) -> MeasuresTaken:  # fmt: skip
    """Return a picture whose totals are multiples of `total`."""
    threads = [
        ThreadMeasures(
            tid=4711, name="MainThread", role="main", cpu_s=0.5, voluntary_switches=10,
            involuntary_switches=1, waits_for="signal",
        ),
        ThreadMeasures(
            tid=worker, name="worker-1", role="worker", cpu_s=0.01 * total,
            voluntary_switches=20 * total, involuntary_switches=total, waits_for="epoll",
            queue=3, connections=7, requests=total, deliveries=7 * total, rounds=total,
        ),
    ]  # fmt: skip
    doors = [
        DoorMeasures(door="native", state="registered", connections=6),
        DoorMeasures(door="entrance", state="unregistered", connections=1),
        DoorMeasures(door="web", state="registered", connections=0),
    ]
    return MeasuresTaken(
        model=model,
        measures=Measures(
            time=at,
            process=ProcessMeasures(
                pid=pid, parent_pid=parent_pid, restarts=2 if parent_pid else 0, version="1.2.3",
                python="3.11.7", started=10.0, uptime_s=at - 10.0, cpu_s=0.02 * total,
                resident_bytes=50_000_000, virtual_bytes=1, open_files=9, max_open_files=99,
                voluntary_switches=0, involuntary_switches=0, threads=len(threads),
            ),
            threads=threads, roles=[], workers=1, users={"ACTIVO": 5, "OCUPADO": 1, "INACTIVO": 0},
            sessions=6, doors=doors, tls_connections=2, slow_consumers=1, turned_away=0,
            traffic=TrafficMeasures(
                connections=total, sessions=6, requests=2 * total, events=3 * total, messages=total,
                directs=0, deliveries=4 * total, received_bytes=0,
                sent_bytes=5 * total, gaps=0, faults=0, left={}, refused_connections={},
                refused_requests={}, rate_limited={},
            ),
            log=LogMeasures(last_seq=9, events=9, bytes=900, max_bytes=8_388_608),
            history=HistoryMeasures(
                file_bytes=4_096, queue=1, max_queue=10_000, questions=0, commits=3,
                failed_commits=0, stored=6 * total, last_commit_age_s=0.5, problem="",
            ) if history else None,
            mailboxes=0, longest_mailbox=0, log_lines=0, say_to_last_send=NO_LATENCIES,
            commit=NO_LATENCIES, problem=problem,
        ),
    )  # fmt: skip
