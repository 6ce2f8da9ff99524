"""Graphemes: each is one character for a person, and may be several characters of a text.

Both faces move and delete by graphemes. The plain face and the texts of both programs are also
measured here; the full screen is measured as Textual does it. A position is a number of characters
from the start of a text. Pure functions; safe in any thread.
"""

from typing import NamedTuple

from wcwidth import grapheme_boundary_before, iter_graphemes, wcswidth, wcwidth

# The longest joined emoji have about a dozen characters. Anybody can add thousands of marks to a
# letter; beyond this number each mark counts as a grapheme of its own.
MAX_GRAPHEME_CHARS = 32


class Columns(NamedTuple):
    """How many columns of a terminal something takes."""

    most: int  # in the terminal that uses the most
    certain: bool  # whether all terminals use the same number


def split(text: str) -> list[str]:
    """Split a text into its graphemes."""
    if text.isascii() and text.isprintable():
        return list(text)
    graphemes = list(iter_graphemes(text))
    if max(map(len, graphemes), default=0) <= MAX_GRAPHEME_CHARS:
        return graphemes
    return [
        grapheme[start : start + MAX_GRAPHEME_CHARS]
        for grapheme in graphemes
        for start in range(0, len(grapheme), MAX_GRAPHEME_CHARS)
    ]


def previous_boundary(text: str, position: int) -> int:
    """Return where the grapheme before a position begins; 0 at the start of the text."""
    if position <= 1:
        return 0
    return max(grapheme_boundary_before(text, position), position - MAX_GRAPHEME_CHARS)


def next_boundary(text: str, position: int) -> int:
    """Return where the grapheme after a position ends; the same position at the text's end."""
    following = text[position : position + MAX_GRAPHEME_CHARS]
    return position + len(next(iter_graphemes(following), ""))


def nearest_boundary(text: str, position: int) -> int:
    """Return the position itself, or the end of the grapheme that contains it."""
    around = text[position - 1 : position + 1]
    if not 0 < position < len(text) or (around.isascii() and around != "\r\n"):
        return position
    start = grapheme_boundary_before(text, position + 1)
    return position if start == position else max(position, next_boundary(text, start))


def columns(text: str) -> Columns:
    """Measure a grapheme, or a few characters that are shown in its place."""
    # Some terminals draw joined emoji as one picture, others side by side.
    together = wcswidth(text)
    side_by_side = sum(max(0, wcwidth(character)) for character in text)
    return Columns(max(together, side_by_side), certain=together == side_by_side)


def most_columns(text: str) -> int:
    """Return how many columns a text takes in the terminal that uses the most."""
    return sum(columns(grapheme).most for grapheme in split(text))
