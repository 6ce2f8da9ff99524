"""Rings the bell, and lets the terminal show notifications, as the user's settings allow.

Runs on the event loop's thread.
"""

from typing import Any

from textual.app import App

from tertulia.chat.bursts import Bursts
from tertulia.chat.choices import Choices
from tertulia.chat.speakers import speaker_words
from tertulia.protocol.messages import ChatMessage, DirectMessage
from tertulia.safetext import visible_in_a_line
from tertulia.tui.terminal.textual_private import write_to_terminal

_MAX_CHARS = 200  # of sender and message in a notification of the terminal


class Notifier:
    """Notifies one user, once for a burst of messages."""

    def __init__(self, app: App[Any], choices: Choices) -> None:
        self._app = app
        self._choices = choices
        self._bursts = Bursts()

    def notify(self, message: ChatMessage | DirectMessage, now: float, *, calls: bool) -> None:
        """Ring for a message if the settings allow it; `calls` if it is direct or a mention."""
        if not self._choices.rings_for(calls=calls) or not self._bursts.begins(now):
            return
        self._app.bell()
        if self._choices.settings.notify_terminal:
            hook = isinstance(message, ChatMessage) and message.hook
            text = f"{speaker_words(message.sender, hook=hook)}: {message.text}"
            text = visible_in_a_line(text)[:_MAX_CHARS]
            write_to_terminal(self._app, f"\x1b]9;{text}\x07")  # OSC 9
