"""The entries of one conversation in the order of their time, with days, within a bound.

Entries are messages, joins and leaves, texts of this program, and marks. The texts of this program
are stored as functions that make them, so that their language can change. No widget, no I/O, no
clock. Runs on the event loop's thread.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from enum import Enum, auto

from msgspec import Struct

from tertulia.chat.display import local_day
from tertulia.chat.speakers import speaker_words
from tertulia.protocol.messages import Direct, Joined, Left, Presence, Status

MAX_FOLDED_NAMES = 1_000  # in one entry; further names are only counted
GROUP_MINUTES = 5  # after so long, the time and the name of a speaker are shown again
MAX_CHARS = 8_000_000  # of text; only very long messages reach this bound
_TRIMMED_AT_ONCE = 500  # entries beyond the bound: removing each entry alone would cost more


class Delivery(Enum):
    """The delivery of a message, as far as it is known."""

    DELIVERED = auto()
    SENDING = auto()
    FAILED = auto()
    UNKNOWN = auto()  # there was no answer


class Said(Struct, eq=False):
    """A message.

    `seq` is its number in the general chat. `request` sends it again if it is a direct message of
    this user. The timeline sets the last two fields.
    """

    time: str
    sender: str
    text: str
    own: bool = False
    mention: bool = False
    hook: bool = False  # it was sent through a hook by a program
    seq: int | None = None
    request: Direct | None = None
    delivery: Delivery = Delivery.DELIVERED
    why: Callable[[], str] | None = None  # returns why it was not delivered
    # It is below a message of the same user, so it shows no time and no name.
    continues: bool = False
    group_since: str = ""  # the time of the first message of the group

    @property
    def speaker(self) -> str:
        """Return the name as it is shown before the message."""
        return speaker_words(self.sender, hook=self.hook)

    @property
    def can_be_sent_again(self) -> bool:
        """Return whether it failed or may not have arrived."""
        return self.delivery in (Delivery.FAILED, Delivery.UNKNOWN)


class Change(Struct):
    """The changes of one user while a `Moved` entry grew."""

    was_here: bool
    is_here: bool
    left: Left | None = None  # the last time that the user left
    status: Status | None = None


class Moved(Struct, eq=False):
    """Users who joined, left or changed status in succession, combined in one entry."""

    time: str
    changes: dict[str, Change]
    others: int = 0  # the number of events of further users, beyond MAX_FOLDED_NAMES

    def fold(self, event: Joined | Left | Presence) -> None:
        """Add one more event."""
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
                change.is_here, change.left = False, event
            case Presence():
                change.status = event.status


class Told(Struct, eq=False):
    """A text of this program."""

    time: str
    words: Callable[[], str]
    continues: bool = False  # it is below another text, so it shows no time
    group_since: str = ""


class Day(Struct, eq=False):
    """A new day begins here."""

    day: date


class New(Struct, eq=False):
    """A mark: the entries below are new since the user was here."""


Entry = Said | Moved | Told | Day | New


class Timeline:
    """Entries in the order of their time.

    Entries have numbers that they keep while others are added above or forgotten: `first` is the
    number of the oldest one here.
    """

    def __init__(self, *, has_history: bool = False) -> None:
        self.entries: list[Entry] = []
        self.first = 0
        self.has_older = has_history  # as far as is known, the history has older messages
        self.watched = False  # it is on the screen, so changed entries have to be painted again
        self._has_history = has_history  # forgotten entries can be fetched from there
        self.new_mark: New | None = None
        self._chars = 0
        self._day: date | None = None  # the day of the newest entry
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
    def is_full_of_text(self) -> bool:
        """Return whether there is no room for more text."""
        return self._chars >= MAX_CHARS

    def add(self, entry: Said | Told) -> None:
        """Add an entry; if it is of a new day, add that day first."""
        self._add_day(entry.time)
        self._append(entry)

    def fold(self, event: Joined | Left | Presence) -> None:
        """Add an event to the last entry if that combines such events, otherwise as a new entry."""
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
        older = Timeline()
        for message in messages:
            older.add(message)
        oldest = self.entries[0] if self.entries else None
        if isinstance(oldest, Day) and oldest.day == older._day:
            del self.entries[0]
            self.first += 1
        self.entries[:0] = older.entries
        self._regroup(len(older.entries))
        self.first -= len(older.entries)
        self._chars += older._chars
        self._day = self._day or older._day

    def forget_oldest(self, bound: int) -> None:
        """Forget the oldest entries beyond a number, and beyond MAX_CHARS."""
        if len(self.entries) <= bound + _TRIMMED_AT_ONCE and self._chars <= MAX_CHARS:
            return
        count = 0
        while len(self.entries) - count > bound or self._chars > MAX_CHARS:
            self._chars -= _chars(self.entries[count])
            count += 1
        if self.new_mark is not None and self.new_mark in self.entries[: count + 1]:
            self.drop_new()  # there would be no entry above it
            count -= 1
        del self.entries[:count]
        self.first += count
        self.has_older = self._has_history
        if self.entries and not isinstance(oldest := self.entries[0], Day | New):
            day = local_day(oldest.time)
            if day is not None:
                self.entries.insert(0, Day(day))
                self.first -= 1
        self._regroup(0, 1)

    def set_time(self, entry: Said, time: str) -> None:
        """Give an entry the server's time, and move it behind earlier entries."""
        entry.time = time
        self.mark_changed(entry)
        index = next(i for i, other in enumerate(self.entries) if other is entry)
        place = index
        for later in range(index + 1, len(self.entries)):
            other = self.entries[later]
            is_settled = not (isinstance(other, Said) and other.delivery is Delivery.SENDING)
            if is_settled and not isinstance(other, Day | New) and _is_before(other.time, time):
                place = later
        if place > index:
            self.entries.insert(place + 1, entry)
            del self.entries[index]
            self._is_reordered = True
            above = self.entries[index - 1] if index else None
            below = next(other for other in self.entries[index:] if not isinstance(other, New))
            if isinstance(above, Day) and isinstance(below, Day):
                del self.entries[index - 1]  # that day has no entries left
                place -= 1
        day = local_day(time)
        if place == len(self.entries) - 1 and day and self._day and day > self._day:
            self.entries.insert(place, Day(day))
            self._day, self._is_reordered = day, True
        self._regroup(*range(index, len(self.entries)))

    def mark_new(self) -> None:
        """Mark the following entries as new, if there is a message above; remove an older mark."""
        self.drop_new()
        if any(isinstance(entry, Said) for entry in reversed(self.entries)):
            self.new_mark = New()
            self._append(self.new_mark)

    def drop_new(self) -> None:
        """Remove the mark of new entries."""
        if self.new_mark is None:
            return
        for index in reversed(range(len(self.entries))):
            if self.entries[index] is self.new_mark:
                del self.entries[index]
                self._is_reordered = True
                self._regroup(index)
                break
        self.new_mark = None

    def pop_reordered(self) -> bool:
        """Return whether entries have changed their places since the last call."""
        is_reordered, self._is_reordered = self._is_reordered, False
        return is_reordered

    def mark_changed(self, entry: Entry) -> None:
        """Note that an entry has to be painted again."""
        if self.watched and entry not in self._changed:
            self._changed.append(entry)

    def pop_changed(self) -> list[Entry]:
        """Return the entries that have to be painted again since the last call."""
        changed, self._changed = self._changed, []
        return changed

    def _add_day(self, time: str) -> None:
        day = local_day(time)
        if day is not None and (self._day is None or day > self._day):
            self._day = day
            self.entries.append(Day(day))

    def _append(self, entry: Entry) -> None:
        if isinstance(entry, Said | Told):
            _join_group(entry, self.entries[-1] if self.entries else None)
        self.entries.append(entry)
        self._chars += _chars(entry)

    def _regroup(self, *indices: int) -> None:
        """Let entries join the entries before them, which have changed."""
        for index in indices:
            entry = self.entries[index] if index < len(self.entries) else None
            if isinstance(entry, Said | Told):
                continued = entry.continues
                _join_group(entry, self.entries[index - 1] if index else None)
                if entry.continues is not continued:
                    self.mark_changed(entry)


def with_days(messages: Sequence[Said]) -> list[Entry]:
    """Return messages that may be far apart in time, with each day before its first message."""
    entries: list[Entry] = []
    day = None
    for message in messages:
        following = local_day(message.time)
        if following is not None and following != day:
            day = following
            entries.append(Day(day))
        entries.append(message)
    return entries


def _join_group(entry: Said | Told, before: Entry | None) -> None:
    """Join the group of the entry before, or begin a group."""
    match entry, before:
        case Said(), Said():
            is_same = (entry.sender, entry.hook) == (before.sender, before.hook)
        case Told(), Told():
            is_same = True
        case _:
            is_same = False
    since = before.group_since if isinstance(before, Said | Told) else ""
    entry.continues = is_same and _is_soon_after(since, entry.time)
    entry.group_since = since if entry.continues else entry.time


def _is_soon_after(since: str, time: str) -> bool:
    if since[:16] == time[:16]:  # the same minute, as in a burst
        return True
    try:
        passed = datetime.fromisoformat(time) - datetime.fromisoformat(since)
    except (ValueError, TypeError):
        return False  # a faulty server sent an invalid time
    return timedelta() <= passed < timedelta(minutes=GROUP_MINUTES)


def _is_before(time: str, other: str) -> bool:
    try:
        return datetime.fromisoformat(time) < datetime.fromisoformat(other)
    except (ValueError, TypeError):
        return False  # a faulty server sent an invalid time


def _chars(entry: Entry) -> int:
    return len(entry.text) if isinstance(entry, Said) else 0
