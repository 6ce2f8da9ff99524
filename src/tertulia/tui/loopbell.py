"""A bell that other threads ring for the event loop."""

import asyncio
import threading


class LoopBell:
    """A bell that any thread may ring any number of times, and that the loop hears once."""

    def __init__(self) -> None:
        self._heard = asyncio.Event()
        self._lock = threading.Lock()  # over the two below
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rung = False

    def ring(self) -> None:
        """Wake the event loop, or let it find out at its next `hear`. Any thread; no waiting."""
        with self._lock:
            if not self._rung and self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._heard.set)
            self._rung = True

    async def hear(self, timeout_s: float | None) -> None:
        """Wait for a ring, at most for `timeout_s`; look for the reason of the ring afterwards."""
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
