"""The logs that show entries of conversations: the open conversation, and search results.

Runs on the event loop's thread.
"""

from bisect import bisect_right
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.selection import Selection

from tertulia.protocol.texts import CONTROL_CHARACTER
from tertulia.safetext import visible
from tertulia.tui.model.conversations import Conversation
from tertulia.tui.model.timeline import Entry, New, Said
from tertulia.tui.painting.painter import STYLES, ConversationPainter
from tertulia.tui.widgets.messagelog import MessageLog, Place


class ChatLog(MessageLog[Entry]):
    """A log of entries in the styles of their painter."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"message-log--{style}" for style in STYLES}

    def __init__(self, painter: ConversationPainter, *, id: str | None = None) -> None:
        super().__init__(painter, id=id)
        self._conversation_painter = painter

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text as it was written, not as drawn, and the line end after it.

        If messages are selected, only messages are copied. Messages of several people have names.
        """
        painter, width = self._conversation_painter, self._laid_out.width
        parts = [
            (entry, painter.said(entry) if spans is None else painter.copied(entry, width, spans))
            for entry, spans in self.selected_entries(selection)
        ]
        said = [(entry, text) for entry, text in parts if isinstance(entry, Said) and text]
        if not any(text for _, text in parts):  # for example, only a name is selected
            return super().get_selection(selection)
        if not said:
            texts = [text for _, text in parts if text]
        elif len({entry.speaker for entry, _ in said}) == 1:
            texts = [text for _, text in said]
        else:
            texts = [f"{entry.speaker}: {text}" for entry, text in said]
        # Text that could control a terminal must not be pasted into one.
        return CONTROL_CHARACTER.sub(lambda control: visible(control[0]), "\n".join(texts)), "\n"


class ConversationLog(ChatLog):
    """The log of the open conversation; it remembers the reading place of each conversation."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False, id="conversation-log.up"),
        Binding("down", "move(1)", show=False, id="conversation-log.down"),
        Binding("enter", "choose_marked", show=False, id="conversation-log.choose"),
    ]

    class Chosen(Message):
        """The user wants to do something with a message."""

        def __init__(self, entry: Said) -> None:
            super().__init__()
            self.entry = entry

    def __init__(self, painter: ConversationPainter, *, id: str | None = None) -> None:
        super().__init__(painter, id=id)
        self.conversation: Conversation | None = None
        self._marked: Entry | None = None
        self._is_marking = False  # the vertical keys move the mark
        # The numbers of the conversation's entries in the log.
        self._first_number = self._end_number = 0
        self._reading_places: dict[str, Place | None] = {}  # by the conversation's name

    def selection_updated(self, selection: Selection | None) -> None:
        """Remember the selected entry, because typing clears the selection itself."""
        super().selection_updated(selection)
        if selection is not None and selection.start is not None:
            index = bisect_right(self._ends, selection.start.y)
            self._marked = self._entries[index] if index < len(self._entries) else None

    def begin_marking(self) -> bool:
        """Mark the last message in view, or the one above the mark; return whether there is one.

        From now on the vertical keys move the mark, until another widget gets the focus.
        """
        is_marking, self._is_marking = self._is_marking, True
        self.focus()
        return self._move_mark(-1 if is_marking else 0)

    def on_blur(self) -> None:
        """Let the vertical keys scroll again."""
        self._is_marking = False

    def stop_marking(self) -> None:
        """Remove a mark that the keys have moved; a selection by the mouse stays."""
        if self._is_marking:
            self._is_marking, self._marked = False, None
            self.screen.clear_selection()

    def action_move(self, step: int) -> None:
        """Move the mark; without a mark, scroll by a line."""
        if self._is_marking:
            self._move_mark(step)
        elif step < 0:
            self.action_scroll_up()
        else:
            self.action_scroll_down()

    def action_choose_marked(self) -> None:
        """Post the marked message."""
        if self._is_marking and isinstance(self._marked, Said):
            self.post_message(self.Chosen(self._marked))

    def choose(self, index: int) -> None:
        """Mark a message, and post it."""
        entry = self._entries[index]
        if isinstance(entry, Said):
            self._select(index)
            self.post_message(self.Chosen(entry))

    def _move_mark(self, step: int) -> bool:
        """Mark the message above or below the mark; without a mark, the last message in view."""
        place = None if self._marked is None else self._index_of(self._marked)
        if place is None:
            bottom = self._origin + self.scroll_offset.y + self.room.height - 1
            place, step = min(bisect_right(self._ends, bottom), len(self._entries) - 1), -1
        else:
            place += step
        while 0 <= place < len(self._entries):
            entry = self._entries[place]
            if isinstance(entry, Said):
                self._select(place)
                self._marked = entry
                self._bring_into_view(place)
                return True
            place += step or -1
        return self._marked is not None

    def _bring_into_view(self, index: int) -> None:
        start, end = self._start_of(index) - self._origin, self._ends[index] - self._origin
        top, height = self.scroll_offset.y, self.room.height
        if start < top or end - start > height:
            self.scroll_to(y=start)
        elif end > top + height:
            self.scroll_to(y=end - height)

    @property
    def marked(self) -> Entry | None:
        """Return the entry that was selected last, unless it was already used."""
        return self._marked

    def pop_marked(self) -> Entry | None:
        """Return the entry that was selected last, and forget it."""
        marked, self._marked = self._marked, None
        return marked

    def open(self, conversation: Conversation) -> None:
        """Load a conversation, at its end or at its reading place."""
        if self.conversation is not None:
            self._reading_places[self.conversation.name] = self._lasting_place()
        self.conversation = conversation
        conversation.pop_reordered()
        self._first_number, self._end_number = conversation.first, conversation.end
        self.load(conversation.entries, self._reading_places.get(conversation.name))

    @property
    def is_new_above(self) -> bool:
        """Return whether the mark of new messages is above the view."""
        mark = None if self.conversation is None else self.conversation.new_mark
        line = None if mark is None else self.line_of(mark)
        return line is not None and line < self.scroll_offset.y

    def go_to_new(self) -> bool:
        """Bring the mark of new messages to the top of the view; return whether there is one."""
        mark = None if self.conversation is None else self.conversation.new_mark
        if mark is not None:
            self.go_to(mark)
        return mark is not None

    def show_changes(self) -> None:
        """Show the changes of the open conversation, whose oldest entries may be dropped."""
        conversation = self.conversation
        if conversation is None:
            return
        if conversation.pop_reordered():
            self.open(conversation)
        new = conversation.entries[max(0, self._end_number - conversation.first) :]
        if new:
            self.append(new, sum(isinstance(entry, Said) for entry in new))
            self._end_number = conversation.end
        conversation.trim(reading=not self.at_end)
        self._mend_front(conversation)
        for entry in conversation.pop_changed():
            self.repaint_entry(entry)

    def _lasting_place(self) -> Place | None:
        """Return the reading place, but not on the mark of new messages, which will go."""
        place = self.reading_place
        if place is not None and isinstance(place.entry, New):
            index = self._entries.index(place.entry)
            return Place(self._entries[index + 1], 0)
        return place

    def _mend_front(self, conversation: Conversation) -> None:
        """Drop the entries that the conversation has forgotten, and add the new ones above."""
        entries = conversation.entries
        if conversation.first > self._first_number:
            self.drop_first(conversation.first - self._first_number)
            self._first_number = conversation.first
        if entries and self.first_entry is not entries[self._first_number - conversation.first]:
            self.drop_first(1)  # a day, which now begins with an older message
            self._first_number += 1
        if conversation.first < self._first_number:
            self.prepend(entries[: self._first_number - conversation.first])
            self._first_number = conversation.first
