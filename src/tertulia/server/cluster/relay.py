"""Passes clients' requests for pages on to other nodes while this node's history is incomplete.

A node without a history asks others for each page. If no node answers in time, the client is told
to try again. An incomplete page is never given as a complete one, unless every node of the chat
lacks the same. The link's thread runs this, except where it says otherwise.
"""

import time
from collections import deque
from functools import partial

from msgspec import UNSET, Struct
from msgspec.structs import replace

from tertulia.protocol.attendance import ListAttendance
from tertulia.protocol.messages import MAX_INT, Error, GetHistory, HistoryPage, Search
from tertulia.server import refusals
from tertulia.server.cluster.peer_history import (
    PAGE,
    NodeContext,
    PageQuestion,
    Verdict,
    pack,
    page_answer,
)
from tertulia.server.history.mail import Page, PageReady, PageRequest, PageTicket
from tertulia.server.history.node import NodeHistory
from tertulia.server.hub.eventlog import EventLog
from tertulia.server.hub.unkept import refuse_page

_TIMEOUT_S = 3.0  # for one question; a node gives up reading a page after 2 s
_SEARCH_TIMEOUT_S = 13.0  # a search may wait 10 s for the index
_MAX_UNDER_WAY = 32  # questions at a time; more of them would slow other nodes' clients


class _Passing(Struct, eq=False):
    ticket: PageTicket
    give_up_at: float
    left: list[str] = []  # nodes that are not asked yet
    question: PageQuestion | None = None
    verdicts: dict[str, Verdict | None] = {}  # of the nodes that were asked; None: no answer


class PageRelay:
    """The requests that are passed on. Bound: one for each connection."""

    def __init__(self, history: NodeHistory | None, context: NodeContext, events: EventLog) -> None:
        self._history = history
        self._context = context
        self._events = events
        self._others_keep = False  # whether a node has ever said that it has a history
        self._waiting: deque[_Passing] = deque()
        self._under_way = 0
        self._turn = 0

    def ask(self, ticket: PageTicket) -> None:
        """Find a page that may contain messages which this node lacks. Any thread."""
        history = self._history
        # The page may be complete although something else is missing.
        is_readable = history is not None and history.opening_problem is None
        if history is not None and is_readable and isinstance(ticket.request, GetHistory):
            history.ask_own(ticket.request, partial(self._on_own_page, ticket))
        else:
            self._context.call(partial(self._queue, ticket))

    def _on_own_page(self, ticket: PageTicket, page: Page | Error, is_whole: bool) -> None:
        """Answer if this node's page is complete. The reader's thread."""
        if is_whole:
            _answer(ticket, page)
        else:
            self._context.call(partial(self._queue, ticket))

    def _queue(self, ticket: PageTicket) -> None:
        give_up_at = time.monotonic() + 2 * _timeout_s(ticket.request)
        self._waiting.append(_Passing(ticket, give_up_at))
        self._begin_next()

    def _begin_next(self) -> None:
        while self._waiting and self._under_way < _MAX_UNDER_WAY:
            passing = self._waiting.popleft()
            self._under_way += 1
            nodes, seq = self._context.up(), self._context.seq()
            first = self._turn % len(nodes) if nodes else 0
            self._turn += 1
            passing.left = nodes[first:] + nodes[:first]
            request = _up_to(seq, passing.ticket.request)
            passing.question = PageQuestion(self._context.log(), seq, request)
            self._ask_next(passing)

    def _ask_next(self, passing: _Passing) -> None:
        is_late = time.monotonic() >= passing.give_up_at
        if not passing.left or is_late or passing.ticket.is_cancelled:
            self._give_up(passing)
        else:
            self._ask(passing, passing.left.pop(0))

    def _ask(self, passing: _Passing, node: str) -> None:
        left_s = max(0.0, passing.give_up_at - time.monotonic())
        timeout_s = min(left_s, _timeout_s(passing.ticket.request))
        question, done = pack(passing.question), partial(self._on_answer, passing, node)
        self._context.ask(node, PAGE, question, timeout_s, done)

    def _on_answer(self, passing: _Passing, node: str, data: bytes | None) -> None:
        answer = page_answer(data)
        if answer is not None and answer.page is not None:
            self._others_keep = True
            _answer(passing.ticket, answer.page)
            self._finish()
            return
        passing.verdicts[node] = None if answer is None else answer.verdict
        self._ask_next(passing)

    def _give_up(self, passing: _Passing) -> None:
        """Answer with the page of a node, if that is correct; otherwise with a refusal."""
        ticket, verdicts = passing.ticket, passing.verdicts
        question = passing.question
        assert question is not None
        nobody_has_it = (
            not passing.left
            and self._context.are_all_up()
            and set(verdicts.values()) <= {Verdict.LACKS, Verdict.OFF}
        )
        lacking = [node for node, verdict in verdicts.items() if verdict is Verdict.LACKS]
        self._others_keep = self._others_keep or bool(lacking)
        if ticket.is_cancelled:
            pass  # Its client is gone.
        elif self._history is not None:
            self._answer_own(self._history, ticket, nobody_has_it=nobody_has_it)
        elif lacking and nobody_has_it and not question.as_it_is:
            passing.question = replace(question, as_it_is=True)
            self._ask(passing, lacking[0])
            return
        else:
            nobody_keeps = not self._others_keep and set(verdicts.values()) <= {Verdict.OFF}
            _answer(ticket, self._refusal(ticket, nobody_keeps=nobody_keeps))
        self._finish()

    def _answer_own(self, history: NodeHistory, ticket: PageTicket, *, nobody_has_it: bool) -> None:
        def answer(page: Page | Error, is_whole: bool) -> None:  # the reader's thread
            if is_whole or nobody_has_it or isinstance(page, Error):
                _answer(ticket, page)
            else:
                _answer(ticket, refusals.not_read(ticket.request))

        history.ask_own(ticket.request, answer)

    def _refusal(self, ticket: PageTicket, *, nobody_keeps: bool) -> Page | Error:
        """Return the answer of a node without a history, if no other node has answered."""
        if not nobody_keeps:
            return refusals.not_read(ticket.request)
        if ticket.is_for_held:
            return HistoryPage(messages=[], more=False)  # There is no such message.
        return refuse_page(self._events, ticket.request)

    def _finish(self) -> None:
        self._under_way -= 1
        # Not called directly: if many fail together, the calls would nest.
        self._context.call(self._begin_next)


def _answer(ticket: PageTicket, page: Page | Error) -> None:
    if not ticket.is_cancelled:
        ticket.owner.post(PageReady(ticket.session_number, page, ticket.is_for_held))


def _timeout_s(request: PageRequest) -> float:
    return _SEARCH_TIMEOUT_S if isinstance(request, Search) else _TIMEOUT_S


def _up_to(seq: int, request: PageRequest) -> PageRequest:
    """Return a request that leaves out messages which this node has not applied yet."""
    if isinstance(request, ListAttendance):
        return request
    before = MAX_INT if request.before is UNSET else request.before
    return replace(request, before=min(before, seq + 1))
