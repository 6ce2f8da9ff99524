"""Searching: what was found in a dialog, and older findings once somebody scrolls up there.

Runs on the event loop's thread.
"""

from typing import TYPE_CHECKING

from tertulia.i18n import _
from tertulia.protocol.messages import HistoryPage, Search
from tertulia.tui.widgets.dialogs import SearchDialog

if TYPE_CHECKING:
    from tertulia.tui.app import ChatApp


class Finder:
    """The search that an app made last."""

    def __init__(self, app: "ChatApp") -> None:
        self._app = app
        self._dialog: SearchDialog | None = None
        self._next: Search | None = None  # for the page before; None: there is none

    def show(self, request: Search, page: HistoryPage) -> None:
        """Show messages that were found, above those that were found before."""
        app = self._app
        entries = [] if app.face is None else app.face.found(page)
        dialog = self._dialog
        if request is self._next and dialog is not None and dialog.is_current:
            dialog.add_older(entries)
        elif not entries:
            app.main.hint(_("Nothing found."))
        else:
            self._dialog = SearchDialog(request.text, entries, app.painter)
            app.push_screen(self._dialog)
        oldest = page.messages[0].seq if page.messages and page.more else None
        self._next = None if oldest is None else Search(text=request.text, before=oldest)

    def find_older(self) -> None:
        """Ask for the page before, if there is one."""
        if self._next is not None and self._app.face is not None and self._app.is_there:
            self._app.face.ask(self._next)
