"""Graphemes: each is one character for a person, and may be several characters of a text.

Both faces move, delete and measure by graphemes. A position is a number of characters from the
start of a text. Pure functions; safe in any thread.
"""

from wcwidth import grapheme_boundary_before, iter_graphemes

# The longest joined emoji have about a dozen characters. Anybody can add thousands of marks to a
# letter; beyond this number each mark counts as a grapheme of its own.
MAX_GRAPHEME_CHARS = 32


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
