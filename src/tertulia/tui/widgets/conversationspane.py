"""The left column: the conversations, in a column that is no wider than necessary.

Runs on the event loop's thread.
"""

from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Static

from tertulia.i18n import _
from tertulia.safetext import visible_in_a_line
from tertulia.tui.model.conversations import Conversations
from tertulia.tui.widgets import columns
from tertulia.tui.widgets.panes import Pane
from tertulia.tui.widgets.rowlist import Row, RowList

# Terminal columns of the pane. It grows with the names, and never becomes narrower, because that
# would wrap all messages beside it again.
MIN_WIDTH, MAX_WIDTH = 20, 28
_AROUND_NAME = len("│▸  ✎ (99) │")  # the border, the signs, the number of unread messages


class ConversationList(RowList):
    """The conversations."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"row-list--{style}" for style in columns.CONVERSATION_STYLES
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("delete", "close", show=False, id="conversation-list.close"),
    ]

    class CloseWanted(Message):
        """The user wants to close a conversation."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def action_close(self) -> None:
        """Post that the highlighted conversation is to be closed."""
        if self.highlighted is not None:
            self.post_message(self.CloseWanted(self.highlighted))


class ConversationsPane(Pane):
    """The list of conversations, and a hint while there is only the general chat."""

    def compose(self) -> ComposeResult:
        """Put the hint below the list."""
        yield ConversationList(id="conversations")
        yield Static(id="no-conversations", classes="empty", markup=False)

    def on_mount(self) -> None:
        """Begin with the smallest width."""
        self.list = self.query_one(ConversationList)
        self.styles.width = self._width = MIN_WIDTH
        self.translate()

    def translate(self) -> None:
        """Show the texts in the current language."""
        self.title = _("Chats")
        words = _("To write to one person only: F3, or @ and the name.")
        self.query_one("#no-conversations", Static).update(words)

    def show(self, conversations: Conversations) -> None:
        """Show the present conversations."""
        rows = columns.conversation_rows(conversations)
        self.list.rows = rows
        self._fit(rows)
        is_alone = conversations.listed == [conversations.general]
        self.list.styles.height = 2 if is_alone else "1fr"
        self.query_one("#no-conversations").display = is_alone

    def _fit(self, rows: list[Row]) -> None:
        # The key of the general chat is empty; its title fits into the smallest width.
        width = max(cell_len(visible_in_a_line(row.key)) for row in rows) + _AROUND_NAME
        if width > self._width:
            self.styles.width = self._width = min(width, MAX_WIDTH)
