"""What the writer does with a group of its queue, and with what a failure has left, unthreaded."""

import sqlite3
from collections.abc import Iterator
from math import inf
from pathlib import Path

import pytest
from stored_messages import message

from tertulia.protocol.messages import Error, GetHistory, Search
from tertulia.server.config import Config
from tertulia.server.history import history as history_module
from tertulia.server.history.history import History
from tertulia.server.history.mail import PageReady, PageTicket, SpaceAgain
from tertulia.server.history.work import Write
from tertulia.server.hub.records import Ban, Change


class Owner:
    """A worker's stand-in, which keeps the mail that it gets."""

    def __init__(self) -> None:
        self.mail: list[object] = []

    def post(self, mail: object) -> bool:
        self.mail.append(mail)
        return True


class Bench:
    """A history whose threads do not run, and what was given to its file."""

    def __init__(self, path: Path) -> None:
        config = Config(port=0, history=str(path), history_queue=10, seq_block=1_000)
        self.history = History(path, config)
        self.owner = Owner()
        self.fails = False
        self.written: list[list[Change]] = []  # the changes in each commit
        self._add = self.history._store.add
        self.history._store.add = self.add

    def add(self, messages, changes) -> None:
        if self.fails:
            raise sqlite3.OperationalError("disk on fire")
        self.written.append(list(changes))
        self._add(messages, changes)

    def run_group(self) -> None:
        """Carry out all that is queued, as one group."""
        group = list(self.history._queue)
        self.history._queue.clear()
        self.history._process_group(group)

    def keep(self, *keys: str) -> None:
        self.history.keep([ban(key) for key in keys])
        self.run_group()

    def close(self) -> None:
        self.history._store.close()


def ban(key: str) -> Ban:
    return Ban(key=key, name=key, operator="ana", time="2026-11-22T15:00:00.000Z")


@pytest.fixture
def bench(path: Path) -> Iterator[Bench]:
    bench = Bench(path)
    yield bench
    bench.close()


def test_what_could_not_be_written_is_written_once(bench):
    bench.fails = True
    bench.keep("luis")
    bench.fails = False
    bench.keep("eva")
    bench.keep("leo")
    assert bench.written == [[ban("luis"), ban("eva")], [ban("leo")]]


def test_of_what_could_not_be_written_the_newest_is_kept(bench, monkeypatch):
    monkeypatch.setattr(history_module, "_MAX_UNWRITTEN", 2)
    bench.fails = True
    bench.keep("luis", "eva")
    bench.keep("leo")
    bench.fails = False
    bench.keep()
    bench.keep("zoe")
    assert bench.written == [[ban("eva"), ban("leo"), ban("zoe")]]


def test_a_row_that_changes_again_is_the_newest_of_what_could_not_be_written(bench, monkeypatch):
    monkeypatch.setattr(history_module, "_MAX_UNWRITTEN", 2)
    bench.fails = True
    bench.keep("luis", "eva")
    bench.keep("luis")
    bench.keep("leo")
    bench.fails = False
    bench.keep("zoe")
    assert bench.written == [[ban("luis"), ban("leo"), ban("zoe")]]


def test_a_file_that_is_back_in_its_place_is_read_again_with_the_next_commit(bench, path):
    path.rename(f"{path}.away")
    bench.history.ask(PageTicket(GetHistory(), bench.owner, 1))
    bench.run_group()
    [refusal] = bench.owner.mail
    assert isinstance(refusal, PageReady)
    assert isinstance(refusal.page, Error)
    Path(f"{path}.away").rename(path)
    bench.history.reserve_space()
    bench.history.write(message(1), None)
    bench.history.ask(PageTicket(GetHistory(), bench.owner, 1))
    bench.run_group()
    assert bench.owner.mail == [refusal]
    assert bench.history.queued == (0, 1)


def test_a_question_behind_a_message_that_was_lost_with_the_file_is_refused(bench, path):
    path.unlink()
    bench.history.reserve_space()
    bench.history.write(message(1), None)
    bench.history.ask(PageTicket(GetHistory(), bench.owner, 1))
    bench.run_group()
    [refusal] = bench.owner.mail
    assert isinstance(refusal, PageReady)
    assert isinstance(refusal.page, Error)


def test_a_file_that_is_removed_while_nothing_is_said_is_noticed(bench, path):
    bench.history._tidy(is_idle=True)
    assert bench.history.vitals.problem == ""
    path.unlink()
    bench.history._tidy(is_idle=True)
    assert bench.history.vitals.problem == "the file was removed or replaced"


def test_a_search_is_handed_on_once_when_all_is_indexed(bench):
    bench.history.ask(PageTicket(Search(text="hola"), bench.owner, 1))
    bench.run_group()
    assert bench.history.queued == (0, 0)
    for _ in range(3):
        bench.history._tidy(is_idle=True)
    assert bench.history.queued == (0, 1)


def test_a_search_that_has_waited_too_long_for_the_index_is_refused_once(bench, monkeypatch):
    bench.history.ask(PageTicket(Search(text="hola"), bench.owner, 1))
    bench.run_group()
    monkeypatch.setattr(bench.history._upkeep, "index", lambda **_: None)  # it never ends
    bench.history._refuse_searches_at = inf
    bench.history._tidy(is_idle=False)
    assert bench.owner.mail == []
    bench.history._refuse_searches_at = 0.0
    for _ in range(3):
        bench.history._tidy(is_idle=False)
    [refusal] = bench.owner.mail
    assert isinstance(refusal, PageReady)
    assert isinstance(refusal.page, Error)


def test_those_who_wait_for_room_are_told_when_half_of_the_queue_is_free(bench):
    while bench.history.reserve_space():
        pass
    bench.history.when_space(bench.owner, 7)
    bench.history._process_group([Write(message(seq), None) for seq in range(1, 5)])
    assert bench.owner.mail == []
    bench.history._process_group([Write(message(5), None)])
    assert bench.owner.mail == [SpaceAgain(7)]


def test_after_a_reservation_the_next_is_made_only_half_a_block_before_its_end(bench):
    history = bench.history
    assert history.numbering.reserved_through == 1_000
    history.reserve_soon(500)
    assert history._reserve_from is None
    history.reserve_soon(501)
    assert history._reserve_from == 501
    history._reserve_from = None
    history._reserve(501)
    history.reserve_soon(1_001)
    assert history._reserve_from is None
    history.reserve_soon(1_002)
    assert history._reserve_from == 1_002
