"""What is kept beside the messages: every kind of row, and files of earlier versions."""

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest
from stored_messages import message

from tertulia.server.history.checks import StoreOfAnotherVersion
from tertulia.server.history.reader import MessageReader
from tertulia.server.history.restore import restore
from tertulia.server.history.store import MessageStore
from tertulia.server.history.tables import SCHEMA_VERSION, TABLES, read_on_full_disk, read_records
from tertulia.server.hub.records import (
    Ban,
    HeldName,
    Hook,
    HookMessage,
    Insider,
    Mute,
    Pin,
    Removed,
    Switch,
    Visit,
)

NOW, LATER = "2026-11-22T15:00:00.000Z", "2026-11-22T15:30:00.000Z"
ROWS = [
    Ban(key="luis", name="Luis", address="10.0.0.7", until=LATER, operator="ana", time=NOW),
    Ban(key="10.0.0.0/28", address="10.0.0.0/28", operator="ana", reason="spam", time=NOW),
    Mute(key="eva", name="Eva", address="10.0.0.8", until=LATER, operator="ana", time=NOW),
    Switch(key="hushed", operator="server", time=NOW),
    Pin(seq=7, sent=NOW, sender="ana", text="a las 8\nen el aula", operator="ana", time=NOW),
    Insider(key="luis", name="Luis", ended=LATER),
    HeldName(key="ana", name="ana", key_hash="0f", ended=NOW),
    Visit(key=12, name="luis", address="10.0.0.7", joined=NOW, ended=LATER, reason="quit"),
    Hook(key="0f", name="build", operator="ana", time=NOW),
    HookMessage(key=12),
]
KINDS = {type(row) for row in ROWS}
OLD_TABLES = """
    CREATE TABLE message (seq INTEGER PRIMARY KEY, time TEXT NOT NULL, sender TEXT NOT NULL,
        text TEXT NOT NULL, nonce TEXT);
    CREATE TABLE numbering (epoch TEXT NOT NULL, reserved_through INTEGER NOT NULL,
        indexed_through INTEGER NOT NULL);
"""
VERSIONS = {
    1: "CREATE VIRTUAL TABLE message_index USING fts5(text, content='message', "
    "content_rowid='seq', tokenize='unicode61 remove_diacritics 2'); PRAGMA user_version = 1",
    2: "CREATE VIRTUAL TABLE message_words USING fts5(words, content='', columnsize=0, "
    "tokenize='ascii'); PRAGMA user_version = 2",
}


def kept(path: Path) -> list:
    store = MessageStore(path, block=10)
    rows = [row for kind in KINDS for row in store.records(kind)]
    store.close()
    return rows


def same(rows: list) -> bool:
    return sorted(map(repr, rows)) == sorted(map(repr, ROWS))


@pytest.fixture(params=[1, 2])
def old(request, path) -> Path:
    """Return a file of an earlier version, with one message."""
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(OLD_TABLES + VERSIONS[request.param])
        db.execute("INSERT INTO message VALUES (5, ?, 'ana', 'hola', 'n1')", (NOW,))
        db.execute("INSERT INTO numbering VALUES ('e', 100, 0)")
    return path


def test_every_kind_of_row_comes_back_as_it_was(store, path):
    store.add([], ROWS)
    store.close()
    assert same(kept(path))


def test_a_row_takes_the_place_of_one_with_its_key_and_can_be_removed(store):
    first, second, other = (
        Ban(key=key, name=key, operator=operator, time=NOW)
        for key, operator in (("luis", "ana"), ("luis", "eva"), ("leo", "ana"))
    )
    store.add([message(1)], [first, other, second, Removed(Ban, "leo"), Removed(Ban, "nobody")])
    assert store.records(Ban) == [second]


def test_messages_and_rows_are_written_all_or_none(store):
    store.add([message(1)])
    with pytest.raises(sqlite3.IntegrityError):
        store.add([message(1)], ROWS)
    assert store.records(Ban) == []


def test_a_file_of_an_earlier_version_gets_the_tables_in_place(old):
    store = MessageStore(old, block=10)
    store.add([message(101)], ROWS)
    store.close()
    assert same(kept(old))
    with MessageReader(old) as reader:
        messages = [(each.seq, each.nonce) for each in reader.all_messages()]
    assert messages[0] == (5, "n1")
    assert [seq for seq, _ in messages] == [5, 101]
    with contextlib.closing(sqlite3.connect(old)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def test_a_file_of_an_earlier_version_can_be_read_and_restored_before_it_is_upgraded(old, tmp_path):
    with MessageReader(old) as reader:
        assert [each.text for each in reader.all_messages()] == ["hola"]
    new = tmp_path / "new" / "history.db"
    assert restore(new, old) == 0
    assert kept(new) == []


def test_a_copy_of_the_file_has_the_rows_too_and_can_be_restored(store, path, tmp_path):
    store.add([message(1)], ROWS)
    copy, new = tmp_path / "copy.db", tmp_path / "new" / "history.db"
    with MessageReader(path) as reader:
        reader.copy_to(str(copy))
    store.close()
    assert restore(new, copy) == 0
    assert same(kept(new))


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE ban ADD COLUMN colour TEXT",
        "DROP TABLE mute; CREATE TABLE mute (id INTEGER)",
        "CREATE TABLE stranger (id INTEGER)",
        "CREATE INDEX stranger ON ban (name)",
        "ALTER TABLE message ADD COLUMN colour TEXT",
    ],
)
def test_a_file_with_tables_of_another_program_is_left_alone(store, path, statement):
    store.close()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(statement)
    with pytest.raises(StoreOfAnotherVersion):
        MessageStore(path, block=10)


def test_rows_of_a_killed_server_are_there(store, path, tmp_path):
    store.add([], ROWS)
    killed = tmp_path / "killed.db"
    for suffix in ("", "-wal", ".lock"):
        shutil.copy(f"{path}{suffix}", f"{killed}{suffix}")
    assert same(kept(killed))


def on_full_disk(path, kind):
    return read_on_full_disk(path, TABLES[kind], lambda db: read_records(db, kind))


def test_on_a_full_disk_the_rows_of_the_wal_are_read_too(path, tmp_path):
    store = MessageStore(path, block=10)
    store.add([message(1)], ROWS)
    killed = tmp_path / "killed.db"
    for suffix in ("", "-wal"):
        shutil.copyfile(f"{path}{suffix}", f"{killed}{suffix}")
    store.close()
    rows = [row for kind in KINDS for row in on_full_disk(killed, kind)]
    assert same(rows)
    assert not killed.with_name("killed.db-shm").exists()
    assert same(kept(killed)), "reading has lost nothing"


def test_on_a_full_disk_what_is_not_there_yet_has_no_rows(old, tmp_path):
    assert on_full_disk(old, Ban) == []
    empty = tmp_path / "empty.db"
    assert on_full_disk(empty, Ban) == []
    empty.touch()
    assert on_full_disk(empty, Ban) == []
    assert not empty.stat().st_size


def test_what_cannot_be_read_is_not_taken_for_nothing(tmp_path):
    path = tmp_path / "file.db"
    path.write_bytes(b"not a database " * 1_000)
    with pytest.raises(sqlite3.Error):
        on_full_disk(path, Ban)
