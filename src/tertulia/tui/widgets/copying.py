"""A message with a text to copy, which any screen can post, and the feedback about it.

Runs on the event loop's thread.
"""

from textual.message import Message

from tertulia.i18n import _
from tertulia.tui.keys import TEXT


class CopyWanted(Message):
    """The user wants to copy a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


def copied_words(*, has_clipboard: bool) -> str:
    """Return the feedback after a copy, which depends on the terminal's clipboard."""
    if has_clipboard:
        return _("Copied.")
    text = _(
        "Your terminal may keep programs from copying. If so, press {key}, or drag with Shift "
        "held down."
    )
    return text.format(key=TEXT.shown)
