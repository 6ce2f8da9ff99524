"""From a line to its answer: decoding, limits, and a verb of the Hub for each request.

One for each worker, in whose thread it runs.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, UnsetType

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
    Ok,
    Ping,
    Pong,
    Quit,
    Register,
    Request,
    Say,
    Search,
    SetStatus,
)
from tertulia.protocol.texts import check_text
from tertulia.server import refusals
from tertulia.server.hub.hub import Handover, Hub, InTheWay, Wait
from tertulia.server.workers.connection import Connection, State
from tertulia.server.workers.limits import RateLimit

if TYPE_CHECKING:
    from tertulia.server.config import Config
    from tertulia.server.history.history import PageRequest
    from tertulia.server.hub.session import Session
    from tertulia.server.workers.worker import Worker

log = logging.getLogger("tertulia.server")

_FREE = (Pong, Quit)  # spend nothing from the rate limit
_PAGE_RETRY_AFTER_S = 1.0  # for one who asks for more pages than may be under way


class RequestHandler:
    """Carries out the requests of a worker's connections, a line at a time."""

    def __init__(self, worker: Worker, hub: Hub, config: Config) -> None:
        self._worker = worker
        self._hub = hub
        self._config = config
        self._max_pages_waiting = config.max_pages_waiting
        self._limits_rate = config.rate_limit_per_s is not None
        self._verbs: dict[type, Callable[[Connection, Session, Any], Answer | None]] = {
            Say: self._say,
            Direct: self._direct,
            SetStatus: lambda _, session, request: hub.set_status(session, request),
            ListUsers: lambda _, session, request: hub.users(session, request),
            GetInfo: lambda _, session, request: hub.info(session, request),
            GetHistory: self._want_page,
            Search: self._want_page,
            Register: lambda _, session, request: refusals.already_registered(
                request, session.name.shown
            ),
            Ping: lambda _connection, _session, request: Pong(id=request.id),
            Pong: lambda _connection, _session, _request: None,  # a sign of life, as any byte
            Quit: lambda connection, _session, _request: self._quit(connection),
        }

    def handle(self, connection: Connection, request: Request) -> None:
        """Carry out one request and queue its answer.

        May hold the connection: its next request then waits for another thread's reply.
        """
        session = connection.session
        if session is None:
            if self._may_try(connection):
                self._handle_before_welcome(connection, request)
            return
        kind = type(request)
        if self._limits_rate and kind not in _FREE and not self._may_spend(connection, request.id):
            return
        answer = self._verbs[kind](connection, session, request)
        if session.own_events:
            self._worker.output.tell_own_events(connection, session)
        if answer is not None:
            self._worker.output.tell(connection, answer)

    def _may_try(self, connection: Connection) -> bool:
        """Count a line before `welcome`; end the connection if there were too many."""
        connection.line_count += 1
        if connection.line_count <= self._config.max_lines_before_welcome:
            return True
        self._refuse(connection, refusals.not_registered(UNSET))
        return False

    def _handle_before_welcome(self, connection: Connection, request: Request) -> None:
        match request:
            case Register():
                self._register(connection, request, may_challenge=True)
            case Ping():
                self._worker.output.tell(connection, Pong(id=request.id))
            case Pong():
                pass
            case Quit():
                self._quit(connection)
            case _:
                self._worker.output.tell(connection, refusals.not_registered(request.id))

    def _answer(self, connection: Connection, answer: Answer | None) -> None:
        """Queue an answer, if there is one."""
        if answer is not None:
            self._worker.output.tell(connection, answer)

    def _quit(self, connection: Connection) -> None:
        self._worker.finish(connection, CloseReason.QUIT)

    # --- registration --------------------------------------------------------------------------

    def _register(self, connection: Connection, request: Register, *, may_challenge: bool) -> None:
        worker = self._worker
        outcome = self._hub.register(
            request, connection.address, worker, may_challenge=may_challenge
        )
        if isinstance(outcome, Error):
            self._refuse(connection, outcome, request.name)
        elif isinstance(outcome, InTheWay):
            connection.held = True
            once_known = functools.partial(self._after_challenge, connection, request)
            outcome.session.home.challenge(
                outcome.session, functools.partial(worker.mailbox.post, once_known)
            )
        else:
            session, replaced = outcome.session, outcome.replaced
            if replaced is not None:
                replaced.home.evict(replaced)
                log.info(
                    "left name=%s address=%s reason=replaced", replaced.name.shown, replaced.address
                )
            log.info("joined name=%s address=%s", session.name.shown, session.address)
            worker.welcome(connection, session, outcome.welcome.seq)
            worker.output.tell(connection, outcome.welcome)

    def _after_challenge(self, connection: Connection, request: Register) -> None:
        if connection.state is State.UNREGISTERED:
            self._register(connection, request, may_challenge=False)
            self._worker.resume(connection)

    def _refuse(self, connection: Connection, error: Error, name: str = "") -> None:
        log.info(
            "refused address=%s code=%s name=%s", connection.address, error.code, ascii(name[:64])
        )
        self._worker.finish(connection, CloseReason.REFUSED, error)

    # --- the general chat and its history ------------------------------------------------------

    def _say(self, connection: Connection, session: Session, request: Say) -> Answer | None:
        outcome = self._hub.say(session, request)
        if not isinstance(outcome, Wait):
            return outcome
        if outcome is Wait.FOR_DISK:
            connection.pending += 1
        elif self._hub.history is not None:
            connection.held = True
            again = functools.partial(self._say_again, connection, session, request)
            self._hub.history.when_room(functools.partial(self._worker.mailbox.post, again))
        return None

    def _say_again(self, connection: Connection, session: Session, request: Say) -> None:
        if connection.state is State.REGISTERED:
            connection.held = False
            answer = self._say(connection, session, request)
            self._worker.output.tell_own_events(connection, session)
            self._answer(connection, answer)
            if not connection.held:
                self._worker.resume(connection)

    def _want_page(
        self, connection: Connection, session: Session, request: PageRequest
    ) -> Answer | None:
        if self._hub.history is None:
            return refusals.history_off(request)
        if isinstance(request, Search) and (problem := check_text(request.text)):
            return refusals.text_refused(request, problem)
        if len(connection.pages_waiting) + connection.page_under_way >= self._max_pages_waiting:
            return self._refuse_for_now(connection, request.id, _PAGE_RETRY_AFTER_S)
        self._hub.note_activity(session)
        connection.pending += 1
        connection.pages_waiting.append(request)
        self.ask_next_page(connection)
        return None

    def ask_next_page(self, connection: Connection) -> None:
        """Ask the history for the next page that a connection waits for.

        One at a time, and once the client has taken all that there was for it: a page can be large.
        """
        if (
            self._hub.history is not None
            and connection.pages_waiting
            and not connection.page_under_way
            and not connection.blocked
            and connection.state is not State.CLOSED
        ):
            connection.page_under_way = True
            self._hub.history.ask(
                connection.pages_waiting.pop(0),
                lambda page: self._worker.mailbox.post(
                    functools.partial(self._on_page, connection, page)
                ),
                lambda: connection.state is not State.CLOSED,
            )

    def _on_page(self, connection: Connection, page: HistoryPage | Error) -> None:
        connection.page_under_way = False
        if connection.state is State.CLOSED:
            return
        connection.pending -= 1
        self._worker.output.tell(connection, page)

    # --- direct messages -----------------------------------------------------------------------

    def _direct(self, connection: Connection, session: Session, request: Direct) -> Answer | None:
        outcome = self._hub.direct(session, request)
        if not isinstance(outcome, Handover):
            return outcome
        receiver, line = outcome.session, outcome.line
        if receiver.home is self._worker:
            return self._after_handover(session, request, self._worker.put(receiver, line))
        connection.held = True  # the answers come in the order of the requests
        resume = functools.partial(self._resume_direct, connection, session, request)
        receiver.home.hand_over(receiver, line, functools.partial(self._post, resume))
        return None

    def _post(self, call: Callable[[bool], object], delivered: bool) -> None:
        """Have a call made by the worker with what another thread has replied."""
        self._worker.mailbox.post(functools.partial(call, delivered))

    def _after_handover(self, session: Session, request: Direct, delivered: bool) -> Answer | None:
        if request.nonce is not UNSET:
            self._hub.direct_done(session, request, delivered=delivered)
        if not delivered:
            return refusals.not_connected(request, request.to)
        return None if request.id is UNSET else Ok(id=request.id)

    def _resume_direct(
        self, connection: Connection, session: Session, request: Direct, delivered: bool
    ) -> None:
        answer = self._after_handover(session, request, delivered)
        if connection.state is State.REGISTERED:
            self._answer(connection, answer)
            self._worker.resume(connection)

    # --- refusals ------------------------------------------------------------------------------

    def _may_spend(self, connection: Connection, request_id: int | UnsetType) -> bool:
        """Spend a token of the session's rate limit; answer if there is none left."""
        retry_after_s = self._rate_of(connection).spend(self._worker.now)
        if not retry_after_s:
            return True
        error = self._refuse_for_now(connection, request_id, retry_after_s)
        if error is not None:
            self._worker.output.tell(connection, error)
        return False

    def _rate_of(self, connection: Connection) -> RateLimit:
        if connection.rate is None:
            connection.rate = RateLimit(self._config, self._worker.now)
        return connection.rate

    def _refuse_for_now(
        self, connection: Connection, request_id: int | UnsetType, retry_after_s: float
    ) -> Error | None:
        """Make a `rate_limited`; None if it was the last of a flood, and the connection ends."""
        rate = self._rate_of(connection)
        rate.note_refused(self._worker.now)
        error = refusals.rate_limited(request_id, retry_after_s)
        if not rate.is_flood(self._worker.now):
            return error
        self._worker.finish(connection, CloseReason.FLOOD, error)
        return None

    def refuse_line(self, connection: Connection, bad: BadRequest) -> None:
        """Answer a line that is no request."""
        worker, session = self._worker, connection.session
        if session is None and not self._may_try(connection):
            return
        error = Error(id=bad.request_id, code=bad.code, message=str(bad))
        if bad.code is ErrorCode.UNKNOWN_TYPE:
            if session is None:
                error = refusals.not_registered(bad.request_id)
            elif not self._may_spend(connection, bad.request_id):
                return
        connection.malformed_count += bad.code is ErrorCode.MALFORMED
        if connection.malformed_count >= self._config.max_malformed:
            worker.finish(connection, CloseReason.PROTOCOL, error)
        else:
            worker.output.tell(connection, error)
