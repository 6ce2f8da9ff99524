"""What nodes answer one another about their histories: without a network, with real files."""

from queue import Queue
from typing import Any

from history_peers import WAIT_S, Here

from tertulia.protocol.messages import GetHistory
from tertulia.server.cluster.fetcher import Fetcher
from tertulia.server.cluster.peer_history import (
    KEPT,
    KeptAnswer,
    KeptQuestion,
    NodeContext,
    kept_answer,
    pack,
)
from tertulia.server.history.mail import GetRows, PageTicket


def test_a_node_that_is_behind_answers_when_it_is_not(peers, old, fresh):
    fresh.put(range(41, 43))
    answers: list[Any] = []
    assert fresh.history is not None
    fresh.history.ask(PageTicket(GetHistory(limit=14), fresh, 7))
    fresh.run(lambda: peers.asked)
    old.responder.tick()
    assert fresh.answers.empty()
    old.put(range(41, 43))
    old.responder.tick()
    fresh.run(lambda: not fresh.answers.empty())
    answers.append(fresh.answers.get().page)
    assert [each.seq for each in answers[0].messages] == list(range(29, 43))


def test_rows_are_not_given_before_all_of_them_were_applied(peers, old, fresh):
    answers: list[bytes] = []
    old.seq = 29
    fresh.fetcher.tick()
    assert peers.asked == ["old"]
    old.responder.tick()
    fresh.fetcher.tick()
    assert peers.asked == ["old"], "one question at a time"
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


def test_a_node_says_what_it_keeps_once_it_has_applied_what_it_is_asked_about(peers, old):
    assert kept(old, 40, 39, 40, 41).get(timeout=WAIT_S) == KeptAnswer([39, 40], True)
    early = kept(old, 41, 41)
    old.responder.tick()
    assert kept(old, 40, 1).get(timeout=WAIT_S) == KeptAnswer([1], True)
    assert early.empty()
    old.put(range(41, 42))
    old.responder.tick()
    assert early.get(timeout=WAIT_S) == KeptAnswer([41], True)
    off = peers.node("off", has_history=False)
    assert kept(off, 40, 1).get(timeout=WAIT_S) == KeptAnswer([], False)


def test_questions_that_cannot_be_read_or_are_of_another_log_have_no_answer(peers, old):
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
