"""Connecting in a thread of its own, once, or anew after a loss: later and later.

The main thread asks for it and looks what has come of it; the thread only connects and rings.
"""

import random
import threading
import time
from collections.abc import Callable
from functools import partial

from tertulia.client.client import Client
from tertulia.client.errors import End, NoConnection, RegistrationRefused
from tertulia.protocol.messages import ErrorCode

FIRST_DELAY_S = 1.0
MAX_DELAY_S = 30.0
_MAY_PASS = (ErrorCode.SERVER_FULL, ErrorCode.REGISTER_TIMEOUT, ErrorCode.RATE_LIMITED)

Connect = Callable[[str], Client]


class Attempt:
    """One attempt to connect, in a thread that ends with it."""

    def __init__(self, connect: Callable[[], Client], ring: Callable[[], None]) -> None:
        self._connect = connect
        self._ring = ring
        self._lock = threading.Lock()  # over what follows
        self._outcome: Client | Exception | None = None
        self._given_up = False

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="attempt", daemon=True).start()

    def take(self) -> Client | Exception | None:
        """Take what has come of it: a client, or why there is none."""
        with self._lock:
            outcome, self._outcome = self._outcome, None
            return outcome

    def give_up(self) -> None:
        """Close the connection that comes of it, if any."""
        with self._lock:
            self._given_up = True
            outcome = self._outcome
        if isinstance(outcome, Client):
            outcome.close()

    def _run(self) -> None:
        outcome: Client | Exception
        try:
            outcome = self._connect()
        except Exception as failure:  # noqa: BLE001 (who takes it raises what is a surprise)
            outcome = failure
        with self._lock:
            self._outcome = outcome
            given_up = self._given_up
        if given_up and isinstance(outcome, Client):
            outcome.close()
        self._ring()


class Reconnector:
    """One attempt after the other, until one has succeeded or makes no sense any more."""

    def __init__(self, connect: Connect, ring: Callable[[], None]) -> None:
        self._connect = connect
        self._ring = ring
        self._token = ""
        self._delay_s = FIRST_DELAY_S
        self.lost_at: float | None = None  # monotonic; None while there is a connection
        self._attempt_at: float | None = None
        self._attempt: Attempt | None = None

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
        outcome = None if self._attempt is None else self._attempt.take()
        match outcome:
            case Client():
                self.lost_at = None
                return outcome
            case RegistrationRefused() if outcome.code not in _MAY_PASS:
                raise outcome
            case NoConnection() | RegistrationRefused() | OSError():
                self._delay_s = min(2 * self._delay_s, MAX_DELAY_S)
                self._attempt_at = time.monotonic() + _jittered(self._delay_s)
            case Exception():
                raise outcome
        if self._attempt_at is not None and time.monotonic() >= self._attempt_at:
            self._attempt_at = None
            self._attempt = Attempt(partial(self._connect, self._token), self._ring)
            self._attempt.start()
        return None

    def close(self) -> None:
        """Give up; a connection that is made all the same is closed."""
        self._attempt_at = None
        if self._attempt is not None:
            self._attempt.give_up()


def _jittered(delay_s: float) -> float:
    """Spread the clients of a server that has gone, so that not all come at one instant."""
    return delay_s * random.uniform(0.5, 1.5)
