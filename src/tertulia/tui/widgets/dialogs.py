"""The dialogs above the chat: help, status, a person, search results, a question.

A dialog returns the key of the chosen row, or None; Escape closes it. Runs on the event loop's
thread.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.events import Resize
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tertulia.chat import commands
from tertulia.chat.display import Glyphs, date_and_time, duration, local_day
from tertulia.i18n import _
from tertulia.protocol.messages import Search, Status, UserInfo
from tertulia.safetext import visible, visible_in_a_line
from tertulia.tui import keys
from tertulia.tui.model.timeline import Day, Said, with_days
from tertulia.tui.painting import painter
from tertulia.tui.painting.painter import FoundPainter
from tertulia.tui.painting.wrap import wrap
from tertulia.tui.widgets.chatlog import ChatLog
from tertulia.tui.widgets.columns import STATUS_STYLES
from tertulia.tui.widgets.copying import CopyWanted
from tertulia.tui.widgets.messagelog import MessageLog
from tertulia.tui.widgets.rowlist import Row, RowList

MIN_DIALOG = 46  # terminal columns: an IPv6 address and its label
# Terminal columns; if there are fewer, a table's right text is below the left one.
MIN_RIGHT_COLUMN = 30
MAX_LEFT_COLUMN = 34  # terminal columns, so that one long command does not narrow the right column
_GAP = "  "

Result = TypeVar("Result")


class Choices(RowList):
    """The rows to choose from in a dialog."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"row-list--{style}" for style in STATUS_STYLES.values()
    }


class Dialog(ModalScreen[Result], Generic[Result]):
    """A screen with a title, as large as its content needs."""

    closes_at_click_outside = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", show=False, id="dialog.close"),
        Binding("ctrl+c", "copy_or_close", show=False, id="dialog.copy"),
        Binding("ctrl+q", "app.leave", show=False, id="dialog.leave"),
        Binding("ctrl+z", "app.stop", show=False, id="dialog.stop"),
    ]

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def compose(self) -> ComposeResult:
        """Put the title above the content, and a hint about closing below it."""
        with Vertical(id="dialog"):
            yield Static(self._title, id="dialog-title", markup=False)
            yield from self.content()
            yield Static(self.hint(), id="dialog-hint", markup=False)

    def content(self) -> ComposeResult:
        """Make the widgets between title and hint."""
        raise NotImplementedError

    def hint(self) -> str:
        """Return the text about closing the dialog."""
        return _("Esc: back")

    def show_hint(self, text: str) -> None:
        """Show another text below the content."""
        self.query_one("#dialog-hint", Static).update(text)

    def action_copy_or_close(self) -> None:
        """Copy the selected text; if nothing is selected, close the dialog."""
        selected = self.get_selected_text()
        if selected:
            self.post_message(CopyWanted(selected))
            self.clear_selection()
        else:
            self.dismiss(None)

    def on_click(self, event: object) -> None:
        """Close the dialog after a click on the hint or outside the dialog."""
        widget = getattr(event, "widget", None)
        is_outside = widget is self and self.closes_at_click_outside
        if is_outside or getattr(widget, "id", None) == "dialog-hint":
            self.dismiss(None)


class HelpDialog(Dialog[None]):
    """All commands, keys and signs; commands of operators only for an operator."""

    def __init__(self, *, operator: bool = False) -> None:
        super().__init__(_("Help"))
        self._operator = operator
        self.add_class("wide")

    def content(self) -> ComposeResult:
        """Show one table for each of them."""
        with VerticalScroll(id="dialog-text"):
            for title, rows in (
                (
                    _("What you can type"),
                    commands.help_rows(on_screen=True, operator=self._operator),
                ),
                (_("Keys"), keys.help_rows()),
                (_("Symbols"), painter.help_rows()),
            ):
                yield HelpTable(title, rows)


class HelpTable(Static):
    """A title, and rows in two columns that use the available width."""

    def __init__(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        super().__init__(markup=False)
        self._title, self._rows = title, rows
        self._width = 0  # the width of the present layout

    def on_resize(self, event: Resize) -> None:
        """Lay the rows out again for another width."""
        if event.size.width != self._width:
            self._width = event.size.width
            self.update(f"{self._title}\n\n{table_of(self._rows, self._width)}\n")


class ChoiceDialog(Dialog[str]):
    """A list of rows to choose one from; also used for a question."""

    def __init__(self, title: str, text: str, rows: Sequence[Row], chosen: str = "") -> None:
        super().__init__(title)
        self._text = text
        self._rows = rows
        self._chosen = chosen
        # Kept, because after a quick Escape the widget can no longer be found.
        self._choices = Choices()

    def content(self) -> ComposeResult:
        """Show the text and the rows."""
        if self._text:
            yield Static(self._text, id="dialog-text", markup=False)
        yield self._choices

    def offer(self, rows: Sequence[Row]) -> None:
        """Offer more rows, before the last one; call before the dialog is shown."""
        self._rows = [*self._rows[:-1], *rows, *self._rows[-1:]]

    def on_mount(self) -> None:
        """Fill the list."""
        choices = self._choices
        choices.rows = self._rows
        choices.styles.height = len(self._rows)
        choices.highlight(self._chosen)
        choices.focus()

    @on(RowList.Chosen)
    def _choose(self, event: RowList.Chosen) -> None:
        self.dismiss(event.key)


class CodeDialog(Dialog[str]):
    """A field for the code that the server asks for. Closing it ends the program."""

    closes_at_click_outside = False

    def __init__(self, text: str) -> None:
        super().__init__(_("Code"))
        self._text = text
        self._input = Input(id="code", select_on_focus=False)

    def content(self) -> ComposeResult:
        """Show the reason for the question, and the field."""
        yield Static(visible(self._text), id="dialog-text", markup=False)
        yield self._input

    def on_mount(self) -> None:
        """Set the focus, so that the user can type at once."""
        self._input.focus()

    def hint(self) -> str:
        """Return the effect of the keys."""
        return _("Enter: join, Esc: leave")

    @on(Input.Submitted)
    def _answer(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self.dismiss(event.value.strip())


class SearchDialog(Dialog[None]):
    """Messages that were found; scrolling to the first one requests older ones.

    `older` is the request for older ones; None if there are none.
    """

    @dataclass
    class OlderWanted(Message):
        """The first message is in view, and there are older ones."""

        search: Search

    def __init__(
        self,
        words: str,
        messages: Sequence[Said],
        older: Search | None,
        glyphs: Glyphs,
    ) -> None:
        super().__init__(_("Messages with: {words}").format(words=visible_in_a_line(words)))
        self.add_class("wide")
        self.older = older
        self._entries = with_days(messages)
        self._log = ChatLog(FoundPainter(glyphs, words), id="found")

    def content(self) -> ComposeResult:
        """Show the messages in the same form as in the chat."""
        yield self._log

    def on_mount(self) -> None:
        """Fill the log."""
        self._log.load(self._entries)
        self._log.focus()

    def add_older(self, messages: Sequence[Said], older: Search | None) -> None:
        """Add older messages above, and note the request for those before them."""
        first, older_days = self._log.first_entry, [local_day(said.time) for said in messages]
        if isinstance(first, Day) and first.day in older_days:
            self._log.drop_first(1)
        self._log.prepend(with_days(messages))
        self.older = older

    @on(MessageLog.ReachedTop)
    def _want_older(self, event: MessageLog.ReachedTop) -> None:
        event.stop()
        if self.older is not None:
            self.post_message(self.OlderWanted(self.older))

    @on(MessageLog.Clicked)
    def _ignore_click(self, event: MessageLog.Clicked) -> None:
        event.stop()


def status_dialog(glyphs: Glyphs, current: Status) -> ChoiceDialog:
    """Make a dialog that asks for a status."""
    rows = [Row(status, [(glyphs.status(status), STATUS_STYLES[status])]) for status in Status]
    return ChoiceDialog(_("Your status"), "", rows, current)


def person_dialog(info: UserInfo, glyphs: Glyphs, today: date, *, own: bool) -> ChoiceDialog:
    """Make a dialog with the server's information about a user, and an offer to write to them."""
    lines = [
        (_("Status"), glyphs.status(info.status)),
        (_("Address"), visible_in_a_line(info.address)),
        (_("Here since"), date_and_time(info.since, today)),
        (_("Idle for"), duration(info.idle)),
    ]
    rows = [Row("close", [(_("Close"), "")])]
    if not own:
        rows.insert(0, Row("write", [(_("Write a direct message"), "")]))
    return ChoiceDialog(visible_in_a_line(info.name), table_of(lines, MIN_DIALOG), rows)


def question(title: str, text: str, yes: str, no: str) -> ChoiceDialog:
    """Make a dialog that asks before something is lost; the safe answer comes first."""
    return ChoiceDialog(title, visible(text), [Row("no", [(no, "")]), Row("yes", [(yes, "")])])


def table_of(rows: Sequence[tuple[str, str]], width: int) -> str:
    """Lay out rows in two columns.

    If the left text of a row is long, the right text is below it. If most rows do not fit into two
    columns, every right text is below its left text.
    """
    longest = min(MAX_LEFT_COLUMN, width - MIN_RIGHT_COLUMN - len(_GAP))
    fitting = [len(left) for left, _right in rows if len(left) <= longest]
    if 2 * len(fitting) < len(rows):
        below_left = f"\n{_GAP}"
        return "\n".join(
            below_left.join([left, *wrap(right, width - len(_GAP))]) for left, right in rows
        )
    left_width = max(fitting)
    indent = " " * left_width + _GAP
    lines = []
    for left, right in rows:
        below = [indent + line for line in wrap(right, width - len(indent))]
        if len(left) <= left_width:
            below[0] = f"{left:<{left_width}}{below[0][left_width:]}"
        else:
            lines.append(left)
        lines += below
    return "\n".join(lines)
