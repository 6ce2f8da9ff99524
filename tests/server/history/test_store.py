"""Writing the file of the general chat: groups, index, forgetting, damage, locks."""

import contextlib
import os
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest
from stored_messages import full_disk, index_all, message, seqs

from tertulia.protocol.messages import GetHistory, Search
from tertulia.server.history.lockfile import StoreInUse
from tertulia.server.history.store import MessageStore
from tertulia.server.hub.records import HookMessage

# --- writing -------------------------------------------------------------------------------------


def test_a_group_is_written_whole_or_not_at_all(store, reader):
    store.add([message(1)])
    with pytest.raises(sqlite3.IntegrityError):
        store.add([message(2), message(1)])
    assert seqs(reader.page(GetHistory()))[0] == [1]
    store.add([message(2)])
    assert seqs(reader.page(GetHistory()))[0] == [1, 2]


def test_it_is_known_what_is_on_the_disk(store):
    store.add([message(1), message(3)])
    assert [store.has(seq) for seq in (1, 2, 3)] == [True, False, True]


# --- index and forgetting -----------------------------------------------------------------------


def test_a_step_is_shorter_where_messages_are_long(store):
    store.add([message(seq, "palabra " * 12_500) for seq in range(1, 8)])  # 100,000 characters each
    indexed = []
    while store.index(1_000):
        indexed += store._db.execute("SELECT indexed_through FROM numbering").fetchone()
    assert indexed == [2, 4, 6, 7]
    left = []
    while store.forget("9999", after=0, count=1_000)[0]:
        left += store._db.execute("SELECT count(*) FROM message").fetchone()
    assert left == [5, 3, 1, 0]


def test_a_step_has_at_least_one_message_however_long(store):
    store.add([message(1, "x" * 1_000_000), message(2)])
    assert store.index(1_000)
    assert store.index(1_000)
    assert not store.index(1_000)


def test_old_messages_are_forgotten_indexed_or_not(store, reader):
    store.add([message(1, "uno", "2026-01-01T00:00:00.000Z")])
    index_all(store)
    store.add([message(2, "uno", "2026-01-02T00:00:00.000Z")])
    store.add([message(3, "uno", "2026-02-01T00:00:00.000Z")])
    before = "2026-01-31T00:00:00.000Z"
    assert store.forget(before, after=0, count=1) == (1, 1)
    assert store.forget(before, after=1, count=10) == (1, 3)
    assert store.forget(before, after=3, count=10) == (0, None)
    index_all(store)
    assert seqs(reader.page(GetHistory()))[0] == [3]
    assert seqs(reader.page(Search(text="uno")))[0] == [3]


def test_what_is_kept_about_a_message_is_forgotten_with_it(store):
    old, new = "2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z"
    hooks = [HookMessage(key=1), HookMessage(key=2)]
    store.add([message(1, time=old), message(2, time=new)], hooks)
    store.forget("2026-01-31T00:00:00.000Z", after=0, count=10)
    assert store.records(HookMessage) == hooks[1:]


def test_nothing_of_a_forgotten_message_is_left_in_the_file(store, path):
    old, new = "2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z"
    store.add([message(1, "nobody may read this", old), message(2, "hola", new)])
    store.empty_wal()
    assert b"nobody may read this" in path.read_bytes()
    store.forget("2026-01-31T00:00:00.000Z", after=0, count=10)
    store.empty_wal()
    assert b"nobody may read this" not in path.read_bytes()
    assert b"hola" in path.read_bytes()


def test_nonces_are_found_again(store):
    store.add([message(1, nonce="a", time="2026-01-01T00:00:00.000Z")])
    store.add([message(2), message(3, nonce="b"), message(4, nonce="c")])
    assert store.nonces_since("2026-11-22T00:00:00.000Z", 100) == [
        (3, "2026-11-22T15:00:00.000Z", "ana", "b"),
        (4, "2026-11-22T15:00:00.000Z", "ana", "c"),
    ]
    assert [row[0] for row in store.nonces_since("", 1)] == [4]
    assert [row[0] for row in store.nonces_since("2026-11-22T15:00:00.000Z", 100)] == [3, 4]
    assert store.nonces_since("2026-11-22T15:00:00.001Z", 100) == []


def test_the_nonces_that_all_nodes_knew_at_a_number_are_found_again(store):
    store.add([message(1, nonce="a", time="2026-01-01T00:00:00.000Z"), message(2, nonce="b")])
    store.add([message(3), message(4), message(5, nonce="c"), message(6, nonce="d")])
    since = "2026-11-22T00:00:00.000Z"
    assert [row[0] for row in store.nonces_of_log(since, 5, 100)] == [2, 5]
    assert [row[3] for row in store.nonces_of_log(since, 5, 2)] == ["b", "c"], "not the latest rows"
    assert [row[0] for row in store.nonces_of_log(since, 6, 2)] == [5, 6]
    assert [row[0] for row in store.nonces_of_log("", 3, 9)] == [1, 2]
    assert store.nonces_of_log(since, 0, 9) == []
    assert [row[0] for row in store.nonces_of_log("2026-11-22T15:00:00.000Z", 5, 9)] == [2, 5]
    assert store.nonces_of_log("2026-11-22T15:00:00.001Z", 5, 9) == []


# --- the file ------------------------------------------------------------------------------------


def test_a_new_file_needs_nothing_that_old_libraries_lack(store):
    schema = store._db.execute("SELECT group_concat(sql) FROM sqlite_master").fetchone()[0]
    assert "STRICT" not in schema.upper()


@pytest.mark.parametrize(("of_cluster", "mode"), [(False, 2), (True, 1)], ids=["full", "normal"])
def test_a_single_server_waits_for_the_disk_at_each_commit(path, of_cluster, mode):
    store = MessageStore(path, block=10, of_cluster=of_cluster)
    assert store._db.execute("PRAGMA synchronous").fetchone() == (mode,)
    store.close()


def test_only_its_owner_may_read_the_file(store, path):
    store.add([message(1)])
    for suffix in ("", "-wal", ".lock"):
        assert stat.S_IMODE(os.stat(f"{path}{suffix}").st_mode) == 0o600


def test_a_second_server_does_not_get_the_file(store, path):
    with pytest.raises(StoreInUse):
        MessageStore(path, block=10)
    store.close()
    MessageStore(path, block=10).close()


def test_a_file_in_its_place_stays_there_over_checkpoints(store):
    for start in range(1, 5_001, 500):
        store.add([message(seq, "x" * 2_000) for seq in range(start, start + 500)])
        assert store.is_in_place()


def remove(path: Path) -> None:
    path.unlink()


def remove_wal(path: Path) -> None:
    Path(f"{path}-wal").unlink()


def replace_wal(path: Path) -> None:
    shutil.copy(f"{path}-wal", f"{path}-wal.other")
    os.rename(f"{path}-wal.other", f"{path}-wal")


def replace(path: Path) -> None:
    shutil.copy(path, f"{path}.other")
    os.rename(f"{path}.other", path)


def overwrite(path: Path) -> None:
    other = MessageStore(path.with_name("other.db"), block=10)
    other.close()
    path.write_bytes(path.with_name("other.db").read_bytes())


@pytest.mark.parametrize("happens", [remove, remove_wal, replace_wal, replace, overwrite])
def test_nothing_is_acknowledged_or_written_once_the_file_is_gone(store, path, happens):
    store.add([message(1)])
    happens(path)
    after = path.read_bytes() if path.exists() else None
    assert not store.is_in_place()
    with pytest.raises(sqlite3.OperationalError, match="removed or replaced"):
        store.add([message(2)])
    with pytest.raises(sqlite3.OperationalError, match="removed or replaced"):
        store.has(1)
    store.close()
    assert (path.read_bytes() if path.exists() else None) == after


def test_a_file_that_goes_during_a_commit_is_noticed(store, path):
    def rows():
        yield message(1)
        path.unlink()

    with pytest.raises(sqlite3.OperationalError, match="removed or replaced"):
        store.add(rows())


def test_a_reader_of_this_process_keeps_its_lock_while_the_store_opens_late(path, reader_of):
    """The end of a descriptor would end the locks that SQLite has on the file."""
    store = MessageStore(path, block=1_000)
    store.close()
    with full_disk():
        late = MessageStore(path, block=1_000)
        assert late.problem is not None
    reader = reader_of(path)
    reader._connection().execute("BEGIN")
    reader.page(GetHistory())
    assert is_locked(path)
    with full_disk(), pytest.raises(sqlite3.Error):
        late.add([message(1_001)])
    assert is_locked(path)
    late.add([message(1_001)])
    assert is_locked(path)
    late.close()


def is_locked(path: Path) -> bool:
    """Return whether this process has a lock on the file, as another process sees it."""
    inode = path.stat().st_ino
    locks = Path("/proc/locks").read_text().splitlines()
    return any(f" {os.getpid()} " in line and f":{inode} " in line for line in locks)


# --- a full disk at the start --------------------------------------------------------------------


def ended(store: MessageStore, path: Path, killed: Path | None) -> Path:
    """Close a store; return its file, or a copy of what it would have left if it was killed."""
    if killed is not None:
        for suffix in ("", "-wal", ".lock"):
            shutil.copy(f"{path}{suffix}", f"{killed}{suffix}")
    store.close()
    return killed or path


@pytest.mark.parametrize("end", ["new", "stopped", "killed"])
def test_on_a_full_disk_the_numbering_goes_on_and_what_comes_later_is_stored(
    path, tmp_path, reader_of, end
):
    epoch, last_seq = None, 0
    if end != "new":
        store = MessageStore(path, block=1_000)
        store.add([message(seq, "x" * 500) for seq in range(1, 50)])
        epoch, last_seq = store.numbering.epoch, 1_000
        path = ended(store, path, tmp_path / "killed.db" if end == "killed" else None)
    with full_disk():
        store = MessageStore(path, block=1_000)
        assert store.problem is not None
        assert store.numbering[1:] == (last_seq, last_seq + 1_000)
        assert epoch in (None, store.numbering.epoch)
        with pytest.raises(sqlite3.Error):
            store.add([message(last_seq + 1)])
        assert store.reserve(last_seq + 900) == last_seq + 1_900
    store.add([message(last_seq + 2)])
    assert store.problem is None
    assert seqs(reader_of(path).page(GetHistory(limit=1)))[0] == [last_seq + 2]
    numbering = store.numbering
    store.close()
    again = MessageStore(path, block=1_000)
    assert again.numbering == (numbering.epoch, last_seq + 1_900, last_seq + 2_900)
    assert not again.went_back
    again.close()


@pytest.mark.parametrize("killed", ["killed.db", None])
def test_on_a_full_disk_it_is_known_what_was_said_before(path, tmp_path, killed):
    store = MessageStore(path, block=1_000)
    store.add([message(seq, "x" * 500, nonce=f"n{seq}") for seq in range(1, 50)])
    path = ended(store, path, tmp_path / killed if killed else None)
    with full_disk():
        store = MessageStore(path, block=1_000)
        assert str(store.problem) == "database or disk is full"
        assert store.last_stored() == 49
        assert [row[3] for row in store.nonces_since("", 2)] == ["n48", "n49"]
        assert [row[3] for row in store.nonces_of_log("", 40, 2)] == ["n39", "n40"]
        assert (store.has(49), store.has(50)) == (True, False)
        store.close()


@pytest.mark.parametrize("shared_memory", ["has no room", "has room"])
def test_on_a_full_disk_a_reader_does_not_keep_the_store_from_reading(
    path, tmp_path, reader_of, shared_memory
):
    store = MessageStore(path, block=1_000)
    store.add([message(seq, "x" * 500) for seq in range(1, 100)])
    path = ended(store, path, tmp_path / "killed.db")
    with full_disk(8_192 if shared_memory == "has no room" else 40_000):
        store = MessageStore(path, block=1_000)
        assert store.problem is not None
        with contextlib.suppress(sqlite3.Error):  # It can read only with the shared memory.
            reader_of(path).page(GetHistory())
        assert (store.has(99), store.has(100)) == (True, False)
        store.close()


def test_on_a_full_disk_the_numbers_that_only_the_wal_has_go_on_without_a_note(path, tmp_path):
    store = MessageStore(path, block=1_000)
    store.add([message(seq, "x" * 500) for seq in range(1, 50)])
    epoch = store.numbering.epoch
    path = ended(store, path, tmp_path / "killed.db")
    Path(f"{path}.lock").unlink()
    with full_disk():
        store = MessageStore(path, block=1_000)
        assert store.problem is not None
        assert store.numbering == (epoch, 1_000, 2_000)
    store.add([message(1_001)])
    assert store.last_stored() == 1_001
    store.close()
