"""What there is to show in the middle of the screen: conversations, and the entries in each.

Pure: what happened in, entries out; no widget, no I/O. Words of this program are kept as functions
that make them, so that all of them can change their language.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date
from enum import Enum, auto

from msgspec import Struct

from tertulia.chat.display import local_day
from tertulia.protocol.messages import (
    ChatMessage,
    Direct,
    DirectMessage,
    Joined,
    Left,
    Presence,
    Status,
)
from tertulia.protocol.names import parse_name

GENERAL = ""  # the name of the general chat; no user's name is empty
NOBODY = "?"  # the sender of what a faulty server sends without one
MAX_GENERAL_ENTRIES = 10_000  # older ones are forgotten, and come back from the history
MAX_WHILE_READING = 20_000  # for who reads further up, where nothing may go away
MAX_DIRECT_ENTRIES = 1_000  # in each conversation; the server keeps none of them
MAX_CONVERSATIONS = 100  # the one that was silent for longest is forgotten
MAX_CHARS = 8_000_000  # of text in a conversation: the longest messages, and nothing but them
MAX_FOLDED_NAMES = 1_000  # in one line of comings and goings
_TRIMMED_AT_ONCE = 500


class Delivery(Enum):
    """What became of a message."""

    DELIVERED = auto()
    SENDING = auto()
    FAILED = auto()
    UNKNOWN = auto()  # the connection was lost before the answer came


class Said(Struct, eq=False):
    """A message; `seq` is its number in the general chat, `request` a direct one of this user's."""

    time: str
    sender: str
    text: str
    own: bool = False
    mention: bool = False
    seq: int | None = None
    request: Direct | None = None
    delivery: Delivery = Delivery.DELIVERED
    why: Callable[[], str] | None = None  # it failed

    @property
    def can_be_sent_again(self) -> bool:
        """Tell whether it has perhaps not arrived."""
        return self.delivery in (Delivery.FAILED, Delivery.UNKNOWN)


class Change(Struct):
    """What became of one user in a stretch of comings and goings."""

    was_here: bool
    is_here: bool
    went_away: bool = False
    reason: str = ""
    status: Status | None = None


class Moved(Struct, eq=False):
    """A stretch of comings, goings and changes of status, folded into one entry."""

    time: str
    changes: dict[str, Change]
    others: int = 0  # who did not fit in

    def fold(self, event: Joined | Left | Presence) -> None:
        """Take in one more."""
        change = self.changes.get(event.name)
        if change is None:
            if len(self.changes) >= MAX_FOLDED_NAMES:
                self.others += 1
                return
            here = not isinstance(event, Joined)
            change = self.changes[event.name] = Change(was_here=here, is_here=here)
        match event:
            case Joined():
                change.is_here = True
            case Left():
                change.is_here, change.went_away, change.reason = False, True, event.reason
            case Presence():
                change.status = event.status


class Told(Struct, eq=False):
    """Words of this program."""

    time: str
    words: Callable[[], str]


class Day(Struct, eq=False):
    """A new day begins here."""

    day: date


Entry = Said | Moved | Told | Day


class Conversation:
    """A list of entries, numbered without end: `first` is the number of the oldest one there.

    `name` is the other's, or `GENERAL`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.entries: list[Entry] = []
        self.first = 0
        self.unread = 0
        self.calls = False  # among the unread are a mention or a direct message
        self.draft = ""
        self.has_older = name == GENERAL  # in the history, as far as is known
        self.watched = False  # somebody takes what has changed
        self._chars = 0
        self._day: date | None = None  # of the newest entry
        self._changed: list[Entry] = []

    @property
    def end(self) -> int:
        """The number that the next entry will have."""
        return self.first + len(self.entries)

    @property
    def oldest_seq(self) -> int | None:
        """The number in the general chat of the oldest message here."""
        messages = (entry for entry in self.entries if isinstance(entry, Said))
        return next((message.seq for message in messages if message.seq is not None), None)

    @property
    def undelivered(self) -> Said | None:
        """The last message here that can be sent again."""
        for entry in reversed(self.entries):
            if isinstance(entry, Said) and entry.can_be_sent_again:
                return entry
        return None

    @property
    def is_full(self) -> bool:
        """Tell whether no older messages fit in."""
        return len(self.entries) >= MAX_WHILE_READING or self._chars >= MAX_CHARS

    def add(self, entry: Said | Told) -> None:
        """Add an entry, and the day before it if that is a new one."""
        self._add_day(entry.time)
        self._append(entry)

    def fold(self, event: Joined | Left | Presence) -> None:
        """Add that somebody came, went or changed status; to the last entry if that is alike."""
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
        """Add what was said before all that is here."""
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
        """Forget the oldest if there are too many; later if somebody reads further up."""
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

    def mark_changed(self, entry: Entry) -> None:
        """Note that an entry looks different now."""
        if self.watched and entry not in self._changed:
            self._changed.append(entry)

    def take_changed(self) -> list[Entry]:
        """Take the entries that look different since the last time."""
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
    """The general chat, and one conversation for each person written with."""

    def __init__(self, own_name: str) -> None:
        self._own_name = own_name
        self._mention = re.compile(
            rf"(?<![\w.-]){re.escape(own_name)}(?!\.?[\w-])", re.IGNORECASE | re.UNICODE
        )
        self.general = Conversation(GENERAL)
        self.current = self.general
        self.general.watched = True
        self._directs: dict[str, Conversation] = {}  # by the key of the name, the newest last

    @property
    def listed(self) -> list[Conversation]:
        """List them: the general chat, then the others, the most recent first."""
        return [self.general, *reversed(self._directs.values())]

    @property
    def next_unread(self) -> Conversation | None:
        """One with something unread: a direct message first, then a mention, then any."""
        unread = [conversation for conversation in self.listed if conversation.unread]
        return min(unread, key=_urgency, default=None)

    def neighbour(self, step: int) -> Conversation:
        """Find the conversation so many places further down the list, which is a ring."""
        listed = self.listed
        return listed[(listed.index(self.current) + step) % len(listed)]

    def with_name(self, name: str) -> Conversation:
        """Find the conversation with a user, or begin it."""
        if name == GENERAL:
            return self.general
        key = _key(name)
        if key not in self._directs:
            self._directs[key] = Conversation(name)
            if len(self._directs) > MAX_CONVERSATIONS:
                others = (k for k, found in self._directs.items() if found is not self.current)
                del self._directs[next(others)]
        return self._directs[key]

    def open(self, name: str) -> Conversation:
        """Turn to a conversation; what is in it counts as read."""
        self.current.watched = False
        self.current.take_changed()
        self.current = self.with_name(name)
        self.current.watched = True
        self.current.unread, self.current.calls = 0, False
        return self.current

    def heard(self, message: ChatMessage, *, is_new: bool) -> bool:
        """Add a message of the general chat; tell whether it calls for this user's attention."""
        said = self.said(message)
        self.general.add(said)
        if said.own or not is_new:
            return False
        self._count(self.general, calls=said.mention)
        return said.mention

    def said(self, message: ChatMessage) -> Said:
        """Make an entry of a message of the general chat."""
        own = message.sender == self._own_name
        return Said(
            time=message.time,
            sender=message.sender,
            text=message.text,
            own=own,
            mention=not own and self._mention.search(message.text) is not None,
            seq=message.seq,
        )

    def came(self, message: DirectMessage) -> None:
        """Add a direct message from somebody."""
        if message.sender == self._own_name:
            return  # a note to oneself stands there since it was sent
        conversation = self._talk_with(message.sender or NOBODY)
        conversation.add(Said(time=message.time, sender=message.sender, text=message.text))
        self._count(conversation, calls=True)

    def sending(self, request: Direct, name: str, time: str) -> None:
        """Add a direct message of this user that is on its way to `name`."""
        self._talk_with(name).add(
            Said(
                time=time,
                sender=self._own_name,
                text=request.text,
                own=True,
                request=request,
                delivery=Delivery.SENDING,
            )
        )

    def settle(
        self, request: Direct, delivery: Delivery, why: Callable[[], str] | None = None
    ) -> None:
        """Note what became of a direct message of this user."""
        for conversation in self._directs.values():
            for entry in reversed(conversation.entries):
                if isinstance(entry, Said) and entry.request is request:
                    entry.delivery, entry.why = delivery, why
                    conversation.mark_changed(entry)
                    return

    def moved(self, event: Joined | Left | Presence) -> None:
        """Add that somebody came, went or changed status."""
        self.general.fold(event)
        conversation = self._directs.get(_key(event.name))
        if conversation is not None and conversation.entries:
            conversation.fold(event)

    def _talk_with(self, name: str) -> Conversation:
        """Find a conversation, which is the most recent from now on."""
        conversation = self.with_name(name)
        self._directs[_key(name)] = self._directs.pop(_key(name))
        return conversation

    def _count(self, conversation: Conversation, *, calls: bool) -> None:
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


def _chars(entry: Entry) -> int:
    return len(entry.text) if isinstance(entry, Said) else 0
