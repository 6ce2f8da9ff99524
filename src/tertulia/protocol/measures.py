"""The figures of a running server: its process, threads, doors, queues and latencies.

The server's collector fills it in; its metrics and its live view show it. Totals count from the
server's start. Times of latencies are seconds.
"""

from enum import StrEnum

from msgspec import UNSET, Struct, UnsetType

# Upper bounds of the buckets of a histogram, in seconds; one more bucket has all that took longer.
BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Latencies(Struct, kw_only=True, frozen=True):
    """A histogram of durations: `counts` has a number for each bucket, then one for the rest."""

    counts: list[int]
    sum_s: float


class ProcessMeasures(Struct, kw_only=True, frozen=True):
    """The server's process. Context switches and CPU time include those of ended threads."""

    pid: int
    parent_pid: int | None  # of a parent that watches over this process
    restarts: int  # by that parent
    version: str
    python: str
    started: float  # seconds since 1970
    uptime_s: float
    cpu_s: float
    resident_bytes: int
    virtual_bytes: int
    open_files: int
    max_open_files: int
    voluntary_switches: int
    involuntary_switches: int
    threads: int


class ThreadMeasures(Struct, kw_only=True, frozen=True):
    """One thread. A field is None if it does not apply to this thread, or was not measured."""

    tid: int
    name: str
    # main, acceptor, console, worker, history-writer, history-reader, log, announcer,
    # parent, signals, link (of a node), other
    role: str
    cpu_s: float
    voluntary_switches: int | None  # None: not looked at
    involuntary_switches: int | None
    # running, epoll, poll, socket, turn (of a worker's thread), lock, queue, disk, signal, sleep,
    # or "" if that is not known
    waits_for: str
    queue: int | None = None  # mail, messages to write, questions or lines that wait for it
    connections: int | None = None
    requests: int | None = None  # total
    deliveries: int | None = None  # total of events that were sent to sessions
    rounds: int | None = None  # total


class RoleMeasures(Struct, kw_only=True, frozen=True):
    """All threads with one role. Ended threads are counted, too, except in `threads`."""

    role: str
    threads: int  # that are running
    cpu_s: float
    voluntary_switches: int
    involuntary_switches: int


class DoorMeasures(Struct, kw_only=True, frozen=True):
    """How many connections have come through one door and are in one state."""

    door: str  # entrance, native, web, hook, console
    state: str  # unregistered, registered, finishing, draining
    connections: int


class TrafficMeasures(Struct, kw_only=True, frozen=True):
    """Totals of connections, requests and messages. Bytes are those inside TLS."""

    connections: int  # accepted
    sessions: int  # begun
    requests: int
    events: int  # of the general chat: messages, joins, leaves, statuses, acts of operators
    messages: int  # said in the general chat, by users and hooks
    directs: int  # accepted direct messages
    deliveries: int  # events of the general chat times the sessions that were sent them
    received_bytes: int
    sent_bytes: int
    gaps: int
    faults: int
    left: dict[str, int]  # sessions that have ended, by reason
    refused_connections: dict[str, int]  # by code
    refused_requests: dict[str, int]  # by code
    rate_limited: dict[str, int]  # by what was limited: requests, registrations, hooks


class LogMeasures(Struct, kw_only=True, frozen=True):
    """The event log: the latest events, from which slow clients are served."""

    last_seq: int
    events: int
    bytes: int
    max_bytes: int


class HistoryMeasures(Struct, kw_only=True, frozen=True):
    """The history on the disk."""

    file_bytes: int  # with its write-ahead log
    queue: int  # messages that wait to be written
    max_queue: int
    questions: int  # pages and searches that wait to be read
    commits: int
    failed_commits: int
    stored: int  # messages
    last_commit_age_s: float | None  # None: nothing was written yet
    problem: str  # why nothing can be written; "": there is no problem


class NodeMeasures(Struct, kw_only=True, frozen=True):
    """One of the nodes, as the measured node knows it from the log."""

    name: str
    is_up: bool
    incarnation: int  # the place at which it came up; 0: it is down
    # Since its last sign of life, by the log's time, which stands still while nothing comes.
    silent_s: float
    addresses: list[str]  # for clients
    format: int  # the highest format of the log's entries that it can read


class ClusterMeasures(Struct, kw_only=True, frozen=True):
    """One node of several, and what it knows of the others. Totals count from its start."""

    chat: str
    node: str  # the own name
    nodes: list[NodeMeasures]  # every node that the log has ever had, sorted by name
    serves: bool
    is_connected: bool  # to a nats-server
    place: int  # of the last entry that was applied
    log_end: int  # the highest place that is known by now
    own_word_age_s: float | None  # since the last own batch that has come back; None: not up
    # Own commands: those that wait to be sent, and those that were sent and have not come back.
    queued: int
    under_way: int
    batches_under_way: int
    commands: int  # sent
    batches: int  # sent, each counted once
    resent: int  # batches
    ignored: dict[str, int]  # batches of all nodes: again, early, fenced
    unreadable: int  # entries of the log that are no batches
    digests_compared: int  # with those of other nodes
    diverged: int  # digests that differed; a node ends at the first one
    snapshots_sent: int  # states that other nodes have begun to fetch from this one
    snapshots_fetched: int  # states that this node has fetched and started from
    connects: int  # to a nats-server
    consumers: int  # with which the log was read
    holes: int  # times that entries were missing; they were read again
    stalls: int  # times that nothing came from the log
    refused: int  # batches that the log did not accept
    link_errors: int
    letters_sent: int  # to other nodes, outside the log
    letters_received: int
    directs_on_the_way: int  # direct messages to users of other nodes, not confirmed yet
    missing: dict[str, int]  # how many numbers this node's history lacks: of messages, visits

    @property
    def lag(self) -> int:
        """Number of known entries in the log that were not applied yet."""
        return max(0, self.log_end - self.place)


class ProblemKind(StrEnum):
    """The kinds of problems that a server can have. See problem_words.py."""

    ROUND = "round"
    MAIL = "mail"
    DEADLINES = "deadlines"
    HISTORY = "history"
    WRITER = "writer"
    STOPPING = "stopping"
    NO_NATS = "no_nats"
    QUEUE = "queue"
    BURIED = "buried"
    STANDSTILL = "standstill"


class Problem(Struct, frozen=True, omit_defaults=True):
    """One problem: the part that does not work, and the details that are known."""

    kind: str
    thread: str = ""
    seconds: float = 0.0
    count: int = 0
    reason: str = ""


class Measures(Struct, kw_only=True, frozen=True):
    """All figures. The parts were measured one after the other, without any lock."""

    time: float  # seconds since 1970
    process: ProcessMeasures
    threads: list[ThreadMeasures]  # may lack some of many workers: see Collector.measure
    roles: list[RoleMeasures]  # every role, even without a thread
    workers: int  # worker threads
    users: dict[str, int]  # by status
    sessions: int
    doors: list[DoorMeasures]
    tls_connections: int
    slow_consumers: int  # connections of slow clients: the socket accepts no data for now
    turned_away: int  # refused connections that are still being answered
    traffic: TrafficMeasures
    log: LogMeasures
    history: HistoryMeasures | None
    mailboxes: int  # mail that waits, in all
    longest_mailbox: int
    log_lines: int | None  # that wait to be written
    say_to_last_send: Latencies  # from the round that read a message to its last `send`
    commit: Latencies
    problem: str  # what does not work, in one line; "": all is well
    cluster: ClusterMeasures | UnsetType = UNSET  # a server alone has none
    trouble: Problem | UnsetType = UNSET  # the same problem in a form that can be translated
