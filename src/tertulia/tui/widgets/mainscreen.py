"""The chat's screen: conversations left, the open one in the middle, people right.

It shows the model, and posts a message when the user wants something beyond this screen. Runs on
the event loop's thread.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input, Static, TextArea

from tertulia.chat import commands
from tertulia.chat.chat import Chat
from tertulia.chat.completion import Completion
from tertulia.chat.destination import Destination
from tertulia.chat.display import Glyphs, visible, visible_in_a_line
from tertulia.chat.state import State
from tertulia.i18n import _, ngettext
from tertulia.protocol.texts import MAX_TEXT_BYTES
from tertulia.tui.keys import bindings
from tertulia.tui.model.chatmodel import ChatModel
from tertulia.tui.model.conversations import GENERAL, Conversation, Conversations
from tertulia.tui.painting.painter import ConversationPainter
from tertulia.tui.widgets import columns
from tertulia.tui.widgets.bars import Item, KeyBar, StatusBar
from tertulia.tui.widgets.chatlog import ConversationLog
from tertulia.tui.widgets.composer import Composer
from tertulia.tui.widgets.messagelog import MessageLog
from tertulia.tui.widgets.rowlist import RowList

FILTER_FROM = 15  # people; fewer are seen at a glance


class ConversationList(RowList):
    """The conversations."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"row-list--{style}" for style in columns.CONVERSATION_STYLES
    }


class PeopleList(RowList):
    """The people who are here."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"row-list--{style}" for style in columns.PEOPLE_STYLES
    }


class Filter(Input):
    """A field whose letters filter the people; its vertical keys move in their list."""

    async def on_key(self, event: events.Key) -> None:
        """Hand the list's keys to the list."""
        if event.key in ("up", "down", "pageup", "pagedown"):
            event.stop()
            people = self.screen.query_one(PeopleList)
            self.screen.set_focus(people)
            await people.run_action(f"highlight_by({-1 if event.key.endswith('up') else 1})")

    def on_paste(self, event: events.Paste) -> None:
        """Leave a text of several lines to the composer: here only the first one would stay."""
        if len(event.text.splitlines()) > 1:
            event.prevent_default()


class MainScreen(Screen[None], inherit_bindings=False):
    """The whole screen, without the dialogs above it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 (declared so by Textual)
        (0, "-tiny"),
        (76, "-narrow"),
        (100, "-wide"),
    ]

    class Ready(Message):
        """The widgets are there, and can show something."""

    @dataclass
    class ConversationChosen(Message):
        """The user wants to open a conversation."""

        name: str

    @dataclass
    class PersonChosen(Message):
        """The user wants to know more about a person."""

        name: str

    def __init__(
        self,
        to: Destination,
        complete: Callable[[str], Completion],
        painter: ConversationPainter,
        glyphs: Glyphs,
    ) -> None:
        super().__init__()
        self._to = to
        self._glyphs = glyphs
        self._painter = painter
        self._complete = complete
        self._model: ChatModel | None = None  # the one shown last
        self._was_connected = False  # when the model was shown last
        self._hinted_at = ""  # the composer's text when the hint was shown

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield Static(_("Chats"), id="left-title", classes="column-title", markup=False)
                yield ConversationList(id="conversations")
            with Vertical(id="middle"):
                with Horizontal(id="heading"):
                    yield Static(id="title", markup=False)
                    yield Item("app.unread", id="unread")
                yield ConversationLog(self._painter, id="log")
                yield Item("screen.scroll('scroll_end')", id="below")
            with Vertical(id="right"):
                yield Static(id="right-title", classes="column-title", markup=False)
                yield Filter(placeholder=_("filter"), id="filter", select_on_focus=False)
                yield PeopleList(id="people")
        yield Static(id="hint", markup=False)
        with Horizontal(id="entry"):
            yield Static(id="prompt", markup=False)
            yield Composer(self._complete, id="composer")
        yield StatusBar()
        yield KeyBar()

    def on_mount(self) -> None:
        """Begin in the composer."""
        self.composer = self.query_one(Composer)
        self.log_view = self.query_one(ConversationLog)
        self.conversation_list = self.query_one(ConversationList)
        self.people_list = self.query_one(PeopleList)
        self.filter = self.query_one("#filter", Input)
        self.composer.focus()
        self.translate_composer()
        self.post_message(self.Ready())

    def translate(self) -> None:
        """Show all words in the current language."""
        self.query_one("#left-title", Static).update(_("Chats"))
        self.filter.placeholder = _("filter")
        self.query_one(KeyBar).translate()
        self.log_view.repaint()
        self.translate_composer()
        self._show_people()

    def hint(self, text: str) -> None:
        """Show a few words above the composer; an empty text removes them."""
        self._hinted_at = self.composer.text
        hint = self.query_one("#hint", Static)
        hint.update(visible(text))
        hint.display = bool(text)

    def show_column(self, column: str) -> None:
        """Show one of the side columns on a narrow screen, and only that one."""
        for side in ("left", "right"):
            self.query_one(f"#{side}").set_class(side == column, "shown")

    # --- the model -----------------------------------------------------------------------------

    def show_connecting(self) -> None:
        """Show that there is no model yet."""
        words = _("Connecting to {host}, port {port}…")
        words = words.format(host=self._to.host, port=self._to.port)
        self.query_one("#title", Static).update(visible_in_a_line(words))
        self._show_status(f"{visible_in_a_line(self._to.name)} ?", "", _("connecting…"))

    def show_model(self, model: ChatModel, now: float) -> None:
        """Show the model as it is now; `now` is monotonic."""
        self._model = model
        chat, state = model.chat, model.chat.state
        if chat.connected != self._was_connected:
            self._was_connected = chat.connected
            # The hint may be about the connection as it was.
            is_unsent = chat.connected and self.composer.text
            self.hint(
                _("What you typed has not been sent yet. Press Enter to send it.")
                if is_unsent
                else ""
            )
        self._show_own_status(chat, now)
        self._show_conversations(model.conversations, state, known=chat.connected)
        if model.people_changed:
            model.people_changed = False
            self._show_people()
        if model.older_arrived:
            model.older_arrived = False
            self.log_view.scroll_home()

    def _show_own_status(self, chat: Chat, now: float) -> None:
        state = chat.state
        status = self._glyphs.status(state.status) if chat.connected else "?"
        own = f"{visible_in_a_line(state.name)} {status}"
        if state.asked_status is not None:
            own += f" → {state.asked_status}…"
        count = columns.people_count(len(state.users)) if chat.connected else ""
        self._show_status(own, count, columns.connection_words(chat, now))

    def _show_status(self, own_status: str, count: str, connection: str) -> None:
        server = f"{self._to.host}:{self._to.port}"
        self.query_one(StatusBar).set_texts(own_status, server, count, connection)

    def _show_conversations(
        self, conversations: Conversations, state: State, *, known: bool
    ) -> None:
        current = conversations.current
        if current is self.log_view.conversation:
            self.log_view.catch_up()
        else:
            self._turn_to(current)
        self.conversation_list.rows = columns.conversation_rows(conversations)
        self.query_one("#title", Static).update(self._heading(current, state, known))
        self.query_one("#unread", Item).set_text(columns.unread_elsewhere(conversations))

    def _turn_to(self, conversation: Conversation) -> None:
        # What was typed before there was a connection goes to the first conversation.
        left = self.log_view.conversation or conversation
        left.draft = self.composer.text
        self.log_view.open(conversation)
        self.composer.turn_to(conversation.draft, conversation.input_history)
        name = visible_in_a_line(conversation.name)
        general = conversation.name == GENERAL
        self.query_one("#prompt", Static).update("" if general else f"@{name}")
        self.query_one("#prompt").display = not general
        self.translate_composer()

    def _heading(self, conversation: Conversation, state: State, known: bool) -> str:
        if conversation.name == GENERAL:
            return _("General: everyone can read this")
        name = state.registered_name(conversation.name)
        status = state.status_of(name)
        if not known:
            shown = "?"
        else:
            shown = _("not here") if status is None else self._glyphs.status(status)
        text = _("{name} {status}: only you two can read this")
        return text.format(name=visible_in_a_line(name), status=shown)

    @on(Input.Changed, "#filter")
    def _show_people(self) -> None:
        """Show the people who match the filter; without a connection their status is unknown."""
        if self._model is None:
            return
        chat = self._model.chat
        users, known = chat.state.users, chat.connected
        title = columns.people_count(len(users)) if known else _("People")
        self.query_one("#right-title", Static).update(title)
        self.filter.display = len(users) >= FILTER_FROM or bool(self.filter.value)
        self.people_list.rows = columns.people_rows(
            users, chat.state.name, self._glyphs, wanted=self.filter.value, known=known
        )

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
        elif typed:  # no name matches: it may have been meant for the composer
            self.action_to_composer()
            self.composer.insert(typed)

    @on(MessageLog.NewBelow)
    def _show_new_below(self, event: MessageLog.NewBelow) -> None:
        text = ngettext("▼ {count} new below", "▼ {count} new below", event.count)
        text = text.format(count=event.count) if event.count else ""
        self.query_one("#below", Item).set_text(text)

    @on(events.DescendantFocus)
    def translate_composer(self) -> None:
        """Show in the empty composer to whom the user writes, or how to get back to it."""
        if isinstance(self.focused, RowList | Input):
            self.composer.placeholder = _("Esc: back to writing")
            return
        shown = self.log_view.conversation
        name = GENERAL if shown is None else shown.name
        text = _("Write to everyone") if name == GENERAL else _("Write only to {name}")
        self.composer.placeholder = text.format(name=visible_in_a_line(name))

    # --- keys ----------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Move text to the filter or the composer: the widget that got it had no use for it.

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
        self.filter.value = ""
        self.show_column("")
        self.set_focus(self.composer)

    def action_conversations(self) -> None:
        """Go to the conversations."""
        self.show_column("left")
        self.conversation_list.focus()

    def action_people(self) -> None:
        """Go to the people."""
        self.show_column("right")
        self.people_list.focus()

    def action_redraw(self) -> None:
        """Draw everything anew, over what another program has left on the terminal."""
        self.app.refresh(layout=True)

    async def action_scroll(self, how: str) -> None:
        """Scroll the conversation while the composer keeps the focus."""
        await self.log_view.run_action(how)

    async def action_interrupt(self) -> None:
        """Copy the selected text; else clear the composer; else prepare to leave; else leave."""
        composer = self.composer
        selected = self.get_selected_text() or composer.selected_text
        if composer.text == commands.quit_word():
            await self.run_action("app.leave")
        elif selected:
            self.app.copy_to_clipboard(selected)
            self.clear_selection()
            self.hint(_("Copied."))
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
        """Return the texts that were typed and not sent."""
        texts = [self.composer.text]
        if conversations is not None:
            shown = self.log_view.conversation
            others = [found for found in conversations.listed if found is not shown]
            texts += [conversation.draft for conversation in others]
        return [text for text in texts if text.strip() not in ("", commands.quit_word())]
