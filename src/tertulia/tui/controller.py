"""Carries out the user's actions, and shows the server's answers.

It is below the app and above the model and the widgets, and returns the commands that only the app
can carry out. Nothing here waits. Runs on the event loop's thread.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec import UNSET
from textual.app import App

from tertulia.chat import commands, explain
from tertulia.chat.choices import Choices
from tertulia.chat.command_arguments import Command, CommandError
from tertulia.chat.destination import Destination
from tertulia.chat.display import Glyphs
from tertulia.chat.face_commands import (
    Close,
    Help,
    Open,
    OwnInfo,
    SayToAll,
    SendAgain,
    SetLanguage,
    SetNotify,
    SetPlain,
    SetTheme,
    ShowSeen,
    ShowStatuses,
    ShowText,
)
from tertulia.chat.similar import similar_name
from tertulia.i18n import _, ngettext
from tertulia.protocol.attendance import AskSeenBy
from tertulia.protocol.messages import (
    Answer,
    Direct,
    Error,
    ErrorCode,
    GetHistory,
    GetInfo,
    HistoryPage,
    ListUsers,
    Quit,
    Request,
    Say,
    Search,
    SetStatus,
    UserInfo,
)
from tertulia.protocol.texts import check_text
from tertulia.safetext import visible_in_a_line
from tertulia.tui import keys
from tertulia.tui.attention import Attention
from tertulia.tui.message_menu import MessageMenu
from tertulia.tui.model.chatmodel import Answered, ChatModel, NewMessage, Undelivered
from tertulia.tui.model.conversations import GENERAL, Conversation
from tertulia.tui.model.timeline import Said
from tertulia.tui.navigation import Navigation
from tertulia.tui.orders import OrderCommand, OrderRequest, Orders
from tertulia.tui.seen import SeenQuestions
from tertulia.tui.widgets import dialogs
from tertulia.tui.widgets.mainscreen import MainScreen

LONG_MESSAGE_LINES = 10  # a message of more lines than this is sent only after a confirmation

AppCommand = Help | SetTheme | ShowText | Quit  # only the app can carry these out


class Controller:
    """The actions of one user; `model` is None until there is a first connection."""

    def __init__(
        self,
        app: App[Any],
        main: MainScreen,
        glyphs: Glyphs,
        choices: Choices,
        wake: Callable[[], None],
        to: Destination,
    ) -> None:
        """Begin without a model; `wake` lets the chat do soon what is due."""
        self.model: ChatModel | None = None
        self._app = app
        self._main = main
        self._glyphs = glyphs
        self._choices = choices
        self.attention = Attention(app, main, choices, lambda: self.model, wake)
        self._orders = Orders(app, main, to)
        self._seen = SeenQuestions(app, main, self.attention.presence.has_left)
        self.navigation = Navigation(app, main, lambda: self.model, self.refresh)
        self._menu = MessageMenu(app, main, self._seen, self.navigation.open, self.send_again)

    @property
    def current(self) -> Conversation:
        """Return the open conversation."""
        return Conversation(GENERAL) if self.model is None else self.model.conversations.current

    @property
    def names(self) -> list[str]:
        """Return the names of the others, for completion."""
        return [] if self.model is None else self.model.chat.state.names()

    @property
    def is_operator(self) -> bool:
        """Return whether the user is an operator."""
        return self.model is not None and self.model.chat.state.is_operator

    @property
    def drafts(self) -> list[str]:
        """Return the typed and unsent texts of all conversations."""
        return self._main.drafts(None if self.model is None else self.model.conversations)

    def refresh(self) -> None:
        """Show the alerts, and then the present state of the model."""
        if self.model is None:
            self._main.show_connecting()
            return
        for alert in self.model.pop_alerts():
            match alert:
                case Answered(request, answer):
                    self._show_answer(self.model, request, answer)
                case Undelivered(conversation, words) if conversation is not self.current:
                    self._main.hint(words())
                case NewMessage():
                    self.attention.notify(alert)
        self._main.show_model(self.model, time.monotonic())
        self.attention.update()

    # --- what is typed -------------------------------------------------------------------------

    def submit(self, text: str, *, is_typed: bool = True) -> AppCommand | None:
        """Carry out a line; return its command if only the app can carry it out.

        If a typed line cannot be carried out, it stays in the composer, with a hint. A line that
        was chosen and not typed does not change the composer.
        """
        self._main.hint("")
        try:
            command = commands.parse(text, on_screen=True, operator=self.is_operator)
        except CommandError as error:
            self._main.hint(str(error))
            return None
        match command:
            case Say() if self.current.name != GENERAL:
                self._submit_message(Direct(to=self.current.name, text=command.text))
            case Say() | SayToAll():
                self._submit_message(Say(text=command.text))
            case Direct():
                self._submit_message(command)
            case None:
                pass
            case _:
                return self._submit_command(command, is_typed=is_typed)
        return None

    def _submit_message(self, request: Say | Direct) -> None:
        """Send a message if that is possible; a long one only after a confirmation."""
        model = self._connected_model()
        if model is None:
            return
        refusal = self._refusal(model, request)
        if refusal is not None:
            self._main.hint(refusal)
            return
        count = request.text.count("\n") + 1
        if count <= LONG_MESSAGE_LINES:
            self._send(model, request)
            return
        text = ngettext("{count} line", "{count} lines", count).format(count=count)
        text = _("Send this as one message? {length}").format(length=text)
        dialog = dialogs.question(_("A long message"), text, _("Send it"), _("Not yet"))
        self._app.push_screen(dialog, lambda key: self._send_long(request, key))

    def _send_long(self, request: Say | Direct, answer: str | None) -> None:
        model = self._connected_model() if answer == "yes" else None
        if model is not None:
            self._send(model, request)
            self.refresh()

    def _send(self, model: ChatModel, request: Say | Direct) -> None:
        self._main.composer.accept()
        if isinstance(request, Direct):
            to = model.send_direct(request.to, request.text)
            text = _("Sent only to {name}. {key}: go there.")
        else:
            # The line is shown when it comes back, in the same order as for everyone.
            model.ask(request)
            to = model.conversations.general
            text = _("Sent to everyone. {key}: go there.")
        self.navigation.written_to = to.name
        if to is not self.current:  # the next line goes to the same recipient as before this one
            name = visible_in_a_line(to.name)
            self._main.hint(text.format(name=name, key=keys.FOLLOW.shown))
        # A marked message is no longer marked after the user sends something.
        self._main.log_view.pop_marked()
        self._main.log_view.jump_to_end()

    def _refusal(self, model: ChatModel, request: Say | Direct) -> str | None:
        """Return why a message cannot be sent, in words; None if it can be sent."""
        if isinstance(request, Direct):
            unknown = self._unknown_name(model, request.to)
            if unknown is not None:
                return unknown
        code = check_text(request.text)
        if code is None:
            return None
        return explain.request_refused(Error(code=code, message=""), request)

    def _unknown_name(self, model: ChatModel, name: str) -> str | None:
        """Return a hint if there is no user with this name; None if a message can be sent to it."""
        state = model.chat.state
        is_here = state.status_of(state.registered_name(name)) is not None
        if is_here or not state.knows_users or name in model.conversations:
            return None
        text = _("Nobody called “{name}” is here.")
        guess = similar_name(name, state.names())
        if guess is not None:
            text = _("Nobody called “{name}” is here. Did you mean “{guess}”?")
        return text.format(name=visible_in_a_line(name), guess=guess)

    def _submit_command(self, command: Command, *, is_typed: bool) -> AppCommand | None:
        """Carry out a line that is not a message; if that fails, the line stays in the composer."""
        if isinstance(command, OrderCommand):
            model = self._connected_model()
            if model is None:
                return None
            refusal = self._orders.carry_out(model, command)
            if refusal:
                self._main.hint(refusal)
            elif is_typed:
                self._main.composer.accept()
            return None
        if isinstance(command, OwnInfo):
            command = GetInfo(name="" if self.model is None else self.model.chat.state.name)
        needs_connection = isinstance(command, Request) and not isinstance(command, Quit)
        if needs_connection and self._connected_model() is None:
            return None
        if isinstance(command, Open) and self.model is not None:
            unknown = self._unknown_name(self.model, command.name)
            if unknown is not None:
                self._main.hint(unknown)
                return None
        if is_typed:
            self._main.composer.accept()
        return self.carry_out(command)

    def carry_out(self, command: Command) -> AppCommand | None:
        """Carry out a command; return it if only the app can. `refresh` then shows the result."""
        match command:
            case Help() | SetTheme() | ShowText() | Quit():
                return command
            case Open():
                self.navigation.open(command.name)
            case SetLanguage():
                words = self._choices.set_language(command)
                self._main.translate()
                self._main.hint(words)
            case SetNotify():
                self._set_notify(command)
            case SetPlain():
                self._main.hint(self._choices.set_plain(command))
            case ShowStatuses():
                self._main.hint(self._choices.switch_statuses())
                if self.model is not None:
                    self.model.shows_statuses = self._choices.settings.notify_statuses
            case Close():
                self.navigation.close(command.name)
            case SendAgain():
                self.send_again()
            case ListUsers():
                self._main.action_people()
            case GetHistory() if self.model is not None:
                self._show_older(self.model, command.limit)
            case ShowSeen():
                model = self._connected_model()
                if model is not None:
                    self._seen.ask(model, command)
            case SetStatus() | GetInfo() | Search():
                model = self._connected_model()
                if model is not None:
                    model.ask(command)
        return None

    def _set_notify(self, command: SetNotify) -> None:
        self._main.hint(self._choices.set_notify(command))
        if self.model is not None and command.only_at is not None:
            mention = self._choices.mention_of(self.model.chat.state.name)
            self.model.conversations.set_mention(mention)
            self._main.log_view.repaint()

    def _show_older(self, model: ChatModel, limit: int) -> None:
        self.navigation.open(GENERAL)
        if model.history_off:
            self._main.hint(explain.history_off())
        elif not model.fetch_older(limit, by_command=True):
            text = _("There are no older messages.")
            if model.conversations.general.is_full:
                text = _("There are no older messages here. Use {search} to find more.")
            self._main.hint(text.format(search=commands.search_word()))

    # --- keys and clicks -----------------------------------------------------------------------

    def choose_status(self) -> None:
        """Ask the user for a status, and request it from the server."""
        model = self._connected_model()
        if model is not None:
            dialog = dialogs.status_dialog(self._glyphs, model.chat.state.status)
            self._app.push_screen(dialog, self._set_status)

    def _set_status(self, status: str | None) -> None:
        if status is not None:
            self.carry_out(SetStatus(status=status))
            self.refresh()

    def send_again(self, entry: Said | None = None) -> None:
        """Send a message again: this one, or the newest undelivered one here."""
        entry = entry or self.current.undelivered
        if entry is None:
            self._main.hint(_("All messages here were delivered."))
            return
        model = self._connected_model()
        if model is not None:
            model.send_again(entry)
            self.refresh()

    def give_up(self) -> None:
        """End unfinished work, because the screen is about to close."""
        self._orders.attendance.give_up()

    def choose_message(self, entry: Said) -> None:
        """Ask the user what to do with a message."""
        if self.model is not None:
            self._menu.show(self.model, entry)

    def fetch_older(self) -> None:
        """Request older messages, because the first one of the open conversation is in view."""
        model = self.model
        if model is not None and model.chat.connected and self.current.name == GENERAL:
            model.fetch_older()

    def find_older(self, search: Search) -> None:
        """Request older messages of a search, because the first one that was found is in view."""
        if self.model is not None and self.model.chat.connected:
            self.model.ask(search)
            self.refresh()

    def _connected_model(self) -> ChatModel | None:
        """Return the model; without a connection show a hint and return None."""
        if self.model is None or not self.model.chat.connected:
            self._main.hint(_("There is no connection now. What you typed stays here."))
            return None
        return self.model

    # --- what the server sends -----------------------------------------------------------------

    def _show_answer(self, model: ChatModel, request: Request, answer: Answer) -> None:
        if isinstance(request, OrderRequest):
            self._orders.show_answer(model, request, answer)
            return
        match request, answer:
            case AskSeenBy(), _:
                self._seen.show_answer(model, request, answer)
            case GetInfo(), UserInfo():
                name, today = answer.name, model.chat.clock.today()
                own = name == model.chat.state.name
                dialog = dialogs.person_dialog(answer, self._glyphs, today, own=own)
                write = partial(self.navigation.open, name)
                self._orders.show_person(model, dialog, answer, write)
            case Search(), HistoryPage():
                self._show_found(model, request, answer)
            case SetStatus(), _ if not isinstance(answer, Error):
                self._main.hint(_("You are already {status}.").format(status=request.status))
            case _, Error():
                if isinstance(request, Say) and answer.code != ErrorCode.UNAVAILABLE:
                    self._give_back(request.text)
                self._main.hint(explain.request_refused(answer, request))

    def _give_back(self, text: str) -> None:
        """Put a refused message of the general chat back into the composer of that conversation."""
        if self.current.name == GENERAL and not self._main.composer.text:
            self._main.composer.load(text)

    def _show_found(self, model: ChatModel, request: Search, page: HistoryPage) -> None:
        entries = model.entries_of(page)
        oldest = page.messages[0].seq if page.messages and page.more else None
        older = None if oldest is None else Search(text=request.text, before=oldest)
        if request.before is not UNSET:  # older results for a dialog that may have been closed
            dialog = self._app.screen
            if isinstance(dialog, dialogs.SearchDialog) and dialog.older is request:
                dialog.add_older(entries, older)
        elif entries:
            self._app.push_screen(dialogs.SearchDialog(request.text, entries, older, self._glyphs))
        else:
            text = _("No message contains “{words}”. Try fewer words, or another form of them.")
            self._main.hint(text.format(words=visible_in_a_line(request.text)))
