"""The Hub of one node of several: what changes the common state is proposed, and decided later.

A verb that changes what all share checks what it can, hands a command to the Proposer and returns
Wait.FOR_ORDER. When the command comes back from the log, the Executor of every node calls the same
verb of the ordinary Hub. What concerns this node's sessions alone is done at once, as ever.
"""

import hashlib
import threading
from collections.abc import Callable
from math import inf
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from tertulia.protocol.hooks import CreateHook, ListHooks
from tertulia.protocol.messages import (
    CloseReason,
    Error,
    Ok,
    Register,
    Say,
    SetStatus,
    Status,
    StoredMessage,
)
from tertulia.protocol.moderation import (
    BecomeOperator,
    ImposeBan,
    ListBans,
    OperatorRequest,
    PinMessage,
)
from tertulia.protocol.texts import check_text
from tertulia.server import refusals
from tertulia.server.cluster.commands import (
    Active,
    Command,
    Enter,
    Idle,
    Leave,
    Operate,
    Post,
    Promote,
    SayText,
    ShowStatus,
)
from tertulia.server.cluster.proposer import MAX_QUEUED, Proposer, Ticket
from tertulia.server.config import Config
from tertulia.server.history.node import NodeHistory
from tertulia.server.hub import moderator
from tertulia.server.hub.directs import Reply
from tertulia.server.hub.hook_verbs import new_secret
from tertulia.server.hub.hooks import hash_of
from tertulia.server.hub.hub import Hub, Registered
from tertulia.server.hub.journal import Journal
from tertulia.server.hub.moderator import Moderator
from tertulia.server.hub.newcomers import idle_seconds, newcomer_of
from tertulia.server.hub.notices import Notices
from tertulia.server.hub.records import Place, Visit
from tertulia.server.hub.room import Conflict, Entered, Newcomer, Room
from tertulia.server.hub.room_state import RoomState
from tertulia.server.hub.session import Owner, Route, Session
from tertulia.server.hub.start import Start
from tertulia.server.hub.wait import Wait

_READING = (ListBans, ListHooks)  # requests of operators that change nothing

Propose = Callable[[Command, Ticket | None], None]


class LogJournal(Journal):
    """The journal of a node: nonces grow old by the log's time, as they do on every other node."""

    def say(self, session: Session, text: str, nonce: Any, now: float) -> Any:
        """See Room.say."""
        return super().say(session, text, nonce, self.wall())

    def has_said(self, session: Session, nonce: Any, now: float) -> bool:
        """See Room.has_said."""
        return super().has_said(session, nonce, self.wall())


class NodeModerator(Moderator):
    """Proposes what operators ask for, and carries it out when it has come back."""

    propose: Propose

    def carry_out(
        self, session: Session, request: OperatorRequest, owner: Owner
    ) -> moderator.Outcome:
        """Propose a request. What only reads is answered at once. See Moderator.carry_out."""
        if not session.is_operator:
            return refusals.not_operator(request.id)
        is_check = isinstance(request, ImposeBan) and request.check
        if is_check or isinstance(request, _READING):
            return super().carry_out(session, request, owner)
        message, secret, secret_hash = None, "", ""
        if isinstance(request, CreateHook):
            secret, secret_hash = new_secret()
        if isinstance(request, PinMessage) and request.seq is not UNSET:
            found = self.find_message(request)
            if not isinstance(found, StoredMessage):
                return found
            message = found
        return self._propose(session, request, owner, message, secret, secret_hash)

    def pin_found(
        self, session: Session, request: PinMessage, owner: Owner, found: StoredMessage | None
    ) -> moderator.Outcome:
        """Propose to pin a message that was looked for in the history."""
        if found is None:
            return refusals.no_message(request)
        return self._propose(session, request, owner, found)

    def promote(self, session: Session, request: BecomeOperator) -> Ok | Wait | None:
        """Propose to make a session an operator's."""
        number = session.route.session
        self.propose(Promote(number), _ticket(session.route, request, self.owner_of))
        return Wait.FOR_ORDER

    owner_of: Callable[[Route], Owner | None]

    def _propose(
        self,
        session: Session,
        request: OperatorRequest,
        owner: Owner,
        message: StoredMessage | None = None,
        secret: str = "",
        secret_hash: str = "",
    ) -> Wait:
        number = session.route.session
        command = Operate(number, session.is_console, request, message, secret_hash)
        self.propose(command, Ticket(owner, number, request, request.id, secret))
        return Wait.FOR_ORDER

    def decide(
        self, session: Session, command: Operate, owner: Owner, secret: str
    ) -> moderator.Outcome:
        """Carry out a request that has come back from the log."""
        request = command.request
        if command.message is not None:
            assert isinstance(request, PinMessage)
            return super().pin_found(session, request, owner, command.message)
        if isinstance(request, CreateHook):
            self.hook_verbs.new_secret = lambda: (secret, command.secret_hash)
        return super().carry_out(session, request, owner)

    def decide_promotion(self, session: Session, request: BecomeOperator) -> Ok | Wait | None:
        """Make a session an operator's: that has come back from the log."""
        return super().promote(session, request)


class NodeNotices(Notices):
    """Proposes what comes through hooks."""

    propose: Propose

    def say(self, secret: str, text: str, owner: Owner) -> Ok | Wait | Error:
        """Propose a text; `owner` is told what has become of it. See Notices.say."""
        problem = check_text(text)
        if problem is not None:
            return refusals.notice_refused(problem)
        if not self.knows(secret):
            return refusals.hook_unknown()
        self.propose(Post(hash_of(secret), text), Ticket(owner, 0, None))
        return Wait.FOR_DISK

    def decide(self, post: Post, owner: Owner) -> Ok | Wait | Error:
        """Say a text that has come back from the log."""
        return self._post(post.secret_hash, post.text, owner)


class NodeHub(Hub):
    """The verbs of the chat on one node. Any thread may call those that the workers use."""

    moderator: NodeModerator
    notices: NodeNotices
    moderator_class = NodeModerator
    notices_class = NodeNotices
    journal_class = LogJournal

    def __init__(
        self,
        config: Config,
        history: NodeHistory | None,
        log_time: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        """`log_time` is the log's own, in seconds since 1970."""
        super().__init__(config, history, Start("", 0), monotonic=monotonic, wall=log_time)
        self.node = config.node
        self._history = history
        self.is_stopping = False
        self._ending: set[Session] = set()  # of which the end has been proposed
        self._serves_until = -inf  # by the monotonic clock
        self.executing: int | None = None  # the thread that carries out what has come back

    def attach(self, proposer: Proposer, owner_of: Callable[[Route], Owner | None]) -> None:
        """Get to know who puts commands into the log, and how connections are reached."""
        self._proposer = proposer
        self._owner_of = self.moderator.owner_of = owner_of
        self.moderator.propose = self.notices.propose = proposer.submit

    @property
    def room(self) -> Room:
        """The common state. Under the lock, or in the thread that carries out commands."""
        return self._room

    def expire(self) -> None:
        """Let go of bans and mutes that are over, by the log's time."""
        with self._lock:
            self._room.moderation.expire(self._time())

    def save(self, place: Place) -> None:
        """Have the keeper remember up to where the log is applied. The link's thread."""
        with self._lock:
            if self._history is not None:
                self._history.save_place(place)

    def begin(self, epoch: str, seq: int, state: RoomState) -> list[Visit]:
        """Go on from a state of the chat; return who is here. Before anybody is served."""
        with self._lock:
            self._epoch = epoch
            self.events.begin_at(seq)
            return self._room.resume(state)

    # --- whether this node serves --------------------------------------------------------------

    def serve_until(self, moment: float) -> None:
        """Let requests be carried out until a moment of the monotonic clock. The link's thread."""
        self._serves_until = moment

    def serves(self, now: float) -> bool:
        """Return whether requests may be carried out now: others hear of this node, it of them."""
        return now < self._serves_until and self._proposer.queued < MAX_QUEUED

    # --- proposing -----------------------------------------------------------------------------

    def register(
        self, request: Register, address: str, route: Route, *, may_challenge: bool = True
    ) -> Registered | Conflict | Wait | Error:
        """Propose a registration. See Hub.register."""
        newcomer = newcomer_of(request, address, self._idle_after_s, may_challenge=may_challenge)
        if isinstance(newcomer, Error):
            return newcomer
        if newcomer.shown_token is not None:
            newcomer = replace(newcomer, shown_token=_hash(newcomer.shown_token))
        ticket = _ticket(route, request, self._owner_of)
        if ticket is None:
            return Wait.FOR_ORDER
        ticket.secret, token_hash = _new_token()
        command = Enter(route.session, newcomer, token_hash, idle_seconds(request))
        self._proposer.submit(command, ticket)
        return Wait.FOR_ORDER

    def release(self, session: Session, reason: CloseReason) -> list[Reply] | None:
        """Propose the end of a session; None if it has ended before.

        At this node's own end nothing is proposed: its users take their sessions to another node,
        and what is left ends with the node.
        """
        with self._lock:
            if not session.is_here or session in self._ending:
                return None
            self._ending.add(session)
        if reason is CloseReason.SHUTDOWN:
            if self.is_stopping:
                return []
            reason = CloseReason.LOST
        self._proposer.submit(Leave(session.route.session, reason))
        return []

    def say(self, session: Session, request: Say, owner: Owner) -> Ok | Wait | Error | None:
        """Propose a message. See Hub.say."""
        problem = check_text(request.text)
        if problem is not None:
            return refusals.text_refused(request, problem)
        if not session.is_here:
            return refusals.no_name(request) if session.is_console else None
        session.last_active = self._monotonic()
        number = session.route.session
        command = SayText(number, request.text, None if request.nonce is UNSET else request.nonce)
        self._proposer.submit(command, Ticket(owner, number, request, request.id))
        return Wait.FOR_ORDER

    def set_status(self, session: Session, request: SetStatus) -> Ok | Wait | Error | None:
        """Propose a status. See Hub.set_status."""
        try:
            status = Status(request.status)
        except ValueError:
            return refusals.status_invalid(request)
        if not session.is_here:
            return refusals.no_name(request) if session.is_console else None
        session.last_active = self._monotonic()
        ticket = _ticket(session.route, request, self._owner_of)
        self._proposer.submit(ShowStatus(session.route.session, status), ticket)
        return Wait.FOR_ORDER

    def idle(self, session: Session) -> None:
        """Propose to show a user who has been inactive for too long as INACTIVO."""
        if session.is_here and session.status is not Status.INACTIVO:
            self._proposer.submit(Idle(session.route.session))

    def _note_activity(self, session: Session) -> float:
        if threading.get_ident() == self.executing:
            return super()._note_activity(session)
        now = session.last_active = self._monotonic()
        session.is_catching_up = False
        if session.status is not session.chosen and session.is_here:
            self._proposer.submit(Active(session.route.session))
        return now

    # --- what has come back: the Executor alone calls this -------------------------------------

    def enter(
        self, request: Register, newcomer: Newcomer, route: Route, token: str
    ) -> Registered | Conflict | Error:
        """Carry out a registration. See Hub.register."""
        return self._enter(request, newcomer, route, token)

    def end(self, session: Session, reason: CloseReason) -> list[Reply] | None:
        """Carry out the end of a session. See Hub.release."""
        replies = super().release(session, reason)
        with self._lock:
            self._ending.discard(session)
        return replies

    def wake(self, session: Session) -> None:
        """Carry out that an idle user has done something."""
        with self._lock:
            self._note_activity(session)

    def is_own(self, session: Session) -> bool:
        """Return whether a session is served by this node."""
        return session.route.node == self.node

    def _begin_directs(self, request: Register, entered: Entered) -> None:
        if self.is_own(entered.session):
            super()._begin_directs(request, entered)


def _ticket(route: Route, request: Any, owner_of: Callable[[Route], Owner | None]) -> Ticket | None:
    owner = owner_of(route)
    if owner is None:  # the connection has ended meanwhile
        return None
    return Ticket(owner, route.session, request, request.id)


def _new_token() -> tuple[str, str]:
    token, _ = new_secret()
    return token, _hash(token)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()[:32]
