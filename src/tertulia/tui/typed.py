"""What the person has typed, carried out: from a line to what it does.

Runs on the event loop's thread.
"""

from typing import TYPE_CHECKING

from tertulia.chat import commands, explain
from tertulia.chat.face_commands import (
    Help,
    Open,
    SendAgain,
    SetLanguage,
    SetNotify,
    SetTheme,
    ShowText,
)
from tertulia.i18n import _, ngettext, set_language
from tertulia.protocol.messages import (
    Direct,
    Error,
    GetHistory,
    GetInfo,
    ListUsers,
    Quit,
    Request,
    Say,
    Search,
    SetStatus,
)
from tertulia.protocol.texts import check_text
from tertulia.tui.model.conversations import GENERAL, Said
from tertulia.tui.widgets import dialogs

if TYPE_CHECKING:
    from tertulia.tui.app import ChatApp
    from tertulia.tui.model.face import ScreenFace

LONG_LINES = 10  # a text of more is sent only after a question


class Typed:
    """What stands behind the composer of an app."""

    def __init__(self, app: "ChatApp") -> None:
        self._app = app

    def submit(self, text: str) -> None:
        """Take what stands in the composer; what cannot be carried out stays there."""
        app = self._app
        app.main.hint("")
        try:
            command = commands.parse(text, on_screen=True)
        except commands.CommandError as error:
            app.main.hint(str(error))
            return
        if isinstance(command, Say) and app.current.name != GENERAL:
            command = Direct(to=app.current.name, text=command.text)
        if isinstance(command, Request) and not isinstance(command, Quit) and not app.is_there:
            app.main.hint(no_connection())
        elif isinstance(command, Say | Direct):
            self._send(command)
        elif command is not None:
            app.main.composer.accept()
            self.obey(command)

    def _send(self, request: Say | Direct) -> None:
        app = self._app
        code = check_text(request.text)
        if code is not None:
            app.main.hint(explain.request_refused(Error(code=code, message=""), request))
            return
        count = request.text.count("\n") + 1
        if count <= LONG_LINES:
            self._send_now(request)
            return
        text = ngettext("{count} line", "{count} lines", count).format(count=count)
        text = _("Send this as one message? {length}").format(length=text)
        dialog = dialogs.question(_("A long message"), text, _("Send it"), _("Not yet"))
        app.push_screen(dialog, lambda key: self._send_now(request) if key == "yes" else None)

    def _send_now(self, request: Say | Direct) -> None:
        app = self._app
        if app.face is None or not app.is_there:
            app.main.hint(no_connection())
            return
        app.main.composer.accept()
        if isinstance(request, Direct):
            app.face.direct(request.to, request.text)
            app.open(request.to)
        else:
            app.face.say(request.text)
        app.main.log_view.jump_to_end()
        app.sync()

    def give_back(self, text: str) -> None:
        """Put what was refused, and not said, where it was typed."""
        app = self._app
        if app.current.name == GENERAL and not app.main.composer.text:
            app.main.composer.load(text)

    def _no_older(self, face: "ScreenFace") -> str:
        if not face.conversations.general.is_full:
            return _("Nothing was said before.")
        text = _("There is nothing older here; {search} finds more.")
        return text.format(search=commands.search_word())

    def obey(self, command: commands.Command) -> None:
        """Do what a command asks for."""
        app = self._app
        match command:
            case Help():
                app.action_help()
            case Open():
                app.open(command.name)
            case SetLanguage():
                set_language(command.language)
                app.translate()
            case SetTheme():
                app.use_theme(command.dark)
            case SetNotify():
                app.main.hint(app.caller.set(command))
            case ShowText():
                app.action_show_text()
            case SendAgain():
                self.send_again()
            case ListUsers():
                app.main.action_people()
            case Quit():
                app.action_leave()
            case GetHistory() if app.face is not None:
                app.open(GENERAL)
                if app.face.history_off:
                    app.main.hint(explain.history_off())
                elif not app.face.fetch_older(command.limit, by_command=True):
                    app.main.hint(self._no_older(app.face))
            case SetStatus() | GetInfo() | Search():
                if app.face is None or not app.is_there:
                    app.main.hint(no_connection())
                else:
                    app.face.ask(command)
        app.sync()

    def send_again(self, entry: Said | None = None) -> None:
        """Send a message again, or the last one here that was not delivered."""
        app = self._app
        entry = entry or app.current.undelivered
        if entry is None:
            app.main.hint(_("Everything here was delivered."))
        elif app.face is None or not app.is_there:
            app.main.hint(no_connection())
        else:
            app.face.send_again(entry)
            app.sync()


def no_connection() -> str:
    """Say that something has to wait for the connection."""
    return _("There is no connection now. What you typed stays here.")
