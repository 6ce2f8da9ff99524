"""An index of an earlier version is replaced, while every search finds what it should."""

import contextlib
import sqlite3
from pathlib import Path

import pytest
from stored_messages import index_all, indexed, message, seqs

from tertulia.protocol.messages import Search
from tertulia.server.history import index
from tertulia.server.history.reader import MessageReader
from tertulia.server.history.store import MessageStore

VERSION_1 = """
    CREATE TABLE message (
        seq INTEGER PRIMARY KEY, time TEXT NOT NULL, sender TEXT NOT NULL, text TEXT NOT NULL,
        nonce TEXT
    );
    CREATE TABLE numbering (
        epoch TEXT NOT NULL, reserved_through INTEGER NOT NULL, indexed_through INTEGER NOT NULL
    );
    CREATE VIRTUAL TABLE message_index USING fts5(
        text, content='message', content_rowid='seq', tokenize="unicode61 remove_diacritics 2"
    );
    PRAGMA user_version = 1;
"""


@pytest.fixture
def old(path: Path) -> MessageStore:
    """Return a store on a file of version 1: ten messages, of which the index has eight."""
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(VERSION_1)
        for seq in range(1, 11):
            said = message(seq, f"acción {seq} \u00e1rbol")
            db.execute(
                "INSERT INTO message VALUES (?, ?, ?, ?, NULL)",
                (said.seq, said.time, said.sender, said.text),
            )
        db.execute("INSERT INTO message_index (rowid, text) SELECT seq, text FROM message LIMIT 8")
        db.execute("INSERT INTO numbering VALUES ('e', 100, 8)")
    store = MessageStore(path, block=10)
    yield store
    store.close()


def tables(store: MessageStore) -> set[str]:
    return {name for (name,) in store._db.execute("SELECT name FROM sqlite_master")}


def found(path: Path, text: str, **fields: int) -> list[int]:
    with MessageReader(path) as reader:
        return seqs(reader.page(Search(text=text, **fields)))[0]


def words_in(store: MessageStore) -> list[str]:
    """Return the words in the new index, also those of messages that are not in the file."""
    store._db.execute("CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, message_words, row)")
    return [word for (word,) in store._db.execute("SELECT term FROM words")]


def replace_all(store: MessageStore) -> None:
    """Replace the old index to its end."""
    steps = 0
    while store.replace_old_index(3):
        steps += 1
        assert steps < 100, "there is no end to it"


def test_an_old_index_is_usable_at_once_and_while_it_is_replaced(old, path):
    assert found(path, "ACCION arbol") == list(range(1, 9))
    index_all(old)
    steps = 0
    while True:
        assert found(path, "ACCION arbol") == list(range(1, 11))
        assert found(path, "accion", limit=3) == [8, 9, 10]
        assert found(path, "accion", before=6, limit=3) == [3, 4, 5]
        if not old.replace_old_index(3):
            break
        steps += 1
        assert steps < 100, "there is no end to it"
    assert steps == 4, "three with messages, one that drops the old index"
    assert indexed(old) == 10, "none of them twice"
    assert not any("message_index" in name or name == "reindexing" for name in tables(old))
    old.add([message(11, "acción")])
    index_all(old)
    assert found(path, "accion", limit=2) == [10, 11]


def test_what_is_deleted_meanwhile_is_found_in_neither(old, path):
    old.replace_old_index(3)
    assert old.forget("9999", after=1, count=4) == (4, 5)
    assert found(path, "accion") == [1, 6, 7, 8]
    replace_all(old)
    index_all(old)
    assert found(path, "accion") == [1, 6, 7, 8, 9, 10]
    assert old.forget("9999", after=0, count=100) == (6, 10)
    assert found(path, "accion") == []
    assert words_in(old) == []


def test_while_an_old_index_is_dropped_in_parts_it_is_not_searched(old, path, monkeypatch):
    monkeypatch.setattr(index, "_DROP_PAGES", 1)
    index_all(old)
    old.forget("9999", after=6, count=4)
    steps = 0
    while index.reindexing(old._db) is not None:
        assert found(path, "accion") == list(range(1, 7))
        old.replace_old_index(3)
        steps += 1
        assert steps < 1_000, "there is no end to it"
    assert found(path, "accion") == list(range(1, 7))


def test_the_replacement_goes_on_after_a_restart(old, path):
    old.replace_old_index(3)
    old.close()
    again = MessageStore(path, block=10)
    assert found(path, "accion") == list(range(1, 9))
    replace_all(again)
    index_all(again)
    assert found(path, "accion") == list(range(1, 11))
    again.close()


def test_a_new_file_has_nothing_to_replace(store):
    assert not store.replace_old_index(3)
