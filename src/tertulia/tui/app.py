"""The full screen: it connects the parts, listens to the connection, and ends the program.

All of it runs on the event loop's thread. The connection's own thread only rings a bell. Then what
has arrived is received and shown together, at most twenty times a second.

The way of a line from Enter to the network: `Composer.action_submit`, `ChatApp._submit`,
`Controller.submit` (`commands.parse` finds out what it asks for), `ChatModel.ask`, `Chat.enqueue`,
`Chat.advance` when its turn comes, `Client.send`, `Connection.send`. The way back: the connection's
thread calls `Client._on_message`, which rings the bell. `ChatApp._receive` has `Chat.receive` pass
the event on to `ChatModel.show_message`. `Controller.refresh` shows it: `MainScreen.show_model`,
`ConversationLog.show_changes`. Textual then calls `MessageLog.render_line`.
"""

import asyncio
import gc
import signal
import sys
import time
from collections.abc import Callable

from textual import events, on
from textual.app import App
from textual.screen import Screen

from tertulia.chat import explain, unreachable
from tertulia.chat.choices import Choices
from tertulia.chat.completion import Completion, complete
from tertulia.chat.credentials import asks_for_code
from tertulia.chat.display import Glyphs
from tertulia.chat.exit_status import EXIT_FINE, EXIT_NO_CONNECTION, EXIT_REFUSED
from tertulia.chat.face_commands import Help, SetTheme, ShowText
from tertulia.chat.ignored import Ignored
from tertulia.chat.keyring import server_names
from tertulia.chat.settings import Loaded, Settings
from tertulia.chat.whereabouts import Whereabouts
from tertulia.client.client import Client
from tertulia.client.errors import CertificateRefused, NoConnection, RegistrationRefused
from tertulia.i18n import _
from tertulia.protocol.messages import Error, GetInfo, Quit
from tertulia.tui.connecting import Connecting
from tertulia.tui.controller import AppCommand, Controller
from tertulia.tui.ending import Ending, finish
from tertulia.tui.leaving import Leaving
from tertulia.tui.model.chatmodel import ChatModel
from tertulia.tui.model.timeline import Said
from tertulia.tui.painting.painter import ConversationPainter, bare
from tertulia.tui.terminal import bareview
from tertulia.tui.terminal.abilities import Abilities, Colours
from tertulia.tui.terminal.answers import FocusIsReported, TerminalNamed
from tertulia.tui.terminal.driver import TerminalDriver
from tertulia.tui.terminal.parser import BackgroundReported
from tertulia.tui.terminal.signals import Signals
from tertulia.tui.theming import Theming
from tertulia.tui.widgets import dialogs, order_dialogs
from tertulia.tui.widgets.chatlog import ConversationLog
from tertulia.tui.widgets.composer import Composer
from tertulia.tui.widgets.conversationspane import ConversationList
from tertulia.tui.widgets.copy_dialog import CopyDialog
from tertulia.tui.widgets.copying import CopyWanted, copied_words
from tertulia.tui.widgets.mainscreen import MainScreen
from tertulia.tui.widgets.messagelog import MessageLog

RECEIVE_WITHIN_S = 0.02  # after so long, pressed keys are handled
MESSAGES_AT_ONCE = 50  # messages handled between two readings of the clock
PAINTED_EVERY_S = 0.05
DEFAULT_TERMINAL = Abilities()


class ChatApp(App[Ending], inherit_bindings=False):
    """One user's full screen."""

    TITLE = "tertulia"
    CSS_PATH = "screen.tcss"
    ENABLE_COMMAND_PALETTE = False  # its texts are English; Tab and F1 show the commands

    def __init__(
        self,
        connecting: Connecting,
        loaded: Loaded | None = None,
        *,
        terminal: Abilities = DEFAULT_TERMINAL,
        dark: bool = True,
        has_clipboard: Callable[[str], bool] = lambda _terminal_name: True,
    ) -> None:
        has_few_colours = terminal.colours <= Colours.FEW
        # It must be set at the start, or Textual would replace the terminal's own colours with
        # greys.
        super().__init__(TerminalDriver, ansi_color=True if has_few_colours else None)
        self._to = connecting.to
        self._attempt = connecting.attempt
        self._attempt_with = connecting.with_code
        self._whereabouts = connecting.whereabouts or Whereabouts(connecting.to)
        self._reconnector = connecting.reconnector
        self._bell = connecting.bell
        self._operator_secret = connecting.operator_secret
        self._terminal = terminal
        self._terminal_name = ""  # empty until the terminal reports its name
        self._has_clipboard = has_clipboard
        glyphs = Glyphs("utf-8")
        self._painter = ConversationPainter(glyphs)
        composer = Composer(self._complete, self._submit, id="composer")
        self.main = MainScreen(self._to, composer, self._painter, glyphs)
        loaded = loaded or Loaded(Settings())
        self._settings_problem = loaded.problem
        self._choices = Choices(loaded.settings)
        self._theming = Theming(self, self._choices, terminal, is_dark=dark)
        self.controller = Controller(
            self, self.main, glyphs, self._choices, self._bell.ring, self._to
        )
        self._leaving = Leaving(
            self, self.controller, lambda: self._attempt.give_up(), self._bell.ring
        )

    @property
    def model(self) -> ChatModel | None:
        """Return the model of the screen; None until there is a first connection."""
        return self.controller.model

    def get_default_screen(self) -> Screen[None]:
        """Return the chat's screen."""
        return self.main

    def on_mount(self) -> None:
        """Install the handlers of signals, so that the terminal is restored at the end."""
        stdin = sys.__stdin__
        self._signals = Signals(
            self._end_by_signal,
            self.suspend,
            self._end_outside,
            None if self.is_headless or stdin is None else stdin.fileno(),
        )
        self._signals.listen()

    @on(MainScreen.Ready)
    def _begin(self) -> None:
        self.controller.refresh()
        self.run_worker(self._listen(), exit_on_error=True)

    def on_ready(self) -> None:
        """Enable garbage collection again: `start.run` has disabled it until the first frame."""
        gc.enable()

    # --- the connection ------------------------------------------------------------------------

    async def _listen(self) -> None:
        while True:
            await self._bell.hear(self._patience_s())
            if not self.is_running:
                return  # the widgets are being removed, one after the other
            if self.model is None:
                self._make_model()
            else:
                self._receive(self.model)
            self.controller.refresh()
            await asyncio.sleep(PAINTED_EVERY_S)

    def _patience_s(self) -> float | None:
        """Return the seconds until there is something to do even if the bell is silent."""
        if self.model is None:
            return None
        chat = self.model.chat
        waits = [] if chat.wake_at is None else [max(0.0, chat.wake_at - time.monotonic())]
        if not chat.connected:
            waits.append(1.0)  # the seconds until the next attempt are shown
        return min(waits, default=None)

    def _make_model(self) -> None:
        """Make the model if the first attempt has succeeded; end the program if it has failed."""
        outcome = self._attempt.take_outcome()
        match outcome:
            case Client():
                mention = self._choices.mention_of(outcome.welcome.name)
                ignored = Ignored(outcome.welcome.name, server_names(self._to.addresses))
                problems = (self._settings_problem, ignored.problem)
                to_say = "\n".join(filter(None, (self._whereabouts.introduction(), *problems)))
                model = ChatModel(
                    outcome, self._reconnector, self._to, mention, to_say,
                    operator_secret=self._operator_secret, ignored=ignored,
                    whereabouts=self._whereabouts,
                    is_away=self.controller.attention.presence.has_left,
                )  # fmt: skip
                model.shows_statuses = self._choices.settings.notify_statuses
                self.controller.model = model
                model.chat.advance()
                self._bell.ring()
            case NoConnection():
                text = unreachable.no_connection(outcome, self._to)
                self.exit(Ending(EXIT_NO_CONNECTION, [text]))
            case RegistrationRefused() if asks_for_code(outcome.error):
                self._ask_for_code(outcome.error)
            case RegistrationRefused() | CertificateRefused():
                text = explain.refused(outcome, self._to)
                self.exit(Ending(EXIT_REFUSED, [text]))
            case Exception():
                raise outcome

    def _ask_for_code(self, refusal: Error) -> None:
        """Try again with the code that the user types; end the program if there is none."""

        def answer(code: str | None) -> None:
            if code is None:
                text = explain.registration_refused(refusal, self._to)
                self.exit(Ending(EXIT_REFUSED, [text]))
            else:
                self._attempt = self._attempt_with(code)

        self.push_screen(dialogs.CodeDialog(explain.code_wanted(refusal)), answer)

    def _receive(self, model: ChatModel) -> None:
        chat = model.chat
        until = time.monotonic() + RECEIVE_WITHIN_S
        while more := chat.receive(at_most=MESSAGES_AT_ONCE):
            if time.monotonic() >= until:
                break
        chat.advance()
        if more:
            self._bell.ring()
        if chat.over:
            status = chat.exit_status
            lines = [] if status == EXIT_FINE else [model.last_words, *self._not_sent()]
            self.exit(Ending(status, lines))

    # --- what is typed, and what widgets post --------------------------------------------------

    def _submit(self, text: str) -> None:
        self._carry_out(self.controller.submit(text))

    @on(MainScreen.CommandChosen)
    def _submit_chosen(self, event: MainScreen.CommandChosen) -> None:
        self._carry_out(self.controller.submit(event.line, is_typed=False))

    def _carry_out(self, command: AppCommand | None) -> None:
        match command:
            case Help():
                self.action_help()
            case SetTheme():
                self.main.hint(self._theming.choose(command.theme))
            case ShowText():
                self.action_show_text()
            case Quit():
                self.action_leave()
        self.controller.refresh()
        self._bell.ring()  # after sending, `_listen` may have to wake up earlier

    def _complete(self, before_cursor: str) -> Completion:
        names, operator = self.controller.names, self.controller.is_operator
        return complete(before_cursor, names, on_screen=True, operator=operator)

    @on(MainScreen.ConversationChosen)
    def _open_conversation(self, event: MainScreen.ConversationChosen) -> None:
        self.controller.navigation.open(event.name)

    @on(ConversationList.CloseWanted)
    def _close_conversation(self, event: ConversationList.CloseWanted) -> None:
        self.controller.navigation.close(event.name)

    @on(MainScreen.PersonChosen)
    def _ask_about_person(self, event: MainScreen.PersonChosen) -> None:
        self._carry_out(self.controller.carry_out(GetInfo(name=event.name)))

    @on(CopyWanted)
    def _copy(self, event: CopyWanted) -> None:
        self.copy_to_clipboard(event.text)
        show = self.screen.show_hint if isinstance(self.screen, dialogs.Dialog) else self.main.hint
        show(copied_words(has_clipboard=self._has_clipboard(self._terminal_name)))

    @on(CopyDialog.TextWanted)
    def _show_text(self, event: CopyDialog.TextWanted) -> None:
        with self.suspend():
            bareview.show_until_key(event.text)

    @on(MessageLog.ReachedTop)
    def _fetch_older(self) -> None:
        self.controller.fetch_older()

    @on(dialogs.SearchDialog.OlderWanted)
    def _find_older(self, event: dialogs.SearchDialog.OlderWanted) -> None:
        self.controller.find_older(event.search)

    @on(MessageLog.NewBelow)
    @on(MainScreen.Uncovered)
    def _note_what_is_in_view(self) -> None:
        self.controller.attention.update()

    @on(ConversationLog.Chosen)
    def _choose_message(self, event: ConversationLog.Chosen) -> None:
        self.controller.choose_message(event.entry)

    @on(MessageLog.Clicked)
    def _send_clicked_again(self, event: MessageLog.Clicked) -> None:
        entry = event.entry
        if isinstance(entry, Said) and entry.can_be_sent_again:
            self.controller.send_again(entry)

    # --- keys ----------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """Note that the user is active, and pass the event on."""
        if isinstance(event, events.Key | events.Paste | events.MouseDown):
            self.controller.attention.note_input()
        await super().on_event(event)

    def on_paste(self, event: events.Paste) -> None:
        """Insert a paste into the composer if no other text field has used it."""
        if self.screen is self.main:
            self.main.set_focus(self.main.composer)
        self.main.composer.paste(event.text)

    def on_app_focus(self) -> None:
        """Note that the terminal has the focus."""
        self.controller.attention.note_focus(True)

    def on_app_blur(self) -> None:
        """Note that the terminal has lost the focus."""
        self.controller.attention.note_focus(False)

    def action_help(self) -> None:
        """Show all keys and commands."""
        self.push_screen(dialogs.HelpDialog(operator=self.controller.is_operator))

    def action_show_pinned(self) -> None:
        """Show the whole of the pinned message."""
        pinned = None if self.model is None else self.model.chat.state.pinned
        if pinned is not None:
            self.push_screen(order_dialogs.PinnedDialog(pinned))

    def action_status(self) -> None:
        """Ask the user for a status."""
        self.controller.choose_status()

    def action_other_theme(self) -> None:
        """Change between dark and light colours."""
        self.main.hint(self._theming.choose(None))

    def action_go(self, way: str) -> None:
        """Go to a conversation, or to a place in the open one; `Navigation` defines the ways."""
        self.controller.navigation.go(way)

    def action_send_again(self) -> None:
        """Send the last undelivered message again."""
        self.controller.send_again()

    def action_stop(self) -> None:
        """Stop this program and return to the shell, until `fg` continues it."""
        if not self._signals.stop_job():
            self.main.hint(_("There is no shell to go back to."))

    def action_show_text(self) -> None:
        """Leave the screen for a moment, so that the terminal's own selection can copy text."""
        with self.suspend():
            bareview.show_until_key(bare(self.controller.current.entries, self._painter))

    @on(TerminalNamed)
    def _note_terminal_name(self, event: TerminalNamed) -> None:
        self._terminal_name = event.name

    @on(FocusIsReported)
    def _note_reports_of_focus(self) -> None:
        # Inside tmux the answer is from tmux, which may never report the focus.
        if not self._terminal.is_relayed:
            self.controller.attention.presence.expect_reports()

    @on(BackgroundReported)
    def _use_background(self, event: BackgroundReported) -> None:
        self._theming.set_background(is_dark=event.is_dark)

    # --- the end -------------------------------------------------------------------------------

    def action_leave(self) -> None:
        """Leave; if typed text would be lost, ask first. The second time leave at once."""
        self._leaving.begin()

    def _end_by_signal(self, number: signal.Signals) -> None:
        self.exit(Ending(EXIT_FINE, self._not_sent(), number))

    def _end_outside(self, number: signal.Signals) -> None:
        """End at once: the program is stopped, and the terminal belongs to the shell."""
        # Or printing the last lines could stop the program again.
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        finish(Ending(EXIT_FINE, self._not_sent(), number), self.farewell())

    def _not_sent(self) -> list[str]:
        return [explain.not_sent(draft) for draft in self.controller.drafts]

    def farewell(self) -> list[str]:
        """End the session; return the lines to print at the end. Call after the app has run."""
        self.controller.give_up()
        return [] if self.model is None else self.model.chat.farewell().lines
