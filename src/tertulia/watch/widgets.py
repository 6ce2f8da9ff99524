"""The parts of the live view's screen. They show the given figures, and know no server.

All of it runs on the event loop's thread.
"""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.geometry import Size
from textual.message import Message
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Static

from tertulia.i18n import _
from tertulia.tui.painting.styled_text import Run, RunView, shorten_runs
from tertulia.tui.widgets.bars import Item, KeyItem
from tertulia.tui.widgets.panes import Pane
from tertulia.tui.widgets.rowlist import RowList
from tertulia.watch import panels, picture, table
from tertulia.watch.keys import KEYS, help_rows


class LinesView(RunView, can_focus=True, inherit_bindings=False):
    """A few styled lines; those that do not fit can be scrolled to."""

    PREFIX = "lines"
    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"lines--{style}" for style in {*panels.STYLES, *picture.STYLES, "warning"}
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", show=False),
        Binding("down", "scroll_down", show=False),
    ]

    class Resized(Message):
        """The size for the lines has changed, so other lines may be necessary."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: list[list[Run]] = []

    def on_resize(self) -> None:
        """Post the new size to the screen."""
        self.post_message(self.Resized())

    def show(self, lines: Sequence[list[Run]]) -> None:
        """Show these lines, and keep the scroll position; equal lines cost nothing."""
        lines = list(lines)
        if lines != self._lines:
            self._lines = lines
            self.set_height(len(lines), self.scroll_y)  # it stays within the new lines
            self.refresh(self.size.region)

    def render_line(self, y: int) -> Strip:
        """Paint one line."""
        width, index = self.size.width, self.scroll_offset.y + y
        if index >= len(self._lines):
            return Strip.blank(width, self.style_named(""))
        runs = shorten_runs(self._lines[index], self.room.width)
        return self.strip_of(runs).extend_cell_length(width, self.style_named(""))


class ThreadList(RowList):
    """The rows of the table of threads."""

    ALWAYS_HIGHLIGHTED = True
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"row-list--{style}" for style in table.STYLES}

    class Moved(Message):
        """Another row is highlighted."""

    def _move_highlight(self, index: int) -> None:
        super()._move_highlight(index)
        self.post_message(self.Moved())


class FiguresPane(Pane):
    """A pane with some lines."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._view = LinesView()

    def compose(self) -> ComposeResult:
        """Put the lines into the border."""
        yield self._view

    @property
    def room(self) -> Size:
        """Return the size of the area for the lines."""
        return self._view.room

    def show(self, lines: Sequence[list[Run]]) -> None:
        """Show these lines."""
        self._view.show(lines)


class ThreadsPane(Pane):
    """The table of threads, its heading, and a sentence about the chosen thread."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.heading = Static(id="heading", markup=False)
        self.list = ThreadList(id="threads-list")
        self.about = Static(id="about", markup=False)

    def compose(self) -> ComposeResult:
        """Put the heading above the rows, and the sentence below them."""
        yield self.heading
        yield self.list
        yield self.about


class TitleLine(Horizontal):
    """The product, the server, and whether the server works."""

    def compose(self) -> ComposeResult:
        """Make an item for each of them."""
        yield Item(text="tertulia", id="product")
        yield Item(id="server")
        yield Item(id="detail")
        yield Item(id="state")

    def show(self, *, server: str, detail: str, state: str, is_ill: bool) -> None:
        """Show these texts."""
        self.query_one("#server", Item).set_text(server)
        self.query_one("#detail", Item).set_text(detail)
        self.query_one("#state", Item).set_text(state)
        self.set_class(is_ill, "-ill")


class KeyLine(Horizontal):
    """The effects of the keys, in words."""

    def compose(self) -> ComposeResult:
        """Make an item for each key that has a title."""
        for key in KEYS:
            if key.title:
                yield KeyItem(key)


class Explanation(ModalScreen[None]):
    """An explanation of the screen, and the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,h,ctrl+c,ctrl+q", "dismiss(None)", show=False),
        Binding("ctrl+z", "app.stop", show=False),
    ]

    def compose(self) -> ComposeResult:
        """Put a title above the text, and a hint about closing below it."""
        with Vertical(id="dialog"):
            yield Static(_("What is on the screen"), id="dialog-title", markup=False)
            with VerticalScroll(id="dialog-text"):
                yield Static(_paragraphs(), markup=False)
                yield Static(_keys(), markup=False)
            yield Static(_("Esc: back"), id="dialog-hint", markup=False)


def _paragraphs() -> str:
    return "\n\n".join(
        (
            _(
                "The picture at the top is the way of a message. The Acceptor hands each new "
                "connection to a worker. A worker reads requests and passes them to the Hub, which "
                "puts the messages in order. The EventLog keeps the latest events, and every "
                "worker sends them to its own connections. The History writes messages to the disk."
            ),
            _(
                "vol/s: voluntary context switches. The thread had nothing to do, or had to wait "
                "for a lock, so it gave its processor away. inv/s: involuntary ones. The thread "
                "wanted to go on, but another one got the processor."
            ),
            _(
                "“waits for” says what the thread was doing when the view looked at it, twice a "
                "second: epoll and poll wait for the network, queue for work, turn for the thread "
                "that serves now, lock for a lock (most often the interpreter's), disk for the "
                "disk, signal for a signal. A question mark: the system does not say."
            ),
            _(
                "conn, req/s, ev/s, queue: the connections of a worker, the requests that it "
                "carries out, the events that it sends, and the work that waits for it."
            ),
            _(
                "Users and doors: ● ACTIVO, ◐ OCUPADO, ○ INACTIVO; the connections of terminals "
                "(native), browsers (web), and those of both that are encrypted (tls); connections "
                "that have no name yet; slow ones, which do not accept what is sent to them; the "
                "bytes of the latest events, the most that these may be, and those of the file on "
                "the disk."
            ),
            _(
                "Nodes, if several servers are one chat: each with its last sign of life and the "
                "entry of the common log at which it came up. Below, this node: the last entry "
                "applied, how many it is behind, how long ago the last entry of its own came back"
                " from the log (after 5 s it does not serve), its commands that wait or are under"
                " way, batches sent again, batches of all nodes that did not count, states that "
                "differ (must be 0) among those compared, and numbers of events that its history "
                "still lacks."
            ),
        )
    )


def _keys() -> str:
    rows = help_rows()
    width = max(len(left) for left, _right in rows)
    return "\n" + "\n".join(f"{left:<{width}}  {right}" for left, right in rows)
