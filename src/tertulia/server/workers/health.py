"""Finds out whether the threads that serve clients are alive, and which problem there is if not.

It only compares times that the threads note themselves, so it takes no lock and costs very little.
Any thread may call. Times are seconds of the monotonic clock.
"""

from collections.abc import Iterable

from tertulia.protocol.measures import Problem, ProblemKind
from tertulia.server.history.history import History
from tertulia.server.workers.worker import Worker

_MAX_ROUND_S = 5.0  # a round takes milliseconds, or a fraction of a second in a large chat with TLS
_MAX_LATE_S = 5.0  # from the arrival of mail, or a deadline, until a worker looks at it
# One group of messages; it includes SQLite's wait while another program locks the file.
_MAX_WRITE_S = 10.0


def problem_of(workers: Iterable[Worker], history: History | None, now: float) -> Problem | None:
    """Return the first thread that is not alive as a Problem; None if all are."""
    for worker in workers:
        if problem := _problem_of_worker(worker, now):
            return problem
    if history is None:
        return None
    vitals = history.vitals
    if vitals.problem:
        return Problem(ProblemKind.HISTORY, reason=" ".join(vitals.problem.split()))
    since = vitals.busy_since
    if since and now - since > _MAX_WRITE_S:
        return Problem(ProblemKind.WRITER, seconds=now - since)
    return None


def _problem_of_worker(worker: Worker, now: float) -> Problem | None:
    kind, late_s, most_s = ProblemKind.DEADLINES, now - worker.next_check, _MAX_LATE_S
    since = worker.observer.busy_since
    if since:
        kind, late_s, most_s = ProblemKind.ROUND, now - since, _MAX_ROUND_S
    elif len(worker.mailbox) and now - worker.mailbox.waiting_since > _MAX_LATE_S:
        kind, late_s = ProblemKind.MAIL, now - worker.mailbox.waiting_since
    return Problem(kind, thread=worker.name, seconds=late_s) if late_s > most_s else None
