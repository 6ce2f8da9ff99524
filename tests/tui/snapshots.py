"""Comparing the text of a screen with a stored one that was looked at and found good."""

import difflib
import os
from pathlib import Path

from table import SIZES, ChatTable
from textual.geometry import Region
from textual.scrollbar import ScrollBar
from textual.widget import Widget

SCREENS = Path(__file__).parent / "screens"


def check(table: ChatTable, name: str) -> None:
    """Compare the screen with the stored one; `UPDATE_SCREENS=1` stores it instead."""
    if os.environ.get("UPDATE_SCREENS"):
        (SCREENS / f"{name}.txt").write_text(table.shown)
    else:
        compare(table, name)


def compare(table: ChatTable, name: str) -> None:
    """Compare the screen with the stored one."""
    path = SCREENS / f"{name}.txt"
    assert path.exists(), f"{path.name} is not stored yet: UPDATE_SCREENS=1"
    stored = path.read_text()
    if table.shown != stored:
        lines = difflib.unified_diff(
            stored.splitlines(), table.rows, f"stored {path.name}", "now", lineterm="", n=1
        )
        raise AssertionError("\n".join(["the screen is not the stored one", *lines]))


async def check_sizes(table: ChatTable, name: str) -> None:
    """Compare the screen in every size, and check that no widget overlaps another."""
    for width, height in SIZES:
        await table.pilot.resize_terminal(width, height)
        await _be_still(table, (width, height))
        check(table, f"{name}.{width}x{height}")
        check_layout(table)


async def _be_still(table: ChatTable, size: tuple[int, int]) -> None:
    """Wait until all screens have their new size, and nothing on them changes any more."""
    await table.until(lambda: all(screen.size == size for screen in table.app.screen_stack))
    before = ""
    while before != table.shown:
        before = table.shown
        await table.pilot.pause(1 / 60)  # Textual paints no more often than that
        await table.settle()


def check_layout(table: ChatTable) -> None:
    """Check that no widget overlaps another or lies beyond the edges."""
    screen = table.app.screen
    leaves: list[tuple[Widget, Region]] = [
        (widget, region.intersection(clip))
        for widget, (region, clip) in screen._compositor.visible_widgets.items()
        if region.intersection(clip).area
        and not any(child.display for child in widget.children)
        and not isinstance(widget, ScrollBar)
        and widget is not screen
    ]
    assert len(leaves) > 1
    is_modal = screen.is_modal
    for number, (widget, region) in enumerate(leaves):
        if not is_modal:
            assert region in screen.region, f"{widget} lies beyond the edges: {region}"
        for other, other_region in leaves[number + 1 :]:
            assert not region.overlaps(other_region), f"{widget} overlaps {other}"
