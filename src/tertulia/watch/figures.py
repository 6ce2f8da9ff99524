"""The figures of the live view at one moment, with every counter as a rate.

Values only, no I/O; safe in any thread. `None` means that a value is unknown; the screen shows "?"
for it.
"""

from collections.abc import Iterable
from enum import Enum, auto

from msgspec import Struct

from tertulia.protocol.measures import ClusterMeasures


class Waiting(Enum):
    """The activity of a thread at this moment, or the reason why it waits."""

    RUNNING = auto()  # it runs, or waits only for a processor
    EPOLL = auto()  # bytes on its sockets, or mail
    POLL = auto()  # a new connection
    SOCKET = auto()  # bytes of one peer
    SIGNAL = auto()
    QUEUE = auto()  # work in its queue
    TURN = auto()  # its turn, which another thread of its worker has
    LOCK = auto()  # most often the interpreter's lock
    DISK = auto()
    SLEEP = auto()  # a short time, on purpose, to gather more work
    UNKNOWN = auto()


class ProcessFigures(Struct, frozen=True):
    """One process. `cpu` is the share of one processor: 1.0 is all of it."""

    role: str  # "server", "parent" or "child"
    pid: int
    uptime_s: float | None = None
    cpu: float | None = None
    memory_bytes: int | None = None
    threads: int | None = None
    restarts: int | None = None  # of the child; only the parent knows the number


class ThreadFigures(Struct, frozen=True):
    """One thread of the server. Rates are per second."""

    name: str
    kind: str  # the role: `worker` for `worker-3`
    tid: int
    waiting: Waiting = Waiting.UNKNOWN
    cpu: float | None = None
    cpu_s: float | None = None  # since the thread was started
    voluntary: float | None = None  # context switches because the thread had to wait
    involuntary: float | None = None  # context switches because its time slice was over
    connections: int | None = None
    requests: float | None = None
    events: float | None = None
    queue: int | None = None


class PathFigures(Struct, frozen=True):
    """The arrows of the picture. Rates are per second."""

    accepted: float | None = None  # new connections
    requests: float | None = None  # from the workers to the hub
    events: float | None = None  # events that the hub has ordered
    deliveries: float | None = None  # of one event to one session each
    sent_bytes: float | None = None
    stored: float | None = None  # messages that were written to the disk
    history_queue: int | None = None
    commit_age_s: float | None = None  # None: nothing was written yet, or there is no history


class RoomFigures(Struct, frozen=True):
    """The present users and connections, by the kind of connection."""

    statuses: dict[str, int] = {}
    doors: dict[str, int] = {}  # the connections of each kind
    unregistered: int | None = None
    slow: int | None = None  # connections that accept no more data for now
    log_bytes: int | None = None
    log_most_bytes: int | None = None
    history_bytes: int | None = None
    has_history: bool = True


class ClusterFigures(Struct, frozen=True):
    """This node, and its view of the other nodes. Rates are per second."""

    now: ClusterMeasures
    entries: float | None = None  # of the log, applied on this node
    commands: float | None = None  # commands made by this node


class Figures(Struct, frozen=True):
    """All figures of one moment."""

    port: int
    version: str
    model: str  # the value of `--threads`
    uptime_s: float
    processes: list[ProcessFigures]
    threads: list[ThreadFigures]
    path: PathFigures
    room: RoomFigures
    look_cost_s: float = 0.0  # CPU time of the server for the last request
    cluster: ClusterFigures | None = None  # None: the server is not part of a cluster

    @property
    def serves(self) -> bool:
        """Return whether the server carries out requests; a node of several may have to wait."""
        return self.cluster is None or self.cluster.now.serves

    @property
    def cpu(self) -> float | None:
        """Return the share of a processor that all of the server's threads have used."""
        return total(thread.cpu for thread in self.threads)

    @property
    def switches(self) -> float | None:
        """Return the context switches of all threads."""
        return total(
            part for thread in self.threads for part in (thread.voluntary, thread.involuntary)
        )


def total(parts: Iterable[float | None]) -> float | None:
    """Return the sum of the known values; None if none is known."""
    known = [part for part in parts if part is not None]
    return sum(known) if known else None
