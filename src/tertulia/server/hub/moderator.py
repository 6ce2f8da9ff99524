"""Carries out operators' requests: checks them, has the journal order them, has them stored.

It is a part of the Hub, which passes in its lock and its parts. Like the Hub it sends nothing: it
returns what has to be done. Any thread may call.
"""

import secrets
import threading
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import UNSET, UnsetType

from tertulia.protocol.hooks import CreateHook, HookCreated, ListHooks, RemoveHook
from tertulia.protocol.messages import (
    ChatMessage,
    CloseReason,
    Closing,
    Error,
    Ok,
    Status,
    StoredMessage,
    User,
    UserList,
)
from tertulia.protocol.moderation import (
    SERVER_NAME,
    BanList,
    BanRow,
    BecomeOperator,
    ImposeBan,
    ImposeMute,
    Kick,
    LiftBan,
    LiftMute,
    ListBans,
    OperatorRequest,
    PinMessage,
    ReleaseName,
    SetHush,
    SetLock,
)
from tertulia.protocol.names import Name, parse_name
from tertulia.protocol.times import seconds_until
from tertulia.server import refusals
from tertulia.server.hub.activity import Activity
from tertulia.server.hub.directs import DirectQueues
from tertulia.server.hub.eventlog import EventLog
from tertulia.server.hub.hook_verbs import HookSecret, HookVerbs, new_secret
from tertulia.server.hub.journal import Journal
from tertulia.server.hub.moderated import Expelled, Moderated, Outcome
from tertulia.server.hub.records import Ban, Mute
from tertulia.server.hub.room import Room
from tertulia.server.hub.session import Owner, Route, Session
from tertulia.server.hub.storing import Storing
from tertulia.server.hub.targets import Targets, check_reason
from tertulia.server.hub.wait import Wait

_MAX_PENALTIES = 20_000  # of bans, and of mutes; at the bound, no more are accepted


class Moderator:
    """Carries out the requests of operators."""

    def __init__(
        self,
        lock: threading.Lock,
        room: Room,
        journal: Journal,
        events: EventLog,
        direct_queues: DirectQueues,
        storing: Storing,
        time: Callable[[], str],
        activity: Activity,
        *,
        shared_addresses: bool,
    ) -> None:
        """`activity` is told of each accepted request, under the lock."""
        self._lock = lock
        self._room = room
        self._registry = room.registry
        self._moderation = room.moderation
        self._targets = Targets(room, shared_addresses=shared_addresses)
        self._journal = journal
        self._events = events
        self._direct_queues = direct_queues
        self._storing = storing
        self._time = time
        self._note_activity = activity.note
        self._verbs: dict[type, Callable[[Session, Any, Owner], Outcome]] = {
            Kick: self._kick,
            ImposeBan: self._ban,
            LiftBan: self._lift_ban,
            ListBans: self._list_bans,
            ImposeMute: self._mute,
            LiftMute: self._lift_mute,
            SetHush: self._hush,
            SetLock: self._lock_room,
            PinMessage: self._pin,
            ReleaseName: self._release_name,
            CreateHook: self._create_hook,
            ListHooks: self._list_hooks,
            RemoveHook: self._remove_hook,
        }
        self._hook_verbs = HookVerbs(room, storing, time, activity)

    def carry_out(self, session: Session, request: OperatorRequest, owner: Owner) -> Outcome:
        """Carry out a request; None if there is nothing to answer.

        With Wait.FOR_SPACE nothing is done yet: try again once the keeper's queue has space.
        With Wait.FOR_MESSAGE, find the message in the history and call `pin_found`.
        """
        return self._carry_out(self._verbs[type(request)], session, request, owner)

    def create_hook(
        self, session: Session, request: CreateHook, owner: Owner, secret: HookSecret
    ) -> Outcome:
        """Make a hook with a secret that was chosen before. See `carry_out`."""
        return self._carry_out(self._create_hook, session, request, owner, secret)

    def _carry_out(
        self,
        verb: Callable[..., Outcome],
        session: Session,
        request: OperatorRequest,
        *arguments: Any,
    ) -> Outcome:
        if not session.is_operator:
            return refusals.not_operator(request.id)
        with self._lock:
            if not session.may_act:
                return None
            return verb(session, request, *arguments)

    def promote(self, session: Session, request: BecomeOperator) -> Ok | Wait | None:
        """Make a session an operator's, and tell everyone."""
        with self._lock:
            if not session.may_act:
                return None
            self._note_activity(session)
            self._moderation.promote(session, self._journal.stamp())
        return None if request.id is UNSET else Ok(id=request.id)

    def open_console(self, route: Route) -> Session:
        """Return a session for the server's owner: an operator who is not in the list of users."""
        with self._lock:  # the journal's clock is not thread-safe
            since = self._time()
        return Session(
            name=Name(SERVER_NAME, SERVER_NAME),
            address="",
            token=secrets.token_urlsafe(18),
            route=route,
            since=since,
            status=Status.ACTIVO,
            chosen=Status.ACTIVO,
            is_operator=True,
            is_console=True,
            last_active=0.0,
        )

    # --- below, everything is called under the lock, unless it takes the lock itself ------------

    def _kick(self, session: Session, request: Kick, _owner: Owner) -> Outcome:
        problem = check_reason(request)
        if problem is not None:
            return problem
        user = self._registry.find(request.name)
        if user is None:
            return refusals.not_connected(request, request.name)
        self._note_activity(session)
        by = session.name.shown
        stamp = self._journal.stamp()
        self._room.release(user, CloseReason.KICKED, stamp, by, request.reason)
        self._storing.store_changes()
        closing = Closing(reason=CloseReason.KICKED, by=by, text=request.reason)
        expelled = Expelled(user, closing, self._direct_queues.end_session(user))
        return Moderated(None if request.id is UNSET else Ok(id=request.id), [expelled])

    def _ban(self, session: Session, request: ImposeBan, owner: Owner) -> Outcome:
        problem = check_reason(request)
        if problem is not None:
            return problem
        now = self._time()
        ban = self._targets.new_ban(session, request, now)
        if isinstance(ban, Error):
            return ban
        fitting = self._moderation.fitting(ban)
        if request.check:
            self._note_activity(session)
            return self.list_users(request.id, fitting)
        if session in fitting:
            return refusals.bans_oneself(request, session.address)
        bans = self._moderation.bans
        if len(bans) >= _MAX_PENALTIES and bans.get(ban.key) is None:
            return refusals.too_many_penalties(request.id, _MAX_PENALTIES)
        if not self._storing.reserve_space():
            return Wait.FOR_SPACE
        self._note_activity(session)
        self._journal.stamp(len(self._registry))  # all sessions may end
        ended = self._room.ban(ban)
        closing = Closing(
            reason=CloseReason.KICKED,
            retry_after=UNSET if ban.until is None else seconds_until(ban.until, now),
            by=ban.operator,
            text=request.reason,
        )
        expelled = [
            Expelled(user, closing, self._direct_queues.end_session(user)) for user in ended
        ]
        return Moderated(self._storing.store_request(session, request, owner), expelled)

    def _lift_ban(self, session: Session, request: LiftBan, owner: Owner) -> Outcome:
        self._moderation.expire(self._time())
        found = self._targets.bans_meant(request)
        if isinstance(found, Error):
            return found
        if not self._storing.reserve_space():
            return Wait.FOR_SPACE
        self._note_activity(session)
        self._moderation.lift_bans(found)
        return Moderated(self._storing.store_request(session, request, owner))

    def _list_bans(self, session: Session, request: ListBans, _owner: Owner) -> Outcome:
        self._note_activity(session)
        self._moderation.expire(self._time())
        self._storing.store_changes()
        rows = [
            BanRow(
                name=UNSET if ban.name is None else ban.name,
                address=UNSET if ban.address is None else ban.address,
                until=UNSET if ban.until is None else ban.until,
                by=ban.operator,
                reason=UNSET if ban.reason is None else ban.reason,
            )
            for ban in self._moderation.bans
        ]
        return BanList(id=request.id, bans=rows)

    def _mute(self, session: Session, request: ImposeMute, owner: Owner) -> Outcome:
        mute, mutes = self._targets.new_mute(session, request, self._time()), self._moderation.mutes
        if isinstance(mute, Error):
            return mute
        if len(mutes) >= _MAX_PENALTIES and mutes.get(mute.key) is None:
            return refusals.too_many_penalties(request.id, _MAX_PENALTIES)
        if not self._storing.reserve_space():
            return Wait.FOR_SPACE
        self._note_activity(session)
        self._moderation.mute(mute, self._journal.stamp())
        return Moderated(self._storing.store_request(session, request, owner))

    def _lift_mute(self, session: Session, request: LiftMute, owner: Owner) -> Outcome:
        self._moderation.expire(self._time())
        found = self._targets.mutes_meant(request)
        if not found:
            return refusals.not_muted(request)
        if not self._storing.reserve_space():
            return Wait.FOR_SPACE
        self._note_activity(session)
        stamp = self._journal.stamp(len(found))
        self._moderation.lift_mutes(found, session.name.shown, stamp)
        return Moderated(self._storing.store_request(session, request, owner))

    def _hush(self, session: Session, request: SetHush, owner: Owner) -> Outcome:
        if not self._storing.reserve_space():
            return Wait.FOR_SPACE
        self._note_activity(session)
        self._moderation.hush(session.name.shown, self._journal.stamp(), on=request.on)
        return Moderated(self._storing.store_request(session, request, owner))

    def _lock_room(self, session: Session, request: SetLock, owner: Owner) -> Outcome:
        if not self._storing.reserve_space():
            return Wait.FOR_SPACE
        self._note_activity(session)
        self._moderation.lock(session.name.shown, self._journal.stamp(), on=request.on)
        return Moderated(self._storing.store_request(session, request, owner))

    def _pin(self, session: Session, request: PinMessage, owner: Owner) -> Outcome:
        if request.seq is UNSET:
            return self._put_pin(session, request, owner, None)
        found = self._message_in_log(request.seq)
        if found is not None:
            return self._put_pin(session, request, owner, found)
        return Wait.FOR_MESSAGE if self._storing.has_keeper else refusals.no_message(request)

    def find_message(self, request: PinMessage) -> StoredMessage | Wait | Error:
        """Return the message that is to be pinned. Takes the lock.

        With Wait.FOR_MESSAGE, find it in the history and call `pin_found`.
        """
        assert request.seq is not UNSET
        with self._lock:
            found = self._message_in_log(request.seq)
        if found is not None:
            return found
        return Wait.FOR_MESSAGE if self._storing.has_keeper else refusals.no_message(request)

    def _message_in_log(self, seq: int) -> StoredMessage | None:
        said = self._events.message(seq)
        return None if said is None else _as_pinned(said)

    def pin_found(
        self, session: Session, request: PinMessage, owner: Owner, found: StoredMessage | None
    ) -> Outcome:
        """Pin a message for which the history has looked. Takes the lock."""
        if found is None:
            return refusals.no_message(request)
        with self._lock:
            if not session.may_act:
                return None
            return self._put_pin(session, request, owner, _as_pinned(found))

    def _put_pin(
        self, session: Session, request: PinMessage, owner: Owner, message: StoredMessage | None
    ) -> Outcome:
        if not self._storing.reserve_space():
            return Wait.FOR_SPACE
        self._note_activity(session)
        self._moderation.pin_message(message, session.name.shown, self._journal.stamp())
        return Moderated(self._storing.store_request(session, request, owner))

    def _release_name(self, session: Session, request: ReleaseName, owner: Owner) -> Outcome:
        name = parse_name(request.name)
        if name is None or not self._room.is_held(name):
            return refusals.not_held(request)
        if not self._storing.reserve_space():
            return Wait.FOR_SPACE
        self._note_activity(session)
        self._room.free_name(name)
        return Moderated(self._storing.store_request(session, request, owner))

    def _create_hook(
        self,
        session: Session,
        request: CreateHook,
        owner: Owner,
        secret: HookSecret | None = None,
    ) -> Outcome:
        secret = secret or new_secret()
        return _moderated(self._hook_verbs.create(session, request, owner, secret))

    def _remove_hook(self, session: Session, request: RemoveHook, owner: Owner) -> Outcome:
        return _moderated(self._hook_verbs.remove(session, request, owner))

    def _list_hooks(self, session: Session, request: ListHooks, _owner: Owner) -> Outcome:
        return self._hook_verbs.list(session, request)

    # --- rules for others ----------------------------------------------------------------------

    def refuse_newcomer(self, request_id: int | UnsetType, ban: Ban | None) -> Error:
        """Return the refusal of a registration because of a ban or a locked room."""
        if ban is None:
            return refusals.locked(request_id)
        retry_after_s = None if ban.until is None else seconds_until(ban.until, self._time())
        return refusals.banned(request_id, ban.until, ban.reason, retry_after_s)

    def refuse_to_say(self, session: Session, request_id: int | UnsetType) -> Error | None:
        """Return why a session with `is_silenced` may not speak; None if that mark is outdated."""
        silence = self._moderation.silence_of(session, self._time())
        self._storing.store_changes()
        if silence is None:
            return None
        if not isinstance(silence, Mute):
            return refusals.hushed(request_id)
        until = silence.until
        return refusals.muted(
            request_id, until, None if until is None else seconds_until(until, self._time())
        )

    def list_users(self, request_id: int | UnsetType, users: Iterable[Session]) -> UserList:
        """Return the list of users after the last event."""
        self._moderation.expire(self._time())
        is_muted = self._moderation.is_muted
        rows = [
            User(
                name=user.name.shown,
                status=user.status,
                operator=user.is_operator,
                muted=user.is_silenced and is_muted(user),
            )
            for user in users
        ]
        return UserList(id=request_id, seq=self._events.last_seq, users=rows)


def _as_pinned(said: ChatMessage | StoredMessage) -> StoredMessage:
    """Return a message in the form for pinning, without its sender's nonce."""
    return StoredMessage(
        seq=said.seq, time=said.time, sender=said.sender, text=said.text, hook=said.hook
    )


def _moderated(answer: Ok | HookCreated | Wait | Error | None) -> Outcome:
    if isinstance(answer, Error) or answer is Wait.FOR_SPACE:
        return answer
    return Moderated(answer)
