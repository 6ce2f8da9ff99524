"""The users who are muted in the general chat, as far as a client knows.

A mute that ends by itself ends without an event. No I/O, thread or clock: times are those of the
server, in RFC 3339 and UTC, so that their texts sort by time.
"""

from typing import NamedTuple

from tertulia.protocol.messages import UserList

MAX_MUTES = 1_000  # includes users who have left; at the bound the oldest are forgotten


class Mute(NamedTuple):
    """A mute; `until` is None if it has no end or the end is not known."""

    seq: int
    until: str | None


class Mutes:
    """The mutes, by the names of the users."""

    def __init__(self) -> None:
        self._mutes: dict[str, Mute] = {}

    def __contains__(self, name: str) -> bool:
        """Return whether a user is muted."""
        return name in self._mutes

    def until(self, name: str) -> str | None:
        """Return when the mute of a user ends, if that is known."""
        mute = self._mutes.get(name)
        return None if mute is None else mute.until

    def add(self, name: str, seq: int, until: str | None) -> None:
        """Note a mute, which replaces an earlier one."""
        self._mutes.pop(name, None)
        self._mutes[name] = Mute(seq, until)
        if len(self._mutes) > MAX_MUTES:
            del self._mutes[next(iter(self._mutes))]

    def remove(self, name: str) -> None:
        """Note that a user may write again."""
        self._mutes.pop(name, None)

    def note_speaker(self, name: str, seq: int) -> None:
        """Note that a user has written, so an earlier mute has ended."""
        mute = self._mutes.get(name)
        if mute is not None and seq > mute.seq:
            del self._mutes[name]

    def learn(self, answer: UserList) -> None:
        """Learn from a list of users, unless an event is newer."""
        for user in answer.users:
            mute = self._mutes.get(user.name)
            if user.muted and mute is None:
                self.add(user.name, answer.seq, None)
            elif not user.muted and mute is not None and mute.seq <= answer.seq:
                del self._mutes[user.name]

    @property
    def next_end(self) -> str | None:
        """Return the time at which the next mute ends."""
        return min((mute.until for mute in self._mutes.values() if mute.until), default=None)

    def end_those_until(self, now: str) -> bool:
        """Forget the mutes that have ended; return whether there were any."""
        ended = [name for name, mute in self._mutes.items() if mute.until and mute.until <= now]
        for name in ended:
            del self._mutes[name]
        return bool(ended)
