"""The rules of moderation: who may come in, who may speak, and what operators have decided.

This is a part of the Room, and deterministic like it: every value comes from outside, even the
time. Rows that have to be stored are added to `changes`. Used under the Hub's lock only.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from enum import Enum, auto

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from tertulia.protocol.messages import CloseReason, StoredMessage
from tertulia.protocol.moderation import Hushed, Locked, Muted, Pinned, Role, Unmuted
from tertulia.protocol.names import Name, look_of
from tertulia.protocol.networks import parse_network
from tertulia.protocol.times import later
from tertulia.server.hub.eventlog import EventLog
from tertulia.server.hub.penalties import Penalties
from tertulia.server.hub.records import (
    Ban,
    Change,
    Insider,
    Mute,
    Pin,
    Record,
    Records,
    Removed,
    Switch,
)
from tertulia.server.hub.registry import Registry, sessions_at
from tertulia.server.hub.session import Session

RETURN_WITHIN_S = 600.0  # for users who were here to come back into a locked room
_MAX_RECENT = 4_096  # users who have left; at the bound, the first of them is forgotten

HUSHED, LOCKED, PINNED_HOOK = "hushed", "locked", "pinned_hook"


class Silence(Enum):
    """Reasons, other than a Mute, why a user may not speak."""

    HUSHED = auto()


class Departure(Struct, frozen=True, gc=False):
    """A user who has left, with the address."""

    name: Name
    address: str
    time: str
    may_return: bool  # into a locked room


class Moderation:
    """The rules in force. Times are RFC 3339 in UTC."""

    def __init__(self, events: EventLog, registry: Registry, changes: list[Change]) -> None:
        self._events = events
        self._registry = registry
        self.bans: Penalties[Ban] = Penalties()
        self.mutes: Penalties[Mute] = Penalties()
        self._switches: dict[str, Switch] = {}
        self.is_hushed = self.is_locked = False
        self.pin: Pin | None = None
        self._is_pin_of_hook = False
        self._insiders: dict[str, Insider] = {}  # while the room is locked
        self._recent: OrderedDict[str, Departure] = OrderedDict()  # by the names' keys
        # The operators who are here, by the look of their names. Two may look alike, if they came
        # in before they became operators.
        self.operators: defaultdict[str, list[Session]] = defaultdict(list)
        self._changes = changes

    def restore(self, records: Records, time: str) -> None:
        """Restore the rows of an earlier run; its users count as having just left."""
        self.resume(records, ())
        for insider in list(self._insiders.values()):
            self._put_insider(replace(insider, ended=insider.ended or time))
        self.expire(time)

    def resume(self, records: Records, departures: Iterable[Departure]) -> None:
        """Begin with another node's rows and departures."""
        for ban in records(Ban):
            self.bans.put(ban)
        for mute in records(Mute):
            self.mutes.put(mute)
        self._switches = {switch.key: switch for switch in records(Switch)}
        self.is_hushed, self.is_locked = HUSHED in self._switches, LOCKED in self._switches
        self.pin = next(iter(records(Pin)), None)
        self._is_pin_of_hook = PINNED_HOOK in self._switches
        self._insiders = {insider.key: insider for insider in records(Insider)}
        self._recent = OrderedDict((gone.name.key, gone) for gone in departures)
        for session in self._registry:
            if session.is_operator:
                self.operators[look_of(session.name.key)].append(session)
            self._note_silence(session)

    def rows(self) -> list[Record]:
        """Return everything that is stored, as rows."""
        pins = [] if self.pin is None else [self.pin]
        return [
            *(*self.bans, *self.mutes, *self._switches.values()),
            *(*pins, *self._insiders.values()),
        ]

    @property
    def departures(self) -> list[Departure]:
        """The users who have left recently, the first one first."""
        return list(self._recent.values())

    @property
    def pinned(self) -> StoredMessage | UnsetType:
        """Return the pinned message in the form for clients."""
        pin = self.pin
        if pin is None:
            return UNSET
        return StoredMessage(
            seq=pin.seq, time=pin.sent, sender=pin.sender, text=pin.text, hook=self._is_pin_of_hook
        )

    # --- who may come in -----------------------------------------------------------------------

    def ban_on(self, name: Name, address: str, time: str) -> Ban | None:
        """Return the ban that keeps a newcomer out, if any."""
        if not self.bans.by_key:
            return None
        self.expire(time)
        return self.bans.longest(name.key, address)

    def shuts_out(self, name: Name, time: str) -> bool:
        """Return whether the locked room is closed to this newcomer."""
        insider = self._insiders.get(name.key)
        return insider is None or (
            insider.ended is not None and insider.ended < later(time, -RETURN_WITHIN_S)
        )

    def operator_like(self, name: Name) -> Session | None:
        """Return the operator with whose name this one could be confused, if any."""
        alike = self.operators.get(look_of(name.key))
        return alike[0] if alike else None

    def note_entered(self, session: Session) -> None:
        """Note a new session, and whether it may speak."""
        if session.is_operator:
            self.operators[look_of(session.name.key)].append(session)
        self._recent.pop(session.name.key, None)
        if self.is_locked:
            self._put_insider(Insider(key=session.name.key, name=session.name.shown))
        if self.is_hushed or self.mutes.by_key:
            self._note_silence(session)

    def note_left(self, session: Session, reason: CloseReason, time: str) -> None:
        """Note the end of a session. After the end of the server, everyone may come back."""
        if session.is_operator:
            look = look_of(session.name.key)
            self.operators[look].remove(session)
            if not self.operators[look]:
                del self.operators[look]
        if reason is CloseReason.SHUTDOWN:
            return
        key, may_return = session.name.key, reason is not CloseReason.KICKED
        self._recent[key] = Departure(session.name, session.address, time, may_return)
        if len(self._recent) > _MAX_RECENT:
            self._recent.popitem(last=False)
        if self.is_locked and may_return:
            self._put_insider(Insider(key=key, name=session.name.shown, ended=time))
        elif self.is_locked:
            self._drop_insiders([key])

    def departure(self, key: str, time: str) -> Departure | None:
        """Return the departure of the user with this name, if it was recent."""
        departure = self._recent.get(key)
        if departure is None or departure.time < later(time, -RETURN_WITHIN_S):
            return None
        return departure

    # --- who may speak -------------------------------------------------------------------------

    def silence_of(self, session: Session, time: str) -> Mute | Silence | None:
        """Return why a session with `is_silenced` may not speak; None if that mark is outdated."""
        self.expire(time)
        if not session.is_silenced:
            return None
        return self.mutes.longest(session.name.key, session.address) or Silence.HUSHED

    def is_muted(self, session: Session) -> bool:
        """Return whether a silenced session is muted."""
        return bool(self.mutes.fitting(session.name.key, session.address))

    def _note_silence(self, session: Session) -> None:
        is_hushed = self.is_hushed and not session.is_operator
        session.is_silenced = is_hushed or bool(
            len(self.mutes) and self.mutes.fitting(session.name.key, session.address)
        )

    # --- what operators decide -----------------------------------------------------------------

    def promote(self, session: Session, time: str) -> None:
        """Make a session an operator's, and tell everyone, unless it is one already."""
        if session.is_operator:
            return
        session.is_operator = True
        self.operators[look_of(session.name.key)].append(session)
        self._note_silence(session)
        self._events.append(
            Role(seq=self._events.last_seq + 1, time=time, name=session.name.shown, operator=True)
        )

    def ban(self, ban: Ban) -> list[Session]:
        """Ban a name or a network; return the sessions that the ban applies to."""
        self.bans.put(ban)
        self._changes.append(ban)
        return self.fitting(ban)

    def lift_bans(self, bans: Iterable[Ban]) -> None:
        """Lift bans."""
        for ban in bans:
            self.bans.remove(ban.key)
            self._changes.append(Removed(Ban, ban.key))

    def mute(self, mute: Mute, time: str) -> None:
        """Mute a user, and tell everyone."""
        before = self.mutes.get(mute.key)
        self.mutes.put(mute)
        self._changes.append(mute)
        for each in (mute, before):
            self._note_silences(() if each is None else self.fitting(each))
        self._events.append(
            Muted(
                seq=self._events.last_seq + 1,
                time=time,
                name=mute.name,
                until=UNSET if mute.until is None else mute.until,
                by=mute.operator,
            )
        )

    def lift_mutes(self, mutes: Iterable[Mute], by: str, time: str) -> None:
        """Let users speak again, and tell everyone."""
        for mute in mutes:
            self._lift_mute(mute)
            self._events.append(
                Unmuted(seq=self._events.last_seq + 1, time=time, name=mute.name, by=by)
            )

    def _lift_mute(self, mute: Mute) -> None:
        self.mutes.remove(mute.key)
        self._changes.append(Removed(Mute, mute.key))
        self._note_silences(self.fitting(mute))

    def hush(self, by: str, time: str, *, on: bool) -> None:
        """Let only operators speak, or everyone again, and tell everyone."""
        if self.is_hushed is on:
            return
        self.is_hushed = on
        self._put_switch(HUSHED, by, time, on=on)
        self._note_silences(self._registry)
        self._events.append(Hushed(seq=self._events.last_seq + 1, time=time, on=on, by=by))

    def lock(self, by: str, time: str, *, on: bool) -> None:
        """Admit only present and recent users, or everyone again, and tell everyone."""
        if self.is_locked is on:
            return
        self.is_locked = on
        self._put_switch(LOCKED, by, time, on=on)
        self._drop_insiders(list(self._insiders))
        if on:
            oldest = later(time, -RETURN_WITHIN_S)
            for key, gone in self._recent.items():
                if gone.may_return and gone.time >= oldest:
                    self._put_insider(Insider(key=key, name=gone.name.shown, ended=gone.time))
            for session in self._registry:
                self._put_insider(Insider(key=session.name.key, name=session.name.shown))
        self._events.append(Locked(seq=self._events.last_seq + 1, time=time, on=on, by=by))

    def pin_message(self, message: StoredMessage | None, by: str, time: str) -> None:
        """Pin a message, or remove the pinned one, and tell everyone."""
        if message is None:
            if self.pin is None:
                return
            self._changes.append(Removed(Pin, self.pin.key))
            self.pin, is_hook = None, False
        else:
            self.pin = Pin(
                seq=message.seq,
                sent=message.time,
                sender=message.sender,
                text=message.text,
                operator=by,
                time=time,
            )
            self._changes.append(self.pin)
            is_hook = message.hook
        if is_hook:
            self._put_switch(PINNED_HOOK, by, time, on=True)
        elif self._is_pin_of_hook:
            self._put_switch(PINNED_HOOK, by, time, on=False)
        self._is_pin_of_hook = is_hook
        pinned = Pinned(seq=self._events.last_seq + 1, time=time, by=by, message=message or UNSET)
        self._events.append(pinned)

    def expire(self, time: str) -> None:
        """Remove the bans and mutes that are over."""
        for ban in self.bans.expire(time):
            self._changes.append(Removed(Ban, ban.key))
        for mute in self.mutes.expire(time):
            self._lift_mute(mute)

    # --- who is affected -----------------------------------------------------------------------

    def fitting(self, penalty: Ban | Mute) -> list[Session]:
        """Return the sessions that a ban or a mute applies to, even if it is not in force."""
        network = None if penalty.address is None else parse_network(penalty.address)
        found = [] if network is None else list(sessions_at(network, self._registry))
        named = None if penalty.name is None else self._registry.find(penalty.name)
        if named is not None and named not in found:
            found.append(named)
        return found

    # --- rows ----------------------------------------------------------------------------------

    def _note_silences(self, sessions: Iterable[Session]) -> None:
        for session in sessions:
            self._note_silence(session)

    def _put_switch(self, key: str, by: str, time: str, *, on: bool) -> None:
        if on:
            self._switches[key] = switch = Switch(key=key, operator=by, time=time)
            self._changes.append(switch)
        elif self._switches.pop(key, None) is not None:
            self._changes.append(Removed(Switch, key))

    def _put_insider(self, insider: Insider) -> None:
        self._insiders[insider.key] = insider
        self._changes.append(insider)

    def _drop_insiders(self, keys: Iterable[str]) -> None:
        for key in keys:
            if self._insiders.pop(key, None) is not None:
                self._changes.append(Removed(Insider, key))
