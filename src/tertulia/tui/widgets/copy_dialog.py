"""A dialog with content to copy: with one key, or as bare text on the terminal.

Runs on the event loop's thread.
"""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from tertulia.i18n import _
from tertulia.tui.widgets.copying import CopyWanted
from tertulia.tui.widgets.dialogs import Dialog


class CopyDialog(Dialog[None]):
    """A dialog that defines the text to copy from it."""

    # A click must not close it, because its content may be shown only once.
    closes_at_click_outside = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy_all", show=False, id="copy-dialog.copy"),
        Binding("f7", "show_text", show=False, id="copy-dialog.text"),
    ]

    class TextWanted(Message):
        """The user wants to see a text on the bare terminal."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def text_to_copy(self) -> str:
        """Return the text to copy."""
        raise NotImplementedError

    def hint(self) -> str:
        """Return the effect of the keys."""
        return _("C: copy · F7: as plain text · Esc: back")

    def action_copy_all(self) -> None:
        """Copy everything."""
        self.post_message(CopyWanted(self.text_to_copy()))

    def action_show_text(self) -> None:
        """Show everything as plain text, for terminals in which programs cannot copy."""
        self.post_message(self.TextWanted(self.text_to_copy()))
