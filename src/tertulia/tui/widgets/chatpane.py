"""The middle column: the open conversation, with a title that shows who can read it.

Runs on the event loop's thread.
"""

from textual import on
from textual.app import ComposeResult
from textual.widgets import Static

from tertulia.chat.display import Glyphs
from tertulia.chat.order_words import pinned_words
from tertulia.chat.state import State
from tertulia.i18n import _, ngettext
from tertulia.protocol.envelope import StoredMessage
from tertulia.safetext import visible_in_a_line
from tertulia.tui.model.conversations import GENERAL, Conversation
from tertulia.tui.painting.painter import ConversationPainter
from tertulia.tui.painting.wrap import shorten, wrap
from tertulia.tui.widgets import columns
from tertulia.tui.widgets.bars import Item
from tertulia.tui.widgets.chatlog import ConversationLog
from tertulia.tui.widgets.messagelog import MessageLog
from tertulia.tui.widgets.panes import Pane

MAX_PINNED_LINES = 2


class PinnedLines(Item):
    """The pinned message in one or two lines; a click shows the complete message."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("app.show_pinned", id=id)
        self._message: StoredMessage | None = None

    def show(self, message: StoredMessage | None) -> None:
        """Show a message, or nothing if it is None."""
        if message != self._message:
            self._message = message
            self._show_lines()

    def on_resize(self) -> None:
        """Shorten the message to the new width."""
        self._show_lines()

    def _show_lines(self) -> None:
        if self._message is None:
            self.set_text("")
            return
        width = max(1, (self.parent.size.width if isinstance(self.parent, Pane) else 80) - 2)
        text = _("Pinned: {message}").format(message=pinned_words(self._message))
        lines = wrap(text, width)
        if len(lines) > MAX_PINNED_LINES:
            rest = " ".join(lines[MAX_PINNED_LINES - 1 :])
            lines[MAX_PINNED_LINES - 1 :] = [shorten(rest, width)]
        self.set_text("\n".join(lines))


class ChatPane(Pane):
    """The log of the open conversation, and the number of new messages below the view."""

    def __init__(
        self, painter: ConversationPainter, glyphs: Glyphs, *, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._painter = painter
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        """Put the pinned message above the log, and the number of new messages below it."""
        yield PinnedLines(id="pinned")
        yield Static(id="no-messages", classes="empty", markup=False)
        yield ConversationLog(self._painter, id="log")
        yield Item("screen.scroll('scroll_end')", id="below")

    def on_mount(self) -> None:
        """Find the log."""
        self.log_view = self.query_one(ConversationLog)
        self.query_one("#no-messages").display = False

    def show_title(self, conversation: Conversation, state: State, *, known: bool) -> None:
        """Show the conversation's name and readers; `known` if there is a connection."""
        self.title = self._words_for(conversation, state, known=known)
        is_general = conversation.name == GENERAL
        self.query_one(PinnedLines).show(state.pinned if is_general else None)
        no_messages = self.query_one("#no-messages", Static)
        no_messages.display = not (is_general or conversation.entries)
        if no_messages.display:
            text = _("No messages with {name} yet. What you write here, only {name} can read.")
            no_messages.update(text.format(name=visible_in_a_line(conversation.name)))

    def _words_for(self, conversation: Conversation, state: State, *, known: bool) -> str:
        if conversation.name == GENERAL:
            if not known:
                return _("General: everyone can read this")
            people = columns.people_count(state.people)
            text = _("General: everyone can read this ({people})")
            if state.is_locked:
                text = _("General (closed): everyone can read this ({people})")
            return text.format(people=people)
        name = state.registered_name(conversation.name)
        status = state.status_of(name)
        if not known:
            shown = "?"
        else:
            shown = _("not here") if status is None else self._glyphs.status(status)
        text = _("{name} {status}: only you two can read this")
        return text.format(name=visible_in_a_line(name), status=shown)

    @on(MessageLog.NewBelow)
    def _show_new_below(self, event: MessageLog.NewBelow) -> None:
        text = ngettext("▼ {count} new below", "▼ {count} new below", event.count)
        text = text.format(count=event.count) if event.count else ""
        self.query_one("#below", Item).set_text(text)
