"""Goes from one conversation to another or to new messages, and closes conversations.

It changes the model and the main screen; the controller's `refresh` shows the result. Runs on the
event loop's thread.
"""

from collections.abc import Callable
from typing import Any

from textual.app import App

from tertulia.chat.commands import quit_word
from tertulia.i18n import _
from tertulia.safetext import visible_in_a_line
from tertulia.tui.model.chatmodel import ChatModel
from tertulia.tui.model.conversations import GENERAL, Conversation
from tertulia.tui.widgets import dialogs
from tertulia.tui.widgets.mainscreen import MainScreen


class Navigation:
    """The movements of one user between conversations."""

    def __init__(
        self,
        app: App[Any],
        main: MainScreen,
        model: Callable[[], ChatModel | None],
        refresh: Callable[[], None],
    ) -> None:
        """Begin for one app; `model` returns None until there is a first connection."""
        self._app = app
        self._main = main
        self._get_model = model
        self._refresh = refresh
        self.written_to: str | None = None  # the conversation of this user's last message

    def go(self, way: str) -> None:
        """Go one of the ways that the table of keys defines."""
        match way:
            case "next":
                self._open_neighbour(1)
            case "previous":
                self._open_neighbour(-1)
            case "unread":
                self._open_unread()
            case "follow":
                self._follow()
            case "new":
                self._go_to_new()

    def open(self, name: str) -> None:
        """Open a conversation, and go to the composer."""
        model = self._get_model()
        if model is not None:
            model.conversations.open(model.chat.state.registered_name(name) if name else GENERAL)
        self._main.action_to_composer()
        self._refresh()

    def _open_neighbour(self, step: int) -> None:
        """Open the conversation `step` places down the list."""
        model = self._get_model()
        if model is not None:
            self.open(model.conversations.neighbour(step).name)

    def _open_unread(self) -> None:
        """Open the most urgent conversation with unread messages, if there is one."""
        model = self._get_model()
        unread = None if model is None else model.conversations.next_unread
        if unread is not None:
            self.open(unread.name)

    def _follow(self) -> None:
        """Open the conversation of this user's last message; if it is open, the one before it."""
        model = self._get_model()
        if model is None or self.written_to is None:
            self._main.hint(_("You have not written a message yet."))
            return
        conversations = model.conversations
        here = conversations.current
        there = conversations.with_name(self.written_to)
        self.open((conversations.previous if there is here else there).name)

    def _go_to_new(self) -> None:
        """Scroll to the mark of new messages in the open conversation."""
        if not self._main.log_view.go_to_new():
            self._main.hint(_("Nothing is marked as new in this conversation."))

    # --- closing -------------------------------------------------------------------------------

    def close(self, name: str | None = None) -> None:
        """Close a conversation, by default the open one; ask first if it has an unsent text."""
        model = self._get_model()
        found = self._find(model, name)
        if model is None or found is None:
            return
        draft = found.draft
        if found is model.conversations.current:
            draft = self._main.composer.text
        if draft.strip() in ("", quit_word()):
            self._close(model, found)
            return
        text = _("Your text for {name} has not been sent, and would be lost.")
        dialog = dialogs.question(
            _("Close the conversation?"),
            text.format(name=visible_in_a_line(found.name)),
            _("Close it"),
            _("Keep it"),
        )
        self._app.push_screen(
            dialog, lambda answer: self._close(model, found) if answer == "yes" else None
        )

    def _find(self, model: ChatModel | None, name: str | None) -> Conversation | None:
        """Return the conversation to close; if there is none, show a hint and return None."""
        if model is None:
            return None
        conversations = model.conversations
        found: Conversation | None = conversations.current
        if name is not None:
            spelled = model.chat.state.registered_name(name) if name else GENERAL
            found = conversations.with_name(spelled) if spelled in conversations else None
        if found is conversations.general:
            self._main.hint(_("The general chat always stays open."))
            return None
        if found is None or found not in conversations.listed:
            text = _("There is no conversation with “{name}”.")
            self._main.hint(text.format(name=visible_in_a_line(name or "")))
            return None
        return found

    def _close(self, model: ChatModel, found: Conversation) -> None:
        if found is model.conversations.current:
            self._main.composer.load("")
        model.conversations.close(found)
        self._refresh()
        text = _("The conversation with {name} is closed. A new message opens it again.")
        self._main.hint(text.format(name=visible_in_a_line(found.name)))
