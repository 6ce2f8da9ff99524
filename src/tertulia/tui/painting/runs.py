"""Text in named styles, and what the widgets that paint it line by line have in common.

A style's name becomes a component class, so the look is a matter of CSS and themes. Text is painted
as it is, never read as markup. Runs on the event loop's thread.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, TypeAlias

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.events import MouseEvent
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tertulia.tui.painting.wrap import ELLIPSIS, cut

Run: TypeAlias = tuple[str, str]  # a text that is safe to show, the name of its style ("": none)


def shorten_runs(runs: list[Run], width: int) -> list[Run]:
    """Cut a line that is too long, with a mark that says so."""
    if width <= 0 or sum(cell_len(text) for text, _ in runs) <= width:
        return runs if width > 0 else []
    kept: list[Run] = []
    room = width - 1
    for text, style in runs:
        columns = cell_len(text)
        if columns > room:
            return [*kept, (cut(text, room) + ELLIPSIS, style)]
        kept.append((text, style))
        room -= columns
    return kept


class RunView(ScrollView):
    """A view that paints its lines itself, in styles named by `PREFIX--name` classes.

    A subclass lists these in `COMPONENT_CLASSES`. The view jumps where it scrolls and never glides.
    """

    PREFIX: ClassVar[str]
    # The scrollbar's column is kept free: text that is wrapped anew when it appears would jump.
    DEFAULT_CSS = """
    RunView {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        self._looks: dict[str, Style] = {}
        super().__init__(id=id, classes=classes)

    def look(self, style: str) -> Style:
        """Give what a style's name stands for now."""
        look = self._looks.get(style)
        if look is None:
            look = self.get_component_rich_style(f"{self.PREFIX}--{style}") if style else None
            look = self._looks[style] = look or self.rich_style
        return look

    def strip_of(self, runs: Iterable[Run]) -> Strip:
        """Make runs a line."""
        return Strip([Segment(text, self.look(style)) for text, style in runs if text])

    @property
    def room(self) -> Size:
        """The size of what can be painted on: `size` counts the scrollbar's column too."""
        return self.scrollable_content_region.size

    def line_under(self, event: MouseEvent) -> int | None:
        """Find the line that the pointer is on; None on a border or the scrollbar."""
        region = self.scrollable_content_region
        if not region.contains_point(event.screen_offset):
            return None
        return self.scroll_offset.y + event.screen_offset.y - region.y

    def forget_looks(self) -> None:
        """Drop what was made with the old styles; a subclass drops the lines painted with them."""
        self._looks.clear()

    def notify_style_update(self) -> None:
        """Take the new styles."""
        super().notify_style_update()
        self.forget_looks()

    def refresh(self, *regions: Region, **options: Any) -> "RunView":
        """Paint again: the regions where the text has changed, or all, and then in new styles.

        Textual does not call `notify_style_update` where only a parent's or a component's style
        has changed, but it does refresh.
        """
        if not regions:
            self.forget_looks()
        super().refresh(*regions, **options)
        return self

    def scroll_to(self, x: float | None = None, y: float | None = None, **options: Any) -> None:
        """Scroll at once: text that glides can't be read meanwhile."""
        super().scroll_to(x, y, **{**options, "animate": False})

    def set_height(self, lines: int, y: float) -> None:
        """Set how many lines there are, and which one is at the top of the view.

        Setting `virtual_size` alone would lay out the whole screen: 6 ms for each message that
        comes in. The size of a view like this never depends on its content, so what is left of
        that is the scrollbar; the one name for it is private. It lays out by itself where the
        scrollbar comes or goes.
        """
        size = Size(0, lines)
        if size != self.virtual_size:
            self.set_reactive(RunView.virtual_size, size)
        # By force: scrolling is allowed only where a scrollbar is shown already.
        self.scroll_to(y=y, force=True)
        if self.is_mounted:
            self._scroll_update(size)
            self.vertical_scrollbar.position = self.scroll_y  # it was clamped to the old size
