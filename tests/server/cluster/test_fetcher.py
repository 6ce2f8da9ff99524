"""Which rows a node asks which other node for, and when it asks for none."""

import logging
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from stored_messages import message

from tertulia.protocol.attendance import ListAttendance
from tertulia.protocol.messages import GetHistory, Search
from tertulia.server.cluster import fetcher as fetcher_module
from tertulia.server.cluster.fetcher import Fetcher
from tertulia.server.cluster.peer_history import (
    ROWS,
    NodeContext,
    RowsAnswer,
    RowsQuestion,
    Verdict,
    pack,
)
from tertulia.server.history.mail import GetRows, Rows
from tertulia.server.hub.records import Visit

OLD = GetRows(of="messages", after=0, through=10)
LATE = GetRows(of="messages", after=20, through=25)
VISITS = GetRows(of="visits", after=0, through=10)
FOUND = Rows(of="messages", after=0, through=10, messages=[message(3), message(4)])
ANOTHER_KIND = Rows(of="visits", after=0, through=10)


class Scene:
    """A node whose history lacks rows, with others that answer when a test says so."""

    def __init__(self, *others: str) -> None:
        self.now = 100.0
        self.others = list(others)
        self.asked: list[tuple[str, GetRows]] = []
        self.done: list[Any] = []
        self.added: list[Rows] = []
        self.history = SimpleNamespace(
            takes_rows=True, missing=[OLD], queued=(0, 0), add_missing=self.added.append
        )
        nothing: Any = None
        context = NodeContext(
            *(lambda: "log", nothing, nothing, lambda: self.others, nothing, self._ask, nothing)
        )
        history: Any = self.history
        self.fetcher = Fetcher(history, context)

    def _ask(self, node: str, verb: str, data: bytes, timeout_s: float, done: Any) -> None:
        assert (verb, timeout_s) == (ROWS, 5.0)
        question = msgspec.msgpack.decode(data, type=RowsQuestion)
        assert question.log == "log"
        self.asked.append((node, question.rows))
        self.done.append(done)

    def tick(self) -> list[tuple[str, GetRows]]:
        """Return what the node asks for now."""
        self.asked.clear()
        self.fetcher.tick()
        return list(self.asked)

    def answer(self, rows: Rows | None) -> None:
        verdict = Verdict.LACKS if rows is None else Verdict.FOUND
        self.done.pop()(pack(RowsAnswer(verdict, rows)))

    def ask_in_vain(self, times: int) -> None:
        for _ in range(times):
            assert len(self.tick()) == 1
            self.answer(None)


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Scene:
    caplog.set_level(logging.INFO)
    scene = Scene("b", "c")
    monkeypatch.setattr(fetcher_module, "time", SimpleNamespace(monotonic=lambda: scene.now))
    return scene


def test_one_question_is_asked_at_a_time(scene: Scene) -> None:
    assert scene.tick() == [("b", OLD)]
    assert scene.tick() == []
    scene.answer(FOUND)
    assert [row.seq for row in scene.added[0].messages] == [3, 4]
    assert scene.tick() == [("b", OLD)], "it had some, so it is asked for the rest"


def test_nothing_is_asked_while_the_history_takes_no_rows(scene: Scene) -> None:
    scene.history.takes_rows = False
    assert scene.tick() == []


def test_nothing_is_asked_while_many_rows_of_the_chat_wait(scene: Scene) -> None:
    scene.history.queued = (2_001, 0)
    assert scene.tick() == []
    scene.history.queued = (2_000, 0)
    assert len(scene.tick()) == 1


def test_nothing_is_asked_while_no_other_node_is_up(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.others.clear()
    assert scene.tick() == []
    assert caplog.messages == []


def test_every_node_is_asked_for_every_range_before_the_node_pauses(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.history.missing = [LATE, OLD]
    asked = []
    for _ in range(4):
        asked += scene.tick()
        scene.answer(None)
    assert asked == [("b", LATE), ("c", LATE), ("b", OLD), ("c", OLD)]
    assert scene.tick() == []
    scene.now += 4.75
    assert scene.tick() == []
    scene.now += 0.25
    scene.ask_in_vain(4)
    assert scene.tick() == []
    warnings = [text for text in caplog.messages if "no node that is up has the rest" in text]
    assert len(warnings) == 1


@pytest.mark.parametrize("data", [None, b"of a later version", pack(RowsAnswer(Verdict.OFF))])
def test_another_node_is_asked_if_one_has_nothing(scene: Scene, data: bytes | None) -> None:
    scene.tick()
    scene.done.pop()(data)
    assert scene.added == []
    assert scene.tick() == [("c", OLD)]


def test_rows_of_another_kind_are_no_answer(scene: Scene) -> None:
    scene.tick()
    scene.answer(ANOTHER_KIND)
    assert scene.added == []
    assert scene.tick() == [("c", OLD)]


def test_a_useful_answer_makes_all_nodes_worth_asking_again(scene: Scene) -> None:
    scene.ask_in_vain(1)
    scene.tick()
    scene.answer(FOUND)
    scene.ask_in_vain(2)
    assert scene.tick() == []


def test_the_log_has_the_beginning_and_the_end_with_their_figures(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.history.missing = [LATE, OLD, VISITS]
    for _ in range(2):
        scene.now += 0.5
        scene.tick()
        scene.answer(FOUND)
    assert caplog.messages == ["history incomplete, asks the other nodes numbers=15"]
    caplog.clear()
    scene.history.missing = []
    scene.now += 1.0
    scene.tick()
    scene.tick()
    assert caplog.messages == ["history complete messages=4 visits=0 seconds=1.5"]


def test_what_is_missing_later_has_figures_of_its_own(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    visit = Visit(key=3, name="ana", address="10.0.0.1", joined="", ended="", reason="quit")
    for wanted, rows in ((OLD, FOUND), (VISITS, replace(ANOTHER_KIND, visits=[visit]))):
        scene.history.missing = [wanted]
        scene.tick()
        scene.answer(rows)
    scene.history.missing = []
    scene.tick()
    scene.history.missing = [VISITS]
    scene.tick()
    scene.answer(ANOTHER_KIND)
    scene.history.missing = []
    scene.tick()
    assert caplog.messages == [
        "history incomplete, asks the other nodes numbers=10",
        "history complete messages=2 visits=1 seconds=0.0",
        "history incomplete, asks the other nodes numbers=0",
        "history complete messages=0 visits=0 seconds=0.0",
    ]


def test_for_what_is_missing_later_all_nodes_are_asked_again(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    for in_vain in (1, 2, 2):
        scene.history.missing = [OLD]
        assert scene.tick() == [("b", OLD)]
        scene.answer(None)
        scene.ask_in_vain(in_vain - 1)
        if in_vain == 2:
            assert scene.tick() == []
        scene.history.missing = []
        scene.tick()
        scene.now += 5.0
    assert caplog.text.count("no node that is up has the rest") == 2


# --- with real histories -------------------------------------------------------------------------


def test_a_node_fetches_all_rows_once_and_in_pieces(peers, old, fresh):
    old.put(range(41, 2_500))
    fresh.put(range(41, 60))
    late = peers.node("late", lacks_through=2_400)
    late.put(range(2_401, 2_500))
    peers.nodes.pop("fresh")
    late.fetch_all()
    asked = len(peers.asked)
    assert late.seqs(GetHistory(after=2_390, limit=20)) == (list(range(2_391, 2_411)), True)
    assert late.seqs(Search(text="number 17")) == ([17], False)
    assert [row.name for row in late.ask_page(ListAttendance()).sessions] == ["ana"]
    assert asked == len(peers.asked) == 4  # three times messages, then visits
    peers.nodes["fresh"] = fresh


def test_rows_come_from_whoever_has_them(peers, old, fresh):
    peers.node("bad", lacks_through=30).put(range(31, 41))
    peers.node("mute")
    peers.mute.add("mute")
    peers.node("off", has_history=False)
    fresh.fetch_all()
    assert fresh.seqs(GetHistory(after=0)) == (list(range(1, 41)), False)
