"""A client's state of its chat: users, their statuses, recent speakers and rules.

Input is messages of the server: no I/O, thread, clock or texts for people. Every face shows this
state. A status in it always comes from the server. The faces themselves keep the messages.
"""

from typing import NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from tertulia.chat.mutes import Mutes
from tertulia.protocol.envelope import StoredMessage
from tertulia.protocol.messages import (
    ChatMessage,
    Direct,
    DirectMessage,
    Gap,
    Joined,
    Left,
    Ok,
    Presence,
    Say,
    ServerMessage,
    Status,
    User,
    UserList,
    Welcome,
)
from tertulia.protocol.moderation import Hushed, Locked, Muted, Pinned, Role, Unmuted
from tertulia.protocol.names import parse_name

MAX_GONE = 1_000  # users remembered after they left; at the bound the oldest are forgotten
MAX_SPEAKERS = 1_000  # for completion


class _Seen(NamedTuple):
    user: User
    seq: int  # the number of the last event about the user


class OwnMessage(NamedTuple):
    """A message of this user in the general chat."""

    seq: int
    text: str


class State:
    """The chat as one user knows it."""

    def __init__(self, welcome: Welcome) -> None:
        self.name = welcome.name
        self.asked_status: Status | None = None  # requested and not confirmed yet
        self._entered_seq = welcome.seq  # messages up to here were sent before this user came
        self.newest_message: int | None = None  # its number
        self.own_message: OwnMessage | None = None  # the newest one in the general chat
        self.said = 0  # the number of messages that this user sent
        self.heard = 0
        self.mutes = Mutes()
        self._begin(welcome)
        self._gone: dict[str, int] = {}  # users who have left, with the number of that event
        self._list_seq = -1  # the number up to which the last list of users was complete
        self._list_needed_seq = welcome.seq  # an older list is not enough
        self._list_refused = False  # the server has refused the list on this connection
        self._speakers: dict[str, None] = {}  # ordered; the most recent speaker is the last

    def _begin(self, welcome: Welcome) -> None:
        """Copy the data of a welcome."""
        self.status = welcome.status
        self.is_operator = welcome.operator
        self.is_hushed, self.is_locked = welcome.hushed, welcome.locked
        self.pinned: StoredMessage | None = welcome.pinned or None
        own = User(name=self.name, status=welcome.status, operator=welcome.operator)
        self._here: dict[str, _Seen] = {self.name: _Seen(own, welcome.seq)}

    def apply(self, message: ServerMessage | None) -> None:
        """Apply a message of the server."""
        match message:
            case ChatMessage():
                self._count(message.sender, is_new=not self.is_from_before(message.seq))
                self.mutes.note_speaker(message.sender, message.seq)
                self.newest_message = max(message.seq, self.newest_message or 0)
                if message.sender == self.name and not message.hook:
                    self._note_own(message.seq, message.text)
            case DirectMessage():
                self._count(message.sender, is_new=True)
            case Joined():
                user = User(name=message.name, status=message.status, operator=message.operator)
                self._see(user, message.seq)
            case Presence() | Role():
                self._change(message)
            case Left():
                self._lose(message.name, message.seq)
            case Muted():
                self.mutes.add(message.name, message.seq, message.until or None)
            case Unmuted():
                self.mutes.remove(message.name)
            case Hushed():
                self.is_hushed = message.on
            case Locked():
                self.is_locked = message.on
            case Pinned():
                self.pinned = None if message.message is UNSET else message.message
            case UserList():
                self._replace_list(message)
            case Gap():
                self._list_needed_seq = message.through

    def resume(self, welcome: Welcome, *, is_renumbered: bool) -> None:
        """Continue on a new connection: forget the present users, and keep the counts.

        `is_renumbered` is whether the earlier numbers are no longer valid.
        """
        if is_renumbered:
            self._entered_seq = welcome.seq
            self.mutes = Mutes()
            self.newest_message = self.own_message = None
        self._begin(welcome)
        self.asked_status = None
        self._gone.clear()
        self._list_seq, self._list_needed_seq = -1, welcome.seq
        self._list_refused = False

    def ask_status(self, status: Status) -> None:
        """Note that a status was requested."""
        self.asked_status = status

    def answer_status(self, granted: bool) -> None:
        """Note the server's answer to the request for a status."""
        if granted and self.asked_status is not None:
            self.status = self.asked_status
        self.asked_status = None

    def note_delivery(self, request: Direct, time: str) -> DirectMessage:
        """Count a direct message of this user that has reached its recipient, and return it."""
        to = self.registered_name(request.to)
        if to != self.name:  # a message to oneself is counted when it arrives
            self.said += 1
        return DirectMessage(time=time, sender=self.name, to=to, text=request.text)

    def note_said(self, request: Say, answer: Ok) -> None:
        """Note that the server has accepted a message of this user; the event may come later."""
        if answer.seq is not UNSET:
            self._note_own(answer.seq, request.text)

    def _note_own(self, seq: int, text: str) -> None:
        if self.own_message is None or seq > self.own_message.seq:
            self.own_message = OwnMessage(seq, text)

    def refuse_users(self) -> None:
        """Note that the server refuses the list of users: it is not needed until a resumption."""
        self._list_refused = True

    @property
    def needs_users(self) -> bool:
        """Return whether to request the list of users: on a new connection, or after a gap."""
        return self._list_seq < self._list_needed_seq and not self._list_refused

    @property
    def knows_users(self) -> bool:
        """Return whether the list of users is complete."""
        return self._list_seq >= self._list_needed_seq

    @property
    def people(self) -> int:
        """Return the number of present users."""
        return len(self._here)

    @property
    def users(self) -> list[User]:
        """Return the present users, sorted by name."""
        names = sorted(self._here, key=lambda name: (name.casefold(), name))
        return [self._row(self._here[name].user) for name in names]

    def names(self) -> list[str]:
        """Return the names of the others for completion, the most recent speakers first."""
        recent = [name for name in reversed(self._speakers) if name in self._here]
        names = dict.fromkeys([*recent, *(user.name for user in self.users)])
        names.pop(self.name, None)
        return list(names)

    def is_from_before(self, seq: int) -> bool:
        """Return whether the event with this number happened before this user came."""
        return seq <= self._entered_seq

    def status_of(self, name: str) -> Status | None:
        """Return the status of a user; None for a user who is not present."""
        seen = self._here.get(name)
        return None if seen is None else seen.user.status

    def is_muted(self, name: str) -> bool:
        """Return whether a user may not write in the general chat, as far as is known."""
        return name in self.mutes

    @property
    def may_speak(self) -> bool:
        """Return whether this user may write in the general chat, as far as is known."""
        return not self.is_muted(self.name) and (self.is_operator or not self.is_hushed)

    def registered_name(self, spelling: str) -> str:
        """Return the registered name for a spelling of it; without such a user, the spelling."""
        wanted = parse_name(spelling)
        if wanted is not None and spelling not in self._here:
            for name in self._here:
                found = parse_name(name)
                if found is not None and found.key == wanted.key:
                    return name
        return spelling

    def _count(self, sender: str, *, is_new: bool) -> None:
        if sender == self.name:
            self.said += is_new
            return
        self.heard += is_new
        self._speakers.pop(sender, None)
        self._speakers[sender] = None
        if len(self._speakers) > MAX_SPEAKERS:
            del self._speakers[next(iter(self._speakers))]

    def _row(self, user: User) -> User:
        is_muted = user.name in self.mutes
        return user if user.muted is is_muted else replace(user, muted=is_muted)

    def _see(self, user: User, seq: int) -> None:
        if seq <= self._list_seq:
            return  # the list already contains this change
        self._gone.pop(user.name, None)
        self._here[user.name] = _Seen(user, seq)
        if user.name == self.name:
            self.status, self.is_operator = user.status, user.operator
            if user.status == self.asked_status:
                self.asked_status = None

    def _change(self, event: Presence | Role) -> None:
        """Apply a change of status, or of the right to moderate."""
        seen = self._here.get(event.name)
        user = User(name=event.name, status=Status.ACTIVO) if seen is None else seen.user
        if isinstance(event, Presence):
            self._see(replace(user, status=event.status), event.seq)
        elif seen is not None or event.name == self.name:
            self._see(replace(user, operator=event.operator), event.seq)

    def _lose(self, name: str, seq: int) -> None:
        if seq <= self._list_seq:
            return
        self._here.pop(name, None)
        self._gone[name] = seq
        if len(self._gone) > MAX_GONE:
            del self._gone[next(iter(self._gone))]

    def _replace_list(self, answer: UserList) -> None:
        # An event that is newer than the list may have arrived before it.
        later = {name: seen for name, seen in self._here.items() if seen.seq > answer.seq}
        self._gone = {name: seq for name, seq in self._gone.items() if seq > answer.seq}
        listed = {user.name: _Seen(user, answer.seq) for user in answer.users}
        self.mutes.learn(answer)
        self._here = {
            name: seen for name, seen in (listed | later).items() if name not in self._gone
        }
        self._list_seq = answer.seq
        if self.name in self._here:
            own = self._here[self.name].user
            self.status, self.is_operator = own.status, own.operator
