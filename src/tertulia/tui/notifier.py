"""The bell: for direct messages and mentions, for every message, or for none."""

from typing import Any

from textual.app import App

from tertulia.chat.display import visible_in_a_line
from tertulia.chat.face_commands import Notify, SetNotify
from tertulia.i18n import _
from tertulia.protocol.messages import ChatMessage, DirectMessage
from tertulia.tui.terminal.textual_private import write_to_terminal

_MAX_CHARS = 200  # of sender and message in a notification of the terminal


class Notifier:
    """What the bell rings for, and whether the terminal shows a notification, too."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._notify = Notify.MENTIONS
        self._in_terminal = False

    def configure(self, command: SetNotify) -> str:
        """Set what the bell rings for; return that in words."""
        self._notify, self._in_terminal = command.notify, command.terminal
        match command:
            case SetNotify(notify=Notify.OFF):
                return _("The bell does not ring.")
            case SetNotify(notify=Notify.ALL):
                return _("The bell rings for every message.")
            case SetNotify(terminal=True):
                return _(
                    "The bell rings for mentions and direct messages, and the terminal shows them."
                )
        return _("The bell rings for mentions and direct messages.")

    def notify(self, message: ChatMessage | DirectMessage, *, calls: bool) -> None:
        """Ring for a message if it is one to ring for; `calls`: it is direct, or a mention."""
        if self._notify is Notify.ALL or (calls and self._notify is Notify.MENTIONS):
            self._app.bell()
            if self._in_terminal:
                text = visible_in_a_line(f"{message.sender}: {message.text}")[:_MAX_CHARS]
                write_to_terminal(self._app, f"\x1b]9;{text}\x07")  # OSC 9
