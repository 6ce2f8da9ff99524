"""Requests who has seen a message, and repeats the request while the answer is on the screen.

It is below the controller and above the widgets. Nothing here waits. Runs on the event loop's
thread.
"""

from collections.abc import Callable
from typing import Any

from textual.app import App

from tertulia.chat import explain
from tertulia.chat.face_commands import ShowSeen
from tertulia.chat.seen_words import not_in_general, nothing_said
from tertulia.i18n import _
from tertulia.protocol.attendance import AskSeenBy, SeenBy
from tertulia.protocol.messages import Answer, Error
from tertulia.tui.model.chatmodel import ChatModel
from tertulia.tui.model.timeline import Said
from tertulia.tui.widgets.mainscreen import MainScreen
from tertulia.tui.widgets.seen_dialog import SeenDialog


class SeenQuestions:
    """The requests of one user; at most one of them is repeated."""

    def __init__(self, app: App[Any], main: MainScreen, looks_away: Callable[[], bool]) -> None:
        """Begin; `looks_away` returns whether the terminal reported a lost focus."""
        self._app = app
        self._main = main
        self._looks_away = looks_away
        self._asked: AskSeenBy | None = None  # the last one that the user made

    def ask(self, model: ChatModel, command: ShowSeen) -> None:
        """Ask about the message with this number, or the marked one, or the newest own one."""
        seq, marked = command.seq, None
        if seq is None:
            marked = self._main.log_view.pop_marked()
        # The user may have selected messages of others only to copy them.
        if isinstance(marked, Said) and (marked.own or model.chat.state.is_operator):
            if marked.seq is None:
                self._main.hint(not_in_general())
                return
            seq = marked.seq
        if seq is None and model.chat.state.own_message is not None:
            seq = model.chat.state.own_message.seq
        if seq is None:
            self._main.hint(nothing_said())
            return
        self._asked = AskSeenBy(seq=seq)
        model.ask(self._asked)

    def show_answer(self, model: ChatModel, request: AskSeenBy, answer: Answer) -> None:
        """Show an answer in its dialog; if the user has just asked, open a new dialog."""
        is_asked, dialog = request is self._asked, self._dialog(request.seq)
        if isinstance(answer, Error):
            if is_asked:
                self._main.hint(explain.request_refused(answer, request))
            elif dialog is not None:
                dialog.show_hint(explain.request_refused(answer, request))
        elif isinstance(answer, SeenBy):
            if dialog is not None:
                dialog.show(answer)
            elif is_asked:
                again = AskSeenBy(seq=answer.seq)
                about = _about(model, answer.seq)
                self._app.push_screen(SeenDialog(about, answer, lambda: self._again(model, again)))

    def _again(self, model: ChatModel, request: AskSeenBy) -> None:
        """Repeat the request, but not while nobody looks, because a request counts as activity."""
        dialog = self._dialog(request.seq)
        if dialog is not None:
            dialog.show_connection(connected=model.chat.connected)
        if model.chat.idle and not self._looks_away():
            model.watch(request)

    def _dialog(self, seq: int) -> SeenDialog | None:
        for screen in self._app.screen_stack:
            if isinstance(screen, SeenDialog) and screen.seq == seq:
                return screen
        return None


def _about(model: ChatModel, seq: int) -> str:
    """Return the text of a message; if it is not here, its number."""
    own = model.chat.state.own_message
    if own is not None and own.seq == seq:
        return f"{model.chat.state.name}: {own.text}"
    for entry in reversed(model.conversations.general.entries):
        if isinstance(entry, Said) and entry.seq == seq:
            return f"{entry.speaker}: {entry.text}"
    return _("Message {number}").format(number=seq)
