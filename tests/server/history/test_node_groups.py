"""What the writer of a node does with rows of its peers and with gaps, without threads."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from stored_messages import message

from tertulia.protocol.messages import GetHistory, HistoryPage, StoredMessage
from tertulia.server.config import Config
from tertulia.server.history import history as history_module
from tertulia.server.history.gaps import Gap
from tertulia.server.history.mail import PageReady, Rows
from tertulia.server.history.node import NodeHistory, _OwnPage
from tertulia.server.history.work import Write
from tertulia.server.hub.records import Ban, MissingMessages, MissingVisits, Visit, place_of

TIME = "2026-11-22T15:00:00.000Z"


@pytest.fixture
def history(path: Path) -> Iterator[NodeHistory]:
    config = Config(port=0, history=str(path), cluster=("nats://127.0.0.1:1",), seq_block=1_000)
    history = NodeHistory(path, config)
    yield history
    history._store.close()


def stored(seq: int) -> StoredMessage:
    return StoredMessage(seq=seq, time=TIME, sender="ana", text="hola")


def run_group(history: NodeHistory) -> None:
    """Carry out all that is queued, as one group."""
    group = list(history._queue)
    history._queue.clear()
    history._process_group(group)


def test_rows_of_a_peer_are_written_before_a_question_behind_them_is_read(history, monkeypatch):
    history.note_missing(0, 5)
    gaps_when_read = []
    monkeypatch.setattr(
        history._answerer, "add", lambda _tickets: gaps_when_read.append(history.gaps[0])
    )
    history.add_missing(Rows(of="messages", after=0, through=5, messages=[stored(3)]))
    history.ask_own(GetHistory(), lambda _page, _is_whole: None)
    run_group(history)
    assert gaps_when_read == [()]


def test_rows_of_a_peer_have_to_be_indexed_and_free_their_place_even_if_not_written(
    history, monkeypatch
):
    rows = Rows(of="messages", after=0, through=5, messages=[stored(3), stored(4)])
    history._upkeep.unindexed = 0
    history.add_missing(rows)
    assert not history.takes_rows
    run_group(history)
    assert history._upkeep.unindexed == 2
    assert history.takes_rows

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk on fire")

    monkeypatch.setattr(history._store, "fill", fail)
    history.add_missing(rows)
    run_group(history)
    assert history.takes_rows


def test_a_gap_that_could_not_be_noted_is_forgotten_after_older_changes(history, monkeypatch):
    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk on fire")

    def ban(key: str) -> Ban:
        return Ban(key=key, name=key, operator="ana", time=TIME)

    monkeypatch.setattr(history_module, "_MAX_UNWRITTEN", 2)
    monkeypatch.setattr(history._store, "add", fail)
    for seq, key in ((1, "luis"), (2, "eva")):
        history._process_group([Write(message(seq), None)])
        history.keep([ban(key)])
        run_group(history)
    gap = MissingMessages(key=0, through=2)
    assert history.gaps[0] == (Gap(0, 2),)
    assert history._unwritten == {place_of(row): row for row in (gap, ban("eva"))}


def test_visits_that_will_not_be_written_are_missing_in_one_range(history, monkeypatch):
    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk on fire")

    def join(key: int) -> None:
        history.keep([Visit(key=key, name="eva", address="10.0.0.1", joined=TIME)])
        run_group(history)

    monkeypatch.setattr(history_module, "_MAX_UNWRITTEN", 2)
    for first in (4, 24):
        with monkeypatch.context() as full:
            full.setattr(history._store, "add", fail)
            for key in (5, 8, 9, 12):
                join(first + key - 4)
        join(first + 15)
    assert history.gaps == ((), (Gap(4, 9), Gap(24, 29)))
    assert history._unwritten == {}
    assert history._store.records(MissingVisits) == [
        MissingVisits(key=4, through=9),
        MissingVisits(key=24, through=29),
    ]
    assert [visit.key for visit in history._store.records(Visit)] == [12, 19, 32, 39]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [((), (), True), ((Gap(0, 9),), (), False), ((), (Gap(0, 9),), False)],
    ids=["whole", "filled meanwhile", "lost meanwhile"],
)
def test_a_page_is_whole_only_if_nothing_was_missing_before_and_after_it_was_read(
    before, after, expected
):
    outcomes = []
    node = SimpleNamespace(gaps=(before, ()))
    own = _OwnPage(node, GetHistory(), lambda _page, is_whole: outcomes.append(is_whole))
    node.gaps = (after, ())
    own.post(PageReady(0, HistoryPage(messages=[stored(3)], more=False)))
    assert outcomes == [expected]


def test_numbers_of_the_cluster_are_reserved_when_half_a_block_of_them_is_used(history):
    history.adopt("epoch of the cluster", 50_000)
    assert history.numbering.reserved_through == 51_000
    history.reserve_soon(50_500)
    assert history._reserve_from is None
    history.reserve_soon(50_501)
    assert history._reserve_from == 50_501
