"""What happens to connections and sessions, told to one place, which logs and counts it.

Each worker and the acceptor have an Observer of their own, so that counting needs no lock; only its
thread writes it. Any thread may read the counters and add them up.
"""

import logging
from collections import Counter
from collections.abc import Iterable

from tertulia.protocol.messages import CloseReason

log = logging.getLogger("tertulia.server")

Counts = Counter[str]  # by name, for example `joined` or `left.quit`


class Observer:
    """The events of one thread: a log line for each that an operator reads, and a counter."""

    __slots__ = ("accepted", "closed", "faults", "gaps", "joined", "left", "refused")

    def __init__(self) -> None:
        self.accepted = 0  # connections
        self.closed = 0  # connections
        self.joined = 0  # sessions
        self.left: Counter[CloseReason] = Counter()  # sessions
        self.refused: Counter[str] = Counter()  # connections, by error code
        self.gaps = 0
        self.faults = 0

    def on_accepted(self) -> None:
        """Count a connection that a worker has taken over."""
        self.accepted += 1

    def on_closed(self) -> None:
        """Count a connection whose socket is closed."""
        self.closed += 1

    def on_joined(self, name: str, address: str) -> None:
        """Note a new session."""
        self.joined += 1
        log.info("joined name=%s address=%s", name, address)

    def on_left(self, name: str, address: str, reason: CloseReason) -> None:
        """Note the end of a session."""
        self.left[reason] += 1
        log.info("left name=%s address=%s reason=%s", name, address, reason)

    def on_never_registered(self, address: str, reason: CloseReason) -> None:
        """Note a connection that was closed without ever having had a session."""
        log.info("closed address=%s reason=%s registered=no", address, reason)

    def on_refused(self, address: str, code: str, name: str | None = None) -> None:
        """Note a refused connection; `name` is what it asked to register, if it came that far."""
        self.refused[code] += 1
        if name is None:
            log.info("refused address=%s code=%s", address, code)
        else:
            log.info("refused address=%s code=%s name=%s", address, code, ascii(name[:64]))

    def on_no_thread(self, address: str, code: str, error: Exception) -> None:
        """Note a connection that the system gives no thread or descriptor for."""
        self.refused[code] += 1
        log.warning("refused address=%s code=%s error=%s", address, code, error)

    def on_gap(self) -> None:
        """Count live events that a slow session was not sent."""
        self.gaps += 1

    def on_fault(self, subject: object) -> None:
        """Note an exception of our own code, which is being handled, and what it concerns."""
        self.faults += 1
        log.exception("fault connection=%r", subject)


def add_up(observers: Iterable[Observer]) -> Counts:
    """Return the sums of all counters; those kept by reason or code are named like `left.quit`."""
    sums = Counts()
    for observer in observers:
        for name in Observer.__slots__:
            count = getattr(observer, name)
            if isinstance(count, Counter):
                # A copy in one step: its thread goes on counting.
                sums.update({f"{name}.{kind}": number for kind, number in dict(count).items()})
            else:
                sums[name] += count
    return sums
