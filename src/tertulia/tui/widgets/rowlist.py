"""A list of short rows to choose one from: the users, the conversations.

Only the rows in the view are painted, so thousands of rows cost no more than one screen of them,
even if they are replaced twenty times a second. It knows no chat. Runs on the event loop's thread.
"""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from tertulia.tui.painting.styled_text import Run, RunView, shorten_runs


class Row(NamedTuple):
    """One line of the list; its key identifies the row, also in `RowList.Chosen`."""

    key: str
    runs: list[Run]


class RowList(RunView, can_focus=True, inherit_bindings=False):
    """A list in which one row is highlighted while the list has the focus.

    A subclass names the styles in `COMPONENT_CLASSES`, as `row-list--NAME`.
    """

    PREFIX = "row-list"
    ALLOW_SELECT = False
    ALWAYS_HIGHLIGHTED: ClassVar[bool] = False  # True: also without the focus
    COMPONENT_CLASSES: ClassVar[set[str]] = {"row-list--highlight"}
    DEFAULT_CSS = """
    RowList .row-list--highlight {
        text-style: reverse;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "highlight_by(-1)", show=False, id="row-list.up"),
        Binding("down", "highlight_by(1)", show=False, id="row-list.down"),
        Binding("pageup", "highlight_page(-1)", show=False, id="row-list.pageup"),
        Binding("pagedown", "highlight_page(1)", show=False, id="row-list.pagedown"),
        Binding("home", "highlight_first", show=False, id="row-list.home"),
        Binding("end", "highlight_last", show=False, id="row-list.end"),
        Binding("enter", "choose", show=False, id="row-list.enter"),
    ]

    class Chosen(Message):
        """The user has chosen a row."""

        def __init__(self, row_list: "RowList", key: str) -> None:
            super().__init__()
            self.row_list = row_list
            self.key = key

        @property
        def control(self) -> "RowList":
            """Return the list, for `@on` with a selector."""
            return self.row_list

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._rows: list[Row] = []
        self._highlight = 0

    @property
    def rows(self) -> Sequence[Row]:
        """Return the rows; setting them keeps the scroll position and the highlighted key."""
        return self._rows

    @rows.setter
    def rows(self, rows: Sequence[Row]) -> None:
        rows = list(rows)
        if rows == self._rows:
            return
        key = self.highlighted
        self._rows = rows
        if key is not None and key != self.highlighted:
            self._highlight = next(
                (index for index, row in enumerate(rows) if row.key == key), self._highlight
            )
        self._highlight = max(0, min(self._highlight, len(rows) - 1))
        self.set_height(len(rows), self.scroll_y)
        self.refresh(self.size.region)

    @property
    def highlighted(self) -> str | None:
        """Return the key of the highlighted row; None without rows."""
        return self._rows[self._highlight].key if self._highlight < len(self._rows) else None

    def highlight(self, key: str) -> None:
        """Move the highlight to a row, if it exists."""
        for index, row in enumerate(self._rows):
            if row.key == key:
                self._move_highlight(index)
                return

    def render_line(self, y: int) -> Strip:
        """Paint one row."""
        width = self.size.width
        index = self.scroll_offset.y + y
        if index >= len(self._rows):
            return Strip.blank(width, self.style_named(""))
        runs = shorten_runs(self._rows[index].runs, self.room.width)
        background = ""
        if index == self._highlight and (self.has_focus or self.ALWAYS_HIGHLIGHTED):
            # The whole row has one style, because reversed colours of single runs would look like
            # patches.
            background = "highlight"
            runs = [(text, background) for text, _ in runs]
        return self.strip_of(runs).extend_cell_length(width, self.style_named(background))

    def action_highlight_by(self, rows: int) -> None:
        """Move the highlight some rows up or down."""
        self._move_highlight(self._highlight + rows)

    def action_highlight_page(self, pages: int) -> None:
        """Move the highlight some screenfuls up or down."""
        self._move_highlight(self._highlight + pages * max(1, self.room.height - 1))

    def action_highlight_first(self) -> None:
        """Move the highlight to the first row."""
        self._move_highlight(0)

    def action_highlight_last(self) -> None:
        """Move the highlight to the last row."""
        self._move_highlight(len(self._rows) - 1)

    def action_choose(self) -> None:
        """Choose the highlighted row."""
        if self.highlighted is not None:
            self.post_message(self.Chosen(self, self.highlighted))

    def on_click(self, event: events.Click) -> None:
        """Choose the row under the pointer."""
        index = self.line_under(event)
        if index is not None and index < len(self._rows):
            self._move_highlight(index)
            self.action_choose()

    def _move_highlight(self, index: int) -> None:
        old = self._highlight
        self._highlight = new = max(0, min(index, len(self._rows) - 1))
        self.refresh_line(old)
        self.refresh_line(new)
        top, height = self.scroll_offset.y, self.room.height
        if new < top:
            self.scroll_to(y=new, force=True)
        elif new >= top + height:
            self.scroll_to(y=new - height + 1, force=True)
