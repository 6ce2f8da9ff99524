"""Which history fits to a chat that other nodes serve: decided before anything is written."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from stored_messages import message

from tertulia.i18n import set_language
from tertulia.server.cluster import snapshot as snapshots
from tertulia.server.cluster.arrival import Arrival
from tertulia.server.cluster.beginning import rules_of
from tertulia.server.cluster.commands import FORMAT
from tertulia.server.cluster.nodes import Nodes
from tertulia.server.cluster.snapshot import Snapshot
from tertulia.server.cluster.stream import StreamState
from tertulia.server.cluster.transfer import Sender
from tertulia.server.cluster.unusable import ClusterUnusable
from tertulia.server.config import Config
from tertulia.server.history.node import NodeHistory
from tertulia.server.history.store import MessageStore
from tertulia.server.hub.records import Place
from tertulia.server.hub.room_state import RoomState

CONFIG = Config(port=0, cluster=("nats://a:4222",), node="lab2")
WAIT_S = 20.0
LOG, ANOTHER_LOG = "2026-11-22T15:00:00Z", "2026-11-22T16:00:00Z"
STREAM = StreamState(first=1, last=90, messages=90, replicas=3, max_bytes=1 << 30, created=LOG)


@pytest.fixture(autouse=True)
def english() -> None:
    set_language("en")


@pytest.fixture
def arrive(tmp_path: Path) -> Iterator[Callable[..., int]]:
    """Return a function that lets a node arrive and returns from which number it goes on.

    The node has messages up to `last` and is at `place`; the others' chat is at number `seq`.
    """
    opened: list[tuple[NodeHistory, Arrival]] = []

    def arrive(last: int, place: Place | None, seq: int) -> int:
        store = MessageStore(tmp_path / "h.db", block=1_000, of_cluster=True)
        store.add([message(number) for number in range(1, last + 1)], [place] if place else [])
        store.close()
        history = NodeHistory(tmp_path / "h.db", CONFIG)
        state = Snapshot(FORMAT, 80, "epoch", seq, 0, rules_of(CONFIG), Nodes(), RoomState(), 0)
        other = Sender("lab1", lambda: snapshots.pack(state))
        link: Any = SimpleNamespace(
            ask=lambda _subject, question, _timeout_s: other.answer(question)
        )
        hub: Any = SimpleNamespace(begin=lambda *_: [])
        arrival = Arrival(CONFIG, history, hub, link, pytest.fail)
        executor = SimpleNamespace(resume=lambda: None)
        replica: Any = SimpleNamespace(
            resume=lambda _: None, log_time=lambda: 0.0, executor=executor,
            snapshot=lambda: state, place=state.place,
        )  # fmt: skip
        arrival.replica = replica
        opened.append((history, arrival))
        arrival.find_state(STREAM)
        return history.numbering.last_seq

    yield arrive
    for history, arrival in opened:
        if not arrival.begun.is_set():
            history.start()
        assert history.stop(WAIT_S)


def place(*, chat: str = "tertulia", log: str = LOG) -> Place:
    """Return a place whose state cannot be read, as that of another version."""
    return Place(chat=chat, log=log, place=50, state=b"")


def test_an_empty_history_fits_to_every_chat(arrive: Callable[..., int]) -> None:
    assert arrive(0, None, 40) == 40


def test_a_node_that_dies_at_once_goes_on_from_the_state_that_it_found(
    arrive: Callable[..., int], tmp_path: Path
) -> None:
    arrive(0, None, 40)
    with contextlib.closing(sqlite3.connect(tmp_path / "h.db")) as db:
        assert db.execute("SELECT chat, log, place FROM place").fetchall() == [
            ("tertulia", LOG, 80)
        ]
        assert db.execute("SELECT * FROM missing_messages").fetchall() == [(0, 40)]


@pytest.mark.parametrize("seq", [3, 5, 40])
def test_a_node_of_this_log_goes_on_whatever_the_other_one_has(
    arrive: Callable[..., int], seq: int
) -> None:
    assert arrive(5, place(), seq) == seq


def test_a_node_of_an_earlier_log_goes_on_above_its_numbers(arrive: Callable[..., int]) -> None:
    assert arrive(5, place(log=ANOTHER_LOG), 5) == 5


def test_a_node_that_knows_more_than_the_chat_is_asked_for(arrive: Callable[..., int]) -> None:
    with pytest.raises(ClusterUnusable, match=r"later messages than the chat .* with --new-log"):
        arrive(5, place(log=ANOTHER_LOG), 4)


@pytest.mark.parametrize("before", [None, place(chat="aula")])
def test_messages_of_another_chat_are_not_mixed_with_this_one(
    arrive: Callable[..., int], before: Place | None
) -> None:
    with pytest.raises(ClusterUnusable, match="that are not in the chat of these nodes"):
        arrive(5, before, 40)
