"""Wait for the layout of a log: Textual has it some time after the terminal has its size."""

import asyncio
from typing import Any

from textual.geometry import Size
from textual.pilot import Pilot

from tertulia.tui.widgets.messagelog import MessageLog

WAIT_S = 20.0


async def laid_out(log: MessageLog[Any], width: int, height: int) -> None:
    """Wait until a log that fills the terminal is laid out for this size."""
    async with asyncio.timeout(WAIT_S):
        while log.outer_size != Size(width, height) or log._laid_out != log.room:
            await asyncio.sleep(0.001)


async def resize(pilot: Pilot[None], log: MessageLog[Any], width: int, height: int) -> None:
    """Give the terminal another size, and wait for the layout."""
    await pilot.resize_terminal(width, height)
    await laid_out(log, width, height)
    await pilot.pause()
