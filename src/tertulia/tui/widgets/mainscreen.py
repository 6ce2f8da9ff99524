"""The chat's screen: conversations left, the one that is open in the middle, people right.

It shows what it is given, and keeps the reading place of each conversation. What goes beyond the
screen is the app's. Runs on the event loop's thread.
"""

from collections.abc import Callable
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input, Static, TextArea

from tertulia.chat import commands
from tertulia.chat.commands import Completion
from tertulia.chat.display import Glyphs, visible, visible_in_a_line
from tertulia.chat.state import State
from tertulia.i18n import _, ngettext
from tertulia.protocol.messages import User
from tertulia.protocol.texts import MAX_TEXT_BYTES
from tertulia.tui.keys import bindings
from tertulia.tui.model.conversations import GENERAL, Conversation, Conversations, Said
from tertulia.tui.painting.painter import ConversationPainter
from tertulia.tui.widgets import columns
from tertulia.tui.widgets.bars import Item, KeyBar, StatusBar
from tertulia.tui.widgets.composer import Composer
from tertulia.tui.widgets.dialogs import ChatLog
from tertulia.tui.widgets.messagelog import MessageLog, Place
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
    """Letters of the names to be shown; the arrows go on to the list."""

    async def on_key(self, event: events.Key) -> None:
        """Leave the list's keys to the list."""
        if event.key in ("up", "down", "pageup", "pagedown"):
            event.stop()
            people = self.screen.query_one(PeopleList)
            self.screen.set_focus(people)
            await people.run_action(f"highlight_by({-1 if event.key.endswith('up') else 1})")


class MainScreen(Screen[None], inherit_bindings=False):
    """Everything but the dialogs."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 (declared so by Textual)
        (0, "-tiny"),
        (76, "-narrow"),
        (100, "-wide"),
    ]

    class Ready(Message):
        """There are widgets that can show something."""

    def __init__(
        self, complete: Callable[[str], Completion], painter: ConversationPainter, glyphs: Glyphs
    ) -> None:
        super().__init__()
        self._glyphs = glyphs
        self._painter = painter
        self._complete = complete
        self._shown: Conversation | None = None
        self._first = self._end = 0  # the numbers of the entries that the log has
        self._places: dict[str, Place | None] = {}  # where each conversation is being read
        self._hinted_at = ""  # what stood in the composer when the hint came

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
                yield ChatLog(self._painter, id="log")
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
        """Begin where one types."""
        self.composer = self.query_one(Composer)
        self.log_view = self.query_one("#log", ChatLog)
        self.conversation_list = self.query_one(ConversationList)
        self.people_list = self.query_one(PeopleList)
        self.filter = self.query_one("#filter", Input)
        self.composer.focus()
        self.translate_composer()
        self.post_message(self.Ready())

    def translate(self) -> None:
        """Write everything in the language of now."""
        self.query_one("#left-title", Static).update(_("Chats"))
        self.filter.placeholder = _("filter")
        self.query_one(KeyBar).translate()
        self.log_view.repaint()
        self.translate_composer()

    def hint(self, text: str) -> None:
        """Show a word or two above the composer; nothing hides the line."""
        self._hinted_at = self.composer.text
        hint = self.query_one("#hint", Static)
        hint.update(visible(text))
        hint.display = bool(text)

    def show_column(self, column: str) -> None:
        """Show one of the side columns on a narrow screen, and only that one."""
        for side in ("left", "right"):
            self.query_one(f"#{side}").set_class(side == column, "shown")

    # --- what there is to show -----------------------------------------------------------------

    def show_connecting(self, words: str) -> None:
        """Show that there is nothing to show yet."""
        self.query_one("#title", Static).update(visible_in_a_line(words))

    def show_connection(self, own_status: str, server: str, count: str, connection: str) -> None:
        """Show who and where one is."""
        self.query_one(StatusBar).show(own_status, server, count, connection)

    def show_conversations(
        self, conversations: Conversations, state: State, *, known: bool
    ) -> None:
        """Show the conversations, and what is new in the one that is open."""
        current = conversations.current
        if current is not self._shown:
            self._turn_to(current)
        else:
            self._show_news(current)
            current.trim(reading=not self.log_view.at_end)
            self._mend_front(current)
        self.conversation_list.rows = columns.conversation_rows(conversations)
        self.query_one("#title", Static).update(self._title(current, state, known))
        self.query_one("#unread", Item).say(columns.unread_elsewhere(conversations))

    def show_people(self, users: list[User], own_name: str, *, known: bool) -> None:
        """Show who is here; without a connection nothing is `known` of them."""
        title = columns.people_count(len(users)) if known else _("People")
        self.query_one("#right-title", Static).update(title)
        self.filter.display = len(users) >= FILTER_FROM or bool(self.filter.value)
        self.people_list.rows = columns.people_rows(
            users, own_name, self._glyphs, wanted=self.filter.value, known=known
        )

    @on(MessageLog.NewBelow)
    def _show_new_below(self, event: MessageLog.NewBelow) -> None:
        text = ngettext("▼ {count} new below", "▼ {count} new below", event.count)
        self.query_one("#below", Item).say(text.format(count=event.count) if event.count else "")

    def _turn_to(self, conversation: Conversation) -> None:
        if self._shown is not None:
            self._places[self._shown.name] = self.log_view.reading_place
            self._shown.draft = self.composer.text
        else:
            conversation.draft = self.composer.text  # typed before there was a connection
        self._shown = conversation
        conversation.take_changed()
        self._first, self._end = conversation.first, conversation.end
        self.log_view.show(conversation.entries, self._places.get(conversation.name))
        self.composer.load(conversation.draft)
        name = visible_in_a_line(conversation.name)
        general = conversation.name == GENERAL
        self.query_one("#prompt", Static).update("" if general else f"@{name}")
        self.query_one("#prompt").display = not general
        self.translate_composer()

    @on(events.DescendantFocus)
    def translate_composer(self) -> None:
        """Say in the empty composer whom one writes to, or how to get back to it."""
        if isinstance(self.focused, RowList | Input):
            self.composer.placeholder = _("Esc: back to writing")
            return
        name = "" if self._shown is None else self._shown.name
        text = _("Write to everyone") if name == GENERAL else _("Write to {name} alone")
        self.composer.placeholder = text.format(name=visible_in_a_line(name))

    def _show_news(self, conversation: Conversation) -> None:
        new = conversation.entries[max(0, self._end - conversation.first) :]
        if new:
            self.log_view.append(new, sum(isinstance(entry, Said) for entry in new))
            self._end = conversation.end
        for entry in conversation.take_changed():
            self.log_view.changed(entry)

    def _mend_front(self, conversation: Conversation) -> None:
        """Bring the oldest entries of the log into step: some were forgotten, or have come."""
        log, entries = self.log_view, conversation.entries
        if conversation.first > self._first:
            log.drop_first(conversation.first - self._first)
            self._first = conversation.first
        if entries and log.first_entry is not entries[self._first - conversation.first]:
            log.drop_first(1)  # a day, which begins with another message now
            self._first += 1
        if conversation.first < self._first:
            log.prepend(entries[: self._first - conversation.first])
            self._first = conversation.first

    def _title(self, conversation: Conversation, state: State, known: bool) -> str:
        if conversation.name == GENERAL:
            return _("General: everyone reads this")
        name = state.registered_name(conversation.name)
        status = state.status_of(name)
        if not known:
            shown = "?"
        else:
            shown = _("not here") if status is None else self._glyphs.status(status)
        text = _("{name} {status}: only the two of you read this")
        return text.format(name=visible_in_a_line(name), status=shown)

    # --- keys ----------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Let text go where it means something: what comes here had no meaning where it was typed.

        The next key may have been sent to the same place before the focus has moved.
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
        """Go back to where one types."""
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
        """Draw everything anew, over what another program may have left on the terminal."""
        self.app.refresh(layout=True)

    async def action_scroll(self, how: str) -> None:
        """Scroll the conversation while one types."""
        await self.log_view.run_action(how)

    async def action_interrupt(self) -> None:
        """Copy what is selected; else clear the line; else prepare to leave; else leave."""
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
            composer.select_all()  # what is typed now takes its place
            self.action_to_composer()
            self.hint(_("Enter leaves."))

    # --- the composer --------------------------------------------------------------------------

    @on(Composer.Candidates)
    def _show_candidates(self, event: Composer.Candidates) -> None:
        words = [word.strip() for word in event.candidates]
        if words:
            chosen, after = words[event.chosen_index], words[event.chosen_index + 1 :]
            words = [f"[{chosen}]", *after, *words[: event.chosen_index]]
        self.hint(" ".join(words))

    @on(Composer.Pasted)
    def _tell_about_paste(self, event: Composer.Pasted) -> None:
        if event.lines > 1:
            text = _("{lines} lines pasted ({chars} characters): Enter sends them as one message.")
            self.hint(text.format(lines=event.lines, chars=event.chars))

    @on(Composer.PasteTooLong)
    def _refuse_paste(self, event: Composer.PasteTooLong) -> None:
        text = _("Not pasted: {size} bytes are too many. A message has at most {most}.")
        self.hint(text.format(size=event.size_bytes, most=MAX_TEXT_BYTES))

    @on(TextArea.Changed)
    def _forget_hint(self, event: TextArea.Changed) -> None:
        if event.text_area.text not in ("", self._hinted_at):
            self.hint("")

    def drafts(self, conversations: Conversations | None) -> list[str]:
        """List what was typed and not sent."""
        texts = [self.composer.text]
        if conversations is not None:
            others = [found for found in conversations.listed if found is not self._shown]
            texts += [conversation.draft for conversation in others]
        return [text for text in texts if text.strip() not in ("", commands.quit_word())]
