"""One row of a terminal, and what to write to make another row of it.

Only text, spaces, CR and BS are written. Pure functions; no terminal is touched in here.
"""

from functools import lru_cache
from itertools import takewhile
from typing import NamedTuple

from wcwidth import iter_graphemes, wcswidth, wcwidth

from tertulia.chat.display import visible_in_a_line


class Cell(NamedTuple):
    """What a person takes for one character, as it is shown."""

    text: str
    columns: int
    certain: bool  # do all terminals agree on the columns?


class Row(NamedTuple):
    """What stands on the row, and before which cell the cursor is."""

    cells: tuple[Cell, ...]
    cursor: int

    def columns(self, start: int = 0, end: int | None = None) -> int:
        """Count the columns that some cells take."""
        return sum(cell.columns for cell in self.cells[start:end])

    def text(self, start: int = 0, end: int | None = None) -> str:
        """Write some cells out."""
        return "".join(cell.text for cell in self.cells[start:end])


@lru_cache(maxsize=4096)
def cell(grapheme: str) -> Cell:
    """Measure a grapheme as it is shown."""
    text = visible_in_a_line(grapheme)
    # Marks without a letter below them would go to the cell before, where nothing erases them.
    bare = len(list(takewhile(_is_mark, text)))
    text = "".join(f"<U+{ord(mark):04X}>" for mark in text[:bare]) + text[bare:]
    by_character = sum(max(0, wcwidth(character)) for character in text)
    # Joined emoji are one picture here and several there. The larger number is the safe one: too
    # much is erased then, never too little.
    together = wcswidth(text)
    return Cell(text, max(together, by_character), certain=together == by_character)


def _is_mark(character: str) -> bool:
    """Tell whether a character shows only together with the one before, as tones of skin do."""
    return wcwidth(character) == 0 or next(iter_graphemes("x" + character)) != "x"


def cells(text: str) -> tuple[Cell, ...]:
    """Measure a text."""
    return tuple(cell(grapheme) for grapheme in iter_graphemes(text))


def transition(old: Row, new: Row) -> str:
    """Write what makes the row `old` the row `new`, and no more than that.

    Characters at the end are written alone: a screen reader then reads them alone.
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
