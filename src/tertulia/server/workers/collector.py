"""Measures the running server for its metrics and its live view.

Any thread may call it. It takes no lock that a worker waits for: it reads numbers while other
threads change them, and copies lists in one step. So two sums may differ by a message.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from msgspec import UNSET

from tertulia.problem_words import in_english
from tertulia.protocol.measures import (
    ClusterMeasures,
    DoorMeasures,
    HistoryMeasures,
    LogMeasures,
    Measures,
    Problem,
    ProcessMeasures,
    RoleMeasures,
    ThreadMeasures,
    TrafficMeasures,
)
from tertulia.protocol.messages import Status
from tertulia.server import procfs
from tertulia.server.config import Config
from tertulia.server.history.history import History
from tertulia.server.hub.hub import Hub
from tertulia.server.latencies import Histogram
from tertulia.server.observer import Observer
from tertulia.server.workers.connection import CLOSED, State
from tertulia.server.workers.health import problem_of
from tertulia.server.workers.pool import WorkerPool
from tertulia.server.workers.worker import Worker
from tertulia.version import __version__

DOORS = ("entrance", "native", "web", "hook", "console")
WORKER, OTHER = "worker", "other"
LINK = "link"  # of a node: the connection to a nats-server
ROLES = (
    *("main", "acceptor", "console", WORKER, "history-writer", "history-reader", "log"),
    *("announcer", "parent", "signals"),
    OTHER,
)
# Workers that are measured one by one, in a millisecond; `--threads session` can have thousands.
_MAX_WORKERS = 64


def role_of(thread_name: str) -> str:
    """Return the role of a thread: its name, without the number of a worker."""
    if thread_name.startswith("worker-"):
        return WORKER
    if thread_name == "MainThread":
        return "main"
    return thread_name if thread_name in (*ROLES, LINK) else OTHER


class Node(Protocol):
    """What the collector needs of a node, if this server is one of several."""

    def measure(self) -> ClusterMeasures:
        """Return the figures of this moment. Any thread."""

    def problem(self) -> Problem | None:
        """Return why this node does not serve; None if it serves. Any thread."""


class Collector:
    """Measures the parts of one server.

    `turned_away` returns the number of refused connections that are being answered, `log_lines`
    the number of log lines that wait, if there is such a queue. `node` is None if this server is
    alone. `restarts` and `parent_pid` come from the parent process, if there is one.
    """

    def __init__(
        self,
        config: Config,
        pool: WorkerPool,
        hub: Hub,
        history: History | None,
        turned_away: Callable[[], int],
        log_lines: Callable[[], int] | None = None,
        *,
        node: Node | None = None,
        restarts: int = 0,
        parent_pid: int | None = None,
    ) -> None:
        self._config = config
        self._pool = pool
        self._hub = hub
        self._history = history
        self._turned_away = turned_away
        self._log_lines = log_lines
        self._node = node
        self._restarts = restarts
        self._parent_pid = parent_pid
        self._started = procfs.process_started()
        # Threads with this role come and go. Their CPU time and context switches are those of the
        # process, which include ended threads, minus those of all other roles.
        are_many = config.threads is None or config.threads > _MAX_WORKERS
        self._passing = WORKER if are_many else OTHER
        self._of_passing = (0.0, 0, 0)  # the latest figures of that role

    def problem(self) -> str:
        """Return what is not alive, in one line; "" if all is well. Much cheaper than `measure`."""
        problem = self._problem()
        return "" if problem is None else in_english(problem)

    def _problem(self) -> Problem | None:
        problem = problem_of(self._pool.workers, self._history, time.monotonic())
        return problem if problem or self._node is None else self._node.problem()

    def measure(self, *, each_worker: bool = True, shows_waits: bool = False) -> Measures:
        """Return the figures of this moment.

        Without `each_worker` the list of threads lacks the workers if there may be many. With
        `shows_waits` it has all threads, and what each one waits for; of workers beyond the first
        64 it has only the figures that cost little.
        """
        workers = self._pool.workers
        number = sum(worker.threads for worker in workers)
        each_worker = each_worker or self._passing != WORKER
        cluster = UNSET if self._node is None else self._node.measure()
        threads = self._threads(workers, each_worker=each_worker, shows_waits=shows_waits)
        process = self._process()
        totals = self._pool.totals()
        people = self._hub.people()
        statuses = [session.status for session in people]
        doors, tls, slow = _connections_of(workers)
        waiting = [len(worker.mailbox) for worker in workers]
        history, problem = self._history, self._problem()
        commits = Histogram() if history is None else history.vitals.commits
        return Measures(
            time=time.time(),
            process=process,
            threads=threads,
            roles=self._roles(process, threads, number),
            workers=number,
            users={status.value: statuses.count(status) for status in Status},
            sessions=len(people),
            doors=doors,
            tls_connections=tls,
            slow_consumers=slow,
            turned_away=self._turned_away(),
            traffic=self._traffic(totals),
            log=self._log(),
            history=None if history is None else _history(history, self._config),
            mailboxes=sum(waiting),
            longest_mailbox=max(waiting, default=0),
            log_lines=None if self._log_lines is None else self._log_lines(),
            say_to_last_send=totals.say_to_last_send.latencies,
            commit=commits.latencies,
            problem="" if problem is None else in_english(problem),
            cluster=cluster,
            trouble=UNSET if problem is None else problem,
        )

    def _process(self) -> ProcessMeasures:
        memory, switches = procfs.process_memory(), procfs.process_switches()
        return ProcessMeasures(
            pid=os.getpid(),
            parent_pid=self._parent_pid,
            restarts=self._restarts,
            version=__version__,
            python=sys.version.partition(" ")[0],
            started=self._started,
            uptime_s=time.time() - self._started,
            cpu_s=time.process_time(),
            resident_bytes=memory.resident,
            virtual_bytes=memory.virtual,
            open_files=procfs.open_files(),
            max_open_files=procfs.max_open_files(),
            voluntary_switches=switches.voluntary,
            involuntary_switches=switches.involuntary,
            threads=threading.active_count(),
        )

    def _threads(
        self, workers: tuple[Worker, ...], *, each_worker: bool, shows_waits: bool
    ) -> list[ThreadMeasures]:
        having_turn = {worker.name: worker for worker in workers}
        threads = [thread for thread in threading.enumerate() if thread.native_id is not None]
        found = [
            self._thread(thread, None, is_looked_at=True, shows_waits=shows_waits)
            for thread in threads
            if role_of(thread.name) != WORKER
        ]
        if not each_worker:
            return found
        of_workers = [thread for thread in threads if role_of(thread.name) == WORKER]
        for number, thread in enumerate(of_workers if shows_waits else of_workers[:_MAX_WORKERS]):
            worker, is_looked_at = having_turn.get(thread.name), number < _MAX_WORKERS
            found.append(
                self._thread(thread, worker, is_looked_at=is_looked_at, shows_waits=shows_waits)
            )
        return found

    def _thread(
        self,
        thread: threading.Thread,
        worker: Worker | None,
        *,
        is_looked_at: bool,
        shows_waits: bool,
    ) -> ThreadMeasures:
        tid, role = thread.native_id, role_of(thread.name)
        assert tid is not None, "it has started"
        switches = procfs.thread_switches(tid) if is_looked_at else None
        waits_for = ""
        if shows_waits and is_looked_at:
            waits_for = _waits_for(tid, role, has_turn=worker is not None)
        observer = None if worker is None else worker.observer
        return ThreadMeasures(
            tid=tid,
            name=thread.name,
            role=role,
            cpu_s=procfs.thread_cpu_s(tid),
            voluntary_switches=None if switches is None else switches.voluntary,
            involuntary_switches=None if switches is None else switches.involuntary,
            waits_for=waits_for,
            queue=self._queue_of(role) if worker is None else len(worker.mailbox),
            connections=None if worker is None else len(worker.connections),
            requests=None if observer is None else observer.requests,
            deliveries=None if observer is None else observer.deliveries,
            rounds=None if observer is None else observer.rounds,
        )

    def _roles(
        self, process: ProcessMeasures, threads: list[ThreadMeasures], workers: int
    ) -> list[RoleMeasures]:
        """Add up the threads by role.

        The threads were measured before the process, so nothing is counted twice. If the difference
        gets smaller, by what a thread did in between, the last one stays: a counter must not fall.
        """
        roles = []
        rest = (process.cpu_s, process.voluntary_switches, process.involuntary_switches)
        for role in ROLES if self._node is None else (*ROLES, LINK):
            if role == self._passing:
                continue
            own = [thread for thread in threads if thread.role == role]
            sums = (
                sum(thread.cpu_s for thread in own),
                sum(thread.voluntary_switches or 0 for thread in own),
                sum(thread.involuntary_switches or 0 for thread in own),
            )
            rest = (rest[0] - sums[0], rest[1] - sums[1], rest[2] - sums[2])
            roles.append(_role(role, len(own), sums))
        before = self._of_passing
        self._of_passing = rest = (
            max(before[0], rest[0]),
            max(before[1], rest[1]),
            max(before[2], rest[2]),
        )
        number = workers if self._passing == WORKER else sum(one.role == OTHER for one in threads)
        return [*roles, _role(self._passing, number, rest)]

    def _queue_of(self, role: str) -> int | None:
        if role == "log":
            return None if self._log_lines is None else self._log_lines()
        if self._history is None or not role.startswith("history-"):
            return None
        to_write, to_read = self._history.queued
        return to_write if role == "history-writer" else to_read

    def _traffic(self, totals: Observer) -> TrafficMeasures:
        events = self._hub.events
        return TrafficMeasures(
            connections=totals.accepted,
            sessions=totals.joined,
            requests=totals.requests,
            events=events.last_seq - events.first_seq,
            messages=events.messages,
            directs=self._hub.direct_messages.accepted,
            deliveries=totals.deliveries,
            received_bytes=totals.received_bytes,
            sent_bytes=totals.sent_bytes,
            gaps=totals.gaps,
            faults=totals.faults,
            left={str(reason): count for reason, count in totals.left.items()},
            refused_connections={str(code): count for code, count in totals.refused.items()},
            refused_requests={str(code): count for code, count in totals.refused_requests.items()},
            rate_limited=dict(totals.rate_limited),
        )

    def _log(self) -> LogMeasures:
        events, size = self._hub.events.kept
        return LogMeasures(
            last_seq=self._hub.events.last_seq,
            events=events,
            bytes=size,
            max_bytes=self._config.log_bytes,
        )


def _role(role: str, threads: int, sums: tuple[float, int, int]) -> RoleMeasures:
    cpu_s, voluntary, involuntary = sums
    return RoleMeasures(
        role=role,
        threads=threads,
        cpu_s=cpu_s,
        voluntary_switches=voluntary,
        involuntary_switches=involuntary,
    )


def _connections_of(workers: tuple[Worker, ...]) -> tuple[list[DoorMeasures], int, int]:
    """Count the connections by door and state, those with TLS, and those that are blocked."""
    # Lists, counted afterwards: looking up an enum member a thousand times costs more than all the
    # rest of this function.
    states: dict[str, list[State]] = {door: [] for door in DOORS}
    tls = slow = 0
    for worker in workers:
        for connection in worker.connections:
            session = connection.session
            is_console = session is not None and session.is_console
            states["console" if is_console else connection.door.kind].append(connection.state)
            if connection.tls is not None:
                tls += 1
            if connection.blocked:
                slow += 1
    doors = [
        DoorMeasures(door=door, state=state.name.lower(), connections=states[door].count(state))
        for door in DOORS
        for state in State
        if state is not CLOSED
    ]
    return doors, tls, slow


def _waits_for(tid: int, role: str, *, has_turn: bool) -> str:
    if tid == threading.get_native_id():
        return "running"
    waits_for = procfs.thread_waits_for(tid)
    if waits_for != "lock":
        return waits_for
    # Waiting for a queue or a turn looks like waiting for a lock; these threads seldom wait for
    # any other lock.
    if role == "worker" and not has_turn:
        return "turn"
    return "queue" if role in ("main", "log") or role.startswith("history-") else "lock"


def _history(history: History, config: Config) -> HistoryMeasures:
    vitals = history.vitals
    queue, questions = history.queued
    at = vitals.last_commit_at
    return HistoryMeasures(
        file_bytes=_size(history.path) + _size(Path(f"{history.path}-wal")),
        queue=queue,
        max_queue=config.history_queue,
        questions=questions,
        commits=sum(vitals.commits.counts),
        failed_commits=vitals.failed_commits,
        stored=vitals.stored,
        last_commit_age_s=None if at is None else time.monotonic() - at,
        problem=vitals.problem,
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # it is not there
        return 0
