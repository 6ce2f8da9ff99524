"""Shows who has seen a message, in a small dialog that is updated until it is closed.

Runs on the event loop's thread.
"""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tertulia.chat.seen_words import seen_lines
from tertulia.i18n import _
from tertulia.protocol.attendance import SeenBy
from tertulia.safetext import visible_in_a_line
from tertulia.tui.painting.wrap import shorten
from tertulia.tui.widgets.dialogs import Dialog

ASKED_EVERY_S = 2.0  # the server does not accept reports of seen messages more often
_MAX_COLUMNS = 200  # of the message in question


class SeenDialog(Dialog[None]):
    """The names of the users who have seen a message, who have not, and the unknown ones."""

    def __init__(self, about: str, answer: SeenBy, ask_again: Callable[[], None]) -> None:
        """Show the first answer; `about` is the message's text."""
        super().__init__(_("Who has seen this?"))
        self.seq = answer.seq
        self._about = shorten(visible_in_a_line(" ".join(about.split())), _MAX_COLUMNS)
        self._answer = answer
        self._ask_again = ask_again
        # Kept, because after a quick Escape the widget can no longer be found.
        self._names = Static(markup=False)

    def content(self) -> ComposeResult:
        """Show the message, and the names below it."""
        with VerticalScroll(id="dialog-text"):
            yield Static(self._about, markup=False, id="about-message")
            yield self._names

    def on_mount(self) -> None:
        """Show the first answer, and ask again at intervals."""
        self.show(self._answer)
        self.set_interval(ASKED_EVERY_S, self._ask_again)

    def show_connection(self, *, connected: bool) -> None:
        """Show whether the names can still change."""
        hint, problem = self.hint(), _("no connection")
        self.show_hint(hint if connected else f"{problem} · {hint}")

    def show(self, answer: SeenBy) -> None:
        """Show the present names."""
        self._names.update("\n" + "\n\n".join(seen_lines(answer)))
