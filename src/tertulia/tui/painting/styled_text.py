"""Text in named styles: the interface of a log's painter, and the view that paints line by line.

The name of a style is also a component class, so CSS and themes decide its look. Text is never
interpreted as markup. Runs on the event loop's thread.
"""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Protocol, TypeAlias, TypeVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.events import MouseEvent
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tertulia.tui.painting.wrap import ELLIPSIS, cut
from tertulia.tui.terminal.textual_private import set_content_height

# A text that is safe to show and the name of its style, or "" for the style of the view. If the
# text is a link, the name is followed by a blank and the link's target.
Run: TypeAlias = tuple[str, str]

Entry_contra = TypeVar("Entry_contra", contravariant=True)


class EntryPainter(Protocol[Entry_contra]):
    """An object that makes the lines of a log's entries."""

    def height(self, entry: Entry_contra, width: int) -> int:
        """Return the number of lines; it must be fast, because it is called for every entry."""

    def paint(self, entry: Entry_contra, width: int) -> list[list[Run]]:
        """Return `height` lines, none of them wider than `width` cells."""


def linked_style(style: str, target: str) -> str:
    """Return the name of a style with a link; the target contains only printable ASCII."""
    return f"{style} {target}"


def shorten_runs(runs: list[Run], width: int) -> list[Run]:
    """Return a line that fits into `width` cells; a shortened line ends in an ellipsis."""
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


def mark_runs(runs: list[Run], spans: Sequence[tuple[int, int]], style: str) -> list[Run]:
    """Return a line in which the given spans of its text have another style."""
    for first, last in spans:
        marked: list[Run] = []
        position = 0
        for text, before in runs:
            start, end = max(0, first - position), max(0, last - position)
            parts = ((text[:start], before), (text[start:end], style), (text[end:], before))
            marked += [part for part in parts if part[0]]
            position += len(text)
        runs = marked
    return runs


class RunView(ScrollView):
    """A view that paints its lines itself, in the styles of its `PREFIX--name` classes.

    A subclass lists these classes in `COMPONENT_CLASSES`. Scrolling is never animated.
    """

    PREFIX: ClassVar[str]
    # The scrollbar's column always stays free, so that its appearance does not wrap all text again.
    DEFAULT_CSS = """
    RunView {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        self._named_styles: dict[str, Style] = {}
        super().__init__(id=id, classes=classes)

    def style_named(self, name: str) -> Style:
        """Return the style with a name in the present theme."""
        style = self._named_styles.get(name)
        if style is None:
            style = self.get_component_rich_style(f"{self.PREFIX}--{name}") if name else None
            style = self._named_styles[name] = style or self.rich_style
        return style

    def strip_of(self, runs: Iterable[Run]) -> Strip:
        """Return the runs as a line of the screen."""
        return Strip([Segment(text, self._style_of(style)) for text, style in runs if text])

    def _style_of(self, name: str) -> Style:
        name, _, target = name.partition(" ")
        style = self.style_named(name)
        return style + Style(link=target, underline=True) if target else style

    @property
    def room(self) -> Size:
        """Return the size of the area for text; `size` also includes the scrollbar's column."""
        return self.scrollable_content_region.size

    def line_under(self, event: MouseEvent) -> int | None:
        """Return the line under the pointer; None on a border or the scrollbar."""
        region = self.scrollable_content_region
        if not region.contains_point(event.screen_offset):
            return None
        return self.scroll_offset.y + event.screen_offset.y - region.y

    def forget_styles(self) -> None:
        """Remove the old styles; a subclass also removes the lines painted in them."""
        self._named_styles.clear()

    def notify_style_update(self) -> None:
        """Use the new styles."""
        super().notify_style_update()
        self.forget_styles()

    def refresh(self, *regions: Region, **options: Any) -> "RunView":
        """Paint the regions where the text has changed; without any, all in new styles.

        When only the style of a parent or a component changes, Textual does not call
        `notify_style_update`, but it refreshes the whole view.
        """
        if not regions:
            self.forget_styles()
        super().refresh(*regions, **options)
        return self

    def scroll_to(self, x: float | None = None, y: float | None = None, **options: Any) -> None:
        """Scroll without animation, because moving text cannot be read."""
        super().scroll_to(x, y, **{**options, "animate": False})

    def set_height(self, lines: int, y: float) -> None:
        """Set the number of lines, and the line at the top of the view."""
        set_content_height(self, lines, y)
