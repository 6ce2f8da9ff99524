"""The conversations that the screen can show, and the entries in each.

Events in, entries out: no widget, no I/O, no clock. The words of this program are kept as functions
that make them, so that they can change their language.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime

from tertulia.chat.display import local_day
from tertulia.chat.editing import InputHistory
from tertulia.chat.mentions import Mention
from tertulia.protocol.messages import (
    ChatMessage,
    Direct,
    DirectMessage,
    Joined,
    Left,
    Presence,
)
from tertulia.protocol.names import parse_name
from tertulia.tui.model.entries import Day, Delivery, Entry, Moved, Said, Told

GENERAL = ""  # the name of the general chat; no user's name is empty
NOBODY = "?"  # stands for the sender where a faulty server sends an empty one
MAX_GENERAL_ENTRIES = 10_000  # older ones are forgotten, and come back from the history
MAX_WHILE_READING = 20_000  # while the user reads further up, where nothing may disappear
MAX_DIRECT_ENTRIES = 1_000  # in each conversation; the server keeps none of them
# Then the one that has been silent for longest is forgotten: at the first bound if it has no unread
# messages, at the second one in any case; never one with a draft.
MAX_CONVERSATIONS, MAX_UNREAD_CONVERSATIONS = 100, 1_000
MAX_CHARS = 8_000_000  # of text in a conversation; only very long messages reach this
_TRIMMED_AT_ONCE = 500  # entries beyond the bound: to trim one by one would cost more


class Conversation:
    """The entries of the general chat, or of the direct messages with one user.

    `name` is `GENERAL`, or the other user's. Entries have numbers that they keep while others are
    added above or forgotten: `first` is the number of the oldest one here.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.entries: list[Entry] = []
        self.first = 0
        self.unread = 0
        self.calls = False  # a mention or a direct message is among the unread
        self.draft = ""
        self.input_history = InputHistory()
        self.has_older = name == GENERAL  # as far as is known, the history has older messages
        self.watched = False  # it is on the screen, so changed entries have to be painted anew
        self._chars = 0
        self._day: date | None = None  # of the newest entry
        self._changed: list[Entry] = []
        self._is_reordered = False

    @property
    def end(self) -> int:
        """Return the number of the next entry to be added."""
        return self.first + len(self.entries)

    @property
    def oldest_seq(self) -> int | None:
        """Return the `seq` of the oldest message here."""
        messages = (entry for entry in self.entries if isinstance(entry, Said))
        return next((message.seq for message in messages if message.seq is not None), None)

    @property
    def undelivered(self) -> Said | None:
        """Return the newest message here that can be sent again."""
        for entry in reversed(self.entries):
            if isinstance(entry, Said) and entry.can_be_sent_again:
                return entry
        return None

    @property
    def is_full(self) -> bool:
        """Return whether there is no room for older messages."""
        return len(self.entries) >= MAX_WHILE_READING or self._chars >= MAX_CHARS

    def add(self, entry: Said | Told) -> None:
        """Add an entry, and before it the day if a new one has begun."""
        self._add_day(entry.time)
        self._append(entry)

    def fold(self, event: Joined | Left | Presence) -> None:
        """Add an event to the last entry if that is of this kind, else as a new entry."""
        self._add_day(event.time)
        last = self.entries[-1] if self.entries else None
        if isinstance(last, Moved):
            last.fold(event)
            self.mark_changed(last)
        else:
            moved = Moved(time=event.time, changes={})
            moved.fold(event)
            self._append(moved)

    def add_older(self, messages: Sequence[Said]) -> None:
        """Add messages that are older than everything here."""
        older = Conversation(self.name)
        for message in messages:
            older.add(message)
        oldest = self.entries[0] if self.entries else None
        if isinstance(oldest, Day) and oldest.day == older._day:
            del self.entries[0]
            self.first += 1
        self.entries[:0] = older.entries
        self.first -= len(older.entries)
        self._chars += older._chars
        self._day = self._day or older._day

    def trim(self, *, reading: bool) -> None:
        """Forget the oldest entries beyond a bound, which is higher while the user reads above."""
        bound = MAX_GENERAL_ENTRIES if self.name == GENERAL else MAX_DIRECT_ENTRIES
        if reading:
            bound = MAX_WHILE_READING
        if len(self.entries) <= bound + _TRIMMED_AT_ONCE and self._chars <= MAX_CHARS:
            return
        count = 0
        while len(self.entries) - count > bound or self._chars > MAX_CHARS:
            self._chars -= _chars(self.entries[count])
            count += 1
        del self.entries[:count]
        self.first += count
        self.has_older = self.name == GENERAL
        if self.entries and not isinstance(oldest := self.entries[0], Day):
            day = local_day(oldest.time)
            if day is not None:
                self.entries.insert(0, Day(day))
                self.first -= 1

    def place(self, entry: Said, time: str) -> None:
        """Give an entry the server's time, and move it behind what happened before that."""
        entry.time = time
        self.mark_changed(entry)
        index = next(i for i, other in enumerate(self.entries) if other is entry)
        place = index
        for later in range(index + 1, len(self.entries)):
            other = self.entries[later]
            is_settled = not (isinstance(other, Said) and other.delivery is Delivery.SENDING)
            if is_settled and not isinstance(other, Day) and _is_before(other.time, time):
                place = later
        if place > index:
            self.entries.insert(place + 1, entry)
            del self.entries[index]
            self._is_reordered = True
            above = self.entries[max(0, index - 1) : index + 1]
            if len(above) == 2 and all(isinstance(other, Day) for other in above):
                del self.entries[index - 1]  # there is nothing left of that day
                place -= 1
        day = local_day(time)
        if place == len(self.entries) - 1 and day and self._day and day > self._day:
            self.entries.insert(place, Day(day))
            self._day, self._is_reordered = day, True

    def pop_reordered(self) -> bool:
        """Return whether entries have changed their places since the last call."""
        is_reordered, self._is_reordered = self._is_reordered, False
        return is_reordered

    def mark_changed(self, entry: Entry) -> None:
        """Note that an entry has to be painted anew."""
        if self.watched and entry not in self._changed:
            self._changed.append(entry)

    def pop_changed(self) -> list[Entry]:
        """Return the entries that have to be painted anew since the last call."""
        changed, self._changed = self._changed, []
        return changed

    def _add_day(self, time: str) -> None:
        day = local_day(time)
        if day is not None and (self._day is None or day > self._day):
            self._day = day
            self.entries.append(Day(day))

    def _append(self, entry: Entry) -> None:
        self.entries.append(entry)
        self._chars += _chars(entry)


class Conversations:
    """The general chat, and one conversation for each user written with."""

    def __init__(self, own_name: str, mention: Mention | None = None) -> None:
        self._own_name = own_name
        self._mention = mention or Mention(own_name)
        self.general = Conversation(GENERAL)
        self.current = self.general
        self.general.watched = True
        self._directs: dict[str, Conversation] = {}  # by the key of the name, the newest last

    @property
    def listed(self) -> list[Conversation]:
        """Return the general chat, then the others, the most recent first."""
        return [self.general, *reversed(self._directs.values())]

    @property
    def next_unread(self) -> Conversation | None:
        """Return one with unread entries: direct messages first, then a mention, then any."""
        unread = [conversation for conversation in self.listed if conversation.unread]
        return min(unread, key=_urgency, default=None)

    def neighbour(self, step: int) -> Conversation:
        """Return the conversation `step` places down the list; the first follows the last."""
        listed = self.listed
        return listed[(listed.index(self.current) + step) % len(listed)]

    def __contains__(self, name: str) -> bool:
        """Whether there is a conversation with a user."""
        return _key(name) in self._directs

    def with_name(self, name: str) -> Conversation:
        """Return the conversation with a user; begin it if there is none."""
        if name == GENERAL:
            return self.general
        key = _key(name)
        if key not in self._directs:
            self._directs[key] = Conversation(name)
            if len(self._directs) > MAX_CONVERSATIONS:
                self._forget_one(key)
        return self._directs[key]

    def _forget_one(self, new: str) -> None:
        """Forget the conversation that has been silent for longest and is not needed."""
        are_too_many = len(self._directs) > MAX_UNREAD_CONVERSATIONS
        for key, found in self._directs.items():
            is_needed = found.draft or (found.unread and not are_too_many)
            if not (is_needed or key == new or found is self.current):
                del self._directs[key]
                return

    def open(self, name: str) -> Conversation:
        """Make a conversation the current one; its entries count as read."""
        self.current.watched = False
        self.current.pop_changed()
        self.current = self.with_name(name)
        self.current.watched = True
        self.current.unread, self.current.calls = 0, False
        return self.current

    def add_message(self, message: ChatMessage, *, is_new: bool) -> bool:
        """Add a message to the general chat; return whether it is new and mentions this user."""
        said = self.entry_of(message)
        self.general.add(said)
        if said.own or not is_new:
            return False
        self._count_unread(self.general, calls=said.mention)
        return said.mention

    def entry_of(self, message: ChatMessage) -> Said:
        """Make an entry of a message of the general chat."""
        own = message.sender == self._own_name
        return Said(
            time=message.time,
            sender=message.sender,
            text=message.text,
            own=own,
            mention=not own and self._mention.is_in(message.text),
            seq=message.seq,
        )

    def set_mention(self, mention: Mention) -> None:
        """Choose what is a mention of this user, also in the messages that are here already."""
        self._mention = mention
        for entry in self.general.entries:
            if isinstance(entry, Said) and not entry.own:
                entry.mention = mention.is_in(entry.text)

    def add_direct(self, message: DirectMessage) -> None:
        """Add a direct message to this user."""
        if message.sender == self._own_name:
            return  # a note to oneself was added when it was sent
        conversation = self._bring_to_top(message.sender or NOBODY)
        conversation.add(Said(time=message.time, sender=message.sender, text=message.text))
        self._count_unread(conversation, calls=True)

    def add_outgoing(self, request: Direct, name: str, time: str) -> Conversation:
        """Add a direct message of this user that is on its way to `name`."""
        conversation = self._bring_to_top(name)
        conversation.add(
            Said(
                time=time,
                sender=self._own_name,
                text=request.text,
                own=True,
                request=request,
                delivery=Delivery.SENDING,
            )
        )
        return conversation

    def settle(
        self,
        request: Direct,
        delivery: Delivery,
        why: Callable[[], str] | None = None,
        time: str | None = None,
    ) -> None:
        """Mark a direct message of this user with what is known of its delivery.

        `time` is the server's, once it is delivered.
        """
        for conversation in self._directs.values():
            for entry in reversed(conversation.entries):
                if isinstance(entry, Said) and entry.request is request:
                    entry.delivery, entry.why = delivery, why
                    conversation.mark_changed(entry)
                    if time is not None:
                        conversation.place(entry, time)
                    return

    def fold_presence(self, event: Joined | Left | Presence) -> None:
        """Add an event to the general chat, and to the conversation with its user."""
        self.general.fold(event)
        conversation = self._directs.get(_key(event.name))
        if conversation is not None and conversation.entries:
            conversation.fold(event)

    def _bring_to_top(self, name: str) -> Conversation:
        """Return a conversation, which is the most recent from now on."""
        conversation = self.with_name(name)
        self._directs[_key(name)] = self._directs.pop(_key(name))
        return conversation

    def _count_unread(self, conversation: Conversation, *, calls: bool) -> None:
        if conversation is not self.current:
            conversation.unread += 1
            conversation.calls = conversation.calls or calls
            conversation.trim(reading=False)


def _urgency(conversation: Conversation) -> int:
    if not conversation.calls:
        return 2
    return 1 if conversation.name == GENERAL else 0


def _key(name: str) -> str:
    parsed = parse_name(name)
    return name if parsed is None else parsed.key


def _is_before(time: str, other: str) -> bool:
    try:
        return datetime.fromisoformat(time) < datetime.fromisoformat(other)
    except (ValueError, TypeError):
        return False  # a faulty server


def _chars(entry: Entry) -> int:
    return len(entry.text) if isinstance(entry, Said) else 0
