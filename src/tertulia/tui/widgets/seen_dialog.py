"""Who has seen a message: a small dialog that stays up to date until it is closed.

Runs on the event loop's thread.
"""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tertulia.chat.display import visible_in_a_line
from tertulia.chat.seen_words import seen_lines
from tertulia.i18n import _
from tertulia.protocol.attendance import SeenBy
from tertulia.tui.painting.wrap import shorten
from tertulia.tui.widgets.dialogs import Dialog

ASKED_EVERY_S = 2.0  # the server counts what a person has seen no more often
_MAX_COLUMNS = 200  # of the message that is asked about


class SeenDialog(Dialog[None]):
    """The names of those who have seen a message, who have not, and of whom nobody can know."""

    def __init__(self, about: str, answer: SeenBy, ask_again: Callable[[], None]) -> None:
        """`about` is the message."""
        super().__init__(_("Who has seen this?"))
        self.seq = answer.seq
        self._about = shorten(visible_in_a_line(" ".join(about.split())), _MAX_COLUMNS)
        self._answer = answer
        self._ask_again = ask_again
        self._names = Static(markup=False)  # not looked for later: a quick Escape has removed it

    def content(self) -> ComposeResult:
        """Show the message, and the names below it."""
        with VerticalScroll(id="dialog-text"):
            yield Static(self._about, markup=False, id="about-message")
            yield self._names

    def on_mount(self) -> None:
        """Show the first answer, and ask again from time to time."""
        self.show(self._answer)
        self.set_interval(ASKED_EVERY_S, self._ask_again)

    def show_connection(self, *, connected: bool) -> None:
        """Show whether the names can still change."""
        hint, problem = self.hint(), _("no connection")
        self.show_hint(hint if connected else f"{problem} · {hint}")

    def show(self, answer: SeenBy) -> None:
        """Show the names as they are now."""
        self._names.update("\n" + "\n\n".join(seen_lines(answer)))
