"""Paints the selected part of a line.

Pure functions; safe in any thread.
"""

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tertulia.tui.painting.wrap import whole_span


def span_in(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the selected part of this text, extended to whole graphemes, so that no width changes.

    An `end` of -1 means the end of the text.
    """
    return whole_span(text, start, len(text) if end < 0 else end)


def with_selection(strip: Strip, start: int, end: int, look: Style) -> Strip:
    """Return a line in which a part has the style of selected text."""
    start, end = span_in(strip.text, start, end)
    segments = []
    for text, style, _ in strip:
        a, b = max(0, start), max(0, end)
        for part, is_selected in ((text[:a], False), (text[a:b], True), (text[b:], False)):
            if part:
                both = look if style is None else style + look
                segments.append(Segment(part, both if is_selected else style))
        start, end = start - len(text), end - len(text)
    return Strip(segments)
