"""A TextArea that is right for any script: its cursor moves by what a person takes for a character.

What it shows is text, never markup, and nothing in it can reorder a row of the terminal. It has no
keys of its own. Runs on the app's loop.
"""

import re
from bisect import bisect_right

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.content import Content
from textual.expand_tabs import expand_tabs_inline
from textual.geometry import Offset
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import Location
from wcwidth import iter_graphemes

from tertulia.chat.display import DIRECTION_CHARACTERS, visible_in_a_line

MAX_GRAPHEME_CHARS = 64  # marks beyond stand for themselves

# A character that reorders a row stays in the text. On the screen stands an invisible mark in its
# place, which takes no column either.
_DIRECTIONS = re.compile(f"[{DIRECTION_CHARACTERS}]")
_INVISIBLE_MARK = "\u034f"


class Editor(TextArea, inherit_bindings=False):
    """Plain text being edited; words are what is between spaces, a line has all its rows."""

    def validate_placeholder(self, placeholder: str | Content) -> Content:
        """Take a text as it is: TextArea would read markup in it."""
        if isinstance(placeholder, str):
            return Content(visible_in_a_line(placeholder))
        return placeholder

    # The cursor stands before and after what a person takes for one character

    def clamp_visitable(self, location: Location) -> Location:
        """Go out of the inside of a character."""
        row, column = super().clamp_visitable(location)
        return row, _boundary(self.document.get_line(row), column)

    def get_cursor_left_location(self) -> Location:
        """Find the place one character to the left."""
        row, column = self.cursor_location
        if column == 0:
            return super().get_cursor_left_location()
        before = self.document.get_line(row)[max(0, column - MAX_GRAPHEME_CHARS) : column]
        return row, column - len(list(iter_graphemes(before))[-1])

    def get_cursor_right_location(self) -> Location:
        """Find the place one character to the right."""
        row, column = self.cursor_location
        after = self.document.get_line(row)[column : column + MAX_GRAPHEME_CHARS]
        if not after:
            return super().get_cursor_right_location()
        return row, column + len(next(iter_graphemes(after)))

    def get_cursor_up_location(self) -> Location:
        """Find the place in the row above."""
        y = self.wrapped_document.location_to_offset(self.cursor_location).y
        return self._location_at(self.navigator.last_x_offset, y - 1) if y else (0, 0)

    def get_cursor_down_location(self) -> Location:
        """Find the place in the row below."""
        y = self.wrapped_document.location_to_offset(self.cursor_location).y + 1
        if y == self.wrapped_document.height:
            return self.document.end
        return self._location_at(self.navigator.last_x_offset, y)

    def get_cursor_word_left_location(self) -> Location:
        """Find where the word on the left begins; words are what is between spaces."""
        row, column = self.cursor_location
        before = self.document.get_line(row)[:column]
        if not before:
            return self.get_cursor_left_location()
        return row, len(re.sub(r"\S+$", "", before.rstrip()))

    def get_cursor_word_right_location(self) -> Location:
        """Find where the word on the right ends."""
        row, column = self.cursor_location
        after = self.document.get_line(row)[column:]
        if not after:
            return self.get_cursor_right_location()
        return row, column + len(after) - len(re.sub(r"^\s*\S*", "", after))

    def get_cursor_line_start_location(self, smart_home: bool = False) -> Location:
        """Find the start of the line, over all its rows."""
        return self.cursor_location[0], 0

    def get_cursor_line_end_location(self) -> Location:
        """Find the end of the line, over all its rows."""
        row = self.cursor_location[0]
        return row, len(self.document.get_line(row))

    def get_target_document_location(self, event: events.MouseEvent) -> Location:
        """Find the place under the mouse."""
        scroll_x, scroll_y = self.scroll_offset
        x, y = event.x - self.gutter.left, event.y - self.gutter.top
        return self._location_at(x + scroll_x, y + scroll_y)

    def _location_at(self, x: int, y: int) -> Location:
        row, column = self.wrapped_document.offset_to_location(Offset(0, y))
        line = self.document.get_line(row)
        wraps = self.wrapped_document.get_offsets(row)
        section = bisect_right(wraps, column)
        start, end = [0, *wraps][section], [*wraps, len(line)][section]
        column = start
        for grapheme in iter_graphemes(line[start:end]):
            following = column + len(grapheme)
            covered = expand_tabs_inline(line[start:following], self.indent_width)
            # The end of a row that goes on below is the start of the row below.
            if cell_len(covered) > x or (following >= end and section < len(wraps)):
                break
            column = following
        return row, column

    # Painting

    def get_line(self, line_index: int) -> Text:
        """Write a line for the screen, the cursor over the whole of a character."""
        line = self.document.get_line(line_index)
        text = Text(_DIRECTIONS.sub(_INVISIBLE_MARK, line), end="", no_wrap=True)
        row, column = self.cursor_location
        if row == line_index and self.has_focus and column < len(line):
            style = self.get_component_rich_style("text-area--cursor")
            text.stylize(style, column, self.get_cursor_right_location()[1])
        return text

    def render_line(self, y: int) -> Strip:
        """Paint a row, a character never in two pieces."""
        return super().render_line(y).simplify()


def _boundary(line: str, column: int) -> int:
    """Find the end of the character that has begun before `column`."""
    if not 0 < column < len(line) or line[column - 1 : column + 1].isascii():
        return column
    end = max(0, column - MAX_GRAPHEME_CHARS)
    for grapheme in iter_graphemes(line[end : column + MAX_GRAPHEME_CHARS]):
        end += len(grapheme)
        if end >= column:
            break
    return end
