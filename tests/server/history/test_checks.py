"""Which files are a history that this version can use, and which are left alone or damaged."""

import contextlib
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
from stored_messages import message, seqs

from tertulia.protocol.messages import GetHistory
from tertulia.server.history.checks import (
    SqliteTooOld,
    StoreDamaged,
    StoreOfAnotherVersion,
    check_file,
    check_pages,
    check_version,
    has_wal,
)
from tertulia.server.history.store import MessageStore

OUR_TABLE = "CREATE TABLE message (seq INTEGER PRIMARY KEY, time, sender, text, nonce)"


def foreign_files(path: Path, statements: list[str]) -> dict[str, bytes]:
    """Write a database at `path`; return the content of all files in its folder."""
    path.parent.mkdir(exist_ok=True)
    with contextlib.closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()
    return contents(path.parent)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_tables_that_only_the_wal_has_are_checked_too(path, tmp_path):
    path.parent.mkdir()
    killed = tmp_path / "killed.db"
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE photos (x)")
        db.commit()
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", f"{killed}{suffix}")
    with pytest.raises(StoreOfAnotherVersion):
        check_file(killed)


def test_an_empty_wal_has_no_changes(tmp_path):
    path = tmp_path / "history.db"
    assert not has_wal(path)
    Path(f"{path}-wal").touch()
    assert not has_wal(path)
    Path(f"{path}-wal").write_bytes(b"x")
    assert has_wal(path)


@pytest.mark.parametrize("time_s", [0.0, 0.001, 0.003])
def test_a_check_that_is_cut_short_finds_no_damage(store, path, time_s):
    store.add([message(seq, "palabra " * 1_000) for seq in range(1, 2_000)])
    store.close()
    for _ in range(5):
        again = MessageStore(path, block=10, check_time_s=time_s)
        assert again.has(1_999)
        again.close()


class Pages:
    """A database whose check runs until it is interrupted, or has an outcome at once."""

    def __init__(self, outcome: str | Exception, *, ends_at_once: bool) -> None:
        self._outcome = outcome
        self._may_end = threading.Event()
        if ends_at_once:
            self._may_end.set()

    def execute(self, sql: str) -> "Pages":
        assert "quick_check" in sql
        assert self._may_end.wait(20)
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self

    def fetchone(self) -> tuple[str | Exception]:
        return (self._outcome,)

    def interrupt(self) -> None:
        self._may_end.set()


UNREAD = "*** in database main ***\nPage 7: never used"
INTERRUPTED = sqlite3.OperationalError("interrupted")


@pytest.mark.parametrize("outcome", ["ok", UNREAD, INTERRUPTED])
def test_what_a_check_says_that_was_cut_short_is_no_damage(outcome):
    check_pages(Pages(outcome, ends_at_once=False), 0.0)


def test_what_a_check_says_within_its_time_is_damage_or_an_error():
    check_pages(Pages("ok", ends_at_once=True), 20.0)
    with pytest.raises(StoreDamaged) as damage:
        check_pages(Pages(UNREAD, ends_at_once=True), 20.0)
    assert str(damage.value) == "*** in database main *** Page 7: never used"
    with pytest.raises(sqlite3.OperationalError):
        check_pages(Pages(INTERRUPTED, ends_at_once=True), 20.0)


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE photos (x)"],
        ["PRAGMA journal_mode = WAL", "CREATE TABLE photos (x)"],
        ["CREATE TABLE messages (x)"],
        ["CREATE TABLE message (x)"],
        ["CREATE VIEW message_list AS SELECT 1"],
        ["PRAGMA user_version = 77"],
        ["PRAGMA user_version = -1"],
        [OUR_TABLE, "PRAGMA user_version = 77"],
        [
            OUR_TABLE,
            "PRAGMA writable_schema = ON",
            "UPDATE sqlite_master SET sql = sql || ' FUTURE'",
        ],
    ],
)
def test_a_file_of_another_program_or_version_is_left_alone(path, statements):
    before = foreign_files(path, statements)
    with pytest.raises(StoreOfAnotherVersion):
        MessageStore(path, block=10)
    with pytest.raises(StoreOfAnotherVersion):
        check_version(path)  # of a new server, before the old one gives up the file
    assert contents(path.parent) == before


def test_a_missing_or_damaged_file_is_no_reason_against_an_upgrade(tmp_path):
    check_version(tmp_path / "missing.db")
    (tmp_path / "damaged.db").write_bytes(b"no database" * 1000)
    check_version(tmp_path / "damaged.db")


@pytest.mark.parametrize("suffix", ["", ".lock", "-wal"])
def test_the_file_that_cannot_be_opened_is_named(path, suffix):
    at_fault = Path(f"{path}{suffix}")
    if suffix:
        foreign_files(path, [OUR_TABLE])
    at_fault.mkdir(parents=True)
    with pytest.raises(IsADirectoryError) as error:
        MessageStore(path, block=10)
    assert error.value.filename == str(at_fault)
    assert at_fault.is_dir()


def test_a_file_of_an_earlier_version_with_strict_tables_is_read_and_written(path, reader_of):
    if sqlite3.sqlite_version_info < (3, 37, 0):
        pytest.skip("this SQLite has no strict tables")
    strict = "(seq INTEGER PRIMARY KEY, time TEXT NOT NULL, sender TEXT NOT NULL, "
    strict += "text TEXT NOT NULL, nonce TEXT) STRICT"
    foreign_files(
        path,
        [
            f"CREATE TABLE message {strict}",
            "INSERT INTO message VALUES (1, '2026-11-22T15:00:00.000Z', 'ana', 'hola', NULL)",
            "PRAGMA user_version = 1",
        ],
    )
    store = MessageStore(path, block=10)
    store.add([message(2)])
    assert seqs(reader_of(path).page(GetHistory()))[0] == [1, 2]
    store.close()


def test_a_library_that_is_too_old_is_named(path, monkeypatch):
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 33, 0))
    monkeypatch.setattr("sqlite3.sqlite_version", "3.33.0")
    with pytest.raises(SqliteTooOld, match=r"3\.33\.0"):
        MessageStore(path, block=10)
    assert not path.parent.exists()


@pytest.mark.parametrize(
    "content", [b"this is no database, by far" * 100, b"SQLite format 3\0junk"]
)
def test_what_is_no_database_is_damaged(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StoreDamaged):
        MessageStore(path, block=10)


def test_a_file_that_was_overwritten_in_the_middle_is_damaged(path):
    store = MessageStore(path, block=10)
    store.add([message(seq, "x" * 500) for seq in range(1, 1_000)])
    store.close()
    with path.open("r+b") as file:
        file.seek(40_960)
        file.write(b"\xff" * 100_000)
    with pytest.raises(StoreDamaged):
        MessageStore(path, block=10)
