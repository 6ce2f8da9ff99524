"""From a selection of drawn lines back to the text that they show, as it was written.

Drawing wraps a text, replaces what could control the terminal, widens tabs and leaves out blanks.
Pure functions; safe in any thread.
"""

from collections.abc import Mapping, Sequence

from tertulia.chat.display import visible
from tertulia.tui.painting.wrap import TAB

# A part of a drawn line, in characters: from, and up to.
Span = tuple[int, int]

_LOOK_AHEAD = 200  # characters that the drawing may have left out in one place


def written(text: str, lines: Sequence[str], spans: Mapping[int, Span]) -> str:
    """Return the part of a text that is selected in the lines that show it.

    `spans` holds the selected part of each line that has one. A selection that reaches the
    beginning or the end of the lines holds what was left out there, too.
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
    """Return whether a part of a line is selected; an empty line counts as a whole."""
    if not 0 <= number < len(lines):
        return False
    start, end = span
    return max(0, start) < min(end, len(lines[number])) or (not lines[number] and start <= 0 <= end)


def _places(text: str, lines: Sequence[str]) -> list[list[int]]:
    """Return for each drawn character, and for the end of each line, its place in the text."""
    at = 0
    places = []
    for line in lines:
        found, column = [], 0
        while column < len(line):
            skipped = _left_out(text, at, line[column])
            if skipped is None:  # the drawing has put it in
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
    """Return how many characters were left out before the one that is drawn; None: not found."""
    for skipped in range(min(_LOOK_AHEAD, len(text) - at)):
        character = text[at + skipped]
        shown = TAB if character == "\t" else visible(character)
        if shown[0] == drawn:
            return skipped
    return None


def _drawn(character: str, line: str, column: int) -> int:
    """Return how many columns of a line show a character: a tab and a mark take several."""
    if character == "\t":
        shown = line[column : column + len(TAB)]
        return max(1, len(shown) - len(shown.lstrip(" ")))
    return len(visible(character))
