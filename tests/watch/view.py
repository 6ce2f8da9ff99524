"""The live view on a screen in memory, with a server that a test makes up."""

import asyncio
import functools
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot

from tertulia.tui.ending import Ending
from tertulia.watch.app import WatchApp
from tertulia.watch.figures import Figures

WAIT_S = 60.0
# Of the event loop, in which one thing leads to the next (a height, a layout, new sizes), however
# slow the machine is.
_ROUNDS = 20


def shown_on_a_screen(test: Callable[..., Any]) -> Callable[..., None]:
    """Run a test in an event loop."""

    @functools.wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        asyncio.run(test(*arguments, **named))

    return run


class View:
    """The view, looked at only when the test says so."""

    def __init__(self, look: Callable[[], Figures], size: tuple[int, int], **options: Any) -> None:
        self.stopped = 0
        self.size = size
        self.app = WatchApp(look, self._stop, 5_000, **{"looks_every_s": 3_600.0, **options})
        self.pilot: Pilot[Ending]
        self.has_looked = asyncio.Event()
        self._look_once = self.app.look_once
        self.app.look_once = self._note_look  # type: ignore[method-assign]

    async def _note_look(self) -> None:
        await self._look_once()
        self.has_looked.set()

    def _stop(self) -> None:
        self.stopped += 1

    async def look(self, times: int = 1) -> None:
        for _ in range(times):
            await self.app.look_once()
        await self.settle()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def settle(self) -> None:
        """Wait until everything is painted."""
        before = ""
        while before != self.shown:
            before = self.shown
            for _ in range(_ROUNDS):
                await asyncio.sleep(0)
            await self.pilot.pause(1 / 60)

    @property
    def rows(self) -> list[str]:
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip).rstrip() for strip in strips]

    @property
    def shown(self) -> str:
        return "\n".join(self.rows) + "\n"


@asynccontextmanager
async def view_of(
    look: Callable[[], Figures], size: tuple[int, int] = (120, 36), **options: Any
) -> Any:
    """Show the view without looks of its own but the first, which is over."""
    view = View(look, size, **options)
    async with view.app.run_test(size=size) as view.pilot:
        await asyncio.wait_for(view.has_looked.wait(), WAIT_S)
        await view.settle()
        yield view
