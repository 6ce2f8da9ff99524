"""One row of a terminal, and what to write to turn it into another row.

It writes text, spaces, CR and BS only, and no escape sequence. Pure functions; they touch no
terminal.
"""

from functools import lru_cache
from itertools import takewhile
from typing import NamedTuple

from wcwidth import iter_graphemes, wcswidth, wcwidth

from tertulia.chat import graphemes
from tertulia.chat.display import visible_in_a_line


class Cell(NamedTuple):
    """A grapheme as it is shown."""

    text: str
    columns: int  # the most that any terminal takes for it
    certain: bool  # whether all terminals take that many


class Row(NamedTuple):
    """The cells of the row, and the number of the cell that the cursor stands on."""

    cells: tuple[Cell, ...]
    cursor: int

    def columns(self, start: int = 0, end: int | None = None) -> int:
        """Count the columns of some cells."""
        return sum(cell.columns for cell in self.cells[start:end])

    def text(self, start: int = 0, end: int | None = None) -> str:
        """Return the text of some cells."""
        return "".join(cell.text for cell in self.cells[start:end])


EMPTY_ROW = Row((), 0)


@lru_cache(maxsize=4096)
def cell(grapheme: str) -> Cell:
    """Make a grapheme visible, and measure it."""
    text = visible_in_a_line(grapheme)
    # A mark without a letter below it would join the cell before, where nothing would erase it.
    bare = len(list(takewhile(_is_mark, text)))
    text = "".join(f"<U+{ord(mark):04X}>" for mark in text[:bare]) + text[bare:]
    # Some terminals draw joined emoji as one picture, others side by side. Erasing too many columns
    # does no harm; too few would leave a part of them on the row.
    together = wcswidth(text)
    side_by_side = sum(max(0, wcwidth(character)) for character in text)
    return Cell(text, max(together, side_by_side), certain=together == side_by_side)


def _is_mark(character: str) -> bool:
    """Return whether a character joins the one before it, as an accent or a skin tone does."""
    return wcwidth(character) == 0 or next(iter_graphemes("x" + character)) != "x"


def cells(text: str) -> tuple[Cell, ...]:
    """Make a text visible, and measure each of its graphemes."""
    return tuple(map(cell, graphemes.split(text)))


def transition(old: Row, new: Row) -> str:
    """Return what turns the row `old` into the row `new`, as short as possible.

    Characters that are added at the end are written without the others: a screen reader then reads
    only these.
    """
    pairs = zip(old.cells, new.cells, strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    gone, fresh = old.cells[same:], new.cells[same:]
    moved_over = (*old.cells[min(same, old.cursor) :], *new.cells[min(same, new.cursor) :])
    if not all(cell.certain for cell in moved_over) and not _is_appended(old, new, same):
        rest = "\r" + new.text(0, new.cursor) if new.cursor < len(new.cells) else ""
        return "\r" + " " * old.columns() + "\r" + new.text() + rest
    if not gone and not fresh:
        return _move(new, old.cursor, new.cursor)
    spaces = max(0, old.columns() - new.columns())
    back = spaces + new.columns(new.cursor)
    return _move(old, old.cursor, same) + new.text(same) + " " * spaces + "\b" * back


def _is_appended(old: Row, new: Row, same: int) -> bool:
    return same == len(old.cells) == old.cursor and new.cursor == len(new.cells)


def _move(row: Row, start: int, end: int) -> str:
    if end >= start:
        return row.text(start, end)
    return "\r" if end == 0 else "\b" * row.columns(end, start)
