"""The menu of a message that was marked with the keys or clicked with the right button.

It is below the controller and above the widgets. Runs on the event loop's thread.
"""

from collections.abc import Callable
from typing import Any

from textual.app import App

from tertulia.chat.face_commands import ShowSeen
from tertulia.i18n import _
from tertulia.protocol.moderation import PinMessage
from tertulia.safetext import visible_in_a_line
from tertulia.tui.model.chatmodel import ChatModel
from tertulia.tui.model.timeline import Said
from tertulia.tui.painting.wrap import shorten
from tertulia.tui.seen import SeenQuestions
from tertulia.tui.widgets.copying import CopyWanted
from tertulia.tui.widgets.dialogs import ChoiceDialog
from tertulia.tui.widgets.mainscreen import MainScreen
from tertulia.tui.widgets.rowlist import Row

_COLUMNS = 60  # of the message, shown above the actions


class MessageMenu:
    """A dialog with the actions that one user can apply to a message."""

    def __init__(
        self,
        app: App[Any],
        main: MainScreen,
        seen: SeenQuestions,
        open_conversation: Callable[[str], None],
        send_again: Callable[[Said], None],
    ) -> None:
        self._app = app
        self._main = main
        self._seen = seen
        self._open = open_conversation
        self._send_again = send_again

    def show(self, model: ChatModel, entry: Said) -> None:
        """Ask the user for an action, and carry it out."""
        line = " ".join(f"{entry.speaker}: {entry.text}".split())
        text = shorten(visible_in_a_line(line), _COLUMNS)
        dialog = ChoiceDialog(_("Message"), text, _rows(model, entry))
        self._app.push_screen(dialog, lambda key: self._do(model, entry, key))

    def _do(self, model: ChatModel, entry: Said, key: str | None) -> None:
        match key:
            case "seen" if entry.seq is not None:
                self._main.log_view.pop_marked()
                self._seen.ask(model, ShowSeen(entry.seq))
            case "pin" if entry.seq is not None:
                self._main.log_view.pop_marked()
                model.ask(PinMessage(seq=entry.seq))
            case "copy":
                self._main.post_message(CopyWanted(entry.text))
            case "write":
                self._open(entry.sender)
            case "again":
                self._send_again(entry)


def _rows(model: ChatModel, entry: Said) -> list[Row]:
    state = model.chat.state
    rows = [("copy", _("Copy the text"))]
    if entry.seq is not None and (entry.own or state.is_operator):
        rows.append(("seen", _("Show who has seen it")))
    if entry.seq is not None and state.is_operator:
        rows.append(("pin", _("Pin it for everyone")))
    if entry.can_be_sent_again:
        rows.append(("again", _("Send it again")))
    if not (entry.own or entry.hook):
        rows.append(("write", _("Write a direct message")))
    rows.append(("close", _("Close")))
    return [Row(key, [(words, "")]) for key, words in rows]
