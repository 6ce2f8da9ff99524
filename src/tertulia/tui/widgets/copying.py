"""A text that the user wants to copy, and what is said about that. Any screen can post it."""

from textual.message import Message

from tertulia.i18n import _
from tertulia.tui.keys import TEXT


class CopyWanted(Message):
    """The user wants to copy a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


def copied_words(*, has_clipboard: bool) -> str:
    """Return what to say after a copy, by what is known of the terminal's clipboard."""
    if has_clipboard:
        return _("Copied.")
    text = _(
        "Your terminal may keep programs from copying. If so, press {key}, or drag with Shift "
        "held down."
    )
    return text.format(key=TEXT.shown)
