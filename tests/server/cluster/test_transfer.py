"""A node's state on its way to another one, in pieces."""

import msgspec
import pytest

from tertulia.server.cluster.snapshot import unpack
from tertulia.server.cluster.transfer import StateSender, fetch

STATE = bytes(range(256)) * 5_000  # three pieces


class Nodes:
    """One node that has a state, and what is asked of it."""

    def __init__(self, state: bytes | None = STATE) -> None:
        self.state = state
        self.sender = StateSender("lab1", lambda: self.state)
        self.asked: list[str] = []
        self.lost: set[int] = set()  # which questions get no answer

    def ask(self, node: str, question: bytes, _timeout_s: float) -> bytes | None:
        self.asked.append(node)
        return None if len(self.asked) in self.lost else self.sender.answer(question)


def test_a_state_comes_in_pieces_from_the_node_that_answers_first() -> None:
    nodes = Nodes()
    assert fetch(nodes.ask) == STATE
    assert nodes.asked == ["", "lab1", "lab1"]


def test_an_empty_state_comes_too() -> None:
    assert fetch(Nodes(b"").ask) == b""


def test_a_piece_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = Nodes()
    nodes.lost = {2, 3}
    assert fetch(nodes.ask) == STATE
    nodes = Nodes()
    nodes.lost = {2, 3, 4}
    assert fetch(nodes.ask) is None, "the node has ended"


def test_nobody_else_may_be_there() -> None:
    nodes = Nodes(None)
    assert fetch(nodes.ask) is None
    assert nodes.asked == [""]


def test_all_pieces_are_of_the_same_state() -> None:
    nodes = Nodes()

    def ask(node: str, question: bytes, timeout_s: float) -> bytes | None:
        answer = nodes.ask(node, question, timeout_s)
        nodes.state = b"another"  # the chat goes on meanwhile
        return answer

    assert fetch(ask) == STATE


def test_a_node_that_sends_nothing_more_before_the_end_is_given_up() -> None:
    answers = [msgspec.msgpack.encode(["lab1", "state", 10, data]) for data in (b"12345", b"")]
    assert fetch(lambda *_: answers.pop(0)) is None


@pytest.mark.parametrize("others", [1, 2])
def test_a_few_nodes_may_start_at_the_same_time(others: int) -> None:
    nodes = Nodes()

    def ask(node: str, question: bytes, timeout_s: float) -> bytes | None:
        answer = nodes.ask(node, question, timeout_s)
        for _ in range(others):
            nodes.sender.answer(msgspec.msgpack.encode([]))
        return answer

    assert fetch(ask) == (STATE if others == 1 else None), "of many, the oldest is forgotten"


@pytest.mark.parametrize("question", [b"", b"\xc1", b"\x92\xa1\x80\x00"])
def test_what_is_no_question_gets_no_answer(question: bytes) -> None:
    assert Nodes().sender.answer(question) is None


def test_an_answer_of_a_later_version_is_a_state_that_cannot_be_read() -> None:
    data = fetch(lambda _node, _question, _timeout_s: b"\xc1 rubbish")
    assert data is not None
    assert unpack(data) is None
