"""Questions between nodes about their histories, for rows and pages, and this node's answers.

A node answers only if its history is complete up to the number in the question: a message that it
has not applied yet would otherwise seem never to have been sent. The link's thread runs this; only
the last step, sending the answer, runs on a thread of the history.
"""

import time
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from tertulia.protocol.attendance import AttendancePage
from tertulia.protocol.messages import Error, HistoryPage
from tertulia.server.cluster.commands import UNREADABLE
from tertulia.server.cluster.inbox import Done
from tertulia.server.history.mail import (
    GetRows,
    KeptTicket,
    Page,
    PageRequest,
    Rows,
    RowsReady,
    RowsTicket,
)
from tertulia.server.history.node import NodeHistory

ROWS, PAGE, KEPT = "rows", "page", "kept"  # the verbs

_PATIENCE_S = 2.0  # how long a question waits for what is not applied here yet
_MAX_EARLY = 1_000  # such questions that wait
_MAX_ANSWER_BYTES = 900 * 1024  # a message of NATS has 1 MiB

Reply = Callable[[bytes], None]
T = TypeVar("T")


class NodeContext(NamedTuple):
    """Access to this node's position and to the other nodes. Link's thread, except `call`."""

    log: Callable[[], str]  # which log the nodes follow
    place: Callable[[], int]  # of the last entry of the log that was applied here
    seq: Callable[[], int]  # the number of the last event that was applied here
    up: Callable[[], list[str]]  # the other nodes that are up
    are_all_up: Callable[[], bool]  # whether all nodes are, of those that the log has ever seen
    ask: Callable[[str, str, bytes, float, Done], None]  # node, verb, question, time-out, done
    call: Callable[[Callable[[], None]], None]  # runs a step on the link's thread; any thread


class RowsQuestion(Struct, array_like=True):
    """Asks for rows that are missing."""

    log: str
    rows: GetRows


class PageQuestion(Struct, array_like=True):
    """Asks for a page for a client of the asking node, which has applied everything up to `seq`.

    With `as_it_is`, the node answers even if its history is incomplete: all nodes lack the same.
    """

    log: str
    seq: int
    request: PageRequest
    as_it_is: bool = False


class KeptQuestion(Struct, array_like=True):
    """Asks which messages are stored, by their numbers, and whether everything else is.

    It is about all that was decided up to `place` in the log.
    """

    log: str
    place: int
    numbers: list[int]


class Verdict(Enum):
    """What kind of answer the asked node can give."""

    FOUND = "found"
    LACKS = "lacks"  # its history lacks something that belongs to the answer
    NOT_NOW = "not now"  # its history could not be read
    OFF = "off"  # it has no history


class RowsAnswer(Struct, array_like=True):
    """Answers RowsQuestion."""

    verdict: Verdict
    rows: Rows | None = None


class PageAnswer(Struct, array_like=True):
    """Answers PageQuestion."""

    verdict: Verdict
    page: HistoryPage | AttendancePage | None = None


class KeptAnswer(Struct, array_like=True):
    """Answers KeptQuestion."""

    numbers: list[int]  # of the messages that are in the file
    has_records: bool  # whether everything else up to the place is in the file


_rows_questions = msgspec.msgpack.Decoder(RowsQuestion)
_page_questions = msgspec.msgpack.Decoder(PageQuestion)
_kept_questions = msgspec.msgpack.Decoder(KeptQuestion)
_rows_answers = msgspec.msgpack.Decoder(RowsAnswer)
_page_answers = msgspec.msgpack.Decoder(PageAnswer)
_kept_answers = msgspec.msgpack.Decoder(KeptAnswer)
pack = msgspec.msgpack.encode


def rows_answer(data: bytes | None) -> RowsAnswer | None:
    """Return the answer of a node; None if there is none that can be read."""
    return _decoded(_rows_answers, data)


def page_answer(data: bytes | None) -> PageAnswer | None:
    """Return the answer of a node; None if there is none that can be read."""
    return _decoded(_page_answers, data)


def kept_answer(data: bytes | None) -> KeptAnswer | None:
    """Return the answer of a node; None if there is none that can be read."""
    return _decoded(_kept_answers, data)


def _decoded(decoder: msgspec.msgpack.Decoder[T], data: bytes | None) -> T | None:
    """Return the decoded answer; None if it is one of another version that we cannot read."""
    if data is None:
        return None
    try:
        return decoder.decode(data)
    except UNREADABLE:
        return None


class HistoryResponder:
    """Answers the questions of other nodes."""

    def __init__(self, history: NodeHistory | None, context: NodeContext) -> None:
        self._history = history
        self._context = context
        # Questions that came too early: until when each waits, for what, and what to do then.
        self._early: list[tuple[float, Callable[[], bool], Callable[[], None]]] = []

    @property
    def verbs(self) -> dict[str, Callable[[bytes, Reply], None]]:
        """The questions that are answered, each with its method."""
        return {ROWS: self.answer_rows, PAGE: self.answer_page, KEPT: self.answer_kept}

    def answer_rows(self, data: bytes, reply: Reply) -> None:
        """Answer a RowsQuestion."""
        question = _decoded(_rows_questions, data)
        if question is None or question.log != self._context.log():
            return
        history, rows = self._history, question.rows
        if history is None:
            reply(pack(RowsAnswer(Verdict.OFF)))
            return
        ticket = RowsTicket(rows, _RowsReply(reply))
        self._when(self._has_applied(rows.through), partial(history.ask_rows, ticket))

    def answer_page(self, data: bytes, reply: Reply) -> None:
        """Answer a PageQuestion."""
        question = _decoded(_page_questions, data)
        if question is None or question.log != self._context.log():
            return
        history = self._history
        if history is None:
            reply(pack(PageAnswer(Verdict.OFF)))
            return
        done = partial(_reply_page, reply, question.as_it_is)
        ask = partial(history.ask_own, question.request, done)
        self._when(self._has_applied(question.seq), ask)

    def answer_kept(self, data: bytes, reply: Reply) -> None:
        """Answer a KeptQuestion."""
        question = _decoded(_kept_questions, data)
        if question is None or question.log != self._context.log():
            return
        history, place = self._history, question.place
        if history is None:
            reply(pack(KeptAnswer([], has_records=False)))
            return

        def done(numbers: list[int], has_records: bool) -> None:  # the writer's thread
            reply(pack(KeptAnswer(numbers, has_records)))

        ticket = KeptTicket(question.numbers, done)
        self._when(lambda: self._context.place() >= place, partial(history.ask_kept, ticket))

    def _has_applied(self, seq: int) -> Callable[[], bool]:
        return lambda: self._context.seq() >= seq

    def _when(self, is_time: Callable[[], bool], ask: Callable[[], None]) -> None:
        if is_time():
            ask()
        elif len(self._early) < _MAX_EARLY:
            self._early.append((time.monotonic() + _PATIENCE_S, is_time, ask))

    def tick(self) -> None:
        """Answer questions that came too early, if their time has come."""
        if not self._early:
            return
        early, self._early = self._early, []
        now = time.monotonic()
        for give_up_at, is_time, ask in early:
            if is_time():
                ask()
            elif now < give_up_at:
                self._early.append((give_up_at, is_time, ask))


class _RowsReply:
    """Sends rows to the node that waits for them, from the reader's thread."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def post(self, mail: RowsReady) -> bool:
        found = mail.rows is not None
        self._reply(pack(RowsAnswer(Verdict.FOUND if found else Verdict.LACKS, mail.rows)))
        return True


def _reply_page(reply: Reply, as_it_is: bool, page: Page | Error, is_whole: bool) -> None:
    """Send a page to the node that waits for it, from the reader's thread."""
    answer = PageAnswer(Verdict.LACKS)
    if isinstance(page, Error):
        answer = PageAnswer(Verdict.NOT_NOW)
    elif is_whole or as_it_is:
        answer = PageAnswer(Verdict.FOUND, page)
    data = pack(answer)
    # Only attendance can be so large, if thousands have come in one millisecond.
    reply(data if len(data) <= _MAX_ANSWER_BYTES else pack(PageAnswer(Verdict.NOT_NOW)))
