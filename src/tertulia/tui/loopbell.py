"""A bell that other threads ring to wake the event loop.

It must never block the threads that ring it.
"""

import asyncio
import threading


class LoopBell:
    """A bell that any thread may ring many times; the loop wakes up once for all of them."""

    def __init__(self) -> None:
        self._heard = asyncio.Event()
        self._lock = threading.Lock()  # protects the two fields below
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rung = False

    def ring(self) -> None:
        """Wake the event loop, or let its next `hear` return at once. Any thread; never waits."""
        with self._lock:
            if not self._rung and self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._heard.set)
            self._rung = True

    async def hear(self, timeout_s: float | None) -> None:
        """Wait for a ring, at most `timeout_s`; the caller then looks for its reason."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.get_running_loop()
                if self._rung:
                    self._heard.set()
        try:
            async with asyncio.timeout(timeout_s):
                await self._heard.wait()
        except TimeoutError:
            return
        with self._lock:
            self._rung = False
            self._heard.clear()
