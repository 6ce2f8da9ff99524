"""Which nodes are asked for a page that is incomplete here, and what its client gets."""

import threading
from types import SimpleNamespace
from typing import Any, NamedTuple

import msgspec
import pytest

from tertulia.protocol.attendance import ListAttendance
from tertulia.protocol.messages import Error, ErrorCode, GetHistory, HistoryPage, Search
from tertulia.server.cluster import relay as relay_module
from tertulia.server.cluster.peer_history import (
    PAGE,
    NodeContext,
    PageAnswer,
    PageQuestion,
    Verdict,
    pack,
)
from tertulia.server.cluster.relay import PageRelay
from tertulia.server.history.mail import PageReady, PageTicket
from tertulia.server.hub.eventlog import EventLog

PAGE_OF_OTHER = HistoryPage(messages=[], more=True)
OWN_PAGE = HistoryPage(messages=[], more=False)


class Asked(NamedTuple):
    node: str
    question: PageQuestion
    timeout_s: float
    done: Any


class Relay:
    """A relay at message 40, with other nodes that answer when a test says so."""

    def __init__(self, *others: str, has_history: bool = False) -> None:
        self.now = 100.0
        self.others = list(others)
        self.are_all_up = True
        self.asked: list[Asked] = []
        self.answers: list[PageReady] = []
        self.own: list[Any] = []  # what waits for this node's own page
        self.steps: list[Any] = []
        context = NodeContext(
            *(lambda: "log", lambda: 0, lambda: 40, lambda: self.others),
            *(lambda: self.are_all_up, self._ask, self._call),
        )
        self.history: Any = SimpleNamespace(
            ask_own=lambda _request, done: self.own.append(done), opening_problem=None
        )
        events = EventLog(threading.Lock(), 1_000_000, 0)
        self.relay = PageRelay(self.history if has_history else None, context, events)

    def _ask(self, node: str, verb: str, data: bytes, timeout_s: float, done: Any) -> None:
        assert verb == PAGE
        question = msgspec.msgpack.decode(data, type=PageQuestion)
        self.asked.append(Asked(node, question, timeout_s, done))

    def _call(self, step: Any) -> None:
        """Run steps one after the other, as the link's thread does."""
        self.steps.append(step)
        if len(self.steps) == 1:
            while self.steps:
                self.steps[0]()
                self.steps.pop(0)

    def post(self, mail: PageReady) -> bool:
        self.answers.append(mail)
        return True

    def ask(self, request: Any = None, *, is_for_held: bool = False) -> PageTicket:
        ticket = PageTicket(request or GetHistory(), self, 7, is_for_held)
        self.relay.ask(ticket)
        return ticket

    def answer(self, verdict: Verdict | None, page: HistoryPage | None = None) -> str:
        """Let the node that was asked first answer; None: not in time. Return which one it was."""
        asked = self.asked.pop(0)
        asked.done(None if verdict is None else pack(PageAnswer(verdict, page)))
        return asked.node

    def outcome(self) -> Any:
        """Return the page that the client has got, or the code of the refusal."""
        (ready,) = self.answers
        self.answers.clear()
        assert ready.session_number == 7
        return ready.page.code if isinstance(ready.page, Error) else ready.page


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch) -> Relay:
    relay = Relay("b", "c")
    monkeypatch.setattr(relay_module, "time", SimpleNamespace(monotonic=lambda: relay.now))
    return relay


# --- whom it asks --------------------------------------------------------------------------------


def test_the_nodes_are_asked_first_in_turn(relay: Relay) -> None:
    for _ in range(3):
        relay.ask()
    assert [asked.node for asked in relay.asked] == ["b", "c", "b"]
    del relay.asked[0]
    relay.answer(None)
    assert [asked.node for asked in relay.asked] == ["b", "b"]


def test_a_question_goes_no_further_than_this_node_is(relay: Relay) -> None:
    relay.ask(GetHistory())
    relay.ask(GetHistory(before=10))
    relay.ask(GetHistory(before=99))
    relay.ask(Search(text="hola"))
    assert [asked.question.request.before for asked in relay.asked] == [41, 10, 41, 41]
    relay.ask(ListAttendance())
    assert relay.asked[-1].question == PageQuestion("log", 40, ListAttendance())


def test_a_node_has_3_s_for_a_page_and_13_s_for_a_search(relay: Relay) -> None:
    for request in (GetHistory(), ListAttendance(), Search(text="hola")):
        relay.ask(request)
    assert [asked.timeout_s for asked in relay.asked] == [3.0, 3.0, 13.0]


def test_all_nodes_together_have_twice_as_long(relay: Relay) -> None:
    relay.others = ["b", "c", "d"]
    relay.ask()
    relay.now += 4.0
    relay.answer(Verdict.LACKS)
    assert relay.asked[0].timeout_s == 2.0
    relay.now += 2.0
    relay.answer(Verdict.LACKS)
    assert relay.asked == []
    assert relay.outcome() == "unavailable", "one node that is left may have it"


def test_32_questions_are_under_way_and_the_others_wait(relay: Relay) -> None:
    for _ in range(34):
        relay.ask()
    assert len(relay.asked) == 32
    relay.answer(Verdict.FOUND, PAGE_OF_OTHER)
    assert len(relay.asked) == 32
    relay.answer(Verdict.NOT_NOW)
    assert len(relay.asked) == 32, "the other node is asked first"
    while relay.asked:
        relay.answer(None)
    assert len(relay.answers) == 34


def test_nothing_is_asked_for_a_client_that_is_gone(relay: Relay) -> None:
    tickets = [relay.ask() for _ in range(33)]
    tickets[32].is_cancelled = tickets[0].is_cancelled = True
    relay.answer(None)
    assert len(relay.asked) == 31
    tickets[1].is_cancelled = True
    relay.answer(Verdict.FOUND, PAGE_OF_OTHER)
    assert relay.answers == []
    relay.ask()
    relay.ask()
    assert len(relay.asked) == 32


# --- what the client gets from a node without a history ------------------------------------------


def test_the_first_page_that_is_found_is_the_answer(relay: Relay) -> None:
    relay.ask(is_for_held=True)
    assert relay.answer(Verdict.NOT_NOW) == "b"
    assert relay.answer(Verdict.FOUND, PAGE_OF_OTHER) == "c"
    assert relay.answers == [PageReady(7, PAGE_OF_OTHER, is_for_held=True)]
    assert relay.asked == []


def test_what_all_nodes_lack_is_asked_for_once_as_it_is(relay: Relay) -> None:
    relay.ask()
    relay.answer(Verdict.OFF)
    relay.answer(Verdict.LACKS)
    assert [(asked.node, asked.question.as_it_is) for asked in relay.asked] == [("c", True)]
    tickets = [relay.ask() for _ in range(40)]
    assert len(relay.asked) == 32
    for ticket in tickets:
        ticket.is_cancelled = True
    relay.answer(Verdict.LACKS)
    assert not any(asked.question.as_it_is for asked in relay.asked)
    assert relay.outcome() == "unavailable"


def test_a_last_question_that_comes_late_has_no_time_left(relay: Relay) -> None:
    relay.others = ["b"]
    relay.ask()
    relay.now += 7.0
    relay.answer(Verdict.LACKS)
    assert relay.asked[0].timeout_s == 0.0


@pytest.mark.parametrize("other", [None, Verdict.NOT_NOW])
def test_a_page_with_holes_is_not_asked_for_if_a_node_may_have_all(
    relay: Relay, other: Verdict | None
) -> None:
    relay.ask()
    relay.answer(other)
    relay.answer(Verdict.LACKS)
    assert relay.asked == []
    assert relay.outcome() == "unavailable"


def test_a_page_with_holes_is_not_asked_for_while_a_node_is_down(relay: Relay) -> None:
    relay.are_all_up = False
    relay.ask()
    relay.answer(Verdict.LACKS)
    relay.answer(Verdict.LACKS)
    assert relay.asked == []
    assert relay.outcome() == "unavailable"


def test_an_answer_that_cannot_be_read_is_none(relay: Relay) -> None:
    relay.others = ["b"]
    relay.ask()
    relay.asked[0].done(b"of a later version")
    assert relay.outcome() == "unavailable"


def test_pages_are_off_if_all_nodes_that_are_up_keep_none(relay: Relay) -> None:
    relay.ask()
    relay.answer(Verdict.OFF)
    relay.answer(Verdict.OFF)
    assert relay.outcome() == "history_off"
    relay.others = []
    relay.ask()
    assert relay.outcome() == "history_off"


@pytest.mark.parametrize(
    ("verdict", "page"), [(Verdict.LACKS, None), (Verdict.FOUND, PAGE_OF_OTHER)]
)
def test_pages_are_never_off_once_a_node_was_seen_to_keep_them(
    relay: Relay, verdict: Verdict, page: HistoryPage | None
) -> None:
    relay.others = ["b"]
    relay.are_all_up = False
    relay.ask()
    relay.answer(verdict, page)
    relay.answers.clear()
    relay.ask()
    relay.answer(Verdict.OFF)
    assert relay.outcome() == "unavailable"


# --- what the client gets from a node with a history ---------------------------------------------


@pytest.fixture
def keeper() -> Relay:
    return Relay("b", has_history=True)


def test_an_own_page_that_is_whole_is_the_answer(keeper: Relay) -> None:
    keeper.ask()
    keeper.own.pop()(OWN_PAGE, True)
    assert keeper.outcome() == OWN_PAGE
    assert keeper.asked == []


@pytest.mark.parametrize("request_", [Search(text="hola"), ListAttendance()])
def test_only_pages_by_numbers_are_looked_for_here_first(keeper: Relay, request_: Any) -> None:
    keeper.ask(request_)
    assert keeper.own == []
    assert [asked.node for asked in keeper.asked] == ["b"]


def test_no_page_is_looked_for_here_while_the_file_cannot_be_opened(keeper: Relay) -> None:
    keeper.history.opening_problem = OSError("the disk is full")
    keeper.ask()
    assert keeper.own == []
    assert [asked.node for asked in keeper.asked] == ["b"]


@pytest.mark.parametrize(
    ("verdict", "own", "is_whole", "outcome"),
    [
        (Verdict.LACKS, OWN_PAGE, False, OWN_PAGE),  # nobody has more
        (None, OWN_PAGE, True, OWN_PAGE),  # it has come meanwhile
        (None, OWN_PAGE, False, "unavailable"),
        (None, Error(code=ErrorCode.BUSY, message=""), False, ErrorCode.BUSY),
    ],
)
def test_an_own_page_with_holes_is_the_answer_only_if_nobody_has_more(
    keeper: Relay, verdict: Verdict | None, own: Any, *, is_whole: bool, outcome: Any
) -> None:
    keeper.ask()
    keeper.own.pop()(OWN_PAGE, False)
    keeper.answer(verdict)
    keeper.own.pop()(own, is_whole)
    assert keeper.outcome() == outcome


def test_the_own_page_is_not_read_for_a_client_that_is_gone(keeper: Relay) -> None:
    ticket = keeper.ask()
    keeper.own.pop()(OWN_PAGE, False)
    ticket.is_cancelled = True
    keeper.answer(Verdict.LACKS)
    assert keeper.own == []
    assert keeper.answers == []


# --- with real histories -------------------------------------------------------------------------


def unavailable(answer: object) -> bool:
    return isinstance(answer, Error) and answer.code == "unavailable"


def test_a_page_that_is_whole_here_is_asked_for_nowhere_else(peers, fresh):
    assert fresh.seqs(GetHistory(limit=5)) == ([36, 37, 38, 39, 40], True)
    assert fresh.seqs(GetHistory(after=30, limit=5)) == ([31, 32, 33, 34, 35], True)
    assert fresh.seqs(GetHistory(after=35, limit=9)) == ([36, 37, 38, 39, 40], False)
    assert peers.asked == []


def test_a_page_that_needs_what_is_missing_comes_from_another_node(peers, fresh):
    assert fresh.seqs(GetHistory(limit=12)) == (list(range(29, 41)), True)
    assert fresh.seqs(GetHistory(after=0, limit=3)) == ([1, 2, 3], True)
    assert fresh.seqs(GetHistory(before=3)) == ([1, 2], False)
    assert fresh.seqs(Search(text="number 17")) == ([17], False)
    attendance = fresh.ask_page(ListAttendance())
    assert [row.name for row in attendance.sessions] == ["ana"]
    assert set(peers.asked) == {"old"}


def test_a_page_has_nothing_that_was_not_applied_here(peers, old, fresh):
    old.put(range(41, 45))
    assert fresh.seqs(GetHistory(limit=12)) == (list(range(29, 41)), True)
    assert fresh.seqs(GetHistory(after=20)) == (list(range(21, 41)), False)


def test_another_node_is_asked_if_one_does_not_answer_or_lacks_the_same(peers, fresh):
    peers.node("bad", lacks_through=30).put(range(31, 41))
    peers.node("mute")
    peers.mute.add("mute")
    for _ in range(3):
        assert fresh.seqs(GetHistory(before=3)) == ([1, 2], False)
    assert set(peers.asked) == {"bad", "mute", "old"}


def test_no_incomplete_page_is_given_while_somebody_may_have_the_rest(peers, fresh):
    peers.mute.add("old")
    assert unavailable(fresh.ask_page(GetHistory(limit=12)))
    assert unavailable(fresh.ask_page(GetHistory(before=20)))
    assert unavailable(fresh.ask_page(Search(text="number")))
    assert unavailable(fresh.ask_page(ListAttendance()))
    assert fresh.seqs(GetHistory(limit=5)) == ([36, 37, 38, 39, 40], True)
    assert fresh.seqs(Search(text="number", limit=3)) == ([38, 39, 40], True)
    peers.mute.clear()
    peers.down.add("old")
    assert unavailable(fresh.ask_page(GetHistory(before=20)))


def test_what_all_nodes_lack_is_no_reason_to_refuse_a_page(peers, tmp_path):
    one, other = peers.node("one", lacks_through=30), peers.node("other", lacks_through=30)
    peers.node("off", has_history=False)
    for node in (one, other):
        node.put(range(31, 41))
    assert one.seqs(GetHistory(limit=12)) == (list(range(31, 41)), False)
    assert one.seqs(Search(text="number 33")) == ([33], False)
    assert set(peers.asked) == {"off", "other"}


def test_many_questions_wait_and_each_is_answered_once(peers, fresh):
    count = 400
    assert fresh.history is not None
    for _ in range(count):
        fresh.history.ask(PageTicket(Search(text="number 17"), fresh, 7))
    peers.mute.add("old")
    fresh.run(lambda: len(peers.asked) == 32)
    peers.down.add("old")
    fresh.run(lambda: fresh.answers.qsize() == count)
    assert all(unavailable(fresh.answers.get().page) for _ in range(count))


def test_a_node_without_a_history_asks_the_others(peers, old):
    off = peers.node("off", has_history=False)
    peers.node("off too", has_history=False)
    off.seq = 40
    assert off.seqs(GetHistory(limit=3)) == ([38, 39, 40], True)
    assert off.seqs(Search(text="number 17")) == ([17], False)
    assert [row.name for row in off.ask_page(ListAttendance()).sessions] == ["ana"]
    assert off.ask_page(GetHistory(after=16, before=18, limit=1), is_for_held=True).messages
    peers.down.add("old")
    assert unavailable(off.ask_page(GetHistory()))


def test_a_node_without_a_history_gets_what_there_is_if_nobody_has_more(peers):
    off = peers.node("off", has_history=False)
    for name in ("one", "other"):
        peers.node(name, lacks_through=30).put(range(31, 41))
    off.seq = 40
    assert off.seqs(GetHistory(after=0)) == (list(range(31, 41)), False)
    peers.down.add("other")
    assert unavailable(off.ask_page(GetHistory(after=0)))


def test_pages_are_switched_off_only_if_no_node_keeps_any(peers):
    off = peers.node("off", has_history=False)
    for _ in range(2):
        assert off.ask_page(GetHistory()).code == "history_off"
        assert off.ask_page(Search(text="number")).code == "history_off"
        held = off.ask_page(GetHistory(after=16, before=18, limit=1), is_for_held=True)
        assert held == HistoryPage(messages=[], more=False)
        peers.node("off too", has_history=False)
    peers.node("mute", has_history=False)
    peers.mute.add("mute")
    assert unavailable(off.ask_page(GetHistory()))
