"""What comes from other threads into the event loop: a bell, and the first connection.

The first attempt begins before the screen is there, in a thread of its own that ends with it.
"""

import asyncio
import threading
from collections.abc import Callable

from tertulia.client.client import Client


class LoopBell:
    """Rung any number of times by any thread, it is heard once in the loop."""

    def __init__(self) -> None:
        self._heard = asyncio.Event()
        self._lock = threading.Lock()  # over what follows
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rung = False

    def ring(self) -> None:
        """Wake up who waits. Any thread; does not wait."""
        with self._lock:
            if not self._rung and self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._heard.set)
            self._rung = True

    async def hear(self, timeout: float | None) -> None:
        """Wait until it rings, or for so many seconds. Call before looking at what it rang for."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.get_running_loop()
                if self._rung:
                    self._heard.set()
        try:
            async with asyncio.timeout(timeout):
                await self._heard.wait()
        except TimeoutError:
            return
        with self._lock:
            self._rung = False
            self._heard.clear()


class FirstAttempt:
    """The first attempt to connect; there is no second one: the person decides."""

    def __init__(self, connect: Callable[[], Client], ring: Callable[[], None]) -> None:
        self._connect = connect
        self._ring = ring
        self._lock = threading.Lock()  # over what follows
        self._outcome: Client | Exception | None = None
        self._given_up = False

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="first-attempt", daemon=True).start()

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
