"""A text area for all scripts: its cursor moves by graphemes, not by characters.

It shows its content as text, never as markup, and no character in it can reorder a row of the
terminal. It has no key bindings. Runs on the app's event loop.
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

from tertulia.chat.editing import word_end, word_start
from tertulia.graphemes import nearest_boundary, next_boundary, previous_boundary, split
from tertulia.safetext import DIRECTION_RANGES, visible_in_a_line

# A character that reorders a row stays in the text. The screen shows an invisible mark instead,
# which also uses no column.
_DIRECTIONS = re.compile(f"[{DIRECTION_RANGES}]")
_INVISIBLE_MARK = "\u034f"


class Editor(TextArea, inherit_bindings=False):
    """Plain text being edited. A line includes all the rows into which it is wrapped."""

    def validate_placeholder(self, placeholder: str | Content) -> Content:
        """Use the placeholder as text, because TextArea would interpret it as markup."""
        if isinstance(placeholder, str):
            return Content(visible_in_a_line(placeholder))
        return placeholder

    # --- places of the cursor: between graphemes ------------------------------------------------

    def clamp_visitable(self, location: Location) -> Location:
        """Move a location inside a grapheme to the end of that grapheme."""
        row, column = super().clamp_visitable(location)
        return row, nearest_boundary(self.document.get_line(row), column)

    def get_cursor_left_location(self) -> Location:
        """Return the location one grapheme to the left."""
        row, column = self.cursor_location
        if column == 0:
            return super().get_cursor_left_location()
        return row, previous_boundary(self.document.get_line(row), column)

    def get_cursor_right_location(self) -> Location:
        """Return the location one grapheme to the right."""
        row, column = self.cursor_location
        line = self.document.get_line(row)
        if column >= len(line):
            return super().get_cursor_right_location()
        return row, next_boundary(line, column)

    def get_cursor_up_location(self) -> Location:
        """Return the location in the row above."""
        y = self.wrapped_document.location_to_offset(self.cursor_location).y
        return self._location_at(self.navigator.last_x_offset, y - 1) if y else (0, 0)

    def get_cursor_down_location(self) -> Location:
        """Return the location in the row below."""
        y = self.wrapped_document.location_to_offset(self.cursor_location).y + 1
        if y == self.wrapped_document.height:
            return self.document.end
        return self._location_at(self.navigator.last_x_offset, y)

    def get_cursor_word_left_location(self) -> Location:
        """Return where the word on the left begins."""
        row, column = self.cursor_location
        if column == 0:
            return self.get_cursor_left_location()
        return row, word_start(self.document.get_line(row), column)

    def get_cursor_word_right_location(self) -> Location:
        """Return where the word on the right ends."""
        row, column = self.cursor_location
        line = self.document.get_line(row)
        if column >= len(line):
            return self.get_cursor_right_location()
        return row, word_end(line, column)

    def get_cursor_line_start_location(self, smart_home: bool = False) -> Location:
        """Return the start of the line, which may be some rows above."""
        return self.cursor_location[0], 0

    def get_cursor_line_end_location(self) -> Location:
        """Return the end of the line, which may be some rows below."""
        row = self.cursor_location[0]
        return row, len(self.document.get_line(row))

    def get_target_document_location(self, event: events.MouseEvent) -> Location:
        """Return the location under the mouse."""
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
        for grapheme in split(line[start:end]):
            following = column + len(grapheme)
            covered = expand_tabs_inline(line[start:following], self.indent_width)
            # The end of a row that continues below is the start of the next row.
            if cell_len(covered) > x or (following >= end and section < len(wraps)):
                break
            column = following
        return row, column

    # --- painting ------------------------------------------------------------------------------

    def get_line(self, line_index: int) -> Text:
        """Return a line as it is painted, with the cursor over a whole grapheme."""
        line = self.document.get_line(line_index)
        text = Text(_DIRECTIONS.sub(_INVISIBLE_MARK, line), end="", no_wrap=True)
        row, column = self.cursor_location
        if row == line_index and self.has_focus and column < len(line):
            style = self.get_component_rich_style("text-area--cursor")
            text.stylize(style, column, self.get_cursor_right_location()[1])
        return text

    def render_line(self, y: int) -> Strip:
        """Paint a row without splitting a grapheme between two segments."""
        return super().render_line(y).simplify()
