"""Turns a request into its outcome: it checks the limits, then calls a verb of the Hub.

The handler changes the Hub and what a connection remembers. It sends nothing: it returns the answer
or another outcome, on which `Input` acts. There is one for each worker, whose thread runs it.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from tertulia.protocol.attendance import AskSeenBy, ListAttendance, MarkSeen
from tertulia.protocol.hooks import CreateHook
from tertulia.protocol.lines import BadRequest
from tertulia.protocol.messages import (
    Answer,
    CloseReason,
    Direct,
    Error,
    ErrorCode,
    GetHistory,
    GetInfo,
    HistoryPage,
    ListUsers,
    Ping,
    Pong,
    Quit,
    Received,
    Register,
    Say,
    Search,
    SetStatus,
)
from tertulia.protocol.moderation import BecomeOperator, OperatorRequest, PinMessage
from tertulia.protocol.texts import check_text
from tertulia.protocol.watching import TakeMeasures
from tertulia.server import refusals
from tertulia.server.history.mail import PageRequest
from tertulia.server.hub import moderated
from tertulia.server.hub.directs import Delivery, Queued, Reply
from tertulia.server.hub.hub import Registered
from tertulia.server.hub.moderated import Moderated
from tertulia.server.hub.room import Conflict
from tertulia.server.hub.session import Route, Session
from tertulia.server.hub.unkept import refuse_page
from tertulia.server.hub.wait import Wait
from tertulia.server.workers.connection import Connection
from tertulia.server.workers.door import AnyRequest, Control, HookPost
from tertulia.server.workers.guesses import EntryCode
from tertulia.server.workers.mailbox import Mailbox
from tertulia.server.workers.notice_owner import NoticeOwner
from tertulia.server.workers.rate_limit import RateLimit, TokenBucket
from tertulia.server.workers.shared import Shared

_FREE = (Pong, Quit, Received, MarkSeen)  # do not count for the rate limit
# Each of these counts as this many bytes: the length of the shortest `pong`, with its newline.
_FREE_LINE_BYTES = 16
_PAGE_RETRY_AFTER_S = 1.0  # for a client that asks for more pages than may be under way


class Finish(Struct, frozen=True):
    """End the connection once its output and a last message are sent."""

    reason: CloseReason
    last_message: Answer | None = None


class Step(Enum):
    """What has to be done instead of answering at once."""

    WAIT_FOR_SPACE = auto()  # hold the connection until the history's queue has space
    FIND_MESSAGE = auto()  # hold the connection until the history has found a message
    WAIT_FOR_TURN = auto()  # on several machines: hold the connection, and try again
    WAIT_FOR_NOTICE = auto()  # hold the connection until the notice that it has posted is stored
    TAKE_MEASURES = auto()  # hold the connection, and ask for figures of the running server
    ASK_PAGE = auto()  # a page was queued: ask for the next one that may be asked for


Outcome = (
    Answer
    | Control
    | Finish
    | Registered
    | Conflict
    | Delivery
    | Queued
    | list[Reply]
    | Moderated
    | Step
    | Wait
    | None
)


class RequestHandler:
    """Carries out the requests of a worker's connections, one at a time.

    `mailbox` is the worker's own. `now` is in seconds of the monotonic clock.
    """

    def __init__(self, shared: Shared, mailbox: Mailbox) -> None:
        self._config = shared.config
        self._hub = hub = shared.hub
        self._switchboard = shared.switchboard
        self._mailbox = mailbox
        self._has_history = shared.pages is not None
        self._rate_limits = shared.rate_limits
        self._entry_code = shared.entry_code
        self._operator_secret = shared.operator_secret
        self._hook_access = shared.hook_access
        self._moderator = hub.moderator
        self._direct_messages = hub.direct_messages
        self._limits_rate = shared.config.rate_limit_per_s is not None
        self._hub_verbs: dict[type, Callable[[Session, Any], Outcome]] = {
            SetStatus: hub.set_status,
            ListUsers: hub.users,
            GetInfo: hub.info,
        }

    def handle(self, connection: Connection, request: AnyRequest, now: float) -> Outcome:
        """Carry out one request; return its answer, if there is one now, or the next step."""
        session = connection.session
        if session is None:
            return self._handle_before_welcome(connection, request, now)
        kind = type(request)
        if self._limits_rate and kind not in _FREE:
            rate_limit = connection.rate_limit or self._acquire_rate_limit(connection, session, now)
            retry_after_s = rate_limit.spend(now)
            if retry_after_s:
                return _refuse_for_now(rate_limit, request.id, retry_after_s, now)
        if kind is Say:
            return self.say(connection, session, request)  # type: ignore[arg-type]  # it is one
        if kind is Direct:
            return self._direct_messages.accept(session, request)  # type: ignore[arg-type]  # it is one
        verb = self._hub_verbs.get(kind)
        if verb is not None:
            return verb(session, request)
        match request:
            case GetHistory() | Search():
                return self._queue_page(connection, session, request, now)
            case ListAttendance():
                if not session.is_operator:
                    return refusals.not_operator(request.id)
                return self._queue_page(connection, session, request, now)
            case Ping():
                return Pong(id=request.id)
            case Quit():
                return Finish(CloseReason.QUIT)
            case Control():
                return request
            case TakeMeasures():
                return Step.TAKE_MEASURES
            case Register():
                return refusals.already_registered(request, session.name.shown)
            case BecomeOperator():
                return self._become_operator(connection, session, request, now)
            case Received():
                replies = self._direct_messages.confirm(session, request)
                if replies is not None:  # not more of these than direct messages, so they are free
                    return replies
            case MarkSeen():
                if self._hub.seen.note(session, request, now):
                    return None
            case AskSeenBy():
                outcome = self._hub.seen.ask(session, request, now)
                return Step.FIND_MESSAGE if isinstance(outcome, Wait) else outcome
            case _ if isinstance(request, OperatorRequest):
                return self._moderate(connection, session, request)
        # A pong, which is just a sign of life, or a `received` or `seen` without effect.
        return self._spend_free_bytes(connection, _FREE_LINE_BYTES, now)

    def _handle_before_welcome(
        self, connection: Connection, request: AnyRequest, now: float
    ) -> Outcome:
        if end := self._count_request(connection):
            return end
        match request:
            case Register():
                retry_after_s = self._rate_limits.spend_registration(connection.address, now)
                if retry_after_s:
                    return refusals.rate_limited(request.id, retry_after_s)
                code = self._entry_code
                if code is not None and (refusal := _check_code(code, connection, request, now)):
                    return refusal
                return self.register(connection, request, may_challenge=True)
            case Ping():
                return Pong(id=request.id)
            case Pong():
                return None
            case Control():
                return request
            case HookPost():
                return self._post(connection, request, now)
            case Quit():
                return Finish(CloseReason.QUIT)
            case _:
                return refusals.not_registered(request.id)

    def _count_request(self, connection: Connection) -> Finish | None:
        """Count a request before `welcome`; after too many, return a Finish."""
        connection.door.requests_tried += 1
        if connection.door.requests_tried <= self._config.max_lines_before_welcome:
            return None
        return Finish(CloseReason.REFUSED, refusals.not_registered(UNSET))

    def _post(self, connection: Connection, post: HookPost, now: float) -> Finish | Step:
        """Publish a text from a hook, or let its connection wait until it is stored."""
        refusal = self._hook_access.check(post.secret, connection.address, now) or post.problem
        if refusal is not None:  # not logged as REFUSED: strangers could fill the log
            return Finish(CloseReason.QUIT, refusal)
        owner = NoticeOwner(connection, self._mailbox)
        outcome = self._hub.notices.say(post.secret, post.text, owner)
        if isinstance(outcome, Wait):
            return Step.WAIT_FOR_NOTICE
        return Finish(CloseReason.QUIT, outcome)

    def register(
        self, connection: Connection, request: Register, *, may_challenge: bool
    ) -> Registered | Conflict | Wait | Error | Finish:
        """Try to give a connection a session. See Hub.register."""
        route = self._switchboard.connect(self._mailbox)
        outcome = self._hub.register(
            request, connection.address, route, may_challenge=may_challenge
        )
        if type(outcome) is Registered:  # as nearly always
            return outcome
        if isinstance(outcome, Wait):
            connection.route = route
            return outcome
        return self.settle_registration(route, outcome)

    def settle_registration(
        self, route: Route, outcome: Registered | Conflict | Error
    ) -> Registered | Conflict | Error | Finish:
        """Return the answer to a registration; free its route if it gave no session.

        A newcomer who has to wait for a challenge gets another route afterwards.
        """
        if isinstance(outcome, Registered):
            return outcome
        self._switchboard.disconnect(route.number)
        if isinstance(outcome, Conflict) or outcome.code is ErrorCode.STATUS_INVALID:
            return outcome
        return Finish(CloseReason.REFUSED, outcome)

    def say(self, connection: Connection, session: Session, request: Say) -> Answer | Step | None:
        """Publish a message; call it again with the same request after Step.WAIT_FOR_SPACE."""
        outcome = self._hub.say(session, request, self._mailbox)
        if not isinstance(outcome, Wait):
            return outcome
        if outcome is Wait.FOR_SPACE:
            return Step.WAIT_FOR_SPACE
        connection.answers_due += 1
        if outcome is Wait.FOR_ORDER:
            connection.orders_due += 1
        return None

    def try_again(self, connection: Connection, session: Session, request: AnyRequest) -> Outcome:
        """Carry out a request that had to wait for space in the history's queue."""
        if isinstance(request, Say):
            return self.say(connection, session, request)
        assert isinstance(request, OperatorRequest), "others never wait for space"
        return self._moderate(connection, session, request)

    def _moderate(
        self, connection: Connection, session: Session, request: OperatorRequest
    ) -> Outcome:
        if isinstance(request, CreateHook) and session.is_operator and not self._config.web:
            return refusals.hooks_off(request)
        return self.note_wait(
            connection, self._moderator.carry_out(session, request, self._mailbox)
        )

    def message_found(
        self,
        connection: Connection,
        session: Session,
        request: PinMessage | AskSeenBy,
        page: HistoryPage,
        now: float,
    ) -> Outcome:
        """Carry out a request about a message for which the history has looked."""
        found = next(iter(page.messages), None)
        if isinstance(request, AskSeenBy):
            return self._hub.seen.found(session, request, found, now)
        outcome = self._moderator.pin_found(session, request, self._mailbox, found)
        return self.note_wait(connection, outcome)

    def note_wait(self, connection: Connection, outcome: moderated.Outcome) -> Outcome:
        """Return the next step of an outcome, and count an answer that comes later."""
        if isinstance(outcome, Moderated) and outcome.answer is Wait.FOR_DISK:
            connection.answers_due += 1
        if not isinstance(outcome, Wait) or outcome is Wait.FOR_ORDER:
            return outcome
        return Step.WAIT_FOR_SPACE if outcome is Wait.FOR_SPACE else Step.FIND_MESSAGE

    def _become_operator(
        self, connection: Connection, session: Session, request: BecomeOperator, now: float
    ) -> Answer | Wait | None:
        secret = self._operator_secret
        refusal = secret.check(request, connection.address, now)
        return refusal or self._moderator.promote(session, request)

    def _queue_page(
        self, connection: Connection, session: Session, request: PageRequest, now: float
    ) -> Outcome:
        if not self._has_history:
            return refuse_page(self._hub.events, request)
        if isinstance(request, Search) and (problem := check_text(request.text)):
            return refusals.text_refused(request, problem)
        if connection.pages_due >= self._config.max_pages_waiting:
            rate_limit = connection.rate_limit or self._acquire_rate_limit(connection, session, now)
            return _refuse_for_now(rate_limit, request.id, _PAGE_RETRY_AFTER_S, now)
        self._hub.note_reading(session)
        connection.queue_page(request)
        return Step.ASK_PAGE

    # --- refusals ------------------------------------------------------------------------------

    def _acquire_rate_limit(
        self, connection: Connection, session: Session, now: float
    ) -> RateLimit:
        """Give a connection the limit of its name, at its first request that counts."""
        connection.rate_limit = rate_limit = self._rate_limits.acquire(session.name.key, now)
        return rate_limit

    def count_empty_lines(self, connection: Connection, now: float) -> Finish | None:
        """Count the empty lines that were skipped; after too many, return a Finish."""
        size, connection.door.empty_bytes = connection.door.empty_bytes, 0
        return self._spend_free_bytes(connection, size, now)

    def _spend_free_bytes(self, connection: Connection, size: int, now: float) -> Finish | None:
        """Count bytes outside the rate limit; after too many, return a Finish.

        They need no answer, but reading them takes time from other clients.
        """
        is_registered, config = connection.session is not None, self._config
        if is_registered and not self._limits_rate:
            return None
        bucket = connection.free_bytes
        if bucket is None:
            bucket = TokenBucket(config.free_bytes_per_s, config.free_burst_bytes, now)
            connection.free_bytes = bucket
        retry_after_s = bucket.spend(now, size)
        if not retry_after_s:
            return None
        reason = CloseReason.FLOOD if is_registered else CloseReason.REFUSED
        return Finish(reason, refusals.too_much_free(retry_after_s))

    def refuse_line(self, connection: Connection, bad: BadRequest, now: float) -> Error | Finish:
        """Return the answer to a line that is not a request."""
        session, door = connection.session, connection.door
        if session is None and (end := self._count_request(connection)):
            return end
        error = Error(id=bad.request_id, code=bad.code, message=str(bad))
        if bad.code is ErrorCode.UNKNOWN_TYPE:
            if session is None:
                return refusals.not_registered(bad.request_id)
            if self._limits_rate:
                rate_limit = connection.rate_limit or self._acquire_rate_limit(
                    connection, session, now
                )
                retry_after_s = rate_limit.spend(now)
                if retry_after_s:
                    return _refuse_for_now(rate_limit, bad.request_id, retry_after_s, now)
        door.malformed_count += bad.code is ErrorCode.MALFORMED
        if door.malformed_count >= self._config.max_malformed:
            return Finish(CloseReason.PROTOCOL, error)
        return error


def _refuse_for_now(
    rate_limit: RateLimit, request_id: int | UnsetType, retry_after_s: float, now: float
) -> Error | Finish:
    """Return a `rate_limited`; after too many of them, in a Finish."""
    rate_limit.note_refused(now)
    error = refusals.rate_limited(request_id, retry_after_s)
    return Finish(CloseReason.FLOOD, error) if rate_limit.is_flood(now) else error


def _check_code(
    code: EntryCode, connection: Connection, request: Register, now: float
) -> Error | Finish | None:
    """Return the refusal of a newcomer without the right code."""
    refusal = code.check(request, connection.address, now)
    if refusal is None or refusal.code == ErrorCode.RATE_LIMITED:
        return refusal
    return Finish(CloseReason.REFUSED, refusal)
