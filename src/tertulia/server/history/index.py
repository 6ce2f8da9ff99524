"""The search index: the folded words of the messages, in a table of FTS5.

Files of version 1 have an index of another kind, `message_index`. It is replaced in the background,
from the oldest message on; `reindexing` says how far that is. Until then both are searched. Each
function runs in a transaction of the caller and raises sqlite3.Error.
"""

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from tertulia.server.history.folding import fold

_MERGE_PAGES = 250  # of the index, rewritten in one step
_LAST_DESCRIPTION = 10  # id of the last row of FTS5's data that describes the others
_DROP_PAGES = 500  # of the old index, deleted in one step

# Contentless: the messages themselves are in `message`. The tokenizer splits at spaces and ASCII
# punctuation, which is all that folded texts need.
_CREATE = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS message_words USING fts5("
    "words, content='', columnsize=0, tokenize='ascii')"
)
_INSERT = "INSERT INTO message_words (rowid, words) VALUES (?, ?)"
_DELETE = "INSERT INTO message_words (message_words, rowid, words) VALUES ('delete', ?, ?)"
_INSERT_OLD = "INSERT INTO message_index (rowid, text) VALUES (?, ?)"
_DELETE_OLD = "INSERT INTO message_index (message_index, rowid, text) VALUES ('delete', ?, ?)"
_TEXTS = "SELECT seq, text FROM message WHERE seq > ? AND seq <= ?"


class Reindexing(NamedTuple):
    """Which messages are still in the old index: those above `done_through`, up to `through`."""

    done_through: int
    through: int


def create_index(db: sqlite3.Connection) -> None:
    """Create the index if there is none, and begin to replace one of version 1."""
    db.execute(_CREATE)
    if _has_table(db, "message_index") and not _has_table(db, "reindexing"):
        db.execute("CREATE TABLE reindexing (done_through INTEGER, through INTEGER)")
        db.execute("INSERT INTO reindexing SELECT 0, indexed_through FROM numbering")


def reindexing(db: sqlite3.Connection) -> Reindexing | None:
    """Return how far the old index is replaced, or None if there is no old one.

    Once nothing is left to move, the old index may not be searched any more.
    """
    if not _has_table(db, "reindexing"):
        return None
    return Reindexing(*db.execute("SELECT done_through, through FROM reindexing").fetchone())


def add_words(db: sqlite3.Connection, start: int, end: int) -> None:
    """Index the messages above `start`, up to `end`."""
    rows = db.execute(_TEXTS, (start, end)).fetchall()
    db.executemany(_INSERT, [(seq, fold(text)) for seq, text in rows])


def remove_words(
    db: sqlite3.Connection, rows: Iterable[tuple[int, str]], indexed_through: int
) -> None:
    """Remove messages, given as seq and text, from whichever index has them."""
    old = reindexing(db)
    for seq, text in rows:
        if old is not None and old.done_through < seq <= old.through:
            db.execute(_DELETE_OLD, (seq, text))
        elif seq <= indexed_through:
            db.execute(_DELETE, (seq, fold(text)))


def add_late_words(db: sqlite3.Connection, rows: Iterable[tuple[int, str]]) -> None:
    """Index late messages, given as seq and text, in the index that has their neighbours."""
    old = reindexing(db)
    for seq, text in rows:
        if old is not None and old.done_through < seq <= old.through:
            db.execute(_INSERT_OLD, (seq, text))
        else:
            db.execute(_INSERT, (seq, fold(text)))


def move_words(db: sqlite3.Connection, start: int, end: int | None) -> None:
    """Move the messages above `start`, up to `end`, to the new index; None: only delete the old."""
    if end is not None:
        add_words(db, start, end)
        db.execute("UPDATE reindexing SET done_through = ?", (end,))
        return
    db.execute("UPDATE reindexing SET done_through = through")
    # In parts, because no message is committed meanwhile. FTS5 opens no table without its first
    # rows, which describe the others.
    db.execute(
        "DELETE FROM message_index_data WHERE id IN "
        "(SELECT id FROM message_index_data WHERE id > ? LIMIT ?)",
        (_LAST_DESCRIPTION, _DROP_PAGES),
    )
    rest = db.execute("SELECT 1 FROM message_index_data WHERE id > ?", (_LAST_DESCRIPTION,))
    if rest.fetchone() is None:
        db.execute("DROP TABLE message_index")
        db.execute("DROP TABLE reindexing")


def merge_words(db: sqlite3.Connection) -> bool:
    """Drop some words of removed messages for good; return False if none are left."""
    before = db.total_changes
    db.execute(
        "INSERT INTO message_words (message_words, rank) VALUES ('merge', ?)", (-_MERGE_PAGES,)
    )
    return db.total_changes - before >= 2  # fewer: FTS5 has found nothing to merge


def _has_table(db: sqlite3.Connection, name: str) -> bool:
    found = db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,))
    return found.fetchone() is not None
