"""Leaves the chat; if typed text would be lost, it asks first.

It is below the app and above the controller. Runs on the event loop's thread.
"""

from collections.abc import Callable

from textual.app import App

from tertulia.chat.exit_status import EXIT_FINE
from tertulia.i18n import _, ngettext
from tertulia.tui.controller import Controller
from tertulia.tui.ending import Ending
from tertulia.tui.widgets import dialogs


class Leaving:
    """The steps by which one user leaves the chat."""

    def __init__(
        self,
        app: App[Ending],
        controller: Controller,
        give_up: Callable[[], None],
        wake: Callable[[], None],
    ) -> None:
        """Begin; `give_up` ends an attempt to connect, `wake` lets the chat do what is due."""
        self._app = app
        self._controller = controller
        self._give_up = give_up
        self._wake = wake
        self._has_begun = False

    def begin(self) -> None:
        """Leave; if typed text would be lost, ask first. The second time leave at once."""
        if self._has_begun:
            self._leave_at_once()
            return
        model = self._controller.model
        lost = len(self._controller.drafts)
        if model is not None:
            lost += len(model.chat.unsent)
        if not lost:
            self._leave("yes")
            return
        text = ngettext(
            "{count} text that you typed has not been sent.",
            "{count} texts that you typed have not been sent.",
            lost,
        )
        dialog = dialogs.question(
            _("Leave?"), text.format(count=lost), _("Leave anyway"), _("Stay")
        )
        self._app.push_screen(dialog, self._leave)

    def _leave(self, answer: str | None) -> None:
        if answer != "yes":
            return
        self._has_begun = True
        model = self._controller.model
        if model is None:
            self._leave_at_once()
        else:
            model.chat.quit()
            model.chat.advance()
            self._wake()

    def _leave_at_once(self) -> None:
        self._give_up()
        self._app.exit(Ending(EXIT_FINE, []))
