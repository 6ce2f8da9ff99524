"""What nodes ask one another about their histories: without a network, with real files."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from stored_messages import message

from tertulia.protocol.attendance import AttendancePage, ListAttendance
from tertulia.protocol.messages import Error, GetHistory, HistoryPage, Search
from tertulia.server.cluster.fetcher import Fetcher
from tertulia.server.cluster.peer_history import (
    KEPT,
    HistoryResponder,
    KeptAnswer,
    KeptQuestion,
    NodeContext,
    kept_answer,
    pack,
)
from tertulia.server.cluster.relay import PageRelay
from tertulia.server.config import Config
from tertulia.server.history.mail import GetRows, PageReady, PageRequest, PageTicket
from tertulia.server.history.node import NodeHistory
from tertulia.server.hub.eventlog import EventLog
from tertulia.server.hub.records import Visit

WAIT_S = 20.0
NOW = "2026-11-22T15:00:00.000Z"


class Here:
    """A node without a network: its history, what it asks, and the steps of its link's thread."""

    def __init__(self, path: Path | None, chat: "Chat", name: str) -> None:
        self.chat = chat
        self.name = name
        self.seq = 0
        self.steps: Queue[Callable[[], None]] = Queue()
        self.history: NodeHistory | None = None
        context = NodeContext(
            log=lambda: "log", place=lambda: self.seq, seq=lambda: self.seq, up=self.others_up,
            are_all_up=lambda: not chat.down, ask=self.ask, call=self.steps.put,
        )  # fmt: skip
        if path is not None:
            self.history = NodeHistory(path, Config(port=0, cluster=("nats://127.0.0.1:1",)))
            self.fetcher = Fetcher(self.history, context)
        events = EventLog(threading.Lock(), 1_000_000, 0)
        self.relay = PageRelay(self.history, context, events)
        if self.history is not None:
            self.history.ask_elsewhere = self.relay.ask
        self.responder = HistoryResponder(self.history, context)
        self.answers: Queue[PageReady] = Queue()

    def others_up(self) -> list[str]:
        others = set(self.chat.nodes) - {self.name} - self.chat.down
        return sorted(others)

    def ask(self, node: str, verb: str, data: bytes, _timeout_s: float, done: Any) -> None:
        self.chat.asked.append(node)
        if node in self.chat.mute:
            self.steps.put(lambda: done(None))
            return

        def reply(answer: bytes) -> None:
            self.steps.put(lambda: done(answer))

        self.chat.nodes[node].responder.verbs[verb](data, reply)

    def put(self, seqs: range) -> None:
        """Write messages and go on to the last of them."""
        assert self.history is not None
        for seq in seqs:
            self.history.reserve_space()
            self.history.write(message(seq, f"number {seq}"), None)
            self.seq = seq

    def run(self, until: Callable[[], object]) -> None:
        """Do what the link's thread has to do, until something is so."""
        while not until():
            self.steps.get(timeout=WAIT_S)()

    def post(self, mail: PageReady) -> bool:
        self.answers.put(mail)
        self.steps.put(lambda: None)
        return True

    def ask_page(
        self, request: PageRequest, *, is_for_held: bool = False
    ) -> HistoryPage | AttendancePage | Error:
        """Ask as a client's worker does."""
        pages = self.relay if self.history is None else self.history
        pages.ask(PageTicket(request, self, 7, is_for_held))
        self.run(lambda: not self.answers.empty())
        mail = self.answers.get()
        assert mail.session_number == 7
        return mail.page

    def seqs(self, request: GetHistory | Search) -> tuple[list[int], bool]:
        page = self.ask_page(request)
        assert isinstance(page, HistoryPage), page
        return [each.seq for each in page.messages], page.more

    def fetch_all(self) -> None:
        """Let ticks go by until nothing is missing."""
        assert self.history is not None
        while self.history.missing:
            self.fetcher.tick()
            while not self.steps.empty():
                self.steps.get()()


class Chat:
    """Nodes that can ask one another. Those that are `mute` do not answer."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.nodes: dict[str, Here] = {}
        self.mute: set[str] = set()
        self.down: set[str] = set()
        self.asked: list[str] = []

    def node(self, name: str, *, lacks_through: int = 0, has_history: bool = True) -> Here:
        """Add a node that lacks the rows up to a number."""
        node = Here(self._root / f"{name}.db" if has_history else None, self, name)
        if node.history is not None:
            if lacks_through:
                node.history.note_missing(0, lacks_through)
                node.seq = lacks_through
            node.history.start()
        self.nodes[name] = node
        return node


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Chat]:
    chat = Chat(tmp_path)
    yield chat
    for node in chat.nodes.values():
        if node.history is not None:
            assert node.history.stop(WAIT_S)


@pytest.fixture
def old(chat: Chat) -> Here:
    """A node that has everything up to 40, and a visit."""
    node = chat.node("old")
    node.put(range(1, 41))
    assert node.history is not None
    visit = Visit(key=3, name="ana", address="10.0.0.1", joined=NOW, ended=NOW, reason="quit")
    node.history.keep([visit])
    return node


@pytest.fixture
def fresh(chat: Chat, old: Here) -> Here:
    """A node that lacks everything up to 30."""
    node = chat.node("fresh", lacks_through=30)
    node.put(range(31, 41))
    return node


def unavailable(answer: object) -> bool:
    return isinstance(answer, Error) and answer.code == "unavailable"


def test_a_page_that_is_whole_here_is_asked_for_nowhere_else(chat, fresh):
    assert fresh.seqs(GetHistory(limit=5)) == ([36, 37, 38, 39, 40], True)
    assert fresh.seqs(GetHistory(after=30, limit=5)) == ([31, 32, 33, 34, 35], True)
    assert fresh.seqs(GetHistory(after=35, limit=9)) == ([36, 37, 38, 39, 40], False)
    assert chat.asked == []


def test_a_page_that_needs_what_is_missing_comes_from_another_node(chat, fresh):
    assert fresh.seqs(GetHistory(limit=12)) == (list(range(29, 41)), True)
    assert fresh.seqs(GetHistory(after=0, limit=3)) == ([1, 2, 3], True)
    assert fresh.seqs(GetHistory(before=3)) == ([1, 2], False)
    assert fresh.seqs(Search(text="number 17")) == ([17], False)
    attendance = fresh.ask_page(ListAttendance())
    assert [row.name for row in attendance.sessions] == ["ana"]
    assert set(chat.asked) == {"old"}


def test_a_page_has_nothing_that_was_not_applied_here(chat, old, fresh):
    old.put(range(41, 45))
    assert fresh.seqs(GetHistory(limit=12)) == (list(range(29, 41)), True)
    assert fresh.seqs(GetHistory(after=20)) == (list(range(21, 41)), False)


def test_a_node_that_is_behind_answers_when_it_is_not(chat, old, fresh):
    fresh.put(range(41, 43))
    answers: list[Any] = []
    assert fresh.history is not None
    fresh.history.ask(PageTicket(GetHistory(limit=14), fresh, 7))
    fresh.run(lambda: chat.asked)
    old.responder.tick()
    assert fresh.answers.empty()
    old.put(range(41, 43))
    old.responder.tick()
    fresh.run(lambda: not fresh.answers.empty())
    answers.append(fresh.answers.get().page)
    assert [each.seq for each in answers[0].messages] == list(range(29, 43))


def test_another_node_is_asked_if_one_does_not_answer_or_lacks_the_same(chat, fresh):
    chat.node("bad", lacks_through=30).put(range(31, 41))
    chat.node("mute")
    chat.mute.add("mute")
    for _ in range(3):
        assert fresh.seqs(GetHistory(before=3)) == ([1, 2], False)
    assert set(chat.asked) == {"bad", "mute", "old"}


def test_no_incomplete_page_is_given_while_somebody_may_have_the_rest(chat, fresh):
    chat.mute.add("old")
    assert unavailable(fresh.ask_page(GetHistory(limit=12)))
    assert unavailable(fresh.ask_page(GetHistory(before=20)))
    assert unavailable(fresh.ask_page(Search(text="number")))
    assert unavailable(fresh.ask_page(ListAttendance()))
    assert fresh.seqs(GetHistory(limit=5)) == ([36, 37, 38, 39, 40], True)
    assert fresh.seqs(Search(text="number", limit=3)) == ([38, 39, 40], True)
    chat.mute.clear()
    chat.down.add("old")
    assert unavailable(fresh.ask_page(GetHistory(before=20)))


def test_what_all_nodes_lack_is_no_reason_to_refuse_a_page(chat, tmp_path):
    one, other = chat.node("one", lacks_through=30), chat.node("other", lacks_through=30)
    chat.node("off", has_history=False)
    for node in (one, other):
        node.put(range(31, 41))
    assert one.seqs(GetHistory(limit=12)) == (list(range(31, 41)), False)
    assert one.seqs(Search(text="number 33")) == ([33], False)
    assert set(chat.asked) == {"off", "other"}


def test_many_questions_wait_and_each_is_answered_once(chat, fresh):
    count = 400
    assert fresh.history is not None
    for _ in range(count):
        fresh.history.ask(PageTicket(Search(text="number 17"), fresh, 7))
    chat.mute.add("old")
    fresh.run(lambda: len(chat.asked) == 32)
    chat.down.add("old")
    fresh.run(lambda: fresh.answers.qsize() == count)
    assert all(unavailable(fresh.answers.get().page) for _ in range(count))


def test_a_node_without_a_history_asks_the_others(chat, old):
    off = chat.node("off", has_history=False)
    chat.node("off too", has_history=False)
    off.seq = 40
    assert off.seqs(GetHistory(limit=3)) == ([38, 39, 40], True)
    assert off.seqs(Search(text="number 17")) == ([17], False)
    assert [row.name for row in off.ask_page(ListAttendance()).sessions] == ["ana"]
    assert off.ask_page(GetHistory(after=16, before=18, limit=1), is_for_held=True).messages
    chat.down.add("old")
    assert unavailable(off.ask_page(GetHistory()))


def test_a_node_without_a_history_gets_what_there_is_if_nobody_has_more(chat):
    off = chat.node("off", has_history=False)
    for name in ("one", "other"):
        chat.node(name, lacks_through=30).put(range(31, 41))
    off.seq = 40
    assert off.seqs(GetHistory(after=0)) == (list(range(31, 41)), False)
    chat.down.add("other")
    assert unavailable(off.ask_page(GetHistory(after=0)))


def test_pages_are_switched_off_only_if_no_node_keeps_any(chat):
    off = chat.node("off", has_history=False)
    for _ in range(2):
        assert off.ask_page(GetHistory()).code == "history_off"
        assert off.ask_page(Search(text="number")).code == "history_off"
        held = off.ask_page(GetHistory(after=16, before=18, limit=1), is_for_held=True)
        assert held == HistoryPage(messages=[], more=False)
        chat.node("off too", has_history=False)
    chat.node("mute", has_history=False)
    chat.mute.add("mute")
    assert unavailable(off.ask_page(GetHistory()))


def test_a_node_fetches_all_rows_once_and_in_pieces(chat, old, fresh):
    old.put(range(41, 2_500))
    fresh.put(range(41, 60))
    late = chat.node("late", lacks_through=2_400)
    late.put(range(2_401, 2_500))
    chat.nodes.pop("fresh")
    late.fetch_all()
    asked = len(chat.asked)
    assert late.seqs(GetHistory(after=2_390, limit=20)) == (list(range(2_391, 2_411)), True)
    assert late.seqs(Search(text="number 17")) == ([17], False)
    assert [row.name for row in late.ask_page(ListAttendance()).sessions] == ["ana"]
    assert asked == len(chat.asked) == 4  # three times messages, then visits
    chat.nodes["fresh"] = fresh


def test_rows_come_from_whoever_has_them(chat, old, fresh):
    chat.node("bad", lacks_through=30).put(range(31, 41))
    chat.node("mute")
    chat.mute.add("mute")
    chat.node("off", has_history=False)
    fresh.fetch_all()
    assert fresh.seqs(GetHistory(after=0)) == (list(range(1, 41)), False)


def test_rows_are_not_given_before_all_of_them_were_applied(chat, old, fresh):
    answers: list[bytes] = []
    old.seq = 29
    fresh.fetcher.tick()
    assert chat.asked == ["old"]
    old.responder.tick()
    fresh.fetcher.tick()
    assert chat.asked == ["old"], "one question at a time"
    assert answers == []
    old.seq = 40
    old.responder.tick()
    fresh.fetch_all()
    assert fresh.seqs(GetHistory(after=0)) == (list(range(1, 41)), False)


def kept(node: Here, place: int, *numbers: int) -> "Queue[KeptAnswer | None]":
    """Ask a node as one does whose own disk takes nothing."""
    answers: Queue[KeptAnswer | None] = Queue()
    question = pack(KeptQuestion("log", place, list(numbers)))
    node.responder.verbs[KEPT](question, lambda data: answers.put(kept_answer(data)))
    return answers


def test_a_node_says_what_it_keeps_once_it_has_applied_what_it_is_asked_about(chat, old):
    assert kept(old, 40, 39, 40, 41).get(timeout=WAIT_S) == KeptAnswer([39, 40], True)
    early = kept(old, 41, 41)
    old.responder.tick()
    assert kept(old, 40, 1).get(timeout=WAIT_S) == KeptAnswer([1], True)
    assert early.empty()
    old.put(range(41, 42))
    old.responder.tick()
    assert early.get(timeout=WAIT_S) == KeptAnswer([41], True)
    off = chat.node("off", has_history=False)
    assert kept(off, 40, 1).get(timeout=WAIT_S) == KeptAnswer([], False)


def test_questions_that_cannot_be_read_or_are_of_another_log_have_no_answer(chat, old):
    answers: list[bytes] = []
    for data in (b"", b"\xc1", b"{}", b"\x93\xa3old\x05\x80", b"\x93\xa1\x80\x00\x00"):
        old.responder.answer_rows(data, answers.append)
        old.responder.answer_page(data, answers.append)
        old.responder.answer_kept(data, answers.append)
    other = NodeContext(
        log=lambda: "other", place=lambda: 0, seq=lambda: 0, up=lambda: ["old"],
        are_all_up=lambda: True,
        ask=lambda _node, _verb, data, *_: old.responder.answer_rows(data, answers.append),
        call=lambda step: step(),
    )  # fmt: skip
    history: Any = type(
        "History", (), {
            "missing": [GetRows(of="messages", after=0, through=9)],
            "takes_rows": True, "queued": (0, 0),
        },
    )()  # fmt: skip
    Fetcher(history, other).tick()
    assert answers == []
