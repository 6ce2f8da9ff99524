"""Uses the information whether the user looks at the screen.

If the user does not, the bell and the terminal's title call for attention. If the user does,
messages on the screen are reported to the server as seen. Runs on the event loop's thread.
"""

import time
from collections.abc import Callable
from typing import Any

from textual.app import App

from tertulia.chat.choices import Choices
from tertulia.protocol.messages import DirectMessage
from tertulia.tui.model.chatmodel import ChatModel, NewMessage
from tertulia.tui.model.conversations import GENERAL, NOBODY
from tertulia.tui.notifier import Notifier
from tertulia.tui.presence import Presence
from tertulia.tui.title import TerminalTitle
from tertulia.tui.widgets.mainscreen import MainScreen


class Attention:
    """The attention of one user."""

    def __init__(
        self,
        app: App[Any],
        main: MainScreen,
        choices: Choices,
        model: Callable[[], ChatModel | None],
        wake: Callable[[], None],
    ) -> None:
        """Begin for one app; `model` returns None until there is a first connection.

        `wake` lets the chat do what is due, and then read again when something will be due.
        """
        self._app = app
        self._main = main
        self._get_model = model
        self._wake = wake
        self._presence = Presence(time.monotonic())
        self._title = TerminalTitle(app)
        self._notifier = Notifier(app, choices)

    @property
    def presence(self) -> Presence:
        """Return the present reports of the terminal."""
        return self._presence

    def note_input(self) -> None:
        """Note a key, a paste or a click."""
        self._presence.note_input(time.monotonic())
        self.update()

    def note_focus(self, has_focus: bool) -> None:
        """Note that the terminal has gained or lost the focus."""
        self._presence.note_focus(has_focus)
        self.update()

    def update(self) -> None:
        """Show the unread messages in the terminal's title, and report the messages that were seen.

        Call it when the user may have come back, and when the screen has changed.
        """
        model = self._get_model()
        if model is None:
            return
        is_here = self._presence.is_here(time.monotonic())
        self._title.show(model.conversations, user_is_here=is_here)
        if is_here and self._shows_newest(model) and model.chat.note_seen():
            self._wake()

    def _shows_newest(self, model: ChatModel) -> bool:
        """Return whether the newest message of the general chat is on the screen."""
        log = self._main.log_view
        return (
            self._app.screen is self._main
            and log.conversation is model.conversations.general
            and log.at_end
        )

    def notify(self, alert: NewMessage) -> None:
        """Notify the user of a message, unless they are looking at its conversation."""
        model = self._get_model()
        if model is None:
            return
        message = alert.message
        is_direct = isinstance(message, DirectMessage)
        name = (message.sender or NOBODY) if is_direct else GENERAL
        now = time.monotonic()
        is_here = self._presence.is_here(now)
        is_open = model.conversations.current.name == name
        if is_open and not is_here:
            self._title.count_missed()
        if not (is_open and is_here):
            self._notifier.notify(message, now, calls=alert.calls)
