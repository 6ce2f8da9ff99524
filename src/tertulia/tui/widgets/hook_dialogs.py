"""The dialogs about hooks: a new one with its secret address, and the list of them.

Runs on the event loop's thread.
"""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tertulia.i18n import _
from tertulia.operator_words import hooks
from tertulia.protocol.hooks import HookRow
from tertulia.tui.widgets.copy_dialog import CopyDialog
from tertulia.tui.widgets.dialogs import ChoiceDialog
from tertulia.tui.widgets.rowlist import Row


class HookDialog(CopyDialog):
    """How a program writes through a new hook; the command is the text to copy."""

    def __init__(self, lines: Sequence[str]) -> None:
        """Show the `lines` of `operator_words.hook_created`."""
        super().__init__(_("An address for a program"))
        self.add_class("wide-text")
        self._before, command, self._after = lines
        self._command = command.strip()

    def content(self) -> ComposeResult:
        """Show the command, and advice about it."""
        with VerticalScroll(id="dialog-text"):
            yield Static(self._before + "\n", markup=False)
            yield Static(self._command, markup=False, id="command")
            yield Static("\n" + self._after, markup=False)

    def text_to_copy(self) -> str:
        """Return the command."""
        return self._command


def hooks_dialog(rows: Sequence[HookRow]) -> ChoiceDialog:
    """Make a dialog with the hooks; its answer is the index of the one to remove."""
    if not rows:
        close = [Row("close", [(_("Close"), "")])]
        return ChoiceDialog(_("Programs"), "\n".join(hooks(rows)), close)
    shown = [Row(str(place), [(line, "")]) for place, line in enumerate(hooks(rows))]
    text = _("Enter removes the address of the one that you choose.")
    dialog = ChoiceDialog(_("Programs"), text, shown)
    dialog.add_class("wide-rows")
    return dialog
