"""The live view's one screen: its panes, and the figures in them.

It knows no server. All of it runs on the event loop's thread.
"""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.screen import Screen

from tertulia.i18n import _
from tertulia.watch import nodes, panels, picture, table, words
from tertulia.watch.figures import Figures
from tertulia.watch.keys import bindings
from tertulia.watch.minute import SERIES, Minute
from tertulia.watch.widgets import (
    FiguresPane,
    KeyLine,
    LinesView,
    ThreadList,
    ThreadsPane,
    TitleLine,
)

# The rows that the other parts of the screen need; half of the rest can show the nodes.
_TAKEN, _TAKEN_IF_SHORT = 22, 16
_LEAST_NODE_ROWS = 2


class ViewScreen(Screen[None], inherit_bindings=False):
    """The panes, and the figures in them."""

    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (76, "-narrow"), (100, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]

    def __init__(self) -> None:
        super().__init__()
        self._title_line = TitleLine()
        self._path, self._processes = FiguresPane(id="path"), FiguresPane(id="processes")
        self._minute_pane, self._room = FiguresPane(id="minute"), FiguresPane(id="room")
        self._nodes_pane = FiguresPane(id="nodes")
        self._threads = ThreadsPane(id="threads")
        self._figures: Figures | None = None
        self._minute = Minute()
        self._beat = 0
        self._order = self._series = 0  # indices in ORDERS and SERIES

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        yield self._title_line
        yield self._path
        with Horizontal(id="middle"):
            yield self._processes
            yield self._minute_pane
            yield self._room
        yield self._nodes_pane
        yield self._threads
        yield KeyLine()

    def on_mount(self) -> None:
        """Put the focus into the table of threads."""
        self._path.title = _("The way of a message")
        self._processes.title = _("Processes")
        self._minute_pane.title = _("The last minute")
        self._room.title = _("Users and doors")
        self._nodes_pane.display = False  # until the server reports that it is one of several
        self._threads.list.focus()

    def show(self, seen: Figures | None) -> None:
        """Show the present figures; for None, keep the old ones and add a gap to the graph."""
        self._figures = seen or self._figures
        self._minute.add(seen)
        self._beat += seen is not None
        self._paint()

    def show_state(
        self, server: str, detail: str, state: str, *, is_lost: bool, serves: bool
    ) -> None:
        """Show the server's name and state; if it is lost, mark the figures as old."""
        is_ill = is_lost or not serves
        self._title_line.show(server=server, detail=detail, state=state, is_ill=is_ill)
        self.set_class(is_lost, "-lost")

    def on_resize(self) -> None:
        """Lay out the lines for the new size, after the panes have theirs."""
        self.call_after_refresh(self._paint)

    def sort_otherwise(self) -> None:
        """Use the next order of the threads, and show the first of them."""
        self._order = (self._order + 1) % len(table.ORDERS)
        self._paint()
        self._threads.list.action_highlight_first()

    def graph_otherwise(self) -> None:
        """Show the next figure in the graph of the last minute."""
        self._series = (self._series + 1) % len(SERIES)
        self._paint()

    def _paint(self) -> None:
        figures = self._figures
        if figures is None:
            return
        width = self._path.room.width
        self._path.show(picture.picture(figures, width, self._beat))
        self._processes.show(panels.processes(figures, self._processes.room.width))
        self._room.show(panels.room(figures, self._room.room.width))
        size, series = self._minute_pane.room, SERIES[self._series]
        self._minute_pane.show(panels.last_minute(self._minute, series, size.width, size.height))
        self._paint_nodes(figures, width)
        self._paint_threads(figures)

    def _paint_nodes(self, figures: Figures, width: int) -> None:
        """Show the nodes in the rows that the threads can spare; others need scrolling."""
        cluster, pane = figures.cluster, self._nodes_pane
        pane.display = cluster is not None
        if cluster is None:
            return
        is_short = self.has_class("-short")
        lines = nodes.rows(cluster, width, is_short=is_short)
        border = 1 if is_short else 2
        spare = (self.size.height - (_TAKEN_IF_SHORT if is_short else _TAKEN)) // 2
        pane.styles.height = border + min(len(lines), max(_LEAST_NODE_ROWS, spare))
        pane.title = nodes.title(cluster.now)
        pane.show(lines)

    def _paint_threads(self, figures: Figures) -> None:
        pane, order = self._threads, table.ORDERS[self._order]
        width = pane.list.room.width
        threads = table.ordered(figures.threads, order)
        pane.title = _("Threads ({count}), {order}").format(
            count=len(threads), order=_(order.title)
        )
        pane.heading.update("".join(text for text, _style in table.heading(width)))
        pane.list.rows = table.rows(threads, width)
        self._explain_thread()

    def _explain_thread(self) -> None:
        chosen = self._threads.list.highlighted
        threads = [] if self._figures is None else self._figures.threads
        thread = next((one for one in threads if str(one.tid) == chosen), None)
        self._threads.about.update("" if thread is None else words.about(thread))

    @on(LinesView.Resized)
    def _on_another_room(self) -> None:
        self._paint()

    @on(ThreadList.Moved)
    def _on_another_thread(self) -> None:
        self._explain_thread()
