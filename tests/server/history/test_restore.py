"""Putting a copy in the place of a history: in which order, and what is kept."""

import os
import sqlite3
import stat
from pathlib import Path

import pytest
from stored_messages import message, seqs

from tertulia.protocol.messages import GetHistory
from tertulia.server.history.lockfile import LockFile
from tertulia.server.history.reader import MessageReader
from tertulia.server.history.restore import restore
from tertulia.server.history.store import MessageStore


def clock() -> float:
    return 1_000.0


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Make a copy of a history with one message."""
    path = tmp_path / "copies" / "copy.db"
    store = MessageStore(path, block=1_000)
    store.add([message(1)])
    store.close()
    return path


def files_beside(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.parent.glob("history.db*")}


def numbers_in(path: Path) -> list[int]:
    with MessageReader(path) as reader:
        return seqs(reader.page(GetHistory()))[0]


def test_the_copy_is_on_the_disk_before_it_gets_its_name_and_the_name_is_at_the_end(
    path, copy, monkeypatch
):
    steps: list[tuple[str, str]] = []
    sync, rename = os.fsync, os.rename

    def noted_sync(fd: int) -> None:
        steps.append(("sync", os.readlink(f"/proc/self/fd/{fd}")))
        sync(fd)

    def noted_rename(old: Path, new: Path) -> None:
        steps.append(("rename", str(old)))
        rename(old, new)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(os, "rename", noted_rename)
    assert restore(path, copy, clock) == 0
    new = f"{path}.new"
    assert steps == [("sync", new), ("rename", new), ("sync", str(path.parent))]
    assert numbers_in(path) == [1]


def test_the_history_before_is_kept_with_its_wal(path, copy, capsys):
    path.parent.mkdir()
    path.write_bytes(b"old")
    Path(f"{path}-wal").write_bytes(b"old WAL")
    assert restore(path, copy, clock) == 0
    aside = f"{path}.before-restore-1000"
    assert Path(aside).read_bytes() == b"old"
    assert Path(f"{aside}-wal").read_bytes() == b"old WAL"
    assert not os.path.exists(f"{path}-wal")
    assert f"{aside}." in capsys.readouterr().out


def test_a_wal_whose_file_is_missing_is_not_left_beside_the_copy(path, copy):
    path.parent.mkdir()
    Path(f"{path}-wal").write_bytes(b"old WAL")
    assert restore(path, copy, clock) == 0
    assert Path(f"{path}.before-restore-1000-wal").read_bytes() == b"old WAL"
    assert not os.path.exists(f"{path}-wal")


def test_what_a_killed_restore_has_left_is_replaced_and_only_the_owner_may_read_the_file(
    path, copy
):
    path.parent.mkdir()
    Path(f"{path}.new").write_bytes(b"half a copy")
    Path(f"{path}.new").chmod(0o644)
    assert restore(path, copy, clock) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(files_beside(path)) == {"history.db", "history.db.lock"}


def test_a_copy_that_cannot_be_finished_changes_nothing(path, copy, monkeypatch, capsys):
    path.parent.mkdir()
    path.write_bytes(b"old")

    def fail(_reader: MessageReader, to: str) -> None:
        Path(to).write_bytes(b"half a copy")
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(MessageReader, "copy_to", fail)
    assert restore(path, copy, clock) == 1
    assert files_beside(path) == {"history.db": b"old", "history.db.lock": b""}
    assert "disk I/O error" in capsys.readouterr().err
    LockFile(path).close()  # the lock was given up


@pytest.mark.parametrize(
    "sql", ["DELETE FROM numbering", "INSERT INTO numbering VALUES ('', 0, 0)"]
)
def test_a_copy_without_its_one_numbering_is_not_a_history(path, copy, sql, capsys):
    with sqlite3.connect(copy) as db:
        db.execute(sql)
    db.close()
    assert restore(path, copy, clock) == 1
    assert not path.exists()
    assert str(copy) in capsys.readouterr().err


def test_a_history_in_use_is_not_replaced(path, copy, store):
    store.add([message(1), message(2)])
    assert restore(path, copy, clock) == 1
    assert numbers_in(path) == [1, 2]


def test_why_a_copy_cannot_be_read_is_said(path, tmp_path, capsys):
    folder = tmp_path / "folder"
    folder.mkdir()
    assert restore(path, folder) == 1
    assert f"{folder}: Is a directory" in " ".join(capsys.readouterr().err.split())
