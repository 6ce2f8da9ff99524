"""Every verb of the chat: register, release, say, direct, status, users, info.

The Hub decides under its one lock and returns what is to be done; it sends nothing, waits for
nothing and knows no worker, connection or socket. Any thread may call it.

Lock order: Hub, whose lock is the EventLog's too, then History.
"""

import hmac
import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from tertulia.protocol.lines import encode
from tertulia.protocol.messages import (
    PROTOCOL_VERSION,
    ChatMessage,
    CloseReason,
    Direct,
    DirectMessage,
    Error,
    GetInfo,
    Joined,
    Left,
    ListUsers,
    Ok,
    Presence,
    Register,
    Say,
    SetStatus,
    Status,
    User,
    UserInfo,
    UserList,
    Welcome,
)
from tertulia.protocol.names import Name, parse_name
from tertulia.protocol.texts import MAX_TEXT_BYTES, check_text
from tertulia.protocol.times import Stamps
from tertulia.server import refusals
from tertulia.server.config import Config
from tertulia.server.history.history import History
from tertulia.server.hub.eventlog import EventLog
from tertulia.server.hub.nonces import DELIVERED, UNDER_WAY, RecentNonces
from tertulia.server.hub.registry import Registry
from tertulia.server.hub.session import Home, Receipt, Session
from tertulia.version import __version__

_RETRY_WHILE_UNDER_WAY_S = 0.1


class Registered(Struct, frozen=True):
    """A new session, and the one whose place it has taken, if any."""

    session: Session
    welcome: Welcome
    replaced: Session | None


class InTheWay(Struct, frozen=True):
    """A session to be challenged before the newcomer is refused."""

    session: Session


class Handover(Struct, frozen=True):
    """A direct message to be put into a session's output."""

    session: Session
    line: bytes


class Wait(Enum):
    """What the answer to a `say` waits for."""

    FOR_DISK = auto()  # it comes by `Home.acknowledge`
    FOR_ROOM = auto()  # nothing is said yet: ask again once `History.when_room` says so


class Hub:
    """The rules of the chat, and the order in which everything in it happens."""

    def __init__(
        self,
        config: Config,
        history: History | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._monotonic = monotonic
        self._now = Stamps(wall).now
        self._lock = threading.Lock()
        self._registry = Registry(shared_addresses=config.shared_addresses)
        self._nonces = RecentNonces(config.nonce_keep_s, config.max_nonces)
        self.history = history
        self._epoch, last_seq = secrets.token_hex(8), 0
        if history is not None:
            self._epoch, last_seq = history.numbering.epoch, history.numbering.last_seq
            moment = datetime.fromtimestamp(wall(), UTC)
            self._nonces.recall(history.nonces(moment), moment, monotonic())
        self.events = EventLog(self._lock, config.log_bytes, last_seq)

    def __repr__(self) -> str:
        return f"<Hub users={len(self._registry)} seq={self.events.last_seq}>"

    # --- coming and going ----------------------------------------------------------------------

    def register(
        self, request: Register, address: str, home: Home, *, may_challenge: bool = True
    ) -> Registered | InTheWay | Error:
        """Check name and address and take both, in one step.

        With `may_challenge` a clash with somebody at the newcomer's own address is not yet an
        error: that session has to be challenged first.
        """
        if request.protocol not in (UNSET, PROTOCOL_VERSION):
            return refusals.protocol_unsupported(request)
        name = parse_name(request.name)
        if name is None:
            return refusals.name_invalid(request)
        with self._lock:
            namesake = self._registry.with_name(name.key)
            neighbour = self._registry.at_address(address)
            if namesake is not None and _has_token(namesake, request):
                if neighbour not in (None, namesake):
                    return refusals.address_taken(request, address)
                return self._enter(request, name, address, home, replaced=namesake)
            obstacle = namesake or neighbour
            if obstacle is None:
                if len(self._registry) >= self._config.max_users:
                    return refusals.server_full(request.id)
                return self._enter(request, name, address, home, replaced=None)
            if may_challenge and obstacle.address == address:
                return InTheWay(obstacle)
            if obstacle is neighbour and namesake is None:
                return refusals.address_taken(request, address)
            return refusals.name_taken(request, obstacle.name.shown)

    def release(self, session: Session, reason: CloseReason) -> bool:
        """Take a session off the list and tell everyone; False if it was off already.

        At the server's end nobody is told: there is `closing` for all.
        """
        with self._lock:
            if not session.is_here:
                return False
            self._leave(session, reason)
            return True

    def _enter(
        self, request: Register, name: Name, address: str, home: Home, *, replaced: Session | None
    ) -> Registered:
        status = Status.ACTIVO
        if replaced is not None:
            self._leave(replaced, CloseReason.REPLACED)
            status = replaced.chosen
        session = Session(
            name=name,
            address=address,
            token=secrets.token_urlsafe(18),
            home=home,
            messages_only=request.events == "messages",
            since=self._now(),
            last_active=self._monotonic(),
            status=status,
            chosen=status,
        )
        self._registry.take(session)
        welcome = Welcome(
            id=request.id,
            name=name.shown,
            address=address,
            status=status,
            seq=self.events.last_seq,
            token=session.token,
            epoch=self._epoch,
            server=f"tertulia {__version__}",
            protocol=PROTOCOL_VERSION,
            idle_after=self._config.idle_after_s or 0.0,
            max_text=MAX_TEXT_BYTES,
        )
        self._publish(
            Joined(seq=self._next_seq(), time=session.since, name=name.shown, status=status)
        )
        return Registered(session, welcome, replaced)

    def _leave(self, session: Session, reason: CloseReason) -> None:
        self._registry.free(session)
        if reason is not CloseReason.SHUTDOWN:
            self._publish(
                Left(
                    seq=self._next_seq(),
                    time=self._now(),
                    name=session.name.shown,
                    reason=reason,
                )
            )

    # --- talking -------------------------------------------------------------------------------

    def say(self, session: Session, request: Say) -> Ok | Wait | Error | None:
        """Publish a message to the general chat; None if there is nothing to answer."""
        problem = check_text(request.text)
        if problem is not None:
            return refusals.text_refused(request, problem)
        with self._lock:
            if not session.is_here:
                return None
            if self.history is not None and not self.history.take_room():
                return Wait.FOR_ROOM
            now = self._note_activity(session)
            if request.nonce is UNSET:
                message = self._publish_message(session, request)
            else:
                key = (session.name.key, request.nonce)
                seq = self._nonces.get(key, now)
                if seq is not None:
                    return self._confirm(session, request, seq)
                message = self._publish_message(session, request)
                self._nonces.remember(key, message.seq, now)
            if self.history is None:
                return _ok(request, message.seq)
            self.history.write(message, Receipt(session, request.id, message.seq))
            return Wait.FOR_DISK

    def _confirm(self, session: Session, request: Say, seq: int) -> Ok | Wait | None:
        """Answer a message that was said before."""
        if self.history is None:
            return _ok(request, seq)
        self.history.confirm(Receipt(session, request.id, seq))
        return Wait.FOR_DISK

    def direct(self, session: Session, request: Direct) -> Handover | Ok | Error | None:
        """Find the session that a direct message is for; None if there is nothing to do.

        Whoever carries the handover out reports it by `direct_done`.
        """
        problem = check_text(request.text)
        if problem is not None:
            return refusals.text_refused(request, problem)
        with self._lock:
            if not session.is_here:
                return None
            if request.nonce is not UNSET:
                known = self._nonces.get(_nonce_key(session, request), self._monotonic())
                if known == UNDER_WAY:
                    return refusals.rate_limited(request.id, _RETRY_WHILE_UNDER_WAY_S)
                if known is not None:
                    self._note_activity(session)
                    return _ok(request)
            receiver = self._registry.called(request.to)
            if receiver is None:
                return refusals.not_connected(request, request.to)
            now = self._note_activity(session)
            if request.nonce is not UNSET:
                self._nonces.remember(_nonce_key(session, request), UNDER_WAY, now)
            message = DirectMessage(
                time=self._now(),
                sender=session.name.shown,
                to=receiver.name.shown,
                text=request.text,
                nonce=request.nonce,
            )
            return Handover(receiver, encode(message))

    def direct_done(self, session: Session, request: Direct, *, delivered: bool) -> None:
        """Note whether a direct message with a nonce has reached its receiver's session."""
        key = _nonce_key(session, request)
        with self._lock:
            if delivered:
                self._nonces.remember(key, DELIVERED, self._monotonic())
            else:
                self._nonces.forget(key)

    def note_activity(self, session: Session) -> None:
        """Note a request that the Hub has no part in."""
        with self._lock:
            self._note_activity(session)

    # --- status and lists ----------------------------------------------------------------------

    def set_status(self, session: Session, request: SetStatus) -> Ok | Error | None:
        """Change a user's status and tell everyone; None if there is nothing to answer."""
        try:
            status = Status(request.status)
        except ValueError:
            return refusals.status_invalid(request)
        with self._lock:
            if not session.is_here:
                return None
            session.last_active = self._monotonic()
            session.chosen = status
            session.idled = False
            self._show_status(session, status, "user")
            return _ok(request)

    def idle(self, session: Session) -> None:
        """Set a user from whom nothing comes to INACTIVO."""
        with self._lock:
            if session.is_here and session.status is not Status.INACTIVO:
                session.idled = True
                self._show_status(session, Status.INACTIVO, "server")

    def users(self, session: Session, request: ListUsers) -> UserList:
        """List who is connected, with the seq at which the list is true."""
        with self._lock:
            self._note_activity(session)
            rows = [User(name=user.name.shown, status=user.status) for user in self._registry]
            return UserList(id=request.id, seq=self.events.last_seq, users=rows)

    def info(self, session: Session, request: GetInfo) -> UserInfo | Error:
        """Tell what the server knows of one user."""
        with self._lock:
            user = self._registry.called(request.name)
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

    # --- under the lock ------------------------------------------------------------------------

    def _note_activity(self, session: Session) -> float:
        """Note a request that was not refused; give an idled user the chosen status back."""
        now = session.last_active = self._monotonic()
        if session.idled and session.is_here:
            session.idled = False
            self._show_status(session, session.chosen, "server")
        return now

    def _show_status(self, session: Session, status: Status, by: Literal["user", "server"]) -> None:
        if session.status is status:
            return
        session.status = status
        event = Presence(
            seq=self._next_seq(),
            time=self._now(),
            name=session.name.shown,
            status=status,
            by=by,
        )
        line = self._publish(event)
        if session.messages_only:
            session.own_events.append((event.seq, line))

    def _publish_message(self, session: Session, request: Say) -> ChatMessage:
        message = ChatMessage(
            seq=self._next_seq(),
            time=self._now(),
            sender=session.name.shown,
            text=request.text,
            nonce=request.nonce,
        )
        self.events.append(encode(message), is_message=True)
        return message

    def _publish(self, event: Joined | Left | Presence) -> bytes:
        line = encode(event)
        self.events.append(line, is_message=False)
        return line

    def _next_seq(self) -> int:
        """Give the number of the event that is appended next."""
        seq = self.events.last_seq + 1
        if self.history is not None:
            self.history.reserve_soon(seq)
        return seq


def _nonce_key(session: Session, request: Direct) -> tuple[str, str, object]:
    return session.name.key, "direct", request.nonce


def _ok(request: Say | Direct | SetStatus, seq: int | UnsetType = UNSET) -> Ok | None:
    """Answer a request that was carried out, if it asked for an answer by having an `id`."""
    return None if request.id is UNSET else Ok(id=request.id, seq=seq)


def _has_token(session: Session, request: Register) -> bool:
    return request.token is not UNSET and hmac.compare_digest(
        session.token.encode(), request.token.encode()
    )
