"""Logs and counts in one place what happens to connections and sessions.

Each worker and the acceptor have an Observer of their own, so that counting needs no lock; only its
thread writes it. Any thread may read the counters and add them up.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from operator import attrgetter

from tertulia.protocol.messages import CloseReason, ErrorCode, Request
from tertulia.protocol.moderation import target_of
from tertulia.server.latencies import Histogram

log = logging.getLogger("tertulia.server")

_SPARSE_EVERY_S = 60.0
# Refusals that an outsider can cause as often as it likes.
# These three are not codes of the protocol.
ADDRESS_DENIED, NO_PROXY_HEADER = "address_denied", "no_proxy_header"
TLS_FAILED = "tls_failed"
_OUTSIDERS = (
    ErrorCode.CODE_REQUIRED,
    ErrorCode.CODE_WRONG,
    ErrorCode.TLS_REQUIRED,
    ADDRESS_DENIED,
    NO_PROXY_HEADER,
    TLS_FAILED,
)
# These also happen to honest users, and the operator may look for their addresses.
_HONEST = (ErrorCode.SERVER_FULL, ErrorCode.REGISTER_TIMEOUT)
_HONEST_LINES = 30  # for each of them, in a minute
_MOST_LINES: dict[str, int] = {
    **dict.fromkeys(_OUTSIDERS, 1),
    **dict.fromkeys(_HONEST, _HONEST_LINES),
}


class SparseLog:
    """Lets only a few lines of each kind pass per minute, so that no outsider can fill the log.

    Any thread may call.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        # By kind: when the minute began, the lines since then, and how many were left out.
        self._lines: dict[str, tuple[float, int, int]] = {}

    def admit(self, kind: str, most_lines: int = 1) -> int | None:
        """Return how many lines were left out since the last one; None: leave this one out too."""
        now = self._monotonic()
        with self._lock:
            begun_at, logged, left_out = self._lines.get(kind, (now, 0, 0))
            if now - begun_at >= _SPARSE_EVERY_S:
                begun_at, logged = now, 0
            if logged >= most_lines:
                self._lines[kind] = begun_at, logged, left_out + 1
                return None
            self._lines[kind] = begun_at, logged + 1, 0
            return left_out


class Observer:
    """The events of one thread: a log line for each that an operator reads, and a counter.

    The hot paths write the plain numbers themselves: a call for each would cost several times that.
    """

    __slots__ = (
        "_sparse_log",
        "accepted",
        "busy_since",
        "closed",
        "deliveries",
        "faults",
        "gaps",
        "joined",
        "left",
        "rate_limited",
        "received_bytes",
        "refused",
        "refused_requests",
        "requests",
        "rounds",
        "say_to_last_send",
        "sent_bytes",
    )

    def __init__(self, sparse_log: SparseLog | None = None) -> None:
        self._sparse_log = sparse_log or SparseLog()
        self.accepted = 0  # connections that a worker has taken over
        self.closed = 0  # connections whose socket is closed
        self.joined = 0  # sessions
        self.left: Counter[CloseReason] = Counter()  # sessions
        self.refused: Counter[str] = Counter()  # connections, by error code
        self.gaps = 0
        self.faults = 0
        self.refused_requests: Counter[str] = Counter()  # by error code
        self.rate_limited: Counter[str] = Counter()  # of these, by what was limited
        self.requests = 0
        self.received_bytes = 0  # like those sent, inside TLS
        self.sent_bytes = 0
        self.deliveries = 0  # events of the log times the connections that were sent them
        self.say_to_last_send = Histogram()  # all events of a round count as old as its oldest
        self.rounds = 0
        self.busy_since = 0.0  # when this round began, by the monotonic clock; 0.0 between two

    def on_joined(self, name: str, address: str) -> None:
        """Note a new session."""
        self.joined += 1
        log.info("joined name=%s address=%s", name, address)

    def on_left(self, name: str, address: str, reason: CloseReason) -> None:
        """Note the end of a session."""
        self.left[reason] += 1
        log.info("left name=%s address=%s reason=%s", name, address, reason)

    def on_moderated(self, operator: str, request: Request) -> None:
        """Note an action of an operator."""
        kind, target = request.__struct_config__.tag, target_of(request)[:64]
        log.info("moderated operator=%s request=%s target=%s", operator, kind, ascii(target))

    def on_console(self, address: str, *, is_open: bool) -> None:
        """Note that somebody has opened the console, or a view, on this machine, or has left it."""
        self.accepted += is_open  # `closed` counts its end
        # A view changes nothing, and a monitoring check may open one every few seconds.
        level = logging.INFO if address == "console" else logging.DEBUG
        log.log(level, "%s opened" if is_open else "%s closed", address)

    def on_never_registered(self, address: str, reason: CloseReason) -> None:
        """Note a connection that was closed without ever having had a session."""
        left_out = self._sparse_log.admit(f"unregistered {reason}", _HONEST_LINES)
        if left_out is not None:
            text = _left_out_before(left_out)
            log.info("closed address=%s reason=%s registered=no%s", address, reason, text)

    def on_tls_failed(self, address: str, reason: str) -> None:
        """Note a handshake of TLS that failed; `reason` is the library's."""
        self._log_refusal(address, TLS_FAILED, f" reason={reason.lower()}")

    def on_refused(self, address: str, code: str, name: str | None = None) -> None:
        """Note a refused connection; `name` is the name that it asked for, if it did so."""
        self._log_refusal(address, code, "" if name is None else f" name={name[:64]!a}")

    def _log_refusal(self, address: str, code: str, text: str) -> None:
        self.refused[code] += 1
        most_lines = _MOST_LINES.get(code)
        if most_lines is not None:
            left_out = self._sparse_log.admit(code, most_lines)
            if left_out is None:
                return
            text += _left_out_before(left_out)
        log.info("refused address=%s code=%s%s", address, code, text)

    def on_no_thread(self, address: str, code: str, error: Exception) -> None:
        """Note a connection that the system gives no thread or descriptor for."""
        self.refused[code] += 1
        log.warning("refused address=%s code=%s error=%s", address, code, error)

    def on_gap(self) -> None:
        """Count live events that a slow session was not sent."""
        self.gaps += 1

    def on_refused_request(self, code: str, limited: str | None = None) -> None:
        """Count a refused request; `limited` names the rate limit that has refused it, if any."""
        self.refused_requests[code] += 1
        if limited is not None:
            self.rate_limited[limited] += 1

    def on_wrong_secret(self, what: str, address: str) -> None:
        """Note a wrong guess, or an old program, once a minute; `what` is what was not known."""
        left_out = self._sparse_log.admit(f"wrong {what}")
        if left_out is not None:
            log.warning("wrong %s address=%s not_logged=%d", what, address, left_out)

    def on_fault(self, subject: object) -> None:
        """Log and count the exception that is being handled; `subject` is what it concerns."""
        self.faults += 1
        log.exception("fault connection=%r", subject)


def _left_out_before(left_out: int) -> str:
    return f" not_logged_before={left_out}" if left_out else ""


_NUMBERS = (
    "accepted",
    "closed",
    "deliveries",
    "faults",
    "gaps",
    "joined",
    "received_bytes",
    "requests",
    "rounds",
    "sent_bytes",
)
_BY_KIND = ("left", "rate_limited", "refused", "refused_requests")


def add_up(observers: Iterable[Observer]) -> Observer:
    """Return an observer with the sums of all counters. Their threads may go on counting."""
    observers = list(observers)
    total = Observer()
    for name in _NUMBERS:
        setattr(total, name, sum(map(attrgetter(name), observers)))
    for name in _BY_KIND:
        sums = getattr(total, name)
        for observer in observers:
            if counts := getattr(observer, name):
                sums.update(dict(counts))  # a copy in one step
    total.say_to_last_send.add(observer.say_to_last_send for observer in observers)
    return total
