"""The small screens above the chat: help, status, a person, what was found, a question.

Each gives back what was chosen, or None; Escape closes all. Runs on the event loop's thread.
"""

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from tertulia.chat import commands
from tertulia.chat.display import Glyphs, date_and_time, duration, visible, visible_in_a_line
from tertulia.i18n import _
from tertulia.protocol.messages import Status, UserInfo
from tertulia.tui import keys
from tertulia.tui.model.conversations import Entry
from tertulia.tui.painting import painter
from tertulia.tui.painting.painter import STYLES, ConversationPainter
from tertulia.tui.painting.wrap import wrap
from tertulia.tui.widgets.columns import STATUS_STYLES
from tertulia.tui.widgets.messagelog import MessageLog
from tertulia.tui.widgets.rowlist import Row, RowList

MIN_DIALOG = 46  # columns of a person's address, an IPv6 one, and what it is called
MIN_RIGHT_COLUMN = 30  # of a table; else it is set in one column
_GAP = "  "

Result = TypeVar("Result")


class Choices(RowList):
    """What can be chosen in a dialog."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"row-list--{style}" for style in STATUS_STYLES.values()
    }


class ChatLog(MessageLog[Entry]):
    """A conversation, or what was found in one."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"message-log--{style}" for style in STYLES}


class Dialog(ModalScreen[Result], Generic[Result]):
    """A screen that takes no more room than it needs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "dismiss(None)", show=False),
        Binding("ctrl+q", "app.leave", show=False),
    ]

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def compose(self) -> ComposeResult:
        """Put a title above the content, and how to go back below."""
        with Vertical(id="dialog"):
            yield Static(self._title, id="dialog-title", markup=False)
            yield from self.content()
            yield Static(_("Esc: back"), id="dialog-hint", markup=False)

    def content(self) -> ComposeResult:
        """Make what stands in the middle."""
        raise NotImplementedError

    def on_click(self, event: object) -> None:
        """Close when the hint, or what lies around the dialog, is clicked."""
        widget = getattr(event, "widget", None)
        if widget is self or getattr(widget, "id", None) == "dialog-hint":
            self.dismiss(None)


class HelpDialog(Dialog[None]):
    """All that can be typed and pressed."""

    def __init__(self) -> None:
        super().__init__(_("Help"))
        self.add_class("wide")

    def content(self) -> ComposeResult:
        """Show both tables."""
        with VerticalScroll(id="dialog-text"):
            for title, rows in (
                (_("What you type"), commands.help_rows(on_screen=True)),
                (_("Keys"), keys.help_rows()),
                (_("Signs"), painter.help_rows()),
            ):
                table = _table(rows, self.app.size.width * 8 // 10)
                yield Static(f"{title}\n\n{table}\n", markup=False)


class ChoiceDialog(Dialog[str]):
    """One of a few; also a question."""

    def __init__(self, title: str, text: str, rows: Sequence[Row], chosen: str = "") -> None:
        super().__init__(title)
        self._text = text
        self._rows = rows
        self._chosen = chosen

    def content(self) -> ComposeResult:
        """Show the text and the rows."""
        if self._text:
            yield Static(self._text, id="dialog-text", markup=False)
        yield Choices()

    def on_mount(self) -> None:
        """Fill the list."""
        choices = self.query_one(Choices)
        choices.rows = self._rows
        choices.styles.height = len(self._rows)
        choices.highlight(self._chosen)
        choices.focus()

    @on(RowList.Chosen)
    def _choose(self, event: RowList.Chosen) -> None:
        self.dismiss(event.key)


class SearchDialog(Dialog[None]):
    """Messages that were found; scrolling up asks for older ones."""

    class OlderWanted(Message):
        """The oldest message is in view."""

    def __init__(self, words: str, entries: Sequence[Entry], painter: ConversationPainter) -> None:
        super().__init__(_("Found: {words}").format(words=visible_in_a_line(words)))
        self.add_class("wide")
        self._entries = entries
        self._painter = painter

    def content(self) -> ComposeResult:
        """Show the messages as in the chat."""
        yield ChatLog(self._painter, id="found")

    def on_mount(self) -> None:
        """Fill the log."""
        log = self.query_one(ChatLog)
        log.show(self._entries)
        log.focus()

    @on(MessageLog.ReachedTop)
    def _want_older(self, event: MessageLog.ReachedTop) -> None:
        event.stop()
        self.post_message(self.OlderWanted())

    @on(MessageLog.Clicked)
    def _ignore_click(self, event: MessageLog.Clicked) -> None:
        event.stop()

    def add_older(self, entries: Sequence[Entry]) -> None:
        """Add older ones."""
        self.query_one(ChatLog).prepend(entries)


def status_dialog(glyphs: Glyphs, current: Status) -> ChoiceDialog:
    """Ask for a status."""
    rows = [Row(status, [(glyphs.status(status), STATUS_STYLES[status])]) for status in Status]
    return ChoiceDialog(_("Your status"), "", rows, current)


def person_dialog(info: UserInfo, glyphs: Glyphs, *, own: bool) -> ChoiceDialog:
    """Show what the server knows of a user, and offer to write."""
    lines = [
        (_("Status"), glyphs.status(info.status)),
        (_("Address"), visible_in_a_line(info.address)),
        (_("Here since"), date_and_time(info.since)),
        (_("Idle for"), duration(info.idle)),
    ]
    rows = [Row("close", [(_("Close"), "")])]
    if not own:
        rows.insert(0, Row("write", [(_("Write a direct message"), "")]))
    return ChoiceDialog(visible_in_a_line(info.name), _table(lines, MIN_DIALOG), rows)


def question(title: str, text: str, yes: str, no: str) -> ChoiceDialog:
    """Ask before something is lost; the safe answer comes first."""
    return ChoiceDialog(title, visible(text), [Row("no", [(no, "")]), Row("yes", [(yes, "")])])


def _table(rows: Sequence[tuple[str, str]], width: int) -> str:
    """Set rows in two columns, or one below the other if there is no room."""
    left_width = max(len(left) for left, _right in rows)
    right_width = width - left_width - len(_GAP)
    if right_width < MIN_RIGHT_COLUMN:
        return "\n".join(f"{left}\n{_GAP}{right}" for left, right in rows)
    lines = []
    for left, right in rows:
        first, *rest = wrap(right, right_width)
        lines.append(f"{left:<{left_width}}{_GAP}{first}")
        lines += [" " * left_width + _GAP + line for line in rest]
    return "\n".join(lines)
