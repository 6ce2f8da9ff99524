"""The verbs of the chat: register, release, say, status, users, info; others are in its parts.

The Hub checks a request, has the journal stamp it and the Room carry it out, and returns what has
to be done. It sends nothing, waits for nothing and knows no worker, connection or socket. Any
thread may call it; all changes happen under its one lock, which is also the EventLog's.

Lock order: Hub, then History.
"""

import hashlib
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import UNSET, Struct, UnsetType

from tertulia.protocol.messages import (
    PROTOCOL_VERSION,
    CloseReason,
    Error,
    ErrorCode,
    GetInfo,
    ListUsers,
    Ok,
    Register,
    Say,
    SetStatus,
    Status,
    UserInfo,
    UserList,
    Welcome,
)
from tertulia.protocol.names import parse_name
from tertulia.protocol.texts import MAX_TEXT_BYTES, check_text
from tertulia.server import refusals
from tertulia.server.config import Config
from tertulia.server.hub.activity import Activity
from tertulia.server.hub.directs import DirectMessages, DirectQueues, Reply
from tertulia.server.hub.eventlog import EventLog
from tertulia.server.hub.held_names import HeldNames
from tertulia.server.hub.journal import Journal
from tertulia.server.hub.keeper import Keeper
from tertulia.server.hub.moderator import Moderator
from tertulia.server.hub.nonces import RecentNonces, recall
from tertulia.server.hub.notices import Notices
from tertulia.server.hub.records import HeldName
from tertulia.server.hub.room import Conflict, Entered, Newcomer, Room
from tertulia.server.hub.seen import Seen
from tertulia.server.hub.session import Owner, Receipt, Route, Session
from tertulia.server.hub.start import Start, start_from
from tertulia.server.hub.storing import Storing
from tertulia.server.hub.wait import Wait
from tertulia.version import __version__

_SERVER = f"tertulia {__version__}"
_TOKEN_BYTES = 16  # enough that nobody can guess a token


class Registered(Struct, frozen=True, gc=False):
    """A new session with its `welcome`, and the session that it replaces, if any."""

    session: Session
    welcome: Welcome
    replaced: Session | None


class Hub:
    """The verbs of the chat. The clocks are parameters for tests."""

    moderator_class: type[Moderator] = Moderator
    notices_class: type[Notices] = Notices
    journal_class: type[Journal] = Journal
    direct_queues_class: type[DirectQueues] = DirectQueues
    seen_class: type[Seen] = Seen
    activity_class: type[Activity] = Activity

    def __init__(
        self,
        config: Config,
        keeper: Keeper | None = None,
        start: Start | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Begin with the state `start`, by default the one that the keeper has stored."""
        self._idle_after_s = config.idle_after_s
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._keeper = keeper
        nonces = RecentNonces[int](config.nonce_keep_s, config.max_nonces)
        self._direct_queues = self.direct_queues_class(
            config.nonce_keep_s, config.max_nonces, config.private_bytes // 2, monotonic
        )
        # Returns the value of `welcome.nodes`, without waiting; None on a single server.
        self.nodes: Callable[[], list[str]] | None = None
        self.per_node: Callable[[], list[int] | UnsetType] | None = None  # as in `welcome`
        moment = datetime.fromtimestamp(wall(), UTC)
        if start is None:
            start = start_from(keeper, moment)
        self._epoch, records = start.epoch, start.records
        recall(nonces, start.nonces, moment, monotonic())
        self.events = EventLog(self._lock, config.log_bytes, start.last_seq)
        reserve_soon = None if keeper is None else keeper.reserve_soon
        self._journal = self.journal_class(self.events, wall, reserve_soon)
        self._time = self._journal.now
        days, now = config.hold_names_days, self._time()
        self._room = room = Room(
            self.events,
            nonces,
            shared_addresses=config.shared_addresses,
            max_users=config.max_users,
            keeps_visits=keeper is not None,
            held_names=None if days is None else HeldNames(days, records(HeldName), now),
        )
        room.moderation.restore(records, now)
        room.hooks.restore(records)
        self.activity = activity = self.activity_class(room, self._journal, monotonic)
        self._note_activity = activity.note
        storing = Storing(room, keeper)
        self._store_changes = storing.store_changes
        self._store_changes()
        self._registry = room.registry
        self.seen = self.seen_class(
            self._lock,
            room.registry,
            self.events,
            activity,
            has_history=keeper is not None,
        )
        self.direct_messages = DirectMessages(
            self._lock, room.registry, self._direct_queues, self._journal, activity
        )
        self.notices = self.notices_class(self._lock, room, self._journal, keeper)
        self.moderator = self.moderator_class(
            self._lock,
            room,
            self._journal,
            self.events,
            self._direct_queues,
            storing,
            self._time,
            activity,
            shared_addresses=config.shared_addresses,
        )

    def __repr__(self) -> str:
        return f"<Hub users={len(self._registry)} seq={self.events.last_seq}>"

    # --- sessions ------------------------------------------------------------------------------

    def register(
        self, request: Register, address: str, route: Route, *, may_challenge: bool = True
    ) -> Registered | Conflict | Wait | Error:
        """Check name and address and occupy both, in one step.

        With `may_challenge`, a session at the newcomer's own address does not lead to a refusal
        yet, unless the name is taken elsewhere: the result is a Conflict, and the caller has to
        challenge that session first.
        """
        newcomer = newcomer_of(request, address, self._idle_after_s, may_challenge=may_challenge)
        if isinstance(newcomer, Error):
            return newcomer
        # `secrets` has functions for this, which take a microsecond longer.
        return self._register_newcomer(request, newcomer, route, os.urandom(_TOKEN_BYTES).hex())

    def _register_newcomer(
        self, request: Register, newcomer: Newcomer, route: Route, token: str
    ) -> Registered | Conflict | Error:
        with self._lock:
            last_active = self._monotonic() - idle_seconds(request)
            outcome = self._room.register(
                newcomer, route, token, self._journal.stamp(), last_active
            )
            if isinstance(outcome, Entered):
                self._direct_queues.begin_session(
                    outcome.session, outcome.replaced, confirms=request.receipts
                )
                welcome = self._welcome(request, outcome)
                self._store_changes()
                return Registered(outcome.session, welcome, outcome.replaced)
            if isinstance(outcome, Conflict):
                return outcome
            if outcome.code in (ErrorCode.BANNED, ErrorCode.LOCKED):
                self._store_changes()
                return self.moderator.refuse_newcomer(request.id, outcome.ban)
        return refusals.registration(request, outcome.code, newcomer.address, outcome.name)

    def release(self, session: Session, reason: CloseReason) -> list[Reply] | None:
        """Remove a session and tell everyone; None if it was removed before.

        Returns the answers for the senders of the direct messages that it had not confirmed.
        """
        return self._end_session(session, reason)

    def _end_session(
        self, session: Session, reason: CloseReason, recorded: CloseReason | None = None
    ) -> list[Reply] | None:
        """Remove a session. See `release`, and Room.release for `recorded`."""
        with self._lock:
            time = self._journal.stamp()
            if not self._room.release(session, reason, time, recorded=recorded):
                return None
            replies = self._direct_queues.end_session(session)
            self._store_changes()
        # When the server ends, all sessions end: the senders try again later.
        return [] if reason is CloseReason.SHUTDOWN else replies

    def _welcome(self, request: Register, entered: Entered) -> Welcome:
        session, moderation = entered.session, self._room.moderation
        return Welcome(
            id=request.id,
            name=session.name.shown,
            address=session.address,
            status=session.status,
            seq=entered.seq,
            token=session.token,
            epoch=self._epoch,
            server=_SERVER,
            protocol=PROTOCOL_VERSION,
            idle_after=self._idle_after_s or 0.0,
            max_text=MAX_TEXT_BYTES,
            hushed=moderation.is_hushed,
            locked=moderation.is_locked,
            operator=session.is_operator,
            pinned=moderation.pinned,
            nodes=UNSET if self.nodes is None else self.nodes(),
            per_node=UNSET if self.per_node is None else self.per_node(),
        )

    # --- messages ------------------------------------------------------------------------------

    def say(self, session: Session, request: Say, owner: Owner) -> Ok | Wait | Error | None:
        """Publish a message to the general chat; None if there is nothing to answer.

        With Wait.FOR_DISK the keeper acknowledges it to `owner`.
        """
        problem = check_text(request.text)
        if problem is not None:
            return refusals.text_refused(request, problem)
        keeper, journal = self._keeper, self._journal
        note_activity = self._note_activity  # a variable, since calling an attribute takes longer
        with self._lock:
            if not session.is_here:
                return refusals.no_name(request) if session.is_console else None
            if session.is_silenced and (refusal := self._refuse_to_say(session, request)):
                return refusal
            if keeper is not None and not keeper.reserve_space():
                return Wait.FOR_SPACE
            # A speaker who was shown as idle is shown as active again, in an event before this one.
            active_at = note_activity(session)
            now = journal.nonce_time(active_at)
            said = self._room.say(session, request.text, request.nonce, journal.stamp(), now)
            if keeper is None and request.id is UNSET:
                return None
            seq = said if isinstance(said, int) else said.seq
            if keeper is None:
                return Ok(id=request.id, seq=seq)
            receipt = Receipt(owner, session.route.number, request.id, seq)
            if isinstance(said, int):  # an earlier message has the same nonce
                keeper.acknowledge(receipt)
            else:
                keeper.write(said, receipt)
            return Wait.FOR_DISK

    def _refuse_to_say(self, session: Session, request: Say) -> Error | None:
        """Return why a session may not speak, unless it repeats an earlier message. Under the lock.

        A client repeats a message if it has lost its connection before the answer came.
        """
        now = self._journal.nonce_time(self._monotonic())
        if self._room.has_said(session, request.nonce, now):
            return None
        return self.moderator.refuse_to_say(session, request.id)

    def note_reading(self, session: Session) -> None:
        """Note a request for a page of the history."""
        with self._lock:
            self.activity.note_reading(session)

    # --- status and lists ----------------------------------------------------------------------

    def set_status(self, session: Session, request: SetStatus) -> Ok | Wait | Error | None:
        """Change a user's status and tell everyone; None if there is nothing to answer."""
        try:
            status = Status(request.status)
        except ValueError:
            return refusals.status_invalid(request)
        with self._lock:
            if not session.is_here:
                return refusals.no_name(request) if session.is_console else None
            session.last_active = self._monotonic()
            session.is_catching_up = False
            self._room.show_status(session, status, "user", self._journal.stamp())
            return _ok(request)

    def idle(self, session: Session) -> None:
        """Show a user who has been inactive for too long as INACTIVO."""
        with self._lock:
            if session.is_here:
                self._room.show_status(session, Status.INACTIVO, "server", self._journal.stamp())

    def users(self, session: Session, request: ListUsers) -> UserList:
        """List the connected users, with the seq of the event after which the list is true."""
        with self._lock:
            self.activity.note_reading(session)
            return self.moderator.list_users(request.id, self._registry)

    def people(self) -> list[Session]:
        """Return the sessions of all users, in one step without the lock. Any thread."""
        return list(self._registry)

    def info(self, session: Session, request: GetInfo) -> UserInfo | Wait | Error:
        """Return what the server knows of one user."""
        with self._lock:
            user = self._registry.find(request.name)
            if user is None:
                return refusals.not_connected(request, request.name)
            now = self._note_activity(session)
            return UserInfo(
                id=request.id,
                name=user.name.shown,
                address=user.address,
                status=user.status,
                since=user.since,
                idle=int(now - user.last_active),
            )


def _ok(request: SetStatus) -> Ok | None:
    """Answer a request that was carried out, if it asked for an answer by having an `id`."""
    return None if request.id is UNSET else Ok(id=request.id)


def newcomer_of(
    request: Register, address: str, idle_after_s: float | None, *, may_challenge: bool
) -> Newcomer | Error:
    """Check a registration, and return the values that the Room needs."""
    if request.protocol not in (UNSET, PROTOCOL_VERSION):
        return refusals.protocol_unsupported(request)
    name = parse_name(request.name)
    if name is None:
        return refusals.name_invalid(request)
    try:
        chosen = Status.ACTIVO if request.status is UNSET else Status(request.status)
    except ValueError:
        return refusals.status_invalid(request)
    is_idle = idle_after_s is not None and idle_seconds(request) >= idle_after_s
    return Newcomer(
        name,
        address,
        None if request.token is UNSET else request.token,
        may_challenge,
        request.events == "messages",
        Status.INACTIVO if is_idle else chosen,
        chosen,
        None if request.key is UNSET else hashlib.sha256(request.key.encode()).hexdigest(),
    )


def idle_seconds(request: Register) -> float:
    """Return how long the user has been idle, in seconds, as the request says."""
    return 0.0 if request.idle is UNSET else request.idle
