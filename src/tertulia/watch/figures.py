"""What the live view shows of one moment, with every counter turned into a rate.

Values only, no I/O. `None` stands for what cannot be known; the screen shows "?" there.
"""

from collections.abc import Iterable
from enum import Enum, auto

from msgspec import Struct

from tertulia.protocol.measures import ClusterMeasures


class Waiting(Enum):
    """What a thread does at this moment, or what it waits for."""

    RUNNING = auto()  # it runs, or is ready to run and waits for a processor
    EPOLL = auto()  # for bytes on its sockets, or for mail
    POLL = auto()  # for a new connection
    SOCKET = auto()  # for bytes of one other end
    SIGNAL = auto()
    QUEUE = auto()  # for work in its queue
    TURN = auto()  # that another thread of its worker has
    LOCK = auto()  # most often the interpreter's
    DISK = auto()
    SLEEP = auto()  # for a moment, on purpose, to gather more work
    UNKNOWN = auto()


class ProcessFigures(Struct, frozen=True):
    """One process. `cpu` is the share of one processor: 1.0 is all of it."""

    role: str  # "server", "parent" or "child"
    pid: int
    uptime_s: float | None = None
    cpu: float | None = None
    memory_bytes: int | None = None
    threads: int | None = None
    restarts: int | None = None  # of the child; only a parent knows it


class ThreadFigures(Struct, frozen=True):
    """One thread of the server. Rates are per second."""

    name: str
    kind: str  # the role: `worker` of `worker-3`
    tid: int
    waiting: Waiting = Waiting.UNKNOWN
    cpu: float | None = None
    cpu_s: float | None = None  # since the thread has started
    voluntary: float | None = None  # context switches: it had to wait
    involuntary: float | None = None  # context switches: its time was up
    connections: int | None = None
    requests: float | None = None
    events: float | None = None
    queue: int | None = None


class PathFigures(Struct, frozen=True):
    """The arrows of the picture. Rates are per second."""

    accepted: float | None = None  # connections
    requests: float | None = None  # from workers to the hub
    events: float | None = None  # that the hub has put in order
    deliveries: float | None = None  # of an event to one session
    sent_bytes: float | None = None
    stored: float | None = None  # messages that wait for the disk no more
    history_queue: int | None = None
    commit_age_s: float | None = None  # None: nothing was written yet, or there is no history


class RoomFigures(Struct, frozen=True):
    """Who is here, and through which door."""

    statuses: dict[str, int] = {}
    doors: dict[str, int] = {}  # connections
    unregistered: int | None = None
    slow: int | None = None  # connections that take nothing more for now
    log_bytes: int | None = None
    log_most_bytes: int | None = None
    history_bytes: int | None = None
    has_history: bool = True


class ClusterFigures(Struct, frozen=True):
    """This node, and the others as it sees them. Rates are per second."""

    now: ClusterMeasures
    entries: float | None = None  # of the log, applied here
    commands: float | None = None  # of this node


class Figures(Struct, frozen=True):
    """Everything of one moment."""

    port: int
    version: str
    model: str  # what `--threads` says
    uptime_s: float
    processes: list[ProcessFigures]
    threads: list[ThreadFigures]
    path: PathFigures
    room: RoomFigures
    look_cost_s: float = 0.0  # CPU time of the server for the last look
    cluster: ClusterFigures | None = None  # None: the server is alone

    @property
    def serves(self) -> bool:
        """Whether the server carries out requests; one of several may have to wait."""
        return self.cluster is None or self.cluster.now.serves

    @property
    def cpu(self) -> float | None:
        """The share of a processor that the server's threads have used together."""
        return total(thread.cpu for thread in self.threads)

    @property
    def switches(self) -> float | None:
        """Context switches of all threads."""
        return total(
            part for thread in self.threads for part in (thread.voluntary, thread.involuntary)
        )


def total(parts: Iterable[float | None]) -> float | None:
    """Return the sum of what is known; None if nothing is."""
    known = [part for part in parts if part is not None]
    return sum(known) if known else None
