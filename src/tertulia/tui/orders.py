"""Moderation on the full screen, by commands and from the dialog of a person; also ignoring.

It is below the controller and above the widgets. Nothing here waits. Runs on the event loop's
thread.
"""

from collections.abc import Callable
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace
from textual.app import App

from tertulia.chat import explain
from tertulia.chat.destination import Destination
from tertulia.chat.face_commands import AskForSecret, Ignore, PinMarked, Unignore
from tertulia.chat.hook_address import curl_options, server_link
from tertulia.chat.order_words import not_operator, nothing_to_pin, order_is_yours
from tertulia.i18n import _
from tertulia.operator_commands import ShowAttendance
from tertulia.operator_words import done, fits, hook_created
from tertulia.protocol.attendance import ListAttendance
from tertulia.protocol.hooks import HookCreated, HookList, HookRow, RemoveHook
from tertulia.protocol.messages import Answer, Error, Ok, UserInfo, UserList
from tertulia.protocol.moderation import (
    BanList,
    BanRow,
    BecomeOperator,
    ImposeBan,
    ImposeMute,
    Kick,
    LiftBan,
    LiftMute,
    OperatorRequest,
    PinMessage,
)
from tertulia.tui.attendance import AttendanceDesk
from tertulia.tui.model.chatmodel import ChatModel
from tertulia.tui.model.timeline import Said
from tertulia.tui.painting.wrap import shorten
from tertulia.tui.widgets import dialogs, order_dialogs
from tertulia.tui.widgets.hook_dialogs import HookDialog, hooks_dialog
from tertulia.tui.widgets.mainscreen import MainScreen

OrderRequest = OperatorRequest | BecomeOperator | ListAttendance
OrderCommand = AskForSecret | Ignore | Unignore | PinMarked | ShowAttendance | OrderRequest


class Orders:
    """Carries out the user's actions on other people, and shows the answers."""

    def __init__(self, app: App[Any], main: MainScreen, to: Destination) -> None:
        self._app = app
        self._main = main
        self._to = to
        self.attendance = AttendanceDesk(app, main)

    def carry_out(self, model: ChatModel, command: OrderCommand) -> str:
        """Carry out a command; return why it was not possible, or ""."""
        is_order = isinstance(command, OperatorRequest | PinMarked | ShowAttendance)
        if is_order and not model.chat.state.is_operator:
            return not_operator()
        match command:
            case AskForSecret():
                dialog = order_dialogs.SecretDialog()
                self._app.push_screen(dialog, lambda secret: self._become_operator(model, secret))
            case Ignore(name=name):
                if name is None:
                    self._main.hint("\n".join(model.chat.ignored.lines()))
                else:
                    self._ignore(model, name, model.chat.ignored.add)
            case Unignore(name=name):
                self._ignore(model, name, model.chat.ignored.remove)
            case PinMarked():
                self._pin_marked(model)
            case ShowAttendance():
                return self.attendance.ask(model, command)
            case ImposeBan() if command.address is not UNSET:
                model.ask(replace(command, check=True))
            case _:
                model.ask(command)
        return ""

    def show_answer(self, model: ChatModel, request: OrderRequest, answer: Answer) -> None:
        """Show the answer; if it lists the users affected by a ban, ask or impose the ban."""
        certificate = model.chat.certificate
        match request, answer:
            case ListAttendance(), _:
                self.attendance.show_answer(model, request, answer)
            case _, Error():
                self._main.hint(explain.request_refused(answer, request))
            case BecomeOperator(), Ok():
                self._main.hint(order_is_yours())
            case ImposeBan(check=True), UserList():
                self._ask_about(model, replace(request, check=False), answer)
            case _, BanList():
                dialog = order_dialogs.bans_dialog(answer.bans)
                self._app.push_screen(dialog, lambda key: self._lift(model, answer.bans, key))
            case _, HookCreated():
                link = server_link(model.chat.whereabouts.address, certificate)
                words = hook_created(answer, link, curl_options(certificate))
                self._app.push_screen(HookDialog(words))
            case _, HookList():
                dialog = hooks_dialog(answer.hooks)
                self._app.push_screen(dialog, lambda key: self._unhook(model, answer.hooks, key))
            case _:
                self._main.hint(done(request))

    def show_person(
        self,
        model: ChatModel,
        dialog: dialogs.ChoiceDialog,
        info: UserInfo,
        write: Callable[[], None],
    ) -> None:
        """Show the dialog of a person, with the possible actions."""
        state, name = model.chat.state, info.name
        if name != state.name:
            dialog.offer(
                order_dialogs.person_rows(
                    is_operator=state.is_operator,
                    is_muted=state.is_muted(name),
                    is_ignored=name in model.chat.ignored,
                )
            )

        def do(key: str | None) -> None:
            if key == "write":
                write()
            elif key is not None:
                self._do_to_person(model, name, key)

        self._app.push_screen(dialog, do)

    def _do_to_person(self, model: ChatModel, name: str, key: str) -> None:
        match key:
            case "kick":
                self._confirm(
                    _("Remove {name} from the chat? They can come back."), name,
                    lambda: model.ask(Kick(name=name)),
                )  # fmt: skip
            case "ban":
                title = _("Keep {name} out, for how long?")
                self._choose_minutes(
                    title, name,
                    lambda minutes: model.ask(ImposeBan(name=name, minutes=minutes or UNSET)),
                )  # fmt: skip
            case "mute":
                title = _("Silence {name}, for how long?")
                self._choose_minutes(
                    title, name,
                    lambda minutes: model.ask(ImposeMute(name=name, minutes=minutes or UNSET)),
                )  # fmt: skip
            case "unmute":
                model.ask(LiftMute(name=name))
            case "ignore":
                self._ignore(model, name, model.chat.ignored.add)
            case "unignore":
                self._ignore(model, name, model.chat.ignored.remove)

    def _become_operator(self, model: ChatModel, secret: str | None) -> None:
        if secret:
            model.ask(BecomeOperator(secret=secret))

    def _ask_about(self, model: ChatModel, ban: ImposeBan, fitting: UserList) -> None:
        if len(fitting.users) > 1:
            self._confirm(fits(fitting.users), "", lambda: model.ask(ban))
        else:
            model.ask(ban)

    def _confirm(self, text: str, name: str, do: Callable[[], None]) -> None:
        dialog = order_dialogs.confirmation(text.format(name=name) if name else text)
        self._app.push_screen(dialog, lambda key: do() if key == "yes" else None)

    def _choose_minutes(self, title: str, name: str, do: Callable[[float], None]) -> None:
        """Let the user choose a duration; 0 means without an end."""
        dialog = order_dialogs.minutes_dialog(title, name)
        self._app.push_screen(dialog, lambda key: None if key is None else do(float(key)))

    def _lift(self, model: ChatModel, rows: list[BanRow], key: str | None) -> None:
        """Lift the chosen ban, after a question."""
        if key is None or not key.isdigit():
            return
        row = rows[int(key)]
        request = LiftBan(name=row.name)
        if row.name is UNSET:
            request = LiftBan(address=row.address)
        text = _("Let {name} come in again?")
        self._confirm(text, str(row.name or row.address), lambda: model.ask(request))

    def _unhook(self, model: ChatModel, rows: list[HookRow], key: str | None) -> None:
        """Remove the chosen hook, after a question."""
        if key is not None and key.isdigit():
            name = rows[int(key)].name
            text = _("Remove the address of {name}? Its programs cannot speak any more then.")
            self._confirm(text, name, lambda: model.ask(RemoveHook(name=name)))

    def _pin_marked(self, model: ChatModel) -> None:
        """Pin the newest message; ask first if another one is marked, because it may be old."""
        entry, newest = self._main.log_view.pop_marked(), model.chat.state.newest_message
        if isinstance(entry, Said) and entry.seq is not None:
            seq, text = entry.seq, f"{entry.speaker}: {entry.text}"
            question = _("Pin this message?") + "\n\n" + shorten(" ".join(text.split()), 60)
            self._confirm(question, "", lambda: model.ask(PinMessage(seq=seq)))
        elif newest is not None:
            model.ask(PinMessage(seq=newest))
        else:
            self._main.hint(nothing_to_pin())

    def _ignore(self, model: ChatModel, name: str, change: Callable[[str], str]) -> None:
        self._main.hint(change(model.chat.state.registered_name(name)))
        model.people_changed = True
