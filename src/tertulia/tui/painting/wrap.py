"""Lay out text in the cells of a terminal: wrap it, shorten it, find what has to stay whole.

Widths are Rich's, because Textual's strips and compositor count with those: a line that is counted
in another way shifts the columns beside it. Pure functions, any thread.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len
from wcwidth import iter_graphemes

TAB = " " * 4  # columns of a tab: as in most code that gets pasted
ELLIPSIS = "…"
_MAX_KEPT = 32  # characters: the longest joined emoji have about a dozen
_TOO_WIDE = "\N{REPLACEMENT CHARACTER}"  # one cell, so it fits into any line
_BLANKS = " \u1680\u2000-\u2006\u2008-\u200a\u205f\u3000"  # without those that forbid a break
_is_blank = re.compile(f"[{_BLANKS}]").fullmatch
# One character, one cell, one grapheme: Latin, Greek, Cyrillic, nothing that combines.
_is_plain = re.compile("[ -~\xa0-\xac\xae-\u02ff\u0370-\u0377\u0391-\u0482]*").fullmatch


class Grapheme(NamedTuple):
    """What must not be cut, and the cells it takes."""

    text: str
    columns: int
    is_blank: bool
    is_wide: bool  # CJK, most emoji: a line may end on either side


class _Piece(NamedTuple):
    """What stays on one line, and the blanks before it, which go where a line ends."""

    gap: str
    text: str
    columns: int


def wrap(text: str, width: int) -> list[str]:
    r"""Cut a text into lines of at most `width` cells.

    Lines end at blanks, which disappear there, between wide characters, or within a word that is
    longer than a line, and at each `\n`. Blanks before the first word stay, up to half the width.
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
    """Count the lines that `wrap` makes."""
    return 1 if _fits(text, max(width, 1)) else len(wrap(text, width))


def cut(text: str, width: int) -> str:
    """Give as much of the beginning as fits into `width` cells."""
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
    """Cut a text that is too long, with a mark that says so."""
    if width <= 0 or cell_len(text) <= width:
        return text if width > 0 else ""
    return cut(text, width - 1) + ELLIPSIS


def graphemes(text: str) -> Iterator[Grapheme]:
    """Split a text into what must not be cut.

    What takes no cell goes with the grapheme before: its width can depend on that one. So the
    widths of graphemes add up to at least the width of any run of them.
    """
    whole = ""
    for part in iter_graphemes(text):
        if whole and _measure(part).columns:
            yield _measure(whole)
            whole = ""
        whole += part
    if whole:
        yield _measure(whole)


def _measure(text: str) -> Grapheme:
    # A letter with a thousand marks is not kept: somebody could send many of them.
    return _measured(text) if len(text) <= _MAX_KEPT else _measured.__wrapped__(text)


@lru_cache(maxsize=4096)
def _measured(text: str) -> Grapheme:
    return Grapheme(text, cell_len(text), _is_blank(text) is not None, cell_len(text[0]) > 1)


def whole_span(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a span of characters so that no grapheme is cut."""
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
    """Wrap what has no line end and is too long."""
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
    """Do the same where a character is a cell: most lines, in a tenth of the time."""
    text = text.rstrip(" ")
    word = len(text) - len(text.lstrip(" "))
    start = max(0, word - width // 2)
    lines = []
    while len(text) - start > width:
        end = text.rfind(" ", word, start + width + 1)
        if end < 0:
            if start < word:  # the first word needs the room that its indentation takes
                start = word
                continue
            end = start + width
        lines.append(text[start:end].rstrip(" "))
        start = word = end + len(text[end:]) - len(text[end:].lstrip(" "))
    lines.append(text[start:])
    return lines


def _pieces(text: str, width: int) -> Iterator[_Piece]:
    """Split a text into what stays together; none is wider than `width`."""
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
