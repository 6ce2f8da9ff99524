"""The chat's screen: conversations left, the open one in the middle, people right.

It shows the model, and posts a message when the user wants something that needs the chat. Runs on
the event loop's thread.
"""

from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input, Static, TextArea

from tertulia.chat import commands
from tertulia.chat.destination import Destination
from tertulia.chat.display import Glyphs
from tertulia.i18n import _
from tertulia.protocol.texts import MAX_TEXT_BYTES
from tertulia.safetext import visible, visible_in_a_line
from tertulia.tui.keys import NEW, bindings
from tertulia.tui.model.chatmodel import ChatModel
from tertulia.tui.model.conversations import GENERAL, Conversation, Conversations
from tertulia.tui.model.target import target_of
from tertulia.tui.offers import Offer, offers
from tertulia.tui.painting.painter import ConversationPainter
from tertulia.tui.widgets import columns
from tertulia.tui.widgets.bars import KeyBar, TitleBar
from tertulia.tui.widgets.chatlog import ConversationLog
from tertulia.tui.widgets.chatpane import ChatPane
from tertulia.tui.widgets.composer import Composer
from tertulia.tui.widgets.conversationspane import ConversationsPane
from tertulia.tui.widgets.copying import CopyWanted
from tertulia.tui.widgets.entrypane import EntryPane
from tertulia.tui.widgets.palette import PaletteDialog
from tertulia.tui.widgets.peoplepane import PeopleList, PeoplePane
from tertulia.tui.widgets.rowlist import RowList


class MainScreen(Screen[None], inherit_bindings=False):
    """The whole screen, without the dialogs above it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 (declared so by Textual)
        (0, "-tiny"),
        (76, "-narrow"),
        (100, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (24, "-tall")]  # noqa: RUF012

    class Ready(Message):
        """The widgets exist, and can show something."""

    class Uncovered(Message):
        """No dialog is above this screen any more."""

    @dataclass
    class ConversationChosen(Message):
        """The user wants to open a conversation."""

        name: str

    @dataclass
    class PersonChosen(Message):
        """The user wants to know more about a person."""

        name: str

    @dataclass
    class CommandChosen(Message):
        """The user has chosen a command that needs no arguments."""

        line: str

    def __init__(
        self,
        to: Destination,
        composer: Composer,
        painter: ConversationPainter,
        glyphs: Glyphs,
    ) -> None:
        super().__init__()
        self._to = to
        self._address = to.addresses[0]  # the server's address, shown in the title
        self._glyphs = glyphs
        self._painter = painter
        self.composer = composer
        self._model: ChatModel | None = None  # the one shown last
        self._was_connected = False  # the state when the model was shown last
        self._hinted_at = ""  # the composer's text when the hint was shown

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield TitleBar()
        with Horizontal(id="body"):
            yield ConversationsPane(id="left")
            yield ChatPane(self._painter, self._glyphs, id="middle")
            yield PeoplePane(self._to, self._glyphs, id="right")
        yield Static(id="hint", markup=False)
        yield EntryPane(self.composer, id="entry")
        yield KeyBar()

    def on_mount(self) -> None:
        """Begin in the composer."""
        self.conversations_pane = self.query_one(ConversationsPane)
        self.chat_pane = self.query_one(ChatPane)
        self.people_pane = self.query_one(PeoplePane)
        self.entry_pane = self.query_one(EntryPane)
        self.log_view: ConversationLog = self.chat_pane.log_view
        self.conversation_list = self.conversations_pane.list
        self.people_list = self.people_pane.list
        self.filter = self.people_pane.filter
        self.composer.focus()
        self.show_target()
        self.translate_composer()
        self.post_message(self.Ready())

    def on_screen_resume(self) -> None:
        """Post that the conversation is in view again."""
        self.post_message(self.Uncovered())

    def translate(self) -> None:
        """Show all words in the current language."""
        for pane in (self.conversations_pane, self.people_pane, self.query_one(KeyBar)):
            pane.translate()
        self.log_view.repaint()
        self.show_target()
        self.translate_composer()

    def hint(self, text: str) -> None:
        """Show a short text above the composer; an empty text removes it."""
        self._hinted_at = self.composer.text
        hint = self.query_one("#hint", Static)
        hint.update(visible(text))
        hint.display = bool(text)

    def show_column(self, column: str) -> None:
        """On a narrow screen, show one of the side columns, and only that one."""
        for side in ("left", "right"):
            self.query_one(f"#{side}").set_class(side == column, "shown")

    # --- the model -----------------------------------------------------------------------------

    def show_connecting(self) -> None:
        """Show that there is no model yet."""
        words = _("Connecting to {host}, port {port}…")
        words = words.format(host=self._to.hosts.replace(",", ", "), port=self._to.port)
        self.chat_pane.title = visible_in_a_line(words)
        own_status = f"{visible_in_a_line(self._to.name)} ?"
        self._show_state(own_status, connection=_("connecting…"))

    def show_model(self, model: ChatModel, now: float) -> None:
        """Show the present state of the model; `now` is monotonic."""
        self._model = model
        chat = model.chat
        self._address = chat.whereabouts.address
        if chat.connected != self._was_connected:
            self._was_connected = chat.connected
            # The hint may be about the earlier state of the connection.
            is_unsent = chat.connected and self.composer.text
            self.hint(
                _("What you typed has not been sent yet. Press Enter to send it.")
                if is_unsent
                else ""
            )
        self._show_conversations(model.conversations)
        self.chat_pane.show_title(model.conversations.current, chat.state, known=chat.connected)
        self._show_own_state(model, now)
        if model.people_changed:
            model.people_changed = False
            self.people_pane.show(chat)
            self.show_target()
        if model.older_arrived:
            model.older_arrived = False
            self.log_view.go_to_start()

    def _show_own_state(self, model: ChatModel, now: float) -> None:
        chat, state = model.chat, model.chat.state
        status = self._glyphs.status(state.status) if chat.connected else "?"
        own = f"{visible_in_a_line(state.name)} {status}"
        if state.asked_status is not None:
            own += f" → {state.asked_status}…"
        connection = columns.connection_words(chat, now)
        self._show_state(own, connection, columns.unread_elsewhere(model.conversations))

    def _show_state(self, own_status: str, connection: str, unread: str = "") -> None:
        title_bar = self.query_one(TitleBar)
        title_bar.set_class(not self._was_connected, "-lost")
        title_bar.set_texts(
            server=visible_in_a_line(str(self._address)),
            unread=unread,
            connection=connection,
            own_status=own_status,
        )

    def _show_conversations(self, conversations: Conversations) -> None:
        current = conversations.current
        if current is self.log_view.conversation:
            self.log_view.show_changes()
        else:
            self._turn_to(current)
        self.conversations_pane.show(conversations)

    def _turn_to(self, conversation: Conversation) -> None:
        # Text typed before there was a connection goes to the first conversation.
        left = self.log_view.conversation or conversation
        left.draft = self.composer.text
        self.log_view.open(conversation)
        self.composer.turn_to(conversation.draft, conversation.input_history)
        self.show_target()
        self.translate_composer()
        if self.log_view.is_new_above:
            self.hint(_("{key}: go to what is new here.").format(key=NEW.shown))

    @on(TextArea.Changed)
    def show_target(self) -> None:
        """Show the recipients of the typed line."""
        model = self._model
        state = None if model is None else model.chat.state
        conversations = None if model is None else model.conversations
        self.entry_pane.show_target(target_of(self.composer.text, state, conversations))

    @on(RowList.Chosen, "#conversations")
    def _choose_conversation(self, event: RowList.Chosen) -> None:
        self.post_message(self.ConversationChosen(event.key))

    @on(RowList.Chosen, "#people")
    def _choose_person(self, event: RowList.Chosen) -> None:
        self.post_message(self.PersonChosen(event.key))

    @on(Input.Submitted, "#filter")
    def _choose_filtered(self) -> None:
        name, typed = self.people_list.highlighted, self.filter.value
        if name is not None:
            self.post_message(self.PersonChosen(name))
        elif typed:  # no name matches: the text may have been intended for the composer
            self.action_to_composer()
            self.composer.insert(typed)

    @on(events.DescendantFocus)
    def translate_composer(self) -> None:
        """Show in the empty composer who will read the line, or how to go back to the composer."""
        shown = self.log_view.conversation
        self.entry_pane.show_placeholder(
            GENERAL if shown is None else shown.name,
            is_typing=not isinstance(self.focused, RowList | Input),
        )

    # --- keys ----------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Move text that the focused widget did not use to the filter or the composer.

        The next key may go to the same widget, before the focus has moved.
        """
        if event.character is None or not event.is_printable:
            return
        if isinstance(self.focused, PeopleList | Input):
            self.filter.display = True
            self.set_focus(self.filter)
            self.filter.insert_text_at_cursor(event.character)
        else:
            self.set_focus(self.composer)
            self.composer.insert(event.character)

    def action_to_composer(self) -> None:
        """Go back to the composer."""
        self.log_view.stop_marking()
        self.filter.value = ""
        self.show_column("")
        self.set_focus(self.composer)

    def action_mark(self) -> None:
        """Mark a message, so that the keys can move the mark to others."""
        if self.log_view.begin_marking():
            self.hint(_("↑ ↓: choose · Enter: what can be done · Esc: back"))
        else:
            self.hint(_("There is no message here."))

    def action_conversations(self) -> None:
        """Go to the list of conversations, and to the most urgent one with unread messages."""
        unread = None if self._model is None else self._model.conversations.next_unread
        if unread is not None:
            self.conversation_list.highlight(unread.name)
        self.show_column("left")
        self.conversation_list.focus()

    def action_people(self) -> None:
        """Go to the list of people."""
        self.show_column("right")
        self.people_list.focus()

    def action_palette(self) -> None:
        """Offer all commands and all actions of the keys."""
        is_operator = self._model is not None and self._model.chat.state.is_operator
        self.app.push_screen(PaletteDialog(offers(operator=is_operator)), self._take_offer)

    def _take_offer(self, offer: Offer | None) -> None:
        if offer is None:
            return
        if offer.action:
            self.call_later(self.run_action, offer.action)
        elif offer.needs_arguments:
            self._begin_line(f"{offer.word} ")
        else:
            self.post_message(self.CommandChosen(offer.word))

    def _begin_line(self, text: str) -> None:
        """Put the beginning of a line into the composer; one key brings the earlier text back."""
        kept = self.composer.text
        self.composer.begin(text)
        self.action_to_composer()
        if kept.strip():
            self.hint(_("Your text is kept: ↑ brings it back."))

    def action_redraw(self) -> None:
        """Draw everything again, over the output of another program on the terminal."""
        self.app.refresh(layout=True)

    async def action_scroll(self, how: str) -> None:
        """Scroll the conversation while the composer keeps the focus."""
        await self.log_view.run_action(how)

    def get_selected_text(self) -> str | None:
        """Return the selected text; if messages are selected, only their text."""
        selection = self.selections.get(self.log_view)
        found = None if selection is None else self.log_view.get_selection(selection)
        return found[0] if found and found[0] else super().get_selected_text()

    async def action_interrupt(self) -> None:
        """Copy the selected text, or clear the composer, or prepare to leave, or leave."""
        composer = self.composer
        selected = self.get_selected_text() or composer.selected_text
        if composer.text == commands.quit_word():
            await self.run_action("app.leave")
        elif selected:
            self.post_message(CopyWanted(selected))
            self.clear_selection()
        elif composer.text:
            composer.load("")
            self.hint("")
        else:
            composer.load(commands.quit_word())
            composer.select_all()  # so that a text typed now replaces it
            self.action_to_composer()
            self.hint(_("Press Enter to leave."))

    # --- the composer --------------------------------------------------------------------------

    @on(Composer.Candidates)
    def _show_candidates(self, event: Composer.Candidates) -> None:
        words = [word.strip() for word in event.candidates]
        if words:
            chosen, after = words[event.chosen_index], words[event.chosen_index + 1 :]
            words = [f"[{chosen}]", *after, *words[: event.chosen_index]]
        self.hint(" ".join(words))

    @on(Composer.Pasted)
    def _confirm_paste(self, event: Composer.Pasted) -> None:
        if event.lines > 1:
            text = _(
                "{lines} lines pasted ({chars} characters). Press Enter to send them as one "
                "message."
            )
            self.hint(text.format(lines=event.lines, chars=event.chars))

    @on(Composer.PasteTooLong)
    def _refuse_paste(self, event: Composer.PasteTooLong) -> None:
        text = _("Not pasted: the text has {size} bytes, and a message can have at most {most}.")
        self.hint(text.format(size=event.size_bytes, most=MAX_TEXT_BYTES))

    @on(TextArea.Changed)
    def _forget_hint(self, event: TextArea.Changed) -> None:
        if event.text_area.text not in ("", self._hinted_at):
            self.hint("")

    def drafts(self, conversations: Conversations | None) -> list[str]:
        """Return the typed and unsent texts."""
        texts = [self.composer.text]
        if conversations is not None:
            shown = self.log_view.conversation
            others = [found for found in conversations.listed if found is not shown]
            texts += [conversation.draft for conversation in others]
        return [text for text in texts if text.strip() not in ("", commands.quit_word())]
