"""Connecting anew after a connection was lost: later and later, in a thread of its own.

The main thread asks for it and looks what has come of it; the thread only connects and rings.
"""

import random
import threading
import time
from collections.abc import Callable

from tertulia.client.client import Client
from tertulia.client.errors import End, NoConnection, RegistrationRefused
from tertulia.protocol.messages import ErrorCode

FIRST_DELAY_S = 1.0
MAX_DELAY_S = 30.0
_MAY_PASS = (ErrorCode.SERVER_FULL, ErrorCode.REGISTER_TIMEOUT, ErrorCode.RATE_LIMITED)

Connect = Callable[[str], Client]


class Reconnector:
    """One attempt after the other, until one has succeeded or makes no sense any more."""

    def __init__(self, connect: Connect, ring: Callable[[], None]) -> None:
        self._connect = connect
        self._ring = ring
        self._token = ""
        self._delay_s = FIRST_DELAY_S
        self.lost_at: float | None = None  # monotonic; None while there is a connection
        self._attempt_at: float | None = None
        self._lock = threading.Lock()  # over what follows
        self._thread: threading.Thread | None = None
        self._outcome: Client | Exception | None = None
        self._given_up = False

    @property
    def wake_at(self) -> float | None:
        """Tell when `carry_on` is to be called even if nothing rings."""
        return self._attempt_at

    def lost(self, end: End, token: str) -> None:
        """Plan the first attempt: when the server has asked for it, else soon."""
        self.lost_at = time.monotonic()
        self._token = token
        self._delay_s = FIRST_DELAY_S
        delay_s = _jittered(self._delay_s)
        if end.closing is not None:
            delay_s = min(max(end.closing.retry_after, 0.0), MAX_DELAY_S)
        self._attempt_at = self.lost_at + delay_s

    def carry_on(self) -> Client | None:
        """Begin an attempt that is due; return the connection once there is one.

        Raises RegistrationRefused if the server will not have this user again.
        """
        with self._lock:
            outcome, self._outcome = self._outcome, None
        match outcome:
            case Client():
                self.lost_at = None
                return outcome
            case RegistrationRefused() if outcome.code not in _MAY_PASS:
                raise outcome
            case Exception():
                self._delay_s = min(2 * self._delay_s, MAX_DELAY_S)
                self._attempt_at = time.monotonic() + _jittered(self._delay_s)
        if self._attempt_at is not None and time.monotonic() >= self._attempt_at:
            self._attempt_at = None
            self._thread = threading.Thread(target=self._attempt, name="reconnect", daemon=True)
            self._thread.start()
        return None

    def close(self) -> None:
        """Give up; a connection that is made all the same is closed."""
        self._attempt_at = None
        with self._lock:
            self._given_up = True
            outcome = self._outcome
        if isinstance(outcome, Client):
            outcome.close()

    def _attempt(self) -> None:
        outcome: Client | Exception
        try:
            outcome = self._connect(self._token)
        except (NoConnection, RegistrationRefused, OSError) as failure:
            outcome = failure
        with self._lock:
            self._outcome = outcome
            given_up = self._given_up
        if given_up and isinstance(outcome, Client):
            outcome.close()
        self._ring()


def _jittered(delay_s: float) -> float:
    """Spread the clients of a server that has gone, so that not all come at one instant."""
    return delay_s * random.uniform(0.5, 1.5)
