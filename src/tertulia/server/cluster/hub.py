"""The Hub of a node in a cluster: changes of the common state are proposed first, decided later.

A verb that changes what all share checks what it can, hands a command to the Proposer and returns
Wait.FOR_ORDER. When the command comes back from the log, the Executor of every node calls the same
verb of the ordinary Hub. What concerns only this node's sessions is done at once.
"""

import hashlib
import threading
from collections.abc import Callable
from math import inf

from msgspec import UNSET
from msgspec.structs import replace

from tertulia.protocol.messages import (
    CloseReason,
    Error,
    GetInfo,
    Ok,
    Register,
    Say,
    SetStatus,
    Status,
    UserInfo,
)
from tertulia.protocol.texts import check_text
from tertulia.server import refusals
from tertulia.server.cluster.banned import BannedNewcomers
from tertulia.server.cluster.commands import (
    Active,
    Enter,
    Idle,
    Leave,
    SayText,
    ShowStatus,
)
from tertulia.server.cluster.directs import NodeDirectQueues
from tertulia.server.cluster.exchange import Exchange
from tertulia.server.cluster.genesis import max_users_of_chat
from tertulia.server.cluster.proposals import (
    LogJournal,
    NodeActivity,
    NodeModerator,
    NodeNotices,
    NodeSeen,
    ticket_for,
)
from tertulia.server.cluster.proposer import MAX_QUEUED, Proposer, Ticket
from tertulia.server.config import Config
from tertulia.server.history.node import NodeHistory
from tertulia.server.hub.directs import Reply
from tertulia.server.hub.hook_verbs import new_secret
from tertulia.server.hub.hub import Hub, Registered, idle_seconds, newcomer_of
from tertulia.server.hub.journal import Stamps
from tertulia.server.hub.records import Place, Visit
from tertulia.server.hub.room import Conflict, Newcomer, Room
from tertulia.server.hub.room_state import RoomState
from tertulia.server.hub.session import Owner, Route, SeenMark, Session
from tertulia.server.hub.start import Start
from tertulia.server.hub.wait import Wait


class NodeHub(Hub):
    """The verbs of the chat on one node. Any thread may call those that the workers use."""

    moderator: NodeModerator
    notices: NodeNotices
    moderator_class = NodeModerator
    notices_class = NodeNotices
    journal_class = LogJournal
    direct_queues_class = NodeDirectQueues
    seen_class = NodeSeen
    activity: NodeActivity
    activity_class = NodeActivity
    seen: NodeSeen
    exchange: Exchange

    def __init__(
        self,
        config: Config,
        history: NodeHistory | None,
        log_time: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        """`log_time` is the log's own, in seconds since 1970."""
        common = replace(config, max_users=max_users_of_chat(config))
        super().__init__(common, history, Start("", 0), monotonic=monotonic, wall=log_time)
        self.seen.has_history = True  # If not this node, another one may have the message.
        self.node = config.node
        self._history = history
        self.is_stopping = False
        self._banned = BannedNewcomers(self._lock, self._room.moderation, monotonic)
        self._ending: set[Session] = set()  # whose end has been proposed
        self._serves_until = -inf  # by the monotonic clock
        self._stands_still = False  # whether the log brings nothing back
        self._has_refused = False  # whether a request waits for this node to serve again
        self.applied_at = 0.0  # when the log's time was read last, by the monotonic clock
        # The time goes on between two entries of the log, too.
        self.direct_messages.stamps = Stamps(lambda: log_time() + monotonic() - self.applied_at)

    def attach(self, proposer: Proposer, owner_of: Callable[[Route], Owner | None]) -> None:
        """Set the parts that put commands into the log and that reach connections."""
        self._proposer = proposer
        self._owner_of = self.moderator.owner_of = owner_of
        self.moderator.proposer = self.notices.proposer = self.activity.proposer = proposer

    def meet(self, exchange: Exchange) -> None:
        """Set what reaches the other nodes."""
        self.exchange = self.directs.exchange = self.seen.exchange = exchange
        self.directs.node = self.node

    @property
    def room(self) -> Room:
        """The common state. Under the lock, or in the thread that carries out commands."""
        return self._room

    def expire(self) -> None:
        """Remove bans and mutes that are over, by the log's time."""
        with self._lock:
            self._room.moderation.expire(self._time())

    def save(self, place: Place) -> None:
        """Have the keeper store the place up to which the log is applied. The link's thread."""
        with self._lock:
            if self._history is not None:
                self._history.save_place(place)

    def resume(self, epoch: str, seq: int, state: RoomState) -> list[Visit]:
        """Start from a state of the chat; return its visits. Before any client is served."""
        with self._lock:
            self._epoch = epoch
            self.events.begin_at(seq)
            visits = self._room.resume(state)
            for session in self._registry:  # this node does not know when they did something
                session.last_active = self._monotonic()
            return visits

    # --- whether this node serves --------------------------------------------------------------

    def serve_until(self, moment: float) -> None:
        """Allow requests until a moment of the monotonic clock. The link's thread."""
        self._serves_until = moment

    def serves(self, now: float) -> bool:
        """Return whether requests may be carried out now: this node is in touch with the others.

        If not, all workers get ServesAgain when that has changed. Any thread.
        """
        if now < self._serves_until and self._proposer.queued < MAX_QUEUED:
            return True
        self._has_refused = True
        return False

    def note_stillness(self, *, stands_still: bool) -> bool:
        """Note whether the log stands still; return whether that has just begun."""
        has_begun = stands_still and not self._stands_still
        self._stands_still = stands_still
        return has_begun

    def stands_still(self, now: float) -> bool:
        """Return whether proposed commands have not come back for a while. Any thread.

        All workers get StandsStill when that begins.
        """
        return self._stands_still or now >= self._serves_until

    def serves_again(self, now: float) -> bool:
        """Return whether held requests may be carried out now. The link's thread.

        A full queue must first be half empty: otherwise all would compete for each free place.
        """
        if not self._has_refused or now >= self._serves_until:
            return False
        if self._proposer.queued > MAX_QUEUED // 2:
            return False
        # Reset before ServesAgain is posted: a request that is refused from now on needs another.
        self._has_refused = False
        return True

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
        ticket = ticket_for(route, request, self._owner_of)
        if ticket is None:
            return Wait.FOR_ORDER
        ticket.secret, token_hash = _new_token()
        command = Enter(route.number, newcomer, token_hash, idle_seconds(request))
        if not self._banned.hold_if_banned(command, ticket):
            self._proposer.submit(command, ticket)
        return Wait.FOR_ORDER

    def decide_on_banned(self) -> list[tuple[Ticket, Error]]:
        """Return the refusals of banned newcomers, by everything that is known now.

        The link's thread.
        """
        refused: list[tuple[Ticket, Error]] = []
        for command, ticket, ban in self._banned.decide(self._proposer.synced_at):
            if ban is None:
                self._proposer.submit(command, ticket)
            else:
                error = self.moderator.refuse_newcomer(ticket.request_id, ban)
                refused.append((ticket, error))
        return refused

    def release(self, session: Session, reason: CloseReason) -> list[Reply] | None:
        """Propose the end of a session; None if it has ended before.

        Nothing is proposed when this node stops: users take their sessions to another node, and the
        sessions that are left end with the node.
        """
        with self._lock:
            if not session.is_here or session in self._ending:
                return None
            self._ending.add(session)
        if reason is CloseReason.SHUTDOWN:
            if self.is_stopping:
                return []
            reason = CloseReason.LOST
        self._proposer.submit(Leave(session.route.number, reason))
        return []

    def say(self, session: Session, request: Say, owner: Owner) -> Ok | Wait | Error | None:
        """Propose a message. See Hub.say."""
        problem = check_text(request.text)
        if problem is not None:
            return refusals.text_refused(request, problem)
        if not session.is_here:
            return refusals.no_name(request) if session.is_console else None
        session.last_active = self._monotonic()
        number = session.route.number
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
        ticket = ticket_for(session.route, request, self._owner_of)
        self._proposer.submit(ShowStatus(session.route.number, status), ticket)
        return Wait.FOR_ORDER

    def idle(self, session: Session) -> None:
        """Propose to show a user who has been inactive for too long as INACTIVO."""
        if session.is_here and session.status is not Status.INACTIVO:
            self._proposer.submit(Idle(session.route.number))

    # --- applying commands that have come back; only the Executor calls these ------------------

    def apply_registration(
        self, request: Register, newcomer: Newcomer, route: Route, token: str
    ) -> Registered | Conflict | Error:
        """Carry out a registration. See Hub.register."""
        outcome = self._register_newcomer(request, newcomer, route, token)
        if isinstance(outcome, Registered) and outcome.replaced is not None:
            session = outcome.session
            self.note_ended(outcome.replaced)
            if self.is_own(session) and not self.is_own(outcome.replaced):
                # This node has not heard of everything that the user did at the other one.
                shown = self._monotonic() - idle_seconds(request)
                session.last_active = max(session.last_active, shown)
        return outcome

    def apply_end(
        self, session: Session, reason: CloseReason, recorded: CloseReason | None = None
    ) -> list[Reply] | None:
        """Carry out the end of a session. See Hub.release, and Room.release for `recorded`."""
        replies = self._end_session(session, reason, recorded)
        self.note_ended(session)
        return replies

    def note_ended(self, session: Session) -> None:
        """Forget that the end of a session was proposed: it has ended, for whatever reason."""
        with self._lock:
            self._ending.discard(session)

    def apply_idle(self, session: Session) -> None:
        """Show a user as INACTIVO; propose the opposite if the user has been active since."""
        super().idle(session)
        idle_s = self._monotonic() - session.last_active
        is_outdated = self._idle_after_s is not None and idle_s < self._idle_after_s
        if is_outdated and self.is_own(session) and self._proposer.incarnation:
            self._proposer.submit(Active(session.route.number))

    def apply_activity(self, session: Session) -> None:
        """Show the chosen status of an idle user who has done something."""
        with self._lock:
            self._note_activity(session)

    # --- for the other parts of the node -------------------------------------------------------

    @property
    def directs(self) -> NodeDirectQueues:
        """The direct messages. Under the lock."""
        assert isinstance(self._direct_queues, NodeDirectQueues)
        return self._direct_queues

    def hurry_directs(self) -> None:
        """Send unaccepted direct messages at once. See NodeDirectQueues.hurry."""
        with self._lock:
            self.directs.hurry()

    @property
    def lock(self) -> threading.Lock:
        """The Hub's lock."""
        return self._lock

    def find(self, spelling: str) -> Session | None:
        """Return the session that any spelling of a name means."""
        with self._lock:
            return self._registry.find(spelling)

    def info(self, session: Session, request: GetInfo) -> UserInfo | Wait | Error:
        """Return facts about a user. Only a user's own node knows how long the user was idle."""
        info = super().info(session, request)
        user = None if isinstance(info, Error) else self.find(info.name)
        owner = self._owner_of(session.route)
        if isinstance(info, Error) or user is None or self.is_own(user) or owner is None:
            return info
        assert isinstance(info, UserInfo)
        self.exchange.ask_idle(owner, session.route.number, request, info)
        return Wait.FOR_ORDER

    def note_seen(self, session: Session, seq: int) -> None:
        """Note the number up to which a user of another node has seen everything."""
        with self._lock:
            mark = session.seen_mark = session.seen_mark or SeenMark()
            mark.counted = mark.latest = max(mark.latest, seq)

    def is_own(self, session: Session) -> bool:
        """Return whether a session is served by this node."""
        return session.route.node == self.node


def _new_token() -> tuple[str, str]:
    token = new_secret().text
    return token, _hash(token)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()[:32]
