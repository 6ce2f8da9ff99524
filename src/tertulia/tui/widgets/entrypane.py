"""The text field, in a border that shows the recipients of the typed line.

Runs on the event loop's thread.
"""

from textual.app import ComposeResult

from tertulia.i18n import _
from tertulia.tui.model.conversations import GENERAL
from tertulia.tui.model.target import Reach, Target
from tertulia.tui.widgets.composer import Composer
from tertulia.tui.widgets.panes import Pane

_CLASSES = {Reach.EVERYONE: "-everyone", Reach.ONE: "-one", Reach.NOBODY: "-nobody"}


class EntryPane(Pane):
    """The composer; a word, a colour and the kind of border show the recipients of the line."""

    def __init__(self, composer: Composer, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._composer = composer

    def compose(self) -> ComposeResult:
        """Put the composer into the border."""
        yield self._composer

    def show_target(self, target: Target) -> None:
        """Show the recipients of the present line."""
        self.title = target.words
        for reach, name in _CLASSES.items():
            self.set_class(reach is target.reach, name)

    def show_placeholder(self, name: str, *, is_typing: bool) -> None:
        """Show in the empty composer who will read the line, or how to go back to the composer."""
        text = _("Write to everyone") if name == GENERAL else _("Write only to {name}")
        if not is_typing:
            text = _("Esc: back to writing")
        self._composer.placeholder = text.format(name=name)  # the editor makes it visible
