"""The title of the terminal's window: the open conversation, and the number of unread messages.

A message in the open conversation is also counted if it came while the user was away. Runs on the
event loop's thread.
"""

from typing import Any

from textual.app import App

from tertulia.tui.model.conversations import Conversations
from tertulia.tui.terminal.driver import set_terminal_title
from tertulia.tui.widgets.columns import conversation_title


class TerminalTitle:
    """The title of one app's terminal."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._missed = 0  # messages in the open conversation since the user went away

    def count_missed(self) -> None:
        """Count a message that came into the open conversation while the user was away."""
        self._missed += 1

    def show(self, conversations: Conversations, *, user_is_here: bool) -> None:
        """Show the present title."""
        if user_is_here:
            self._missed = 0
        unread = self._missed + conversations.unread
        title = f"{self._app.title}: {conversation_title(conversations.current)}"
        set_terminal_title(self._app, f"{title} ({unread})" if unread else title)
