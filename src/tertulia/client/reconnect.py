"""Attempts to connect: one in a thread of its own, or one after another with growing delays.

The owner's thread starts an attempt and later asks for its outcome. The attempt's thread only
connects, stores the outcome and calls `notify`. The time is always a parameter here.
"""

import random
import threading
from collections.abc import Callable
from functools import partial
from math import inf

from msgspec import UNSET

from tertulia.client.activity import NEWCOMER, Resumption
from tertulia.client.client import Client
from tertulia.client.errors import End, NoConnection, RegistrationRefused
from tertulia.client.nodes import Nodes
from tertulia.protocol.messages import ErrorCode

FIRST_DELAY_S = 1.0
MAX_DELAY_S = 30.0
# The longest delay before another registration, even if the server asks for more.
MAX_ASKED_DELAY_S = 600.0
# A connection that lasted so long was steady: after its end all other nodes are tried at once.
STEADY_S = 5.0
_TEMPORARY_REFUSALS = (
    ErrorCode.SERVER_FULL,
    ErrorCode.REGISTER_TIMEOUT,
    ErrorCode.RATE_LIMITED,
    ErrorCode.UNAVAILABLE,
)
# They may be free again when another user leaves.
_TAKEN = (ErrorCode.NAME_TAKEN, ErrorCode.ADDRESS_TAKEN)

Connect = Callable[[Resumption], Client]


class Attempt:
    """One attempt to connect, in a thread that ends with it.

    `notify` is called in that thread when there is an outcome, and must not wait.
    """

    def __init__(self, connect: Callable[[], Client], notify: Callable[[], None]) -> None:
        self._connect = connect
        self._notify = notify
        self._lock = threading.Lock()  # protects the two fields below
        self._outcome: Client | Exception | None = None
        self._given_up = False

    def start(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._run, name="attempt", daemon=True).start()

    def take_outcome(self) -> Client | Exception | None:
        """Return the client or the error; None before the end, and after the first call.

        The caller then owns the client and must close it.
        """
        with self._lock:
            outcome, self._outcome = self._outcome, None
            return outcome

    def give_up(self) -> None:
        """Close the client that this attempt produces, unless the caller already owns it."""
        with self._lock:
            self._given_up = True
            outcome = self._outcome
        if isinstance(outcome, Client):
            outcome.close()

    def _run(self) -> None:
        outcome: Client | Exception
        try:
            outcome = self._connect()
        except Exception as failure:  # noqa: BLE001 (the owner raises an unexpected one)
            outcome = failure
        with self._lock:
            self._outcome = outcome
            given_up = self._given_up
        if given_up and isinstance(outcome, Client):
            outcome.close()
        self._notify()


class Reconnector:
    """Make one attempt after another until one succeeds or the server refuses permanently.

    With `waits_for_others`, a name or an address in use by another user does not count as a
    permanent refusal. With `nodes`, an attempt tries the nodes of the chat in turn, and the first
    attempt after a loss begins at once if there is a node that was not tried yet. Only one thread
    uses it. `connect` and `notify` are called in the thread of each attempt.
    """

    def __init__(
        self,
        connect: Connect,
        notify: Callable[[], None],
        *,
        waits_for_others: bool = False,
        nodes: Nodes | None = None,
    ) -> None:
        self._connect = connect
        self._notify = notify
        self._temporary = _TEMPORARY_REFUSALS + (_TAKEN if waits_for_others else ())
        self._resumption: Callable[[float], Resumption] = lambda _now: NEWCOMER
        self.nodes = nodes
        self._delay_s = FIRST_DELAY_S
        # The next delay, if the first attempt began without waiting.
        self._saved_delay_s: float | None = None
        self._connected_at = -inf  # the end of the last successful attempt
        self._attempt_at: float | None = None
        self._attempt: Attempt | None = None

    @property
    def wake_at(self) -> float | None:
        """Return the time at which `poll` starts the next attempt; None if none is planned."""
        return self._attempt_at

    def begin(self, end: End, resumption: Callable[[float], Resumption], now: float) -> None:
        """Plan the first attempt after a lost connection.

        It begins soon, or when the server has asked for it; at once while there is a node that was
        not tried yet. `resumption` returns the fields to register with at the time of an attempt.
        """
        self._resumption = resumption
        self._delay_s = FIRST_DELAY_S
        delay_s = _jittered(self._delay_s)
        if end.closing is not None and end.closing.retry_after is not UNSET:
            delay_s = min(max(end.closing.retry_after, 0.0), MAX_DELAY_S)
        self._saved_delay_s = None
        was_steady = now - self._connected_at >= STEADY_S
        if self.nodes is not None and self.nodes.lose_current(was_steady=was_steady):
            delay_s, self._saved_delay_s = 0.0, delay_s
        self._attempt_at = now + delay_s

    def poll(self, now: float) -> Client | None:
        """Start an attempt that is due; return the client once an attempt has succeeded.

        Raises RegistrationRefused if another attempt would be refused as well, and every other
        error of an attempt, such as CertificateRefused, unless it is an OSError.
        """
        outcome = None if self._attempt is None else self._attempt.take_outcome()
        match outcome:
            case Client():
                self._connected_at = now
                return outcome
            case RegistrationRefused() if outcome.code not in self._temporary:
                raise outcome
            case NoConnection() | RegistrationRefused() | OSError():
                delay_s = self._next_delay_s()
                if isinstance(outcome, RegistrationRefused) and outcome.error.retry_after:
                    delay_s = max(delay_s, min(outcome.error.retry_after, MAX_ASKED_DELAY_S))
                self._attempt_at = now + delay_s
            case Exception():
                raise outcome
        if self._attempt_at is not None and now >= self._attempt_at:
            self._attempt_at = None
            self._attempt = Attempt(partial(self._connect, self._resumption(now)), self._notify)
            self._attempt.start()
        return None

    def _next_delay_s(self) -> float:
        saved, self._saved_delay_s = self._saved_delay_s, None
        if saved is not None:
            return saved
        self._delay_s = min(2 * self._delay_s, MAX_DELAY_S)
        return _jittered(self._delay_s)

    def close(self) -> None:
        """Cancel all attempts, and close the client of one that is under way. Idempotent."""
        self._attempt_at = None
        if self._attempt is not None:
            self._attempt.give_up()


def _jittered(delay_s: float) -> float:
    """Vary a delay, so that the clients of a restarted server do not all return at once."""
    return delay_s * random.uniform(0.5, 1.5)
