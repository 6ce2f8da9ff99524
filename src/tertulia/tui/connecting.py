"""A bell that other threads ring for the event loop."""

import asyncio
import threading


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
