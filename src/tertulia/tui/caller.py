"""The bell: for a direct message or a mention, for everything, or for nothing."""

from typing import Any

from textual.app import App

from tertulia.chat.display import visible_in_a_line
from tertulia.chat.face_commands import Notify, SetNotify
from tertulia.i18n import _
from tertulia.protocol.messages import ChatMessage, DirectMessage
from tertulia.tui.terminal.textual_private import write_to_terminal

_MAX_CHARS = 200  # of a message in a notification


class Caller:
    """What calls for attention, and how."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._notify = Notify.MENTIONS
        self._terminal = False

    def set(self, wish: SetNotify) -> str:
        """Call as is wished; return that in words."""
        self._notify, self._terminal = wish.notify, wish.terminal
        match wish:
            case SetNotify(notify=Notify.OFF):
                return _("The bell does not ring.")
            case SetNotify(notify=Notify.ALL):
                return _("The bell rings for every message.")
            case SetNotify(terminal=True):
                return _(
                    "The bell rings for mentions and direct messages; the terminal shows them."
                )
        return _("The bell rings for mentions and direct messages.")

    def call(self, message: ChatMessage | DirectMessage, calls: bool) -> None:
        """Ring for a message; `calls` if it is a mention or a direct one."""
        if self._notify is Notify.ALL or (calls and self._notify is Notify.MENTIONS):
            self._app.bell()
            if self._terminal:
                self._show_in_terminal(message)

    def _show_in_terminal(self, message: ChatMessage | DirectMessage) -> None:
        text = visible_in_a_line(f"{message.sender}: {message.text}")[:_MAX_CHARS]
        write_to_terminal(self._app, f"\x1b]9;{text}\x07")
