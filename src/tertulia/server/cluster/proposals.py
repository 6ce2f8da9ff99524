"""The parts of a node's Hub that propose changes which a single server's parts make at once.

The changes are made when they have come back from the log. See cluster/hub.py.
"""

import threading
from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from tertulia.protocol.attendance import MarkSeen
from tertulia.protocol.hooks import CreateHook, ListHooks
from tertulia.protocol.messages import (
    Error,
    Ok,
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
    Operate,
    Post,
    Promote,
)
from tertulia.server.cluster.exchange import Exchange
from tertulia.server.cluster.letters import SeenThrough
from tertulia.server.cluster.proposer import Proposer, Ticket
from tertulia.server.hub import moderated
from tertulia.server.hub.activity import Activity
from tertulia.server.hub.hook_verbs import HookSecret, new_secret
from tertulia.server.hub.hooks import hash_of
from tertulia.server.hub.journal import Journal
from tertulia.server.hub.moderator import Moderator
from tertulia.server.hub.notices import Notices
from tertulia.server.hub.seen import Seen
from tertulia.server.hub.session import Owner, Route, Session
from tertulia.server.hub.wait import Wait

_READING = (ListBans, ListHooks)  # requests of operators that change nothing


def ticket_for(
    route: Route, request: Any, owner_of: Callable[[Route], Owner | None]
) -> Ticket | None:
    """Return a ticket for a connection; None if it has ended."""
    owner = owner_of(route)
    if owner is None:
        return None
    return Ticket(owner, route.number, request, request.id)


class LogJournal(Journal):
    """The journal of a node: nonces expire by the log's time, as on every other node."""

    def nonce_time(self, monotonic: float) -> float:
        """Return the log's time."""
        return self.wall()


class NodeModerator(Moderator):
    """Proposes operators' requests, and applies them when they have come back."""

    proposer: Proposer

    def carry_out(
        self, session: Session, request: OperatorRequest, owner: Owner
    ) -> moderated.Outcome:
        """Propose a request. One that only reads is answered at once. See Moderator.carry_out."""
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
    ) -> moderated.Outcome:
        """Propose to pin a message that was found in the history."""
        if found is None:
            return refusals.no_message(request)
        return self._propose(session, request, owner, found)

    def find_message(self, request: PinMessage) -> StoredMessage | Wait | Error:
        """Return a message; Wait.FOR_MESSAGE if only another node may have it."""
        found = super().find_message(request)
        return Wait.FOR_MESSAGE if isinstance(found, Error) else found

    def promote(self, session: Session, request: BecomeOperator) -> Ok | Wait | None:
        """Propose to make a user an operator."""
        number = session.route.number
        self.proposer.submit(Promote(number), ticket_for(session.route, request, self.owner_of))
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
        number = session.route.number
        command = Operate(number, session.is_console, request, message, secret_hash)
        self.proposer.submit(command, Ticket(owner, number, request, request.id, secret))
        return Wait.FOR_ORDER

    def apply(
        self, session: Session, command: Operate, owner: Owner, secret: str
    ) -> moderated.Outcome:
        """Apply a request that has come back from the log."""
        request = command.request
        if command.message is not None:
            assert isinstance(request, PinMessage)
            return super().pin_found(session, request, owner, command.message)
        if isinstance(request, CreateHook):
            hook_secret = HookSecret(secret, command.secret_hash)
            return self.create_hook(session, request, owner, hook_secret)
        return super().carry_out(session, request, owner)

    def apply_promotion(self, session: Session, request: BecomeOperator) -> Ok | Wait | None:
        """Make a user an operator, once that has come back from the log."""
        return super().promote(session, request)


class NodeNotices(Notices):
    """Proposes the texts that programs post to hooks."""

    proposer: Proposer

    def say(self, secret: str, text: str, owner: Owner) -> Ok | Wait | Error:
        """Propose a text; `owner` gets the outcome. See Notices.say."""
        problem = check_text(text)
        if problem is not None:
            return refusals.notice_refused(problem)
        if not self.knows(secret):
            return refusals.hook_unknown()
        self.proposer.submit(Post(hash_of(secret), text), Ticket(owner, 0, None))
        return Wait.FOR_DISK

    def apply(self, post: Post, owner: Owner) -> Ok | Wait | Error:
        """Publish a text that has come back from the log."""
        return self._post(post.secret_hash, post.text, owner)


class NodeActivity(Activity):
    """Proposes to show an idle user's chosen status again."""

    proposer: Proposer
    executing: int | None = None  # id of the thread that is applying commands now

    def note(self, session: Session) -> float:
        """Note a request that was not refused. See Activity.note."""
        if threading.get_ident() == self.executing:
            return super().note(session)
        now = session.last_active = self._monotonic()
        session.is_catching_up = False
        if session.status is not session.chosen and session.is_here:
            self.proposer.submit(Active(session.route.number), None)
        return now


class NodeSeen(Seen):
    """Tells the other nodes what the users of this node have seen."""

    exchange: Exchange

    def note(self, session: Session, request: MarkSeen, now: float) -> bool:
        """Note a report, and tell the other nodes if it counts. See Seen.note."""
        counts = super().note(session, request, now)
        if counts:
            assert session.seen_mark is not None
            letter = SeenThrough(session.route.number, session.seen_mark.counted)
            self.exchange.tell_all(letter)
        return counts
