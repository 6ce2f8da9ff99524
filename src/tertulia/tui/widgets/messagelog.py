"""A log of any length: entries one below the other, the newest last.

It keeps the reading place: adding, dropping or changing entries outside the view moves nothing in
the view. Only the painter knows the content of an entry. Runs on the event loop's thread.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import ClassVar, Generic, NamedTuple, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Offset, Size
from textual.message import Message
from textual.selection import Selection
from textual.strip import Strip

from tertulia.tui.painting.selected import span_in, with_selection
from tertulia.tui.painting.styled_text import EntryPainter, Run, RunView

Entry = TypeVar("Entry")

_RIGHT_BUTTON = 3
_KEPT_STRIPS = 256  # about 7 KiB each; in a view with more rows some lines are painted twice


class Place(NamedTuple):
    """A reading place: the entry at the top of the view, and the line of it."""

    entry: object
    line: int


class MessageLog(RunView, Generic[Entry], can_focus=True, inherit_bindings=False):
    """A view of entries, compared by identity.

    A subclass names the styles in `COMPONENT_CLASSES`, as `message-log--NAME`.
    """

    PREFIX = "message-log"
    ALLOW_SELECT = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", show=False, id="message-log.up"),
        Binding("down", "scroll_down", show=False, id="message-log.down"),
        Binding("pageup", "page_up", show=False, id="message-log.pageup"),
        Binding("pagedown", "page_down", show=False, id="message-log.pagedown"),
        Binding("home", "scroll_home", show=False, id="message-log.home"),
        Binding("end", "scroll_end", show=False, id="message-log.end"),
    ]

    class ReachedTop(Message):
        """The first line is in view: older entries are needed. Posted once until some are added."""

    class NewBelow(Message):
        """The number of unseen entries below the view has changed."""

        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

    class Clicked(Message):
        """An entry was clicked; a drag that selects its text does not count as a click."""

        def __init__(self, entry: object) -> None:
            super().__init__()
            self.entry = entry

    def __init__(
        self, painter: EntryPainter[Entry], *, id: str | None = None, classes: str | None = None
    ) -> None:
        self._strips: LRUCache[int, Strip] = LRUCache(_KEPT_STRIPS)
        super().__init__(id=id, classes=classes)
        self._painter = painter
        self._entries: list[Entry] = []
        # Lines have numbers, which an entry keeps while others are added or dropped above it: the
        # first line is `_origin`, and entry i ends before line `_ends[i]`.
        self._origin = 0
        self._ends: list[int] = []
        self._place: Place | None = None  # None means at the end, where new entries are followed
        self._new_below = 0
        self._top_reported = False
        self._laid_out = Size(0, 0)  # the size for which `_ends` and the place are correct
        self._pressed_at: Offset | None = None

    @property
    def reading_place(self) -> Place | None:
        """Return the place for a later `load`; None at the end."""
        return self._place

    @property
    def first_entry(self) -> Entry | None:
        """Return the oldest entry."""
        return self._entries[0] if self._entries else None

    @property
    def at_end(self) -> bool:
        """Return whether the last line is in view."""
        return self._place is None

    @property
    def new_below(self) -> int:
        """Return the number of unseen entries below the view."""
        return self._new_below

    def load(self, entries: Sequence[Entry], place: Place | None = None) -> None:
        """Replace all entries, and go to the end or to a reading place."""
        self._entries = list(entries)
        self._place = place
        self._top_reported = False
        self._set_new_below(0)
        self.repaint()

    def append(self, entries: Sequence[Entry], new: int | None = None) -> None:
        """Add newer entries; `new` of them (None: all) count as new if they are below the view."""
        if not entries:
            return
        self._entries.extend(entries)
        self._ends.extend(self._ends_of(entries, self._end))
        if self._place is None:
            self._go_to_place()
        else:
            self.set_height(self._end - self._origin, self.scroll_y)
            self._set_new_below(self._new_below + (len(entries) if new is None else new))

    def prepend(self, entries: Sequence[Entry]) -> None:
        """Add older entries; the view stays on the same text."""
        if not entries:
            return
        ends = self._ends_of(entries, 0)
        self._entries[:0] = entries
        self._ends[:0] = [self._origin - ends[-1] + end for end in ends]
        self._origin -= ends[-1]
        self._top_reported = False
        self._go_to_place()

    def drop_first(self, count: int) -> None:
        """Drop the oldest entries; the view stays on the same text if that is still there."""
        count = min(count, len(self._entries))
        if count > 0:
            self._origin = self._ends[count - 1]
            dropped = self._entries[:count]
            del self._entries[:count], self._ends[:count]
            if self._place is not None and self._place.entry in dropped:
                self._place = Place(self._entries[0], 0) if self._entries else None
            self._strips.clear()  # older entries may get these numbers
            self._go_to_place()

    def repaint_entry(self, entry: Entry) -> None:
        """Paint a changed entry again; its height may have changed."""
        index = self._index_of(entry)
        if index is None:
            return
        first, end = self._start_of(index), self._ends[index]
        grown = self._ends_of([entry], first)[0] - end
        self._strips.clear()
        if grown:
            self._drop_selection(first)
            self._ends[index:] = [end + grown for end in self._ends[index:]]
            self._go_to_place()
        self.refresh(self.size.region)

    def repaint(self) -> None:
        """Count and paint all lines again, for example in another language or width."""
        self._drop_selection(self._origin)
        self._laid_out = self.room
        self._origin = 0
        self._ends = self._ends_of(self._entries, 0)
        self._strips.clear()
        self._go_to_place()
        self.refresh(self.size.region)

    def jump_to_end(self) -> None:
        """Go to the newest entry, and follow new ones."""
        self._place = None
        self._go_to_place()

    def go_to(self, entry: Entry) -> None:
        """Bring an entry to the top of the view."""
        self._place = Place(entry, 0)
        self._go_to_place()

    def go_to_start(self) -> None:
        """Bring the oldest entry to the top, even if the view is about to be resized."""
        if self._entries:
            self.go_to(self._entries[0])

    def line_of(self, entry: Entry) -> int | None:
        """Return the first line of an entry, counted from the oldest one; None if it is absent."""
        index = self._index_of(entry)
        return None if index is None else self._start_of(index) - self._origin

    def action_page_up(self) -> None:
        """Scroll up by a page less one line, so that the reader finds the old place."""
        self.scroll_to(y=self.scroll_y - max(1, self.room.height - 1))

    def action_page_down(self) -> None:
        """Scroll down by a page less one line."""
        self.scroll_to(y=self.scroll_y + max(1, self.room.height - 1))

    def action_scroll_end(self) -> None:
        """Go to the end, even if entries are added meanwhile."""
        self.jump_to_end()

    def on_resize(self) -> None:
        """Keep the reading place when the view changes its size."""
        if self.room and self.room.width != self._laid_out.width:
            self.repaint()
        elif self.room:
            self._laid_out = self.room
            self._go_to_place()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Keep the new reading place."""
        super().watch_scroll_y(old_value, new_value)
        # When the size changes, Textual moves the view before it calls `on_resize`. That is not
        # scrolling by the reader.
        if self.room == self._laid_out:
            self._keep_place()

    def render_line(self, y: int) -> Strip:
        """Paint one line of the view."""
        width = self.size.width
        line = self._origin + self.scroll_offset.y + y
        if line >= self._end:
            return Strip.blank(width, self.style_named(""))
        strip = self._strip_at(line)
        span = self.text_selection.get_span(line) if self.text_selection else None
        if span is not None:
            look = self.screen.get_component_rich_style("screen--selection")
            strip = with_selection(strip, *span, look)
        # Selections also use the numbers of lines, so they stay on their text.
        return strip.crop_extend(0, width, self.style_named("")).apply_offsets(0, line)

    def forget_styles(self) -> None:
        """Also drop the lines that were painted in the old styles."""
        super().forget_styles()
        self._strips.clear()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text, line by line, and the line end to put after it."""
        first, end = self._selected_lines(selection)
        lines = []
        for line, runs in self._lines(first, end):
            text = "".join(text for text, _ in runs)
            start, end = span_in(text, *(selection.get_span(line) or (0, 0)))
            lines.append(text[start:end].rstrip())
        return "\n".join(lines), "\n"

    def _selected_lines(self, selection: Selection) -> tuple[int, int]:
        first = self._origin if selection.start is None else selection.start.y
        last = self._end if selection.end is None else selection.end.y
        return max(first, self._origin), min(last + 1, self._end)

    def selected_entries(
        self, selection: Selection
    ) -> Iterator[tuple[Entry, dict[int, tuple[int, int]] | None]]:
        """Yield the selected entries, and the selected part of each of their lines.

        Only the first and the last entry can have parts; None means that an entry is selected as a
        whole.
        """
        first, end = self._selected_lines(selection)
        for index in range(bisect_right(self._ends, first), len(self._entries)):
            start, after = self._start_of(index), self._ends[index]
            if start >= end:
                return
            if first < start and after < end:
                yield self._entries[index], None
                continue
            spans = {
                line - start: span_in(
                    "".join(text for text, _ in runs), *(selection.get_span(line) or (0, 0))
                )
                for line, runs in self._lines(max(first, start), min(after, end))
            }
            yield self._entries[index], {n: span for n, span in spans.items() if span[1] > span[0]}

    def selection_updated(self, selection: Selection | None) -> None:
        """Paint the selection; the cached lines are painted without it."""
        self.refresh(self.size.region)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Store where the button goes down, to distinguish a click from a drag."""
        self._pressed_at = event.screen_offset

    def on_click(self, event: events.Click) -> None:
        """Post a click; a double click selects the entry."""
        event.prevent_default()  # by default a double click would select the whole conversation
        line = self.line_under(event)
        if line is None or event.screen_offset != self._pressed_at:
            return
        index = bisect_right(self._ends, self._origin + line)
        if index == len(self._entries):
            return
        if event.button == _RIGHT_BUTTON:
            self.choose(index)
        elif event.chain == 1:
            self.post_message(self.Clicked(self._entries[index]))
        elif event.chain == 2:
            self._select(index)

    def choose(self, _index: int) -> None:
        """Do nothing; a subclass may act on a click with the right button."""

    def _select(self, index: int) -> None:
        """Select all of an entry."""
        lines = Selection(Offset(0, self._start_of(index)), Offset(0, self._ends[index]))
        self.screen.selections = {self: lines}

    @property
    def _end(self) -> int:
        return self._ends[-1] if self._ends else self._origin

    def _start_of(self, index: int) -> int:
        return self._ends[index - 1] if index else self._origin

    def _index_of(self, entry: object) -> int | None:
        """Return the index of an entry; the search begins at the end, where most changes are."""
        for index in range(len(self._entries) - 1, -1, -1):
            if self._entries[index] is entry:
                return index
        return None

    def _ends_of(self, entries: Sequence[Entry], start: int) -> list[int]:
        width = self._laid_out.width
        if not width:  # it is not on the screen yet, and is counted when it is
            return [start] * len(entries)
        height = self._painter.height
        return list(accumulate((height(entry, width) for entry in entries), initial=start))[1:]

    def _drop_selection(self, line: int) -> None:
        """Clear the selection if it reaches this line or below, where the text has changed."""
        selection = self.text_selection if self.is_mounted else None
        if selection and (selection.end is None or selection.end.y >= line):
            self.screen.clear_selection()

    def _go_to_place(self) -> None:
        """Bring the reading place to the top of the view, or the first line if it was dropped."""
        if not self._laid_out or self._laid_out != self.room:
            return  # `on_resize` will be called soon, and calls this again
        lines = self._end - self._origin
        y = lines  # the end
        if self._place is not None:
            index = self._index_of(self._place.entry)
            y = 0
            if index is not None:
                start = self._start_of(index)
                line = min(self._place.line, max(0, self._ends[index] - start - 1))
                y = start + line - self._origin
        self.set_height(lines, y)
        self.refresh(self.size.region)
        self._keep_place()

    def _keep_place(self) -> None:
        y = self.scroll_offset.y
        if y >= self.max_scroll_y:
            self._place = None
            self._set_new_below(0)
        else:
            index = bisect_right(self._ends, self._origin + y)
            self._place = Place(self._entries[index], self._origin + y - self._start_of(index))
        if y > 0:
            self._top_reported = False
        elif not self._top_reported:
            self._top_reported = True
            self.post_message(self.ReachedTop())

    def _set_new_below(self, count: int) -> None:
        if count != self._new_below:
            self._new_below = count
            self.post_message(self.NewBelow(count))

    def _lines(self, first: int, end: int) -> Iterator[tuple[int, list[Run]]]:
        """Paint the entries that contain these lines, and yield the lines with their numbers."""
        for index in range(bisect_right(self._ends, first), len(self._entries)):
            start = self._start_of(index)
            if start >= end:
                return
            lines = self._painter.paint(self._entries[index], self._laid_out.width)
            for line, runs in enumerate(lines, start):
                if first <= line < end:
                    yield line, runs

    def _strip_at(self, line: int) -> Strip:
        strip = self._strips.get(line)
        if strip is None:
            # The other lines of the entry in the view are needed next.
            index = bisect_right(self._ends, line)
            top = self._origin + self.scroll_offset.y
            end = min(self._ends[index], max(line + 1, top + self.room.height))
            for number, runs in self._lines(line, end):
                self._strips[number] = self.strip_of(runs)
            strip = self._strips.get(line)
        return strip or Strip([])
