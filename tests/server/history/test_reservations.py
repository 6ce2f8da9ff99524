"""The numbering of a history: blocks that are reserved before use, and what shows an old copy."""

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from math import inf
from pathlib import Path

import pytest
from stored_messages import full_disk

from tertulia.server.history.lockfile import LockFile, Note
from tertulia.server.history.reservations import Reservations
from tertulia.server.history.store import MessageStore
from tertulia.server.history.tables import create_tables
from tertulia.server.hub.keeper import Numbering


def test_numbers_are_reserved_before_they_are_given_and_never_given_again(path):
    store = MessageStore(path, block=1_000)
    assert store.numbering[1:] == (0, 1_000)
    assert store.reserve(1_000) == 2_000
    epoch = store.numbering.epoch
    store.close()
    store = MessageStore(path, block=1_000)
    assert store.numbering == (epoch, 2_000, 3_000)
    store.close()


def test_on_a_full_disk_numbers_are_reserved_all_the_same(path):
    store = MessageStore(path, block=1_000)
    store._db.execute("PRAGMA query_only = 1")  # every write fails
    assert store.reserve(700) == 1_700
    store.close()
    store = MessageStore(path, block=1_000)
    assert store.numbering[1:] == (1_700, 2_700)
    store.close()


def opened_again(node: MessageStore, *, of_cluster: bool = True) -> MessageStore:
    node.close()
    return MessageStore(node._path, block=1_000, of_cluster=of_cluster)


def put_back(path: Path, content: bytes) -> None:
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    path.write_bytes(content)


def test_a_file_put_back_from_an_old_copy_begins_a_new_epoch_above_all_numbers_given(store, path):
    epoch = store.numbering.epoch
    store.close()
    copy = path.read_bytes()
    MessageStore(path, block=1_000).close()
    put_back(path, copy)
    again = MessageStore(path, block=1_000)
    assert again.went_back
    assert again.numbering.epoch != epoch
    assert again.numbering[1:] == (2_000, 3_000)
    again.close()
    once_more = MessageStore(path, block=1_000)
    assert not once_more.went_back
    assert once_more.numbering == (again.numbering.epoch, 3_000, 4_000)
    once_more.close()


def test_numbers_reserved_on_a_full_disk_do_not_hide_that_the_file_went_back(store, path):
    store.close()
    copy = path.read_bytes()
    store = MessageStore(path, block=1_000)
    store._db.execute("PRAGMA query_only = 1")
    store.reserve(2_000)
    store.close()
    again = MessageStore(path, block=1_000)
    assert (again.went_back, again.numbering) == (False, (store.numbering.epoch, 3_000, 4_000))
    again.close()
    put_back(path, copy)
    again = MessageStore(path, block=1_000)
    assert again.went_back
    assert again.numbering.last_seq == 4_000
    again.close()


def test_that_the_file_went_back_is_noticed_after_numbers_were_reserved_on_a_full_disk(path):
    MessageStore(path, block=1_000).close()
    copy = path.read_bytes()
    store = MessageStore(path, block=1_000)
    store._db.execute("PRAGMA query_only = 1")
    store.reserve(2_000)
    store.close()
    put_back(path, copy)
    again = MessageStore(path, block=1_000)
    assert again.went_back
    assert again.numbering.last_seq == 3_000
    again.close()


def test_another_history_in_its_place_keeps_its_own_numbering(store, path, tmp_path):
    store.reserve(100_000)
    store.close()
    other = MessageStore(tmp_path / "other.db", block=10)
    other.close()
    put_back(path, (tmp_path / "other.db").read_bytes())
    again = MessageStore(path, block=10)
    assert (again.went_back, again.numbering) == (False, (other.numbering.epoch, 10, 20))
    again.close()


def test_another_history_keeps_its_own_numbering_on_a_full_disk_too(store, path, tmp_path):
    store.reserve(100_000)
    store.close()
    other = MessageStore(tmp_path / "other.db", block=10)
    other.close()
    put_back(path, (tmp_path / "other.db").read_bytes())
    with full_disk():
        again = MessageStore(path, block=10)
    assert again.problem is not None
    assert again.numbering == (other.numbering.epoch, 10, 20)
    again.close()


def test_a_number_noted_by_an_earlier_version_counts(store, path):
    store.close()
    Path(f"{path}.lock").write_bytes(b"%020d\n" % 7_000)
    again = MessageStore(path, block=10)
    assert again.numbering == (store.numbering.epoch, 7_000, 7_010)
    again.close()


def test_another_file_has_another_epoch(store, tmp_path):
    other = MessageStore(tmp_path / "other.db", block=10)
    assert other.numbering.epoch != store.numbering.epoch
    other.close()


# --- a node of a cluster --------------------------------------------------------------------------


def test_a_node_goes_on_with_the_numbering_of_its_cluster(node):
    node.adopt("e2", 70_000)
    assert node.numbering == ("e2", 70_000, 71_000)
    node = opened_again(node)
    assert node.numbering.epoch == "e2"
    node.adopt("e2", 70_500)
    assert node.numbering[1] == 70_500
    assert node.numbering[2] >= 71_500
    node.close()


def test_without_the_cluster_numbers_go_on_above_all_that_were_ever_used(node):
    node.reserve(5_000_000)  # of the chat that the node had for itself before
    node.adopt("e2", 70_000)
    assert node.numbering.reserved_through >= 5_001_000
    alone = opened_again(node, of_cluster=False)
    assert alone.numbering.epoch == "e2"
    assert alone.numbering.last_seq >= 5_001_000
    alone.close()


def test_without_the_cluster_numbers_go_on_above_those_of_the_cluster(node):
    node.adopt("e2", 70_000)
    assert node.reserve(70_900) == 71_900
    alone = opened_again(node, of_cluster=False)
    assert alone.numbering[:2] == ("e2", 71_900)
    alone.close()


def test_a_node_whose_file_was_put_back_keeps_the_epoch_of_the_cluster(node, path, tmp_path):
    node.adopt("e2", 100)
    node._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    old = path.read_bytes()
    node.reserve(9_000)
    node.close()
    path.write_bytes(old)
    again = MessageStore(path, block=1_000, of_cluster=True)
    assert not again.went_back
    assert again.numbering[:2] == ("e2", 10_000)
    again.close()


def test_on_a_full_disk_a_node_can_go_on_with_the_numbering_that_it_has(node):
    node.adopt("e2", 100)
    node._db.execute("PRAGMA query_only = 1")  # every write fails
    node.adopt("e2", 50_000)
    assert node.numbering == ("e2", 50_000, 51_000)
    with pytest.raises(sqlite3.Error):
        node.adopt("e3", 50_000)
    node = opened_again(node)
    assert node.numbering[:2] == ("e2", 51_000)
    node.close()


# --- without messages ----------------------------------------------------------------------------


class Bench:
    """The numbering of one history, with a disk that may be full."""

    def __init__(
        self, path: Path, numbers: tuple[str, int] | None, note: Note | None, *, of_cluster: bool
    ) -> None:
        """Begin with the numbers in the file, and the note beside it."""
        self.path = path
        self.commits_left = inf
        self.lock_file = LockFile(path)
        if note is not None:
            self.lock_file.write(note)
        self.db = sqlite3.connect(path, isolation_level=None)
        if numbers is not None:
            self.put(numbers)
        self.reservations = Reservations(
            path, self.lock_file, 1_000, self.transaction, of_cluster=of_cluster
        )

    def put(self, numbers: tuple[str, int]) -> None:
        create_tables(self.db)
        self.db.execute("INSERT INTO numbering VALUES (?, ?, 0)", numbers)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        if self.commits_left < 1:
            raise sqlite3.OperationalError("database or disk is full")
        self.commits_left -= 1
        yield self.db

    def start_on_full_disk(self) -> Numbering:
        self.commits_left = 0
        return self.reservations.resume_without_file()

    def open(self) -> Numbering:
        """Open the file, which is created if there is none."""
        self.commits_left = inf
        create_tables(self.db)
        return self.reservations.resume(self.db)

    def numbers(self) -> list[tuple[str, int]]:
        return self.db.execute("SELECT epoch, reserved_through FROM numbering").fetchall()


@pytest.fixture
def bench_with(tmp_path):
    """Make a bench with these numbers in the file, and this note."""
    with contextlib.ExitStack() as opened:

        def make(
            numbers: tuple[str, int] | None = None,
            note: Note | None = None,
            *,
            of_cluster: bool = False,
        ) -> Bench:
            bench = Bench(tmp_path / "history.db", numbers, note, of_cluster=of_cluster)
            opened.callback(bench.lock_file.close)
            opened.callback(bench.db.close)
            return bench

        yield make


@pytest.fixture
def no_notes(monkeypatch) -> None:
    """Let no note be written."""

    def fail(_lock_file: LockFile, _note: Note) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(LockFile, "write", fail)


def test_the_numbers_of_a_new_history_are_in_the_file_and_in_the_note(bench_with):
    new = bench_with()
    epoch, last_seq, through = new.open()
    assert (len(epoch), last_seq, through) == (16, 0, 1_000)
    assert new.numbers() == [(epoch, 1_000)]
    assert new.lock_file.note == Note(1_000, 1_000, epoch)


def test_the_file_goes_on_where_the_note_is_behind_it(bench_with):
    old = bench_with(("e1", 5_000), Note(2_000, 2_000, "e1"))
    assert old.open() == ("e1", 5_000, 6_000)
    assert not old.reservations.went_back
    assert old.numbers() == [("e1", 6_000)]


def test_without_a_note_the_numbers_in_the_file_are_good_all_the_same(bench_with, no_notes):
    old = bench_with(("e1", 5_000))
    assert old.open() == ("e1", 5_000, 6_000)
    assert old.numbers() == [("e1", 6_000)]


@pytest.mark.parametrize("numbers", [None, ("e1", 5_000)], ids=["new", "old"])
def test_a_disk_that_fills_up_during_the_start_leaves_the_file_as_it_is(bench_with, numbers):
    begun = bench_with(numbers)
    create_tables(begun.db)
    begun.commits_left = 1
    epoch, last_seq, through = begun.reservations.resume(begun.db)
    assert begun.numbers() == [(epoch, last_seq)] == [numbers or (epoch, 0)]
    assert begun.lock_file.note == Note(through, last_seq, epoch)


@pytest.mark.parametrize(
    ("note", "last_seq", "later"),
    [
        (None, 5_000, Note(6_000, 5_000, "e1")),
        (Note(2_000, 2_000, "e1"), 5_000, Note(6_000, 5_000, "e1")),
        (Note(6_000, 5_000, "e1"), 6_000, Note(7_000, 5_000, "e1")),
        (Note(7_000, 6_000, "e1"), 7_000, Note(8_000, 6_000, "e1")),  # the file went back
        (Note(7_000, 0, ""), 7_000, Note(8_000, 5_000, "e1")),
    ],
)
def test_on_a_full_disk_the_higher_one_of_file_and_note_counts(bench_with, note, last_seq, later):
    full = bench_with(("e1", 5_000), note)
    assert full.start_on_full_disk() == ("e1", last_seq, last_seq + 1_000)
    assert full.lock_file.note == later


def test_on_a_full_disk_the_note_counts_for_a_file_that_cannot_be_read(bench_with):
    full = bench_with(note=Note(7_000, 6_000, "e1"))
    full.path.write_bytes(b"numbers that only the write-ahead log has")
    assert full.start_on_full_disk() == ("e1", 7_000, 8_000)
    assert full.lock_file.note == Note(8_000, 6_000, "e1")


def test_on_a_full_disk_a_file_that_cannot_be_read_has_a_new_epoch_without_a_note(bench_with):
    full = bench_with()
    full.path.write_bytes(b"numbers that only the write-ahead log has")
    assert full.start_on_full_disk()[1:] == (0, 1_000)


@pytest.mark.parametrize("exists", [False, True])
def test_on_a_full_disk_a_new_file_has_a_new_epoch_whatever_the_note_says(bench_with, exists):
    full = bench_with(note=Note(7_000, 6_000, "e1"))
    full.path.unlink(missing_ok=True)
    if exists:
        full.path.touch()
    epoch, last_seq, through = full.start_on_full_disk()
    assert (len(epoch), last_seq, through) == (16, 0, 1_000)
    assert full.lock_file.note == Note(1_000, 0, epoch)


def test_on_a_full_disk_a_new_file_goes_on_above_a_note_of_an_earlier_version(bench_with):
    full = bench_with(note=Note(7_000, 0, ""))
    assert full.start_on_full_disk()[1:] == (7_000, 8_000)


def test_without_room_for_a_note_an_old_numbering_goes_on_under_a_new_epoch(bench_with, no_notes):
    old = bench_with(("e1", 5_000))
    epoch, *numbers = old.start_on_full_disk()
    assert (len(epoch), numbers) == (16, [5_000, 6_000])
    assert epoch != "e1"
    assert old.numbers() == [("e1", 5_000)], "what a restart goes on with"
    assert old.open() == (epoch, 5_000, 6_000)
    assert old.numbers() == [(epoch, 6_000)]


def test_without_room_for_a_note_a_node_goes_on_with_the_epoch_of_the_cluster(bench_with, no_notes):
    node = bench_with(("e1", 5_000), of_cluster=True)
    assert node.start_on_full_disk() == ("e1", 5_000, 6_000)
    assert node.open() == ("e1", 5_000, 6_000)


def test_without_room_for_a_note_a_new_numbering_goes_on_all_the_same(bench_with, no_notes):
    new = bench_with()
    epoch, *numbers = new.start_on_full_disk()
    assert (len(epoch), numbers) == (16, [0, 1_000])
    assert new.open() == (epoch, 0, 1_000)


@pytest.mark.parametrize("numbers", [None, ("e1", 5_000)], ids=["new", "old"])
def test_numbers_given_out_on_a_full_disk_are_in_the_file_once_it_opens(bench_with, numbers):
    late = bench_with(numbers)
    epoch, last_seq, _through = late.start_on_full_disk()
    assert late.reservations.reserve(last_seq + 700) == last_seq + 1_700
    assert late.open() == (epoch, last_seq + 700, last_seq + 1_700)
    assert not late.reservations.went_back
    assert late.numbers() == [(epoch, last_seq + 1_700)]
    assert late.lock_file.note == Note(last_seq + 1_700, last_seq + 1_700, epoch)


def test_the_epoch_that_clients_know_stays_when_the_file_opens_late_with_another_one(bench_with):
    late = bench_with(note=Note(7_000, 7_000, "e1"))
    late.path.write_bytes(b"numbers that only the write-ahead log has")
    assert late.start_on_full_disk() == ("e1", 7_000, 8_000)
    late.path.write_bytes(b"")
    late.put(("e2", 9_000))
    assert late.open() == ("e1", 7_000, 8_000)
    assert late.numbers() == [("e1", 8_000)]
