"""What a client knows of the chat it is in: who is here, with which status, and who speaks.

Messages of the server in, state out, and nothing else: no I/O, thread, clock or words. Every face
shows this; a status in here is one that the server has told. What was said the faces keep.
"""

from tertulia.protocol.messages import (
    ChatMessage,
    DirectMessage,
    Gap,
    Joined,
    Left,
    Presence,
    ServerMessage,
    Status,
    User,
    UserList,
    Welcome,
)
from tertulia.protocol.names import parse_name

MAX_GONE = 1_000  # no list of users is so old that it could be wrong about more


class State:
    """The chat as one user knows it."""

    def __init__(self, welcome: Welcome) -> None:
        self.name = welcome.name
        self.status = welcome.status
        self.asked_status: Status | None = None  # asked for, and not yet confirmed
        self._epoch = welcome.epoch
        self._entered_seq = welcome.seq  # what came before it was not heard here
        self.said = 0
        self.heard = 0
        self._here: dict[str, tuple[Status, int]] = {self.name: (welcome.status, welcome.seq)}
        self._gone: dict[str, int] = {}  # who left, and the number of that
        self._list_seq = -1  # the point at which the last list of users was made
        self._list_needed_from = welcome.seq  # one made before does not help
        self._speakers: dict[str, None] = {}  # the last one is the most recent

    def apply(self, message: ServerMessage | None) -> None:
        """Take in what the server sent."""
        match message:
            case ChatMessage():
                self._count(message.sender, is_new=message.seq > self._entered_seq)
            case DirectMessage():
                self._count(message.sender, is_new=True)
            case Joined() | Presence():
                self._see(message.name, message.status, message.seq)
            case Left():
                self._see(message.name, None, message.seq)
            case UserList():
                self._replace_list(message)
            case Gap():
                self._list_needed_from = message.through

    def reconnected(self, welcome: Welcome) -> None:
        """Begin anew with who is here; what was said stays."""
        if welcome.epoch != self._epoch:
            self._epoch, self._entered_seq = welcome.epoch, welcome.seq
        self.status = welcome.status
        self.asked_status = None
        self._here = {self.name: (welcome.status, welcome.seq)}
        self._gone.clear()
        self._list_seq, self._list_needed_from = -1, welcome.seq

    def ask_status(self, status: Status) -> None:
        """Note that a status was asked for."""
        self.asked_status = status

    def answer_status(self, granted: bool) -> None:
        """Note the server's answer to that."""
        if granted and self.asked_status is not None:
            self.status = self.asked_status
        self.asked_status = None

    def delivered(self, direct: DirectMessage) -> None:
        """Note a direct message of this user that has reached the other."""
        if direct.to != self.name:  # what one writes to oneself comes in as any other
            self.said += 1

    @property
    def needs_users(self) -> bool:
        """Tell whether the list of users has to be asked for: at first, and after a gap."""
        return self._list_seq < self._list_needed_from

    @property
    def users(self) -> list[User]:
        """List who is here, by name."""
        names = sorted(self._here, key=lambda name: (name.casefold(), name))
        return [User(name=name, status=self._here[name][0]) for name in names]

    def names(self) -> list[str]:
        """List the names of the others for completion, who spoke last first."""
        recent = [name for name in reversed(self._speakers) if name in self._here]
        names = dict.fromkeys([*recent, *(user.name for user in self.users)])
        names.pop(self.name, None)
        return list(names)

    def status_of(self, name: str) -> Status | None:
        """Tell the status of a user; None for one who is not here."""
        seen = self._here.get(name)
        return None if seen is None else seen[0]

    def registered_name(self, spelling: str) -> str:
        """Find the user whom a spelling means; one that is not here keeps it as it is."""
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
        if len(self._speakers) > MAX_GONE:
            del self._speakers[next(iter(self._speakers))]

    def _see(self, name: str, status: Status | None, seq: int) -> None:
        if seq <= self._list_seq:
            return  # the list knew it already
        self._gone.pop(name, None)
        if status is None:
            self._here.pop(name, None)
            self._gone[name] = seq
            if len(self._gone) > MAX_GONE:
                del self._gone[next(iter(self._gone))]
            return
        self._here[name] = (status, seq)
        if name == self.name:
            self.status = status
            if status == self.asked_status:
                self.asked_status = None

    def _replace_list(self, answer: UserList) -> None:
        # An event that happened after the list was made may have come before it.
        later = {name: seen for name, seen in self._here.items() if seen[1] > answer.seq}
        self._gone = {name: seq for name, seq in self._gone.items() if seq > answer.seq}
        listed = {user.name: (user.status, answer.seq) for user in answer.users}
        self._here = {
            name: seen for name, seen in (listed | later).items() if name not in self._gone
        }
        self._list_seq = answer.seq
        if self.name in self._here:
            self.status = self._here[self.name][0]
