"""The dialog that offers every command and every action of a key, filtered by typing.

It returns the chosen offer, or None. Runs on the event loop's thread.
"""

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.message import Message
from textual.widgets import Input, Static

from tertulia.i18n import _
from tertulia.safetext import visible_in_a_line
from tertulia.tui.offers import Offer, matching
from tertulia.tui.painting.styled_text import Run
from tertulia.tui.painting.wrap import shorten
from tertulia.tui.widgets.dialogs import Dialog
from tertulia.tui.widgets.rowlist import Row, RowList

_WORDS, _KEYS = 14, 11  # terminal columns for the command, and for the key
_GAPS = 2
_VERTICAL = {
    "up": "highlight_by(-1)", "down": "highlight_by(1)",
    "pageup": "highlight_page(-1)", "pagedown": "highlight_page(1)",
}  # fmt: skip


class OfferList(RowList):
    """The offers; the field above the list keeps the focus."""

    ALWAYS_HIGHLIGHTED = True
    COMPONENT_CLASSES: ClassVar[set[str]] = {"row-list--word", "row-list--key"}
    can_focus = False


class OfferFilter(Input):
    """A field whose letters filter the offers; its vertical keys move in their list."""

    async def on_key(self, event: events.Key) -> None:
        """Pass the list's keys to the list."""
        if event.key in _VERTICAL:
            event.stop()
            event.prevent_default()
            await self.screen.query_one(OfferList).run_action(_VERTICAL[event.key])
            self.post_message(PaletteDialog.Moved())


class PaletteDialog(Dialog[Offer]):
    """Every command with its key, filtered by the typed text."""

    class Moved(Message):
        """Another offer is highlighted."""

    def __init__(self, found: Sequence[Offer]) -> None:
        super().__init__(_("Commands"))
        self.add_class("wide")
        self._offers = list(found)

    def content(self) -> ComposeResult:
        """Put the filter above the list, and the full text of the highlighted offer below it."""
        yield OfferFilter(placeholder=_("type to filter"), id="palette-filter")
        yield OfferList(id="offers")
        yield Static(id="about-offer", markup=False)

    def hint(self) -> str:
        """Return the effect of the keys."""
        return _("↑ ↓: choose · Enter: do it · Esc: back")

    def on_mount(self) -> None:
        """Show all offers."""
        self.query_one(OfferFilter).focus()
        self._filter()

    def on_resize(self) -> None:
        """Lay out the rows in the new width."""
        self.call_after_refresh(self._filter)

    @on(Input.Changed)
    def _filter(self) -> None:
        """Show the offers that match the typed text, and highlight the first of them."""
        rows = self.query_one(OfferList)
        shown = matching(self._offers, self.query_one(OfferFilter).value)
        rows.rows = [
            Row(str(self._offers.index(offer)), _runs(offer, rows.room.width)) for offer in shown
        ]
        rows.action_highlight_first()
        self._show_about()

    @on(Moved)
    def _show_about(self) -> None:
        """Show the highlighted offer at full length."""
        key = self.query_one(OfferList).highlighted
        if key is None:
            text = _("Nothing here matches “{letters}”.")
            about = text.format(letters=visible_in_a_line(self.query_one(OfferFilter).value))
        else:
            about = self._offers[int(key)].about
        self.query_one("#about-offer", Static).update(about)

    @on(Input.Submitted)
    def _choose_highlighted(self) -> None:
        self.query_one(OfferList).action_choose()

    @on(RowList.Chosen)
    def _choose(self, event: RowList.Chosen) -> None:
        self.dismiss(self._offers[int(event.key)])


def _runs(offer: Offer, width: int) -> list[Run]:
    room = max(1, width - _WORDS - _KEYS - _GAPS)
    word = f"{offer.word} …" if offer.needs_arguments else offer.word
    return [
        (f"{shorten(offer.title, room):<{room}} ", ""),
        (f"{shorten(word, _WORDS):<{_WORDS}} ", "word"),
        (shorten(offer.shown_key, _KEYS), "key"),
    ]
