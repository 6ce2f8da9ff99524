"""The conversations of the screen: the general chat, and one with each user who exchanged messages.

Input is events; output is entries: no widget, no I/O, no clock. Runs on the event loop's thread.
"""

from collections.abc import Callable

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
from tertulia.tui.model.timeline import Delivery, Said, Timeline

GENERAL = ""  # the name of the general chat; no user's name is empty
NOBODY = "?"  # replaces an empty sender's name from a faulty server
MAX_GENERAL_ENTRIES = 10_000  # older ones are forgotten, and can be fetched from the history
# While the user reads older messages, because none of those in view may disappear.
MAX_WHILE_READING = 20_000
MAX_DIRECT_ENTRIES = 1_000  # in each conversation; the server keeps no direct messages
# Beyond the first bound the conversation that was silent for longest is forgotten if it has no
# unread messages; beyond the second bound even if it has some. A conversation with a draft is kept.
MAX_CONVERSATIONS, MAX_UNREAD_CONVERSATIONS = 100, 1_000


class Conversation(Timeline):
    """The general chat, or the direct messages with one user.

    `name` is `GENERAL`, or the other user's name.
    """

    def __init__(self, name: str) -> None:
        super().__init__(has_history=name == GENERAL)
        self.name = name
        self.unread = 0
        self.calls = False  # there is a mention or a direct message among the unread messages
        self.draft = ""
        self.is_closed = False  # it is not listed; any message opens it again
        self.input_history = InputHistory()

    @property
    def is_full(self) -> bool:
        """Return whether there is no room for older messages."""
        return len(self.entries) >= MAX_WHILE_READING or self.is_full_of_text

    def trim(self, *, reading: bool) -> None:
        """Forget the oldest entries beyond a bound, which is higher for a user who reads above."""
        bound = MAX_GENERAL_ENTRIES if self.name == GENERAL else MAX_DIRECT_ENTRIES
        self.forget_oldest(MAX_WHILE_READING if reading else bound)


class Conversations:
    """The general chat, and one conversation with each user who exchanged messages."""

    def __init__(
        self,
        own_name: str,
        mention: Mention | None = None,
        is_away: Callable[[], bool] = lambda: False,
    ) -> None:
        """Begin; `is_away` returns whether the user is known to look elsewhere."""
        self._own_name = own_name
        self._mention = mention or Mention(own_name)
        self.general = Conversation(GENERAL)
        self.current = self.general
        self.general.watched = True
        self.previous = self.general  # the one that was open before the current one
        # By the key of the name; the most recent one is the last.
        self._directs: dict[str, Conversation] = {}
        self._is_away = is_away
        # A mark stands before the messages that came to the current one in the user's absence.
        self._is_marked = False

    @property
    def listed(self) -> list[Conversation]:
        """Return the general chat, then the other open conversations, the most recent first."""
        directs = reversed(self._directs.values())
        return [self.general, *(found for found in directs if not found.is_closed)]

    @property
    def unread(self) -> int:
        """Return the number of unread messages in the listed conversations."""
        return sum(conversation.unread for conversation in self.listed)

    @property
    def next_unread(self) -> Conversation | None:
        """Return one with unread entries: direct messages first, then a mention, then any other."""
        unread = [conversation for conversation in self.listed if conversation.unread]
        return min(unread, key=_urgency, default=None)

    def neighbour(self, step: int) -> Conversation:
        """Return the conversation `step` places down the list; the first follows the last."""
        listed = self.listed
        return listed[(listed.index(self.current) + step) % len(listed)]

    def __contains__(self, name: str) -> bool:
        """Return whether there is a conversation with a user, even a closed one."""
        return name == GENERAL or _key(name) in self._directs

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
        """Forget the unneeded conversation that was silent for longest."""
        are_too_many = len(self._directs) > MAX_UNREAD_CONVERSATIONS
        for key, found in sorted(self._directs.items(), key=lambda item: not item[1].is_closed):
            is_needed = found.draft or (found.unread and not are_too_many)
            if not (is_needed or key == new or found is self.current):
                del self._directs[key]
                return

    def open(self, name: str) -> Conversation:
        """Make a conversation the current one; all its entries are then read."""
        opened = self.with_name(name)
        if opened is not self.current:
            self.current.watched = False
            self.current.drop_new()
            self.current.pop_changed()
            self.previous = self.current
            self._is_marked = False
        self.current = opened
        opened.is_closed = False
        self.current.watched = True
        self.current.unread, self.current.calls = 0, False
        return self.current

    def close(self, conversation: Conversation) -> None:
        """Remove a conversation from the list; its messages return when it is opened again."""
        conversation.is_closed, conversation.draft = True, ""
        conversation.unread, conversation.calls = 0, False
        if conversation is self.current:
            self.open(GENERAL)
        if conversation is self.previous:
            self.previous = self.general

    def add_message(self, message: ChatMessage, *, is_new: bool) -> bool:
        """Add a message to the general chat; return whether it is new and mentions this user."""
        said = self.entry_of(message)
        if is_new and not said.own:
            self._mark_new(self.general)
        self.general.add(said)
        if said.own or not is_new:
            return False
        self._count_unread(self.general, calls=said.mention)
        return said.mention

    def entry_of(self, message: ChatMessage) -> Said:
        """Make an entry from a message of the general chat."""
        own = message.sender == self._own_name
        return Said(
            time=message.time,
            sender=message.sender,
            text=message.text,
            own=own,
            mention=not own and self._mention.is_in(message.text),
            hook=message.hook,
            seq=message.seq,
        )

    def set_mention(self, mention: Mention) -> None:
        """Change the rule for mentions of this user, also for the messages already here."""
        self._mention = mention
        for entry in self.general.entries:
            if isinstance(entry, Said) and not entry.own:
                entry.mention = mention.is_in(entry.text)

    def add_direct(self, message: DirectMessage) -> None:
        """Add a direct message to this user."""
        if message.sender == self._own_name:
            return  # a message to oneself was added when it was sent
        conversation = self._bring_to_top(message.sender or NOBODY)
        self._mark_new(conversation)
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

    def mark_delivery(
        self,
        request: Direct,
        delivery: Delivery,
        why: Callable[[], str] | None = None,
        time: str | None = None,
    ) -> Conversation | None:
        """Set the known delivery state of a direct message of this user.

        `time` is the server's, once the message is delivered. Returns the conversation, if the
        message is still in one.
        """
        for conversation in self._directs.values():
            for entry in reversed(conversation.entries):
                if isinstance(entry, Said) and entry.request is request:
                    entry.delivery, entry.why = delivery, why
                    conversation.mark_changed(entry)
                    if entry.can_be_sent_again:
                        # Listed again, so that the user sees the failure.
                        conversation.is_closed = False
                    if time is not None:
                        conversation.set_time(entry, time)
                    return conversation
        return None

    def fold_presence(self, event: Joined | Left | Presence) -> None:
        """Add an event to the general chat, and to the conversation with its user."""
        self.general.fold(event)
        conversation = self._directs.get(_key(event.name))
        if conversation is not None and conversation.entries:
            conversation.fold(event)

    def _bring_to_top(self, name: str) -> Conversation:
        """Return a conversation, which becomes the most recent one."""
        conversation = self.with_name(name)
        conversation.is_closed = False
        self._directs[_key(name)] = self._directs.pop(_key(name))
        return conversation

    def _mark_new(self, conversation: Conversation) -> None:
        """Put a mark before the message that is about to be added if it is the first unread one."""
        if conversation is not self.current:
            if not conversation.unread:
                conversation.mark_new()
        elif not self._is_away():
            self._is_marked = False
        elif not self._is_marked:
            self._is_marked = True
            conversation.mark_new()

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
