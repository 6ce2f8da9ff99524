"""Lays out text in the cells of a terminal: wraps and shortens it, and keeps graphemes whole.

Rich counts the widths, because Textual counts with Rich: lines counted in another way would be cut
off or leave cells empty. Pure functions; safe in any thread.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from rich.cells import cell_len

from tertulia.tui.terminal.widths import clusters, mend_richs_widths

TAB = " " * 4  # a usual tab width in code that people paste
ELLIPSIS = "…"
_TOO_WIDE = "\N{REPLACEMENT CHARACTER}"  # one cell, so it fits into any line
_BLANKS = " \u1680\u2000-\u2006\u2008-\u200a\u205f\u3000"  # all but the no-break spaces
_is_blank = re.compile(f"[{_BLANKS}]").fullmatch
# Latin, Greek and Cyrillic without combining marks: each character is a grapheme of one cell.
_is_plain = re.compile("[ -~\xa0-\xac\xae-\u02ff\u0370-\u0377\u0391-\u0482]*").fullmatch

mend_richs_widths()


class Grapheme(NamedTuple):
    """A part of a text that is never split."""

    text: str
    columns: int
    is_blank: bool
    is_wide: bool  # CJK or an emoji: a line may end before and after it


class _Piece(NamedTuple):
    """A part of a text that stays on one line, and the blanks before it.

    The blanks disappear if a line ends there.
    """

    gap: str
    text: str
    columns: int


def wrap(text: str, width: int) -> list[str]:
    r"""Split a text into lines of at most `width` cells.

    A line ends at each `\n`, at blanks, which disappear there, next to a wide character, or inside
    a word that is longer than a line. Blanks before the first word are kept, up to half the width.
    """
    width = max(width, 1)
    if _fits(text, width):
        return [text]
    lines: list[str] = []
    for line in text.replace("\t", TAB).split("\n"):
        if cell_len(line) <= width:
            lines.append(line)
        else:
            lines.extend(_wrap_line(line, width))
    return lines


def line_count(text: str, width: int) -> int:
    """Return how many lines `wrap` makes."""
    return 1 if _fits(text, max(width, 1)) else len(wrap(text, width))


def cut(text: str, width: int) -> str:
    """Return the longest beginning of a text that fits into `width` cells."""
    if cell_len(text) <= width:
        return text
    if _is_plain(text):
        return text[: max(width, 0)]
    kept = ""
    for grapheme in graphemes(text):
        width -= grapheme.columns
        if width < 0:
            break
        kept += grapheme.text
    return kept


def shorten(text: str, width: int) -> str:
    """Return a text that fits into `width` cells; a shortened text ends in an ellipsis."""
    if width <= 0 or cell_len(text) <= width:
        return text if width > 0 else ""
    return cut(text, width - 1) + ELLIPSIS


def graphemes(text: str) -> Iterator[Grapheme]:
    """Split a text into unsplittable parts; the sum of their widths is the width of the text."""
    for part, columns, _ in clusters(text):
        yield Grapheme(part, columns, _is_blank(part) is not None, cell_len(part[0]) > 1)


def whole_span(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a span of characters, extended so that it splits no grapheme."""
    if text.isascii():
        return start, end
    position, first, last = 0, start, end
    for grapheme in graphemes(text):
        following = position + len(grapheme.text)
        if position <= start < following:
            first = position
        if position < end <= following:
            last = following
        position = following
    return first, last


def _fits(text: str, width: int) -> bool:
    if len(text) <= width and text.isascii() and text.isprintable():
        return True
    return "\n" not in text and "\t" not in text and cell_len(text) <= width


def _wrap_line(text: str, width: int) -> list[str]:
    """Wrap a single line that is too long."""
    if _is_plain(text):
        return _wrap_plain(text, width)
    lines: list[str] = []
    line, used, has_word = "", 0, False
    for gap, piece, columns in _pieces(text, width):
        if not has_word:
            line = cut(gap, width // 2)
            used = cell_len(line)
            gap = ""
        blank = cell_len(gap) if gap else 0
        if used + blank + columns <= width:
            line += gap + piece
            used += blank + columns
        else:
            if has_word:
                lines.append(line)
            line, used = piece, columns
        has_word = True
    lines.append(line)
    return lines


def _wrap_plain(text: str, width: int) -> list[str]:
    """Wrap a line of one-cell characters, like most lines, in a tenth of the time."""
    text = text.rstrip(" ")
    word = len(text) - len(text.lstrip(" "))
    start = max(0, word - width // 2)
    lines = []
    while len(text) - start > width:
        end = text.rfind(" ", word, start + width + 1)
        if end < 0:
            if start < word:  # drop the indentation, because the first word needs its room
                start = word
                continue
            end = start + width
        lines.append(text[start:end].rstrip(" "))
        start = word = end + len(text[end:]) - len(text[end:].lstrip(" "))
    lines.append(text[start:])
    return lines


def _pieces(text: str, width: int) -> Iterator[_Piece]:
    """Split a text into pieces that stay on one line, none of them wider than `width`."""
    gap, piece, used = "", "", 0
    for grapheme, columns, is_blank, is_wide in graphemes(text):
        if columns > width:
            grapheme, columns = _TOO_WIDE, 1
        if piece and (is_blank or is_wide or used + columns > width):
            yield _Piece(gap, piece, used)
            gap, piece, used = "", "", 0
        if is_blank:
            gap += grapheme
        elif is_wide:
            yield _Piece(gap, grapheme, columns)
            gap = ""
        else:
            piece += grapheme
            used += columns
    if piece:
        yield _Piece(gap, piece, used)
