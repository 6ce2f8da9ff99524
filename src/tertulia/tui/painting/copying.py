"""Finds the original text of a selection of drawn lines.

Drawing wraps a text, replaces characters that could control the terminal, widens tabs and leaves
out blanks. Pure functions; safe in any thread.
"""

from collections.abc import Mapping, Sequence

from tertulia.safetext import visible
from tertulia.tui.painting.wrap import TAB

# A part of a drawn line: the first character, and the one after the last.
Span = tuple[int, int]

_LOOK_AHEAD = 200  # the most characters that the drawing may have left out in one place


def written(text: str, lines: Sequence[str], spans: Mapping[int, Span]) -> str:
    """Return the part of a text that is selected in the lines that show it.

    `spans` has the selected part of each line with a selection. A selection that reaches the start
    or the end of all lines includes the characters left out there.
    """
    selected = {number: span for number, span in spans.items() if _is_in(number, lines, span)}
    if not selected:
        return ""
    first, last = min(selected), max(selected)
    places = _places(text, lines)
    start, end = selected[first][0], selected[last][1]
    begin = places[first][start] if first > 0 or start > 0 else 0
    is_end = last == len(lines) - 1 and end >= len(lines[last])
    return text[begin : None if is_end else places[last][min(end, len(lines[last]))]]


def _is_in(number: int, lines: Sequence[str], span: Span) -> bool:
    """Return whether a part of a line is selected; an empty line counts as selected."""
    if not 0 <= number < len(lines):
        return False
    start, end = span
    return max(0, start) < min(end, len(lines[number])) or (not lines[number] and start <= 0 <= end)


def _places(text: str, lines: Sequence[str]) -> list[list[int]]:
    """Return, for each drawn character and each end of a line, its place in the text."""
    at = 0
    places = []
    for line in lines:
        found, column = [], 0
        while column < len(line):
            skipped = _left_out(text, at, line[column])
            if skipped is None:  # the drawing has inserted this character
                found.append(at)
                column += 1
                continue
            at += skipped
            drawn = _drawn(text[at], line, column)
            found += [at] * drawn
            column += drawn
            at += 1
        places.append([*found, at])
    return places


def _left_out(text: str, at: int, drawn: str) -> int | None:
    """Return how many characters were left out before the drawn one; None if it is not found."""
    for skipped in range(min(_LOOK_AHEAD, len(text) - at)):
        character = text[at + skipped]
        shown = TAB if character == "\t" else visible(character)
        if shown[0] == drawn:
            return skipped
    return None


def _drawn(character: str, line: str, column: int) -> int:
    """Return how many columns of a line show a character: a tab and a mark need several."""
    if character == "\t":
        shown = line[column : column + len(TAB)]
        return max(1, len(shown) - len(shown.lstrip(" ")))
    return len(visible(character))
