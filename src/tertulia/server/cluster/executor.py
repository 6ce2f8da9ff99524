"""Applies to this node's Hub the commands that have come back from the log.

Every node applies them in the same order with the same values, and so gets the same state. Outcomes
for this node's own connections go to their workers as mail. Only the link's thread runs this, apart
from `resume`, which the main thread may call before the node comes up.
"""

import logging
import random
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from tertulia.protocol.messages import (
    CUT_OFF,
    CloseReason,
    Closing,
    Error,
    ErrorCode,
    Ok,
    Register,
    Say,
    SetStatus,
)
from tertulia.protocol.moderation import BecomeOperator
from tertulia.server.cluster.commands import (
    Active,
    Command,
    Enter,
    Idle,
    Leave,
    Nothing,
    Operate,
    Post,
    Promote,
    SayText,
    ShowStatus,
)
from tertulia.server.cluster.hub import NodeHub
from tertulia.server.cluster.proposer import Ticket
from tertulia.server.history.mail import Stored
from tertulia.server.hub.hub import Hub, Registered
from tertulia.server.hub.moderated import Moderated
from tertulia.server.hub.ordered import Ordered, OrderedRow
from tertulia.server.hub.session import Owner, Receipt, Route, Session
from tertulia.server.workers.mail import Evict, Expel
from tertulia.server.workers.node_handler import discard_outcome
from tertulia.server.workers.switchboard import Switchboard

log = logging.getLogger("tertulia.server")

_COME_BACK_S = (0.1, 1.0)  # until users of a node that was declared dead may come back
_TRY_AGAIN_S = 0.5


class _Nobody:
    """Stands in as the owner of other nodes' commands, and ignores their outcomes."""

    def post(self, _mail: Any) -> bool:
        return True


NOBODY = _Nobody()


class Executor:
    """Applies the commands to the Hub. It knows sessions by node and number."""

    def __init__(self, hub: NodeHub, switchboard: Switchboard) -> None:
        self._hub = hub
        self._switchboard = switchboard
        self._sessions: dict[Route, Session] = {}
        self._outcomes: defaultdict[Owner, list[OrderedRow]] = defaultdict(list)
        self._verbs: dict[type, Callable[[str, Any, Ticket | None], Any]] = {
            Enter: self._enter,
            Leave: self._leave,
            SayText: self._say,
            ShowStatus: self._show_status,
            Idle: self._idle,
            Active: self._show_active,
            Promote: self._promote,
            Operate: self._operate,
            Post: self._post,
            Nothing: self._do_nothing,
        }

    def resume(self) -> None:
        """Note the sessions that are in the state with which the Hub starts."""
        self._sessions = {session.route: session for session in self._hub.people()}

    def apply(self, node: str, command: Command, ticket: Ticket | None) -> None:
        """Apply one command of a node; `ticket` is set if this node has proposed it.

        An exception is a fault in our code, the same on all nodes. It is logged, and the command is
        skipped.
        """
        verb = self._verbs.get(type(command))
        if verb is None:
            return
        try:
            outcome = verb(node, command, ticket)
        except Exception:
            log.exception("fault in carrying out a command of node=%s", node)
            outcome = None
        if ticket is not None and verb != self._post:  # the owner of a Post gets Stored instead
            self._outcomes[ticket.owner].append(OrderedRow(ticket.number, ticket.request, outcome))

    def post_outcomes(self) -> None:
        """Post the collected outcomes to the workers."""
        for ticket, error in self._hub.decide_on_banned():
            self._outcomes[ticket.owner].append(OrderedRow(ticket.number, ticket.request, error))
        if not self._outcomes:
            return
        outcomes, self._outcomes = self._outcomes, defaultdict(list)
        for owner, rows in outcomes.items():
            if not owner.post(Ordered(rows)):
                for row in rows:
                    discard_outcome(row, self._hub, self._switchboard)

    def report_lost(self, tickets: list[Ticket]) -> None:
        """Report commands that are lost because the other nodes have declared this node dead."""
        for ticket in tickets:
            request, request_id = ticket.request, ticket.request_id
            if request is None:  # a text from a hook
                ticket.owner.post(Stored([(Receipt(ticket.owner, 0, UNSET), False)]))
                continue
            outcome = None  # the user's session has ended: no other answer is needed
            if not isinstance(request, Say) and (
                isinstance(request, Register) or request_id is not UNSET
            ):
                outcome = Error(
                    id=request_id,
                    code=ErrorCode.UNAVAILABLE,
                    message="this node was cut off from the other nodes: try again",
                    retry_after=_TRY_AGAIN_S,
                )
            self._outcomes[ticket.owner].append(OrderedRow(ticket.number, request, outcome))
        self.post_outcomes()

    # --- registrations, and sessions that end --------------------------------------------------

    def _enter(self, node: str, command: Enter, ticket: Ticket | None) -> Any:
        route, newcomer = Route(node, command.number), command.newcomer
        if ticket is None:
            request = Register(name=newcomer.name.shown, idle=command.idle_s)
        else:
            assert isinstance(ticket.request, Register)
            request = ticket.request
        if node != self._hub.node:
            newcomer = replace(newcomer, messages_only=False)
        outcome = self._hub.apply_registration(request, newcomer, route, command.token)
        if not isinstance(outcome, Registered):
            return outcome
        self._sessions[route] = outcome.session
        replaced = outcome.replaced
        if replaced is not None:
            self._sessions.pop(replaced.route, None)
            self._post_to(replaced, Evict(replaced.route.number))  # before it gets the events
        if ticket is None:
            return outcome
        return replace(outcome, welcome=replace(outcome.welcome, token=ticket.secret))

    def _leave(self, node: str, command: Leave, _ticket: Ticket | None) -> None:
        session = self.session_at(Route(node, command.number))
        if session is not None:
            self._end_session(session, command.reason)

    def drop(self, node: str, recorded: CloseReason) -> None:
        """End all sessions of a node that is down, or begins again.

        Other users see them as lost; `recorded` is the reason that attendance shows. If the node is
        this one, its clients are asked to reconnect in a moment.
        """
        for session in [one for one in self._hub.people() if one.route.node == node]:
            self._end_session(session, CloseReason.LOST, recorded)
            retry_after = round(random.uniform(*_COME_BACK_S), 3)
            closing = Closing(reason=CloseReason.SHUTDOWN, cause=CUT_OFF, retry_after=retry_after)
            self._post_to(session, Expel(session.route.number, closing))

    def _end_session(
        self, session: Session, reason: CloseReason, recorded: CloseReason | None = None
    ) -> None:
        replies = self._hub.apply_end(session, reason, recorded)
        self._sessions.pop(session.route, None)
        if replies:
            self._switchboard.send(replies)

    # --- messages and status -------------------------------------------------------------------

    def _say(self, node: str, command: SayText, ticket: Ticket | None) -> Any:
        session = self.session_at(Route(node, command.number))
        if session is None:
            return None
        if ticket is not None:
            assert isinstance(ticket.request, Say)
            outcome = Hub.say(self._hub, session, ticket.request, ticket.owner)
        else:
            nonce = UNSET if command.nonce is None else command.nonce
            request = Say(text=command.text, nonce=nonce)
            outcome = Hub.say(self._hub, session, request, NOBODY)
        self._send_own_presence(session, ticket)
        return outcome

    def _show_status(self, node: str, command: ShowStatus, ticket: Ticket | None) -> Any:
        session = self.session_at(Route(node, command.number))
        if session is None:
            return None
        request_id = UNSET if ticket is None else ticket.request_id
        request = SetStatus(status=command.status, id=request_id)
        outcome = Hub.set_status(self._hub, session, request)
        self._send_own_presence(session, ticket)
        return outcome

    def _idle(self, node: str, command: Idle, ticket: Ticket | None) -> None:
        session = self.session_at(Route(node, command.number))
        if session is not None:
            self._hub.apply_idle(session)
            self._send_own_presence(session, ticket)

    def _show_active(self, node: str, command: Active, ticket: Ticket | None) -> None:
        session = self.session_at(Route(node, command.number))
        if session is not None:
            self._hub.apply_activity(session)
            self._send_own_presence(session, ticket)

    def _send_own_presence(self, session: Session, ticket: Ticket | None) -> None:
        """Have a session told of its own status change, if it sees no others and gets no answer."""
        if ticket is None and session.own_presence:
            mailbox = self._switchboard.mailbox_of(session.route)
            if mailbox is not None:
                self._outcomes[mailbox].append(OrderedRow(session.route.number))

    # --- operators, and hooks ------------------------------------------------------------------

    def _promote(self, node: str, command: Promote, ticket: Ticket | None) -> Any:
        session = self.session_at(Route(node, command.number))
        if session is None:
            return None
        request_id = UNSET if ticket is None else ticket.request_id
        request = BecomeOperator(secret="", id=request_id)
        return self._hub.moderator.apply_promotion(session, request)

    def _operate(self, node: str, command: Operate, ticket: Ticket | None) -> Any:
        moderator = self._hub.moderator
        session = self.session_at(Route(node, command.number))
        if command.is_console:
            session = moderator.open_console(Route(node, command.number))
        if session is None:
            return None
        owner, secret = (NOBODY, "") if ticket is None else (ticket.owner, ticket.secret)
        outcome = moderator.apply(session, command, owner, secret)
        if isinstance(outcome, Moderated):
            for expelled in outcome.expelled:
                self._hub.note_ended(expelled.session)
                self._sessions.pop(expelled.session.route, None)
                if ticket is None:
                    number = expelled.session.route.number
                    self._post_to(expelled.session, Expel(number, expelled.closing))
                    self._switchboard.send(expelled.replies)
        return outcome

    def _do_nothing(self, _node: str, _command: Nothing, _ticket: Ticket | None) -> None:
        """See Nothing."""

    def _post(self, _node: str, command: Post, ticket: Ticket | None) -> None:
        owner = NOBODY if ticket is None else ticket.owner
        outcome = self._hub.notices.apply(command, owner)
        if isinstance(outcome, Ok | Error) and ticket is not None:
            is_said = isinstance(outcome, Ok)
            seq = outcome.seq if isinstance(outcome, Ok) else UNSET
            ticket.owner.post(Stored([(Receipt(ticket.owner, 0, UNSET, seq), is_said)]))

    # --- finding sessions ----------------------------------------------------------------------

    def session_at(self, route: Route) -> Session | None:
        """Return the session with a route, on any node; None if it has ended."""
        session = self._sessions.get(route)
        return session if session is not None and session.is_here else None

    def _post_to(self, session: Session, mail: Evict | Expel) -> None:
        self._switchboard.post(session.route, mail)
