"""Whether the threads that serve are alive: one line about the first that is not.

It only compares times that the threads note by themselves, so it takes no lock and costs next to
nothing. Any thread may call. Times are seconds of the monotonic clock.
"""

from collections.abc import Iterable

from tertulia.server.history.history import History
from tertulia.server.workers.worker import Worker

_MAX_ROUND_S = 5.0  # a round takes milliseconds; a large chat with TLS a fraction of a second
_MAX_LATE_S = 5.0  # after mail has come, or a deadline is over, until a worker looks at it
# One group of messages, with what SQLite waits for: another program that locks the file.
_MAX_WRITE_S = 10.0


def problem_of(workers: Iterable[Worker], history: History | None, now: float) -> str:
    """Return what is not alive, in one line; "" if all is well."""
    for worker in workers:
        if problem := _problem_of_worker(worker, now):
            return f"{worker.name} {problem}"
    if history is None:
        return ""
    vitals = history.vitals
    if vitals.problem:
        return f"the history cannot be written: {' '.join(vitals.problem.split())}"
    since = vitals.busy_since
    if since and now - since > _MAX_WRITE_S:
        return f"the history's writer has not finished for {now - since:.0f} s"
    return ""


def _problem_of_worker(worker: Worker, now: float) -> str:
    since = worker.observer.busy_since
    if since:
        lasts_s = now - since
        return f"has not finished a round for {lasts_s:.0f} s" if lasts_s > _MAX_ROUND_S else ""
    if len(worker.mailbox) and now - worker.mailbox.waiting_since > _MAX_LATE_S:
        late_s = now - worker.mailbox.waiting_since
        return f"has not looked at its mail for {late_s:.0f} s"
    if now - worker.next_check > _MAX_LATE_S:
        return f"has not looked at its deadlines for {now - worker.next_check:.0f} s"
    return ""
