"""The rules of the chat as a deterministic state machine: the users, and the order of events.

The same verbs, called in the same order with the same values, give the same state, numbers and
events. So nothing here reads a clock, a random number or an option: the Hub, whose lock decides the
order, passes in time, token and route. Used under the Hub's lock only.
"""

import hmac
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from tertulia.protocol.messages import (
    ChatMessage,
    CloseReason,
    ErrorCode,
    Joined,
    Left,
    Presence,
    Status,
)
from tertulia.protocol.names import Name
from tertulia.server.hub.eventlog import EventLog
from tertulia.server.hub.held_names import HeldNames
from tertulia.server.hub.hooks import Hooks
from tertulia.server.hub.moderation import Moderation
from tertulia.server.hub.nonces import RecentNonces
from tertulia.server.hub.records import Ban, Change, HeldName, Hook, Record, Visit
from tertulia.server.hub.registry import Registry
from tertulia.server.hub.room_state import Present, RoomState, pack_row
from tertulia.server.hub.session import Route, Session


class Newcomer(Struct, frozen=True, gc=False):
    """A checked registration, with the values that the Room needs."""

    name: Name
    address: str
    shown_token: str | None  # the token of a session to take over
    may_challenge: bool  # a session in the way has not been challenged yet
    messages_only: bool
    status: Status = Status.ACTIVO  # the status at first
    chosen: Status = Status.ACTIVO
    key_hash: str | None = None  # hash of the key that holds the name


class Entered(Struct, frozen=True, gc=False):
    """A new session, and the session that it replaces, if any.

    `seq` is the number of the last event before the newcomer's own `joined`.
    """

    session: Session
    seq: int
    replaced: Session | None


class Conflict(Struct, frozen=True, gc=False):
    """A session at the newcomer's own address is in the way, and has to be challenged first."""

    obstacle: Session


class Refused(Struct, frozen=True, gc=False):
    """Why a newcomer cannot enter; `name` is that of the session in the way."""

    code: ErrorCode
    name: str = ""
    ban: Ban | None = None


class Room:
    """The sessions, the events and the nonces, changed by one verb at a time."""

    def __init__(
        self,
        events: EventLog,
        nonces: RecentNonces[int],
        *,
        shared_addresses: bool,
        max_users: int,
        keeps_visits: bool = True,
        held_names: HeldNames | None = None,
    ) -> None:
        """`keeps_visits` says whether sessions are among the `changes`, for the attendance."""
        self._events = events
        self._nonces = nonces
        self._max_users = max_users
        self._keeps_visits = keeps_visits
        self._held_names = held_names
        self.registry = Registry(shared_addresses=shared_addresses)
        # The changes since the last `pop_changes`; all parts add to this one list.
        self.changes: list[Change] = [] if held_names is None else held_names.changes
        self.moderation = Moderation(events, self.registry, self.changes)
        self.hooks = Hooks(self.changes)

    def register(
        self, newcomer: Newcomer, route: Route, token: str, time: str, last_active: float
    ) -> Entered | Conflict | Refused:
        """Check name and address and occupy both, in one step.

        `last_active` is when the user last did something. A session that is taken over with its
        token passes on its status and this time.
        """
        registry, moderation = self.registry, self.moderation
        ban = moderation.ban_on(newcomer.name, newcomer.address, time)
        if ban is not None:
            return Refused(ErrorCode.BANNED, ban=ban)
        namesake = registry.with_key(newcomer.name.key)
        neighbour = registry.at_address(newcomer.address)
        if namesake is not None and _has_token(namesake, newcomer):
            if neighbour not in (None, namesake):
                return Refused(ErrorCode.ADDRESS_TAKEN)
            return self._add_session(newcomer, route, token, time, last_active, replaced=namesake)
        if moderation.is_locked and moderation.shuts_out(newcomer.name, time):
            return Refused(ErrorCode.LOCKED)
        if newcomer.name.key in self.hooks.by_name:
            return Refused(ErrorCode.NAME_HELD)
        held = self._held_names
        if held is not None and held.is_for_another(newcomer.name, newcomer.key_hash, time):
            # Also while its user is here, so that the answer does not reveal that.
            return Refused(ErrorCode.NAME_HELD)
        if namesake is None and moderation.operators:
            double = moderation.operator_like(newcomer.name)
            if double is not None:
                return Refused(ErrorCode.NAME_TAKEN, double.name.shown)
        obstacle = namesake or neighbour
        if obstacle is None:
            if len(registry) >= self._max_users:
                return Refused(ErrorCode.SERVER_FULL)
            return self._add_session(newcomer, route, token, time, last_active, replaced=None)
        if newcomer.may_challenge and obstacle.address == newcomer.address:
            return Conflict(obstacle)
        if namesake is None:
            return Refused(ErrorCode.ADDRESS_TAKEN)
        return Refused(ErrorCode.NAME_TAKEN, namesake.name.shown)

    def release(
        self,
        session: Session,
        reason: CloseReason,
        time: str,
        by: str | UnsetType = UNSET,
        text: str | UnsetType = UNSET,
        recorded: CloseReason | None = None,
    ) -> bool:
        """Remove a session and tell everyone; False if it was removed before.

        `by` and `text` are the operator who has kicked it, and the reason. `recorded` is the reason
        in the attendance list, if it differs. When the server ends, nobody is told: everyone gets
        `closing`.
        """
        if not session.is_here:
            return False
        self.registry.remove(session)
        if self._keeps_visits:
            self.changes.append(_visit_of(session, time, recorded or reason))
        if self._held_names is not None:
            self._held_names.end_session(session.name, time)
        if reason is not CloseReason.SHUTDOWN:
            self._events.append(
                Left(
                    seq=self._events.last_seq + 1,
                    time=time,
                    name=session.name.shown,
                    reason=reason,
                    by=by,
                    text=text,
                )
            )
        self.moderation.note_left(session, reason, time)
        return True

    def ban(self, ban: Ban) -> list[Session]:
        """Add a ban, and end the sessions that it applies to; return these."""
        ended = self.moderation.ban(ban)
        text = UNSET if ban.reason is None else ban.reason
        for session in ended:
            self.release(session, CloseReason.KICKED, ban.time, ban.operator, text)
        return ended

    def is_held(self, name: Name) -> bool:
        """Return whether a name is held for a key."""
        return self._held_names is not None and self._held_names.holds(name)

    def free_name(self, name: Name) -> None:
        """Stop holding a name."""
        if self._held_names is not None:
            self._held_names.free(name)

    def state(self, *, with_nonces: bool = True) -> RoomState:
        """Return the state, which is equal on all nodes at the same place in the log."""
        rows: list[Record] = [*self.moderation.rows(), *self.hooks]
        if self._held_names is not None:
            rows += self._held_names.rows
        return RoomState(
            [
                Present(
                    *(one.name, one.address, one.token, one.route.node, one.route.number),
                    *(one.since, one.status, one.chosen, one.is_operator),
                    one.joined_seq,
                )
                for one in self.registry
            ],
            [pack_row(row) for row in rows],
            self.moderation.departures,
            self.hooks.last_used,
            None if self._held_names is None else self._held_names.looked_at,
            [(*key, said_at, seq) for key, said_at, seq in self._nonces.entries()]
            if with_nonces
            else [],
        )

    def resume(self, state: RoomState) -> list[Visit]:
        """Begin with the state of another Room; return the visits of its users."""
        visits = []
        for one in state.present:
            session = Session(
                name=one.name,
                address=one.address,
                token=one.token,
                route=Route(one.node, one.number),
                since=one.since,
                status=one.status,
                chosen=one.chosen,
                last_active=0.0,
                is_operator=one.is_operator,
                joined_seq=one.joined_seq,
            )
            self.registry.add(session)
            visits.append(_visit_of(session))
        self.moderation.resume(state.records, state.departures)
        self.hooks.resume(state.records(Hook), state.hooks_used)
        held = self._held_names
        if held is not None:
            looked_at = state.held_names_looked_at or held.looked_at
            held.resume(state.records(HeldName), looked_at)
        for name_key, nonce, said_at, seq in state.nonces:
            self._nonces.remember((name_key, nonce), seq, said_at)
        return visits

    def pop_changes(self) -> list[Change]:
        """Return the changes to be stored since the last call."""
        changes = self.changes.copy()
        self.changes.clear()
        return changes

    def say(
        self, session: Session, text: str, nonce: str | UnsetType, time: str, now: float
    ) -> ChatMessage | int:
        """Publish a message; for a repeated one, return the seq of the first.

        The caller has checked, in the same step, that the session may speak.
        """
        events, name = self._events, session.name
        if nonce is not UNSET:
            seq = self._nonces.get((name.key, nonce), now)
            if seq is not None:
                return seq
            self._nonces.remember((name.key, nonce), events.last_seq + 1, now)
        message = ChatMessage(
            seq=events.last_seq + 1, time=time, sender=name.shown, text=text, nonce=nonce
        )
        events.append(message)
        return message

    def post(self, hook: Hook, text: str, time: str) -> ChatMessage:
        """Publish a message from a hook."""
        seq = self._events.last_seq + 1
        message = ChatMessage(seq=seq, time=time, sender=hook.name, text=text, hook=True)
        self.hooks.note_message(hook, seq, time)
        self._events.append(message)
        return message

    def has_said(self, session: Session, nonce: str | UnsetType, now: float) -> bool:
        """Return whether a session has already published a message with this nonce."""
        return nonce is not UNSET and self._nonces.get((session.name.key, nonce), now) is not None

    def show_status(
        self, session: Session, status: Status, by: Literal["user", "server"], time: str
    ) -> None:
        """Change the status that everyone sees; a change by the user is also the chosen one."""
        if by == "user":
            session.chosen = status
        if session.status is status:
            return
        session.status = status
        event = Presence(
            seq=self._events.last_seq + 1, time=time, name=session.name.shown, status=status, by=by
        )
        self._events.append(event)
        if session.own_presence:
            session.own_presence.append(event)
        elif session.own_presence is not None:
            session.own_presence = [event]

    def _add_session(
        self,
        newcomer: Newcomer,
        route: Route,
        token: str,
        time: str,
        last_active: float,
        *,
        replaced: Session | None,
    ) -> Entered:
        status, chosen = newcomer.status, newcomer.chosen
        if replaced is not None:
            self.release(replaced, CloseReason.REPLACED, time)
            status, chosen = replaced.status, replaced.chosen
            last_active = replaced.last_active
        seq = self._events.last_seq
        session = Session(
            name=newcomer.name,
            address=newcomer.address,
            token=token,
            route=route,
            joined_seq=seq + 1,
            since=time,
            status=status,
            chosen=chosen,
            last_active=last_active,
            is_catching_up=status is not chosen,
            own_presence=() if newcomer.messages_only else None,
            is_operator=replaced is not None and replaced.is_operator,
            seen_mark=None if replaced is None else replaced.seen_mark,
        )
        if replaced is not None:
            replaced.successor = session
        self.registry.add(session)
        if self._held_names is not None:
            self._held_names.begin_session(session.name, newcomer.key_hash, time)
        self.moderation.note_entered(session)
        self._events.append(
            Joined(
                seq=seq + 1,
                time=time,
                name=newcomer.name.shown,
                status=status,
                operator=session.is_operator,
            )
        )
        if self._keeps_visits:
            self.changes.append(_visit_of(session))
        return Entered(session, seq, replaced)


def _has_token(session: Session, newcomer: Newcomer) -> bool:
    return newcomer.shown_token is not None and hmac.compare_digest(
        session.token.encode(), newcomer.shown_token.encode()
    )


def _visit_of(
    session: Session, ended: str | None = None, reason: CloseReason | None = None
) -> Visit:
    """Return the row of a session for the attendance list."""
    return Visit(
        key=session.joined_seq,
        name=session.name.shown,
        address=session.address,
        joined=session.since,
        ended=ended,
        reason=None if reason is None else str(reason),
    )
