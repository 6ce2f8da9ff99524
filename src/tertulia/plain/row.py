"""One row of a terminal, and the text that turns it into another row.

The text has only characters, spaces, CR and BS, and no escape sequence. Pure functions; they use no
terminal.
"""

from functools import lru_cache
from itertools import takewhile
from typing import NamedTuple

from wcwidth import iter_graphemes, wcwidth

from tertulia.graphemes import columns, split
from tertulia.safetext import visible_in_a_line


class Cell(NamedTuple):
    """A grapheme as it is shown."""

    text: str
    columns: int  # in the terminal that uses the most
    certain: bool  # whether all terminals use the same number


class Row(NamedTuple):
    """The cells of the row, and the number of the cell under the cursor."""

    cells: tuple[Cell, ...]
    cursor: int

    def columns(self, start: int = 0, end: int | None = None) -> int:
        """Return the number of columns of some cells."""
        return sum(cell.columns for cell in self.cells[start:end])

    def text(self, start: int = 0, end: int | None = None) -> str:
        """Return the text of some cells."""
        return "".join(cell.text for cell in self.cells[start:end])


EMPTY_ROW = Row((), 0)


@lru_cache(maxsize=4096)
def cell(grapheme: str) -> Cell:
    """Make a grapheme visible, and measure it."""
    text = visible_in_a_line(grapheme)
    # A mark without a letter would join the cell before it, where nothing would erase it.
    bare = len(list(takewhile(_is_mark, text)))
    text = "".join(f"<U+{ord(mark):04X}>" for mark in text[:bare]) + text[bare:]
    # Erasing too many columns does no harm; too few would leave a part of the grapheme on the row.
    return Cell(text, *columns(text))


def _is_mark(character: str) -> bool:
    """Return whether a character joins the one before it, such as an accent or a skin tone."""
    return wcwidth(character) == 0 or next(iter_graphemes("x" + character)) != "x"


def cells(text: str) -> tuple[Cell, ...]:
    """Make a text visible, and measure each of its graphemes."""
    return tuple(map(cell, split(text)))


def transition(old: Row, new: Row) -> str:
    """Return the shortest text that turns the row `old` into the row `new`.

    Characters added at the end are written without the others, so that a screen reader reads only
    the new ones.
    """
    pairs = zip(old.cells, new.cells, strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    gone, fresh = old.cells[same:], new.cells[same:]
    moved_over = (*gone, *new.cells[min(same, new.cursor) :])
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
