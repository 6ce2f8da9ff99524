"""The attendance on the full screen: requested page by page, shown in a dialog or saved to a file.

It is below the controller and above the widgets. Runs on the event loop's thread.
"""

from typing import Any

from textual.app import App

from tertulia.chat import explain
from tertulia.chat.attendance import AttendanceReading
from tertulia.operator_commands import BadCommand, ShowAttendance
from tertulia.protocol.attendance import AttendancePage, ListAttendance
from tertulia.protocol.messages import Answer, Error
from tertulia.tui.model.chatmodel import ChatModel
from tertulia.tui.widgets.attendance_dialog import AttendanceDialog
from tertulia.tui.widgets.mainscreen import MainScreen


class AttendanceDesk:
    """The attendance that the user has requested; only the last request counts."""

    def __init__(self, app: App[Any], main: MainScreen) -> None:
        self._app = app
        self._main = main
        self._reading: AttendanceReading | None = None
        self._dialog: AttendanceDialog | None = None

    def ask(self, model: ChatModel, command: ShowAttendance) -> str:
        """Request the first page; return why that was impossible, or ""."""
        self.give_up()
        try:
            self._reading = AttendanceReading(command)
        except BadCommand as error:
            return str(error)
        self._dialog = None if self._reading.is_for_file else AttendanceDialog()
        model.ask(self._reading.request)
        return ""

    def show_answer(self, model: ChatModel, request: ListAttendance, answer: Answer) -> None:
        """Show a page, and request the next one unless the dialog was closed."""
        reading, dialog = self._reading, self._dialog
        if reading is None or request is not reading.request:
            return
        if isinstance(answer, Error):
            self.give_up()
            self._main.hint(explain.request_refused(answer, request))
        if not isinstance(answer, AttendancePage):
            return
        if dialog is not None:
            if not reading.has_begun:
                self._app.push_screen(dialog)
            elif dialog not in self._app.screen_stack:
                self.give_up()
                return
        try:
            has_more = reading.add(answer)
        except BadCommand as error:
            self._reading = None
            self._main.hint(str(error))
            return
        if dialog is not None:
            dialog.add(answer.sessions, "" if has_more else reading.summary())
        if has_more:
            model.ask(reading.request)
        else:
            self._reading = None
            if dialog is None:
                self._main.hint(reading.summary())

    def give_up(self) -> None:
        """Request no more pages, and remove an incomplete file."""
        if self._reading is not None:
            self._reading.give_up()
        self._reading = self._dialog = None
