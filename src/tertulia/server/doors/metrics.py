"""Every metric: its name, kind and help, and how to get its values from the figures.

Pure. There is a sample for each value that a label can have, even before it was counted: otherwise
a rate or an alert would miss the first one. Clients cannot choose the value of any label.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

from tertulia.protocol.measures import HistoryMeasures, Latencies, Measures
from tertulia.protocol.messages import CloseReason, ErrorCode
from tertulia.server.observer import ADDRESS_DENIED, NO_PROXY_HEADER, TLS_FAILED

_REASONS = [reason.value for reason in CloseReason if reason is not CloseReason.REFUSED]
_CODES = [code.value for code in ErrorCode]
_CONNECTION_CODES = [*_CODES, ADDRESS_DENIED, NO_PROXY_HEADER, TLS_FAILED]
_LIMITS = ("requests", "registrations", "hooks")

Sample = tuple[str, float]  # the labels, in Prometheus's format, and the value
Samples = Callable[[Measures], Iterable[Sample]]


class Metric(NamedTuple):
    """One metric: `samples` takes its values from the figures; a histogram has `latencies`."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    samples: Samples | None = None
    latencies: Callable[[Measures], Latencies] | None = None


def _one(value: Callable[[Measures], float]) -> Samples:
    return lambda measures: (("", value(measures)),)


def _by(label: str, values: Iterable[str], counts: Callable[[Measures], dict[str, int]]) -> Samples:
    labels = {value: f'{{{label}="{value}"}}' for value in values}

    def samples(measures: Measures) -> Iterator[Sample]:
        counted = counts(measures)
        return ((text, counted.get(value, 0)) for value, text in labels.items())

    return samples


def _of_history(value: Callable[[HistoryMeasures], float | None]) -> Samples:
    """Return the sample of the history, if there is a history with this value."""

    def samples(measures: Measures) -> Iterator[Sample]:
        found = None if measures.history is None else value(measures.history)
        if found is not None:
            yield "", found

    return samples


def _info(measures: Measures) -> Iterator[Sample]:
    process = measures.process
    yield f'{{version="{process.version}",python="{process.python}"}}', 1


def _connections(measures: Measures) -> Iterator[Sample]:
    for door in measures.doors:
        yield f'{{door="{door.door}",state="{door.state}"}}', door.connections


def _threads(measures: Measures) -> Iterator[Sample]:
    return ((f'{{role="{role.role}"}}', role.threads) for role in measures.roles)


def _thread_cpu(measures: Measures) -> Iterator[Sample]:
    return ((f'{{role="{role.role}"}}', role.cpu_s) for role in measures.roles)


def _switches(measures: Measures) -> Iterator[Sample]:
    for role in measures.roles:
        yield f'{{role="{role.role}",kind="voluntary"}}', role.voluntary_switches
        yield f'{{role="{role.role}",kind="involuntary"}}', role.involuntary_switches


def _last_commit(measures: Measures) -> Iterator[Sample]:
    history = measures.history
    if history is not None and history.last_commit_age_s is not None:
        yield "", measures.time - history.last_commit_age_s


METRICS = (
    Metric("build_info", "gauge", "The version of tertulia and of Python. Always 1.", _info),
    Metric(
        "healthy",
        "gauge",
        "Whether every worker and the history are alive, as /healthz says: 1 or 0.",
        _one(lambda m: int(not m.problem)),
    ),
    # --- the process and its threads
    Metric(
        "process_start_time_seconds",
        "gauge",
        "When the server's process started, in seconds since 1970.",
        _one(lambda m: m.process.started),
    ),
    Metric(
        "process_restarts_total",
        "counter",
        "Times that the parent process has replaced the server's process; 0 without a parent.",
        _one(lambda m: m.process.restarts),
    ),
    Metric(
        "process_cpu_seconds_total",
        "counter",
        "CPU time of all threads, in user and system mode.",
        _one(lambda m: m.process.cpu_s),
    ),
    Metric(
        "process_resident_memory_bytes",
        "gauge",
        "Memory that the process has in RAM.",
        _one(lambda m: m.process.resident_bytes),
    ),
    Metric(
        "process_virtual_memory_bytes",
        "gauge",
        "Address space of the process.",
        _one(lambda m: m.process.virtual_bytes),
    ),
    Metric(
        "process_open_fds",
        "gauge",
        "Open files and sockets.",
        _one(lambda m: m.process.open_files),
    ),
    Metric(
        "process_max_fds",
        "gauge",
        "Limit of open files and sockets.",
        _one(lambda m: m.process.max_open_files),
    ),
    Metric("threads", "gauge", "Threads, by what they do.", _threads),
    Metric(
        "thread_cpu_seconds_total",
        "counter",
        "CPU time of the threads with a role, including ended ones.",
        _thread_cpu,
    ),
    Metric(
        "thread_context_switches_total",
        "counter",
        "Context switches: voluntary (the thread waited) and involuntary (its time was over).",
        _switches,
    ),
    # --- connections and sessions
    Metric("connections", "gauge", "Open connections, by door and state.", _connections),
    Metric(
        "tls_connections",
        "gauge",
        "Open connections that speak TLS.",
        _one(lambda m: m.tls_connections),
    ),
    Metric(
        "slow_consumers",
        "gauge",
        "Connections of slow clients, whose sockets accept no data at the moment.",
        _one(lambda m: m.slow_consumers),
    ),
    Metric(
        "connections_accepted_total",
        "counter",
        "Connections that a worker has taken over.",
        _one(lambda m: m.traffic.connections),
    ),
    Metric(
        "connections_refused_total",
        "counter",
        "Connections that were refused, by the code of the refusal.",
        _by("code", _CONNECTION_CODES, lambda m: m.traffic.refused_connections),
    ),
    Metric(
        "sessions",
        "gauge",
        "Registered users, by status.",
        _by("status", ("ACTIVO", "OCUPADO", "INACTIVO"), lambda m: m.users),
    ),
    Metric(
        "sessions_begun_total",
        "counter",
        "Sessions that have begun.",
        _one(lambda m: m.traffic.sessions),
    ),
    Metric(
        "sessions_ended_total",
        "counter",
        "Sessions that have ended, by reason.",
        _by("reason", _REASONS, lambda m: m.traffic.left),
    ),
    Metric(
        "slow_closes_total",
        "counter",
        "Sessions that were ended because their clients were too slow.",
        _one(lambda m: m.traffic.left.get("slow", 0)),
    ),
    # --- traffic
    Metric(
        "requests_total",
        "counter",
        "Requests that were read from clients.",
        _one(lambda m: m.traffic.requests),
    ),
    Metric(
        "requests_refused_total",
        "counter",
        "Requests that were answered with an error, by its code.",
        _by("code", _CODES, lambda m: m.traffic.refused_requests),
    ),
    Metric(
        "rate_limited_total",
        "counter",
        "Requests above a rate limit, by what is limited.",
        _by("limit", _LIMITS, lambda m: m.traffic.rate_limited),
    ),
    Metric(
        "messages_total",
        "counter",
        "Messages in the general chat, from users and from hooks.",
        _one(lambda m: m.traffic.messages),
    ),
    Metric(
        "direct_messages_total",
        "counter",
        "Direct messages that were accepted from their senders.",
        _one(lambda m: m.traffic.directs),
    ),
    Metric(
        "events_total",
        "counter",
        "Events of the general chat: messages, joins, leaves, statuses, acts of operators.",
        _one(lambda m: m.traffic.events),
    ),
    Metric(
        "deliveries_total",
        "counter",
        "Deliveries of events: an event counts once for each session to which it was sent.",
        _one(lambda m: m.traffic.deliveries),
    ),
    Metric(
        "received_bytes_total",
        "counter",
        "Bytes received from clients, without those of TLS itself.",
        _one(lambda m: m.traffic.received_bytes),
    ),
    Metric(
        "sent_bytes_total",
        "counter",
        "Bytes sent to clients, without those of TLS itself.",
        _one(lambda m: m.traffic.sent_bytes),
    ),
    Metric(
        "gaps_total",
        "counter",
        "Gaps: times that a slow client was not sent some events.",
        _one(lambda m: m.traffic.gaps),
    ),
    Metric(
        "faults_total",
        "counter",
        "Faults in the server's own code; each has cost one connection.",
        _one(lambda m: m.traffic.faults),
    ),
    Metric(
        "say_to_last_send_seconds",
        "histogram",
        "Time from the round that read an event's request to its last send, for each worker.",
        latencies=lambda m: m.say_to_last_send,
    ),
    # --- queues
    Metric(
        "mailbox_length",
        "gauge",
        "Mail that waits for all workers.",
        _one(lambda m: m.mailboxes),
    ),
    Metric(
        "mailbox_longest",
        "gauge",
        "Mail that waits for the worker that has the most.",
        _one(lambda m: m.longest_mailbox),
    ),
    Metric(
        "log_queue_length",
        "gauge",
        "Lines of the log that wait to be written to stderr.",
        _one(lambda m: m.log_lines or 0),
    ),
    Metric(
        "turned_away",
        "gauge",
        "Refused connections that are not closed yet.",
        _one(lambda m: m.turned_away),
    ),
    Metric(
        "event_log_events",
        "gauge",
        "Latest events that are kept in memory for slow clients.",
        _one(lambda m: m.log.events),
    ),
    Metric(
        "event_log_bytes",
        "gauge",
        "Approximate bytes of these events; --log-bytes is the limit.",
        _one(lambda m: m.log.bytes),
    ),
    # --- the history: nothing without one
    Metric(
        "history_commit_seconds",
        "histogram",
        "Duration of the commit of a group of messages.",
        latencies=lambda m: m.commit,
    ),
    Metric(
        "history_commits_failed_total",
        "counter",
        "Commits that have failed, for example because the disk is full.",
        _of_history(lambda h: h.failed_commits),
    ),
    Metric(
        "history_messages_stored_total",
        "counter",
        "Messages that were written to the history.",
        _of_history(lambda h: h.stored),
    ),
    Metric(
        "history_last_commit_timestamp_seconds",
        "gauge",
        "When the last successful commit ended, in seconds since 1970.",
        _last_commit,
    ),
    Metric(
        "history_queue_length",
        "gauge",
        "Messages and changes that wait to be written.",
        _of_history(lambda h: h.queue),
    ),
    Metric(
        "history_queue_limit",
        "gauge",
        "Length of that queue at which senders have to wait.",
        _of_history(lambda h: h.max_queue),
    ),
    Metric(
        "history_questions",
        "gauge",
        "Pages and searches that wait to be read.",
        _of_history(lambda h: h.questions),
    ),
    Metric(
        "history_size_bytes",
        "gauge",
        "Size of the history's file and of its write-ahead log.",
        _of_history(lambda h: h.file_bytes),
    ),
)
