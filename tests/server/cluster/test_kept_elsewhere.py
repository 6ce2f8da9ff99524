"""What a node asks the others whose own disk takes nothing: rounds, without a network."""

from typing import Any

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from tertulia.server.cluster.kept_elsewhere import KeptElsewhere
from tertulia.server.cluster.peer_history import (
    KEPT,
    KeptAnswer,
    KeptQuestion,
    NodeContext,
    pack,
)
from tertulia.server.history.mail import Stored
from tertulia.server.hub.session import Receipt

Told = list[tuple[int | UnsetType, bool]]


class Scene:
    """A node with others, which answer when the test wants it."""

    def __init__(self, *others: str) -> None:
        self.others = list(others)
        self.place = 0
        self.asked: list[tuple[str, KeptQuestion, Any]] = []
        self.told: Told = []
        self.asker = KeptElsewhere(
            NodeContext(
                log=lambda: "log",
                place=lambda: self.place,
                seq=lambda: 0,
                up=lambda: self.others,
                are_all_up=lambda: True,
                ask=self._ask,
                call=lambda step: step(),
            )
        )

    def _ask(self, node: str, verb: str, data: bytes, _timeout_s: float, done: Any) -> None:
        assert verb == KEPT
        self.asked.append((node, msgspec.msgpack.decode(data, type=KeptQuestion), done))

    def post(self, mail: Stored) -> bool:
        self.told += [(receipt.seq, is_stored) for receipt, is_stored in mail.rows]
        return True

    def confirm(self, *seqs: int | UnsetType) -> None:
        self.place += 1
        self.asker.acknowledge([Receipt(self, 7, 1, seq) for seq in seqs])

    def answer(self, node: str, *numbers: int, has_records: bool = False) -> None:
        """Let a node answer the oldest question that it has."""
        self._take(node)(pack(KeptAnswer(list(numbers), has_records)))

    def time_out(self, node: str) -> None:
        self._take(node)(None)

    def _take(self, node: str) -> Any:
        found = next(row for row in self.asked if row[0] == node)
        self.asked.remove(found)
        return found[2]

    def news(self) -> Told:
        told, self.told = self.told, []
        return told


def test_one_node_that_keeps_a_message_is_enough() -> None:
    scene = Scene("b", "c")
    scene.confirm(5, 4)
    assert [(node, asked.place, asked.numbers) for node, asked, _ in scene.asked] == [
        ("b", 1, [4, 5]),
        ("c", 1, [4, 5]),
    ]
    assert scene.news() == []
    scene.answer("c", 4, 5)
    assert scene.news() == [(5, True), (4, True)]
    scene.answer("b", 4)
    assert scene.news() == [], "everybody knows already"


def test_what_no_node_keeps_is_not_stored_once_all_have_said_so() -> None:
    scene = Scene("b", "c", "d")
    scene.confirm(4, 5, UNSET)
    scene.answer("b", 4)
    assert scene.news() == [(4, True)]
    scene.time_out("c")
    assert scene.news() == [], "one has not answered yet"
    scene.answer("d", 4)
    assert scene.news() == [(5, False), (UNSET, False)]


def test_what_operators_decide_is_kept_where_everything_is_written() -> None:
    scene = Scene("b", "c")
    scene.confirm(UNSET)
    scene.answer("b", has_records=False)
    assert scene.news() == []
    scene.answer("c", has_records=True)
    assert scene.news() == [(UNSET, True)]


def test_a_node_that_is_alone_knows_at_once_that_nobody_keeps_it() -> None:
    scene = Scene()
    scene.confirm(4)
    assert scene.news() == [(4, False)]
    scene.others = ["b"]
    scene.confirm(5)
    scene.answer("b", 5)
    assert scene.news() == [(5, True)]


def test_what_comes_meanwhile_is_asked_about_next_and_late_answers_change_nothing() -> None:
    scene = Scene("b", "c")
    scene.confirm(4)
    scene.confirm(5)
    scene.confirm(6)
    assert len(scene.asked) == 2
    scene.answer("b", 4)
    assert scene.news() == [(4, True)]
    assert [(node, asked.numbers) for node, asked, _ in scene.asked] == [
        ("c", [4]),
        ("b", [5, 6]),
        ("c", [5, 6]),
    ]
    assert scene.asked[1][1].place == 3, "as far as this node is when it asks"
    scene.answer("c")  # the first question
    assert scene.news() == []
    scene.answer("b", 5)
    scene.answer("c", 6)
    assert scene.news() == [(5, True), (6, True)]
    assert scene.asked == []


def test_a_late_answer_does_not_end_the_round_that_has_begun_since() -> None:
    scene = Scene("b", "c")
    scene.confirm(4)
    scene.confirm(5)
    scene.answer("b", 4)
    scene.answer("c")  # the first question
    scene.confirm(6)
    assert [asked.numbers for _node, asked, _done in scene.asked] == [[5], [5]]


def test_nodes_that_go_down_meanwhile_leave_nobody_waiting() -> None:
    scene = Scene("b")
    scene.confirm(4)
    scene.confirm(5)
    scene.others = []
    scene.time_out("b")
    assert scene.news() == [(4, False), (5, False)]


def test_what_did_not_fit_into_a_question_is_refused_once_when_all_nodes_go_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tertulia.server.cluster.kept_elsewhere._MAX_ASKED", 1)
    scene = Scene("b")
    scene.confirm(4, 5, 6)
    scene.others = []
    scene.time_out("b")
    assert scene.news() == [(4, False), (5, False), (6, False)]
    scene.others = ["b"]
    scene.confirm(7)
    scene.answer("b", 7)
    assert scene.news() == [(7, True)]
    assert scene.asked == []


def test_a_question_is_of_a_bounded_size_and_so_is_what_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tertulia.server.cluster.kept_elsewhere._MAX_ASKED", 2)
    monkeypatch.setattr("tertulia.server.cluster.kept_elsewhere._MAX_WAITING", 3)
    scene = Scene("b")
    scene.confirm(1)
    scene.confirm(2, 3, 4)
    scene.confirm(5)
    assert scene.news() == [(5, False)]
    scene.answer("b", 1)
    assert scene.asked[0][1].numbers == [2, 3]
    scene.answer("b", 2, 3)
    scene.answer("b", 4)
    assert scene.news() == [(1, True), (2, True), (3, True), (4, True)]
