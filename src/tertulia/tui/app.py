"""The full screen at work: from keys, clicks and commands to the chat, and back to the screen.

All of it runs on the event loop's thread. The connection's own thread rings a bell; what has come
is then taken in together and shown, at most twenty times a second.
"""

import asyncio
import gc
import signal
import time

from textual import on
from textual.app import App
from textual.screen import Screen
from textual.widgets import Input

from tertulia.chat import commands, explain
from tertulia.chat.chat import EXIT_FINE, EXIT_NO_CONNECTION, EXIT_REFUSED
from tertulia.chat.destination import Destination
from tertulia.chat.display import Glyphs, visible_in_a_line
from tertulia.client.client import Client
from tertulia.client.errors import NoConnection, RegistrationRefused
from tertulia.client.reconnect import Attempt, Reconnector
from tertulia.i18n import _, ngettext
from tertulia.protocol.messages import (
    Answer,
    ChatMessage,
    DirectMessage,
    Error,
    ErrorCode,
    GetInfo,
    HistoryPage,
    Request,
    Say,
    Search,
    SetStatus,
    UserInfo,
)
from tertulia.tui.caller import Caller
from tertulia.tui.connecting import LoopBell
from tertulia.tui.finder import Finder
from tertulia.tui.model.conversations import GENERAL, NOBODY, Conversation, Said
from tertulia.tui.model.face import ScreenFace
from tertulia.tui.painting.painter import ConversationPainter, bare
from tertulia.tui.painting.themes import THEMES, theme_name
from tertulia.tui.run import Ending
from tertulia.tui.terminal.signals import Signals
from tertulia.tui.typed import Typed, no_connection
from tertulia.tui.widgets import bareview, columns, dialogs
from tertulia.tui.widgets.composer import Composer
from tertulia.tui.widgets.mainscreen import MainScreen
from tertulia.tui.widgets.messagelog import MessageLog
from tertulia.tui.widgets.rowlist import RowList

TAKEN_WITHIN_S = 0.02  # of what has come, before the keyboard has its turn
PAINTED_EVERY_S = 0.05


class ChatApp(App[Ending], inherit_bindings=False):
    """A user's chat screen."""

    TITLE = "tertulia"
    CSS_PATH = "screen.tcss"
    ENABLE_COMMAND_PALETTE = False  # its words are English; Tab and F1 show the commands

    def __init__(
        self,
        to: Destination,
        attempt: Attempt,
        reconnector: Reconnector,
        bell: LoopBell,
        *,
        dark: bool = True,
        few_colours: bool = False,
    ) -> None:
        # Said at once, or Textual would grey what has the terminal's own colours.
        super().__init__(ansi_color=True if few_colours else None)
        self.face: ScreenFace | None = None
        self.glyphs = Glyphs("utf-8")
        self.painter = ConversationPainter(self.glyphs)
        self._to = to
        self._attempt = attempt
        self._reconnector = reconnector
        self._bell = bell
        self._few_colours = few_colours
        self.caller = Caller(self)
        self.typed = Typed(self)
        self.finder = Finder(self)
        self._leaving = False
        self._was_connected = False
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = theme_name(dark=dark, few_colours=few_colours)

    def get_default_screen(self) -> Screen[None]:
        """Begin with the chat."""
        self.main = MainScreen(self._complete, self.painter, self.glyphs)
        return self.main

    def on_mount(self) -> None:
        """Listen to signals, so that the terminal is left in order."""
        Signals(self).listen()

    @on(MainScreen.Ready)
    def _begin(self) -> None:
        """Show what there is, and begin to listen."""
        self.sync()
        self.run_worker(self._listen(), exit_on_error=True)

    def on_ready(self) -> None:
        """Collect garbage again, which `run` does not before the first frame."""
        gc.enable()

    # --- the loop ------------------------------------------------------------------------------

    async def _listen(self) -> None:
        while True:
            await self._bell.hear(self._patience())
            if self.face is None:
                self._enter()
            else:
                self._take_in(self.face)
            self.sync()
            await asyncio.sleep(PAINTED_EVERY_S)

    def _patience(self) -> float | None:
        """Tell for how long nothing has to be done unless the bell rings, in seconds."""
        if self.face is None:
            return None
        chat = self.face.chat
        waits = [] if chat.wake_at is None else [max(0.0, chat.wake_at - time.monotonic())]
        if not chat.connected:
            waits.append(1.0)  # the seconds to the next attempt are shown
        return min(waits, default=None)

    def _enter(self) -> None:
        outcome = self._attempt.take_outcome()
        match outcome:
            case Client():
                self.face = ScreenFace(
                    outcome,
                    self._reconnector,
                    self._to,
                    on_answer=self._show_answer,
                    on_call=self._call,
                )
                self.face.chat.carry_on()
                self._bell.ring()
            case NoConnection():
                text = explain.no_connection(outcome, self._to)
                self.exit(Ending(EXIT_NO_CONNECTION, [text]))
            case RegistrationRefused():
                text = explain.registration_refused(outcome.error, self._to)
                self.exit(Ending(EXIT_REFUSED, [text]))
            case Exception():
                raise outcome

    def _take_in(self, face: ScreenFace) -> None:
        chat = face.chat
        until = time.monotonic() + TAKEN_WITHIN_S
        while more := chat.receive(at_most=50):
            if time.monotonic() >= until:
                break
        chat.carry_on()
        if more:
            self._bell.ring()
        if chat.over:
            self._end(face)

    def _end(self, face: ScreenFace) -> None:
        status = face.chat.exit_status
        lines = [] if status == EXIT_FINE else [face.last_words, *self._not_sent()]
        self.exit(Ending(status, lines))

    def end_by(self, number: signal.Signals) -> None:
        """End because of a signal."""
        self.exit(Ending(EXIT_FINE, self._not_sent(), number))

    def _drafts(self) -> list[str]:
        return self.main.drafts(None if self.face is None else self.face.conversations)

    def _not_sent(self) -> list[str]:
        return [_("Not sent: {text}").format(text=draft) for draft in self._drafts()]

    # --- what is shown -------------------------------------------------------------------------

    def sync(self) -> None:
        """Show how everything is now."""
        main, face = self.main, self.face
        server = f"{self._to.host}:{self._to.port}"
        own_name = visible_in_a_line(self._to.name)
        if face is None:
            words = _("Connecting to {host}, port {port}…")
            main.show_connecting(words.format(host=self._to.host, port=self._to.port))
            main.show_connection(f"{own_name} ?", server, "", _("connecting…"))
            return
        chat, state = face.chat, face.chat.state
        if chat.connected != self._was_connected:
            self._was_connected = chat.connected
            # What is there may be about that.
            is_unsent = chat.connected and main.composer.text
            main.hint(_("What you typed was not sent yet: Enter sends it.") if is_unsent else "")
        users = state.users
        status = self.glyphs.status(state.status) if chat.connected else "?"
        own = f"{visible_in_a_line(state.name)} {status}"
        if state.asked_status is not None:
            own += f" → {state.asked_status}…"
        count = columns.people_count(len(users)) if chat.connected else ""
        main.show_connection(own, server, count, columns.connection_words(chat))
        main.show_conversations(face.conversations, state, known=chat.connected)
        if face.people_changed:
            face.people_changed = False
            main.show_people(users, state.name, known=chat.connected)
        if face.older_came:
            face.older_came = False
            main.log_view.scroll_home()

    def _show_answer(self, request: Request, answer: Answer) -> None:
        if not self.is_running or self.face is None:
            return  # it comes while the program says goodbye
        match request, answer:
            case GetInfo(), UserInfo():
                own = answer.name == self.face.chat.state.name
                dialog = dialogs.person_dialog(answer, self.glyphs, own=own)
                name = answer.name
                self.push_screen(dialog, lambda key: self.open(name) if key == "write" else None)
            case Search(), HistoryPage():
                self.finder.show(request, answer)
            case SetStatus(), _ if not isinstance(answer, Error):
                self.main.hint(_("You are {status} already.").format(status=request.status))
            case _, Error():
                if isinstance(request, Say) and answer.code != ErrorCode.UNAVAILABLE:
                    self.typed.give_back(request.text)
                self.main.hint(explain.request_refused(answer, request))

    def _call(self, message: ChatMessage | DirectMessage, calls: bool) -> None:
        """Ring for what is not being looked at."""
        if not self.is_running:
            return  # it comes while the program says goodbye
        is_direct = isinstance(message, DirectMessage)
        where = (message.sender or NOBODY) if is_direct else GENERAL
        if not (self.app_focus and self.current.name == where):
            self.caller.call(message, calls)

    # --- what is typed -------------------------------------------------------------------------

    def _complete(self, before_cursor: str) -> commands.Completion:
        names = [] if self.face is None else self.face.chat.state.names()
        return commands.complete(before_cursor, names, on_screen=True)

    @on(Composer.Submitted)
    def _submit(self, event: Composer.Submitted) -> None:
        self.typed.submit(event.text)

    # --- where one is --------------------------------------------------------------------------

    @property
    def is_there(self) -> bool:
        """Tell whether there is a connection."""
        return self.face is not None and self.face.chat.connected

    @property
    def current(self) -> Conversation:
        """The conversation that is open."""
        return Conversation(GENERAL) if self.face is None else self.face.conversations.current

    def open(self, name: str) -> None:
        """Turn to a conversation, and type there."""
        if self.face is not None:
            name = self.face.chat.state.registered_name(name) if name else GENERAL
            self.face.conversations.open(name)
        self.main.action_to_composer()
        self.sync()

    def translate(self) -> None:
        """Speak the language of now."""
        self.main.translate()
        self.main.translate_composer()
        if self.face is not None:
            self.face.people_changed = True

    def use_theme(self, dark: bool | None) -> None:
        """Use dark or light colours; None: the others."""
        if dark is None:
            dark = not self.current_theme.dark
        self.theme = theme_name(dark=dark, few_colours=self._few_colours)

    @on(RowList.Chosen, "#conversations")
    def _choose_conversation(self, event: RowList.Chosen) -> None:
        self.open(event.key)

    @on(RowList.Chosen, "#people")
    def _choose_person(self, event: RowList.Chosen) -> None:
        self._ask_about(event.key)

    @on(Input.Submitted, "#filter")
    def _choose_filtered(self) -> None:
        name, typed = self.main.people_list.highlighted, self.main.filter.value
        if name is not None:
            self._ask_about(name)
        elif typed:  # it was no name: it may have been meant for the line
            self.main.action_to_composer()
            self.main.composer.insert(typed)

    def _ask_about(self, name: str) -> None:
        self.typed.obey(GetInfo(name=name))

    @on(Input.Changed, "#filter")
    def _filter(self) -> None:
        if self.face is not None:
            self.face.people_changed = True
            self.sync()

    @on(MessageLog.ReachedTop)
    def _fetch_older(self) -> None:
        if self.face is not None and self.is_there and self.current.name == GENERAL:
            self.face.fetch_older()

    @on(dialogs.SearchDialog.OlderWanted)
    def _find_older(self) -> None:
        self.finder.find_older()

    @on(MessageLog.Clicked)
    def _click(self, event: MessageLog.Clicked) -> None:
        entry = event.entry
        if isinstance(entry, Said) and entry.can_be_sent_again:
            self.typed.send_again(entry)

    # --- keys ----------------------------------------------------------------------------------

    def action_help(self) -> None:
        """Show all keys and commands."""
        self.push_screen(dialogs.HelpDialog())

    def action_status(self) -> None:
        """Ask for a status."""
        if self.face is None or not self.is_there:
            self.main.hint(no_connection())
        else:
            dialog = dialogs.status_dialog(self.glyphs, self.face.chat.state.status)
            self.push_screen(dialog, self._ask_status)

    def _ask_status(self, status: str | None) -> None:
        if status is not None:
            self.typed.obey(SetStatus(status=status))

    def action_other_theme(self) -> None:
        """Change between dark and light."""
        self.use_theme(None)

    def action_turn(self, step: int) -> None:
        """Turn to the next conversation of the list, or the one before."""
        if self.face is not None:
            self.open(self.face.conversations.neighbour(step).name)

    def action_unread(self) -> None:
        """Turn to a conversation with something unread."""
        unread = None if self.face is None else self.face.conversations.next_unread
        if unread is not None:
            self.open(unread.name)

    def action_send_again(self) -> None:
        """Send the last message again that was not delivered."""
        self.typed.send_again()

    def action_show_text(self) -> None:
        """Leave the screen for a moment, for the terminal's own way to copy."""
        with self.suspend():
            bareview.show(bare(self.current.entries, self.painter))

    def action_leave(self) -> None:
        """Leave; ask first if something typed would be lost. Asked again: leave at once."""
        if self._leaving:
            self._attempt.give_up()
            self.exit(Ending(EXIT_FINE, []))
            return
        lost = len(self._drafts()) + (0 if self.face is None else len(self.face.chat.unsent))
        if not lost:
            self._leave("yes")
            return
        text = ngettext(
            "{count} text that you typed was not sent.",
            "{count} texts that you typed were not sent.",
            lost,
        )
        dialog = dialogs.question(
            _("Leave?"), text.format(count=lost), _("Leave all the same"), _("Stay")
        )
        self.push_screen(dialog, self._leave)

    def _leave(self, answer: str | None) -> None:
        if answer != "yes":
            return
        self._leaving = True
        if self.face is None:
            self.action_leave()
        else:
            self.face.chat.quit()
            self.face.chat.carry_on()
            self._bell.ring()
