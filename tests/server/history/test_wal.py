"""A WAL that comes from another file, or from another run, is noticed."""

import shutil
import struct
from pathlib import Path

import pytest
from stored_messages import message, seqs

from tertulia.protocol.messages import GetHistory
from tertulia.server.history.reader import MessageReader
from tertulia.server.history.store import MessageStore
from tertulia.server.history.wal import wal_belongs as belongs


def wal_belongs(path: Path) -> bool:
    with path.open("rb") as file:
        return belongs(path, file.fileno())


def crashed(store: MessageStore, path: Path, to: Path) -> Path:
    """Copy the files of an open store, as they would be after a `kill -9`."""
    to.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{path}{suffix}", to / f"history.db{suffix}")
    return to / "history.db"


def stored(path: Path) -> list[int]:
    store = MessageStore(path, block=10)
    with MessageReader(path) as reader:
        found, _ = seqs(reader.page(GetHistory(limit=200)))
    store.close()
    return found


def test_the_wal_of_a_killed_server_belongs_to_its_file(store, path, tmp_path):
    store.add([message(seq, "x" * 5_000) for seq in range(1, 50)])
    killed = crashed(store, path, tmp_path / "killed")
    assert wal_belongs(killed)
    assert stored(killed) == list(range(1, 50))


def test_a_file_without_a_wal_belongs_to_itself(store, path):
    store.close()
    assert wal_belongs(path)


@pytest.mark.parametrize("kind", ["backup", "old copy"])
def test_over_the_wal_of_another_file_a_copy_is_what_it_was(store, path, tmp_path, reader, kind):
    store.add([message(1)])
    copy = tmp_path / "copy.db"
    if kind == "backup":
        reader.copy_to(str(copy))
    else:
        reader.close()
        store.close()
        shutil.copy(path, copy)
        store = MessageStore(path, block=1_000)
    store.add([message(seq, "x" * 5_000) for seq in range(2, 50)])
    killed = crashed(store, path, tmp_path / "killed")
    wal = Path(f"{killed}-wal").read_bytes()
    shutil.copy(copy, killed)
    store.close()
    assert not wal_belongs(killed)
    again = MessageStore(killed, block=1_000)
    assert again.foreign_wal is not None
    assert again.foreign_wal.read_bytes() == wal
    again.close()
    assert stored(killed) == [1]


def test_a_wal_that_is_no_wal_is_left_to_sqlite(store, path):
    store.add([message(1)])
    store.close()
    for content in (b"", b"short", b"x" * 10_000):
        Path(f"{path}-wal").write_bytes(content)
        assert wal_belongs(path)
        assert stored(path) == [1]


def frame(page: int, salts: bytes, mark: bytes) -> bytes:
    """Return a page of a WAL, with the number that SQLite keeps for programs."""
    return struct.pack(">2I8s8x", page, 1, salts) + bytes(68) + mark + bytes(4_096 - 72)


@pytest.mark.parametrize(
    ("rest", "belongs_to_it"),
    [
        (frame(1, b"new salt", b"mark"), True),
        (frame(1, b"new salt", b"othr"), False),
        (frame(2, b"new salt", b"othr"), True),  # another page has no mark
        (frame(1, b"old salt", b"othr"), True),  # from an earlier use of the WAL
        (frame(1, b"new salt", b"othr")[:95], True),  # cut off within its mark
    ],
    ids=["same mark", "another mark", "another page", "old frame", "cut off"],
)
def test_the_latest_complete_first_page_of_this_use_of_the_wal_counts(
    tmp_path, rest, belongs_to_it
):
    path = tmp_path / "history.db"
    path.write_bytes(bytes(68) + b"mark")
    header = struct.pack(">4I8s8x", 0x377F0682, 3_007_000, 4_096, 0, b"new salt")
    Path(f"{path}-wal").write_bytes(header + frame(1, b"new salt", b"mark") + rest)
    assert wal_belongs(path) is belongs_to_it


def test_while_somebody_reads_the_file_keeps_its_mark(store, path, tmp_path):
    store.add([message(1)])
    killed = crashed(store, path, tmp_path / "killed")
    with MessageReader(killed) as reader:
        reader._connection().execute("BEGIN")
        reader._connection().execute("SELECT count(*) FROM message")
        again = MessageStore(killed, block=10)
        again.add([message(seq, "x" * 5_000) for seq in range(2, 50)])
        again_killed = crashed(again, killed, tmp_path / "again")
        again.close()
    assert wal_belongs(again_killed)
    assert len(stored(again_killed)) == 49
