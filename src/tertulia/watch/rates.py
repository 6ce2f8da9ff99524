"""Turns the server's totals into the figures of the live view: rates since the last request.

It does no I/O itself; it is given functions that read the system. One thread at a time.
"""

from collections import Counter
from collections.abc import Callable

from msgspec import UNSET
from msgspec.structs import replace

from tertulia.protocol.measures import Measures, ProcessMeasures, ThreadMeasures
from tertulia.protocol.watching import MeasuresTaken
from tertulia.watch.figures import (
    ClusterFigures,
    Figures,
    PathFigures,
    ProcessFigures,
    RoomFigures,
    ThreadFigures,
    Waiting,
)
from tertulia.watch.procfs import Process, Thread, process, thread

_WAITING = {what.name.lower(): what for what in Waiting}
_MAIN = "MainThread"
_LOOKER = "console"


class Rates:
    """Remembers the last totals. If the server was restarted, it begins again."""

    def __init__(
        self,
        port: int,
        read_process: Callable[[int], Process | None] = process,
        read_thread: Callable[[int, int], Thread | None] = thread,
    ) -> None:
        self._port = port
        self._read_process = read_process
        self._read_thread = read_thread
        self._before: Measures | None = None
        self._threads: dict[tuple[int, str], ThreadMeasures] = {}
        self._parent: Process | None = None
        # The one that had the turn, if there is only one worker.
        self._server: ThreadMeasures | None = None

    def figures(self, taken: MeasuresTaken) -> Figures:
        """Return the figures for these totals."""
        now = taken.measures
        before = self._before
        if before is not None and before.process.pid != now.process.pid:
            before = None
        since = None if before is None else now.time - before.time
        if since is not None and since <= 0:
            since = None
        per_second = _PerSecond(since)
        threads = [self._completed(thread, now.process.pid) for thread in now.threads]
        figures = Figures(
            port=self._port,
            version=now.process.version,
            model=taken.model,
            uptime_s=now.process.uptime_s,
            processes=self._processes(now.process, before, per_second),
            threads=[self._thread(thread, per_second) for thread in threads],
            look_cost_s=self._look_cost_s(threads),
            path=_path(now, before, per_second),
            room=_room(now),
            cluster=_cluster(now, before, per_second),
        )
        self._before = now
        self._threads = {(thread.tid, thread.name): thread for thread in threads}
        serving = [thread for thread in threads if thread.rounds is not None]
        self._server = serving[0] if len(serving) == 1 else None
        return figures

    def _completed(self, now: ThreadMeasures, pid: int) -> ThreadMeasures:
        """Add the data that the server has not measured itself, because it has so many threads."""
        if now.voluntary_switches is not None:
            return now
        seen = self._read_thread(pid, now.tid)
        if seen is None:
            return now
        return replace(
            now,
            voluntary_switches=seen.voluntary,
            involuntary_switches=seen.involuntary,
            waits_for=seen.waits_for,
        )

    def _look_cost_s(self, threads: list[ThreadMeasures]) -> float:
        """Return the CPU time since the last request of the thread that answers requests."""
        for now in threads:
            was = self._threads.get((now.tid, now.name))
            if now.role == _LOOKER and was is not None:
                return max(0.0, now.cpu_s - was.cpu_s)
        return 0.0

    def _processes(
        self, now: ProcessMeasures, before: Measures | None, per_second: "_PerSecond"
    ) -> list[ProcessFigures]:
        server = ProcessFigures(
            role="server" if now.parent_pid is None else "child",
            pid=now.pid,
            uptime_s=now.uptime_s,
            cpu=per_second(now.cpu_s, None if before is None else before.process.cpu_s),
            memory_bytes=now.resident_bytes,
            threads=now.threads,
        )
        if now.parent_pid is None:
            return [server]
        parent, was = self._read_process(now.parent_pid), self._parent
        self._parent = parent
        return [
            ProcessFigures(
                role="parent",
                pid=now.parent_pid,
                uptime_s=None if parent is None else parent.uptime_s,
                cpu=None if parent is None or was is None else per_second(parent.cpu_s, was.cpu_s),
                memory_bytes=None if parent is None else parent.memory_bytes,
                threads=None if parent is None else parent.threads,
                restarts=now.restarts,
            ),
            server,
        ]

    def _thread(self, now: ThreadMeasures, per_second: "_PerSecond") -> ThreadFigures:
        was = self._threads.get((now.tid, now.name))
        rate = _PerSecond(None) if was is None else per_second
        was = was or now
        served = was
        if now.rounds is not None and was.rounds is None and self._server is not None:
            served = self._server  # it now has the turn, and continues the count
        return ThreadFigures(
            name="main" if now.name == _MAIN else now.name,
            kind=now.name if now.role == "other" else now.role,
            tid=now.tid,
            waiting=_WAITING.get(now.waits_for, Waiting.UNKNOWN),
            cpu=rate(now.cpu_s, was.cpu_s),
            cpu_s=now.cpu_s,
            voluntary=rate(now.voluntary_switches, was.voluntary_switches),
            involuntary=rate(now.involuntary_switches, was.involuntary_switches),
            connections=now.connections,
            requests=rate(now.requests, served.requests),
            events=rate(now.deliveries, served.deliveries),
            queue=now.queue,
        )


class _PerSecond:
    """Makes a rate from two totals; None if one of them or the time between them is unknown."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds

    def __call__(self, now: float | None, before: float | None) -> float | None:
        if self._seconds is None or now is None or before is None:
            return None
        return max(0.0, (now - before) / self._seconds)


def _path(now: Measures, before: Measures | None, per_second: _PerSecond) -> PathFigures:
    is_first = before is None
    then = now if before is None else before
    history = now.history
    stored = then.history
    rate = _PerSecond(None) if is_first else per_second
    return PathFigures(
        accepted=rate(now.traffic.connections, then.traffic.connections),
        requests=rate(now.traffic.requests, then.traffic.requests),
        events=rate(now.traffic.events, then.traffic.events),
        deliveries=rate(now.traffic.deliveries, then.traffic.deliveries),
        sent_bytes=rate(now.traffic.sent_bytes, then.traffic.sent_bytes),
        stored=None if history is None or stored is None else rate(history.stored, stored.stored),
        history_queue=None if history is None else history.queue,
        commit_age_s=None if history is None else history.last_commit_age_s,
    )


def _cluster(
    now: Measures, before: Measures | None, per_second: _PerSecond
) -> ClusterFigures | None:
    if now.cluster is UNSET:
        return None
    was = None if before is None or before.cluster is UNSET else before.cluster
    return ClusterFigures(
        now=now.cluster,
        entries=per_second(now.cluster.place, None if was is None else was.place),
        commands=per_second(now.cluster.commands, None if was is None else was.commands),
    )


def _room(now: Measures) -> RoomFigures:
    doors: Counter[str] = Counter()
    unregistered = 0
    for row in now.doors:
        if row.connections:
            doors[row.door] += row.connections
            if row.state == "unregistered":
                unregistered += row.connections
    doors["tls"] = now.tls_connections
    return RoomFigures(
        statuses=dict(now.users),
        doors=dict(doors),
        unregistered=unregistered,
        slow=now.slow_consumers,
        log_bytes=now.log.bytes,
        log_most_bytes=now.log.max_bytes,
        history_bytes=None if now.history is None else now.history.file_bytes,
        has_history=now.history is not None,
    )
