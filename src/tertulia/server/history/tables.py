"""The tables of the history's file, and the rows in it beside the messages.

The search index has tables of its own (index.py). Each function raises sqlite3.Error; those that
write run in a transaction of the caller.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from msgspec import UNSET

from tertulia.protocol.messages import ChatMessage, StoredMessage
from tertulia.server.hub.records import (
    Ban,
    Change,
    HeldName,
    Hook,
    HookMessage,
    Insider,
    MissingMessages,
    MissingVisits,
    Mute,
    Pin,
    Place,
    Record,
    Removed,
    Row,
    Switch,
    Visit,
)

Found = TypeVar("Found")
SaidBefore = tuple[int, str, str, str]  # the number, time, sender and nonce of a message

_LOCK_TIMEOUT_S = 0.5  # for a reader that finds out that it cannot open the file
SCHEMA_VERSION = 3  # 2: only messages; 1: another search index too, which index.py replaces

# The index is brought up to date apart from the messages (docs/adr/0004-history.md);
# indexed_through is the last seq in it.
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS message (seq INTEGER PRIMARY KEY, time TEXT NOT NULL, "
    "sender TEXT NOT NULL, text TEXT NOT NULL, nonce TEXT)",
    "CREATE TABLE IF NOT EXISTS numbering (epoch TEXT NOT NULL, "
    "reserved_through INTEGER NOT NULL, indexed_through INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS ban (key TEXT PRIMARY KEY, name TEXT, address TEXT, "
    "until TEXT, operator TEXT NOT NULL, reason TEXT, time TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS mute (key TEXT PRIMARY KEY, name TEXT NOT NULL, address TEXT, "
    "until TEXT, operator TEXT NOT NULL, time TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS switch (key TEXT PRIMARY KEY, operator TEXT NOT NULL, "
    "time TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS pin (key TEXT PRIMARY KEY, seq INTEGER NOT NULL, "
    "sent TEXT NOT NULL, sender TEXT NOT NULL, text TEXT NOT NULL, operator TEXT NOT NULL, "
    "time TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS insider (key TEXT PRIMARY KEY, name TEXT NOT NULL, ended TEXT)",
    "CREATE TABLE IF NOT EXISTS held_name (key TEXT PRIMARY KEY, name TEXT NOT NULL, "
    "key_hash TEXT NOT NULL, ended TEXT)",
    "CREATE TABLE IF NOT EXISTS visit (key INTEGER PRIMARY KEY, name TEXT NOT NULL, "
    "address TEXT NOT NULL, joined TEXT NOT NULL, ended TEXT, reason TEXT)",
    "CREATE INDEX IF NOT EXISTS visit_joined ON visit (joined)",
    "CREATE TABLE IF NOT EXISTS hook (key TEXT PRIMARY KEY, name TEXT NOT NULL, "
    "operator TEXT NOT NULL, time TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS hook_message (key INTEGER PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS place (key TEXT PRIMARY KEY, chat TEXT NOT NULL, "
    "log TEXT NOT NULL, place INTEGER NOT NULL, state BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS missing_messages (key INTEGER PRIMARY KEY, "
    "through INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS missing_visits (key INTEGER PRIMARY KEY, through INTEGER NOT NULL)",
)
TABLES: dict[type[Record], str] = {
    Ban: "ban",
    Mute: "mute",
    Switch: "switch",
    Pin: "pin",
    Insider: "insider",
    HeldName: "held_name",
    Visit: "visit",
    Hook: "hook",
    HookMessage: "hook_message",
    Place: "place",
    MissingMessages: "missing_messages",
    MissingVisits: "missing_visits",
}
# A table may also be missing.
COLUMNS = {
    "message": ["seq", "time", "sender", "text", "nonce"],
    "numbering": ["epoch", "reserved_through", "indexed_through"],
    "reindexing": ["done_through", "through"],
} | {table: list(kind.__struct_fields__) for kind, table in TABLES.items()}
INDEXES = {"visit_joined"}


def create_tables(db: sqlite3.Connection) -> None:
    """Create the tables that are missing, as in a file of an earlier version."""
    for statement in _SCHEMA:
        db.execute(statement)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def add_messages(db: sqlite3.Connection, messages: Iterable[ChatMessage | StoredMessage]) -> None:
    """Write new messages."""
    rows = (
        (m.seq, m.time, m.sender, m.text, None if m.nonce is UNSET else m.nonce) for m in messages
    )
    db.executemany("INSERT INTO message VALUES (?, ?, ?, ?, ?)", rows)


def write_changes(db: sqlite3.Connection, changes: Iterable[Change]) -> None:
    """Put and delete rows, in this order."""
    for change in changes:
        if isinstance(change, Removed):
            db.execute(f"DELETE FROM {TABLES[change.kind]} WHERE key = ?", (change.key,))
        else:
            fields = change.__struct_fields__
            values = [getattr(change, field) for field in fields]
            marks = ", ".join("?" * len(fields))
            db.execute(
                f"REPLACE INTO {TABLES[type(change)]} ({', '.join(fields)}) VALUES ({marks})",
                values,
            )


def read_records(db: sqlite3.Connection, kind: type[Row]) -> list[Row]:
    """Return all rows of a kind, in the order of their keys."""
    fields = kind.__struct_fields__
    rows = db.execute(f"SELECT {', '.join(fields)} FROM {TABLES[kind]} ORDER BY key")
    return [kind(**dict(zip(fields, row, strict=True))) for row in rows]


def read_numbers(db: sqlite3.Connection) -> list[tuple[str, int]]:
    """Return the epoch, and the last number that is reserved in the file."""
    return db.execute("SELECT epoch, reserved_through FROM numbering").fetchall()


def find_message(db: sqlite3.Connection, seq: int) -> list[int]:
    """Return the number of a message, if it is there."""
    return [found for (found,) in db.execute("SELECT seq FROM message WHERE seq = ?", (seq,))]


def latest_message(db: sqlite3.Connection) -> list[int]:
    """Return the number of the latest message, if there is one."""
    return [seq for (seq,) in db.execute("SELECT seq FROM message ORDER BY seq DESC LIMIT 1")]


def latest_visit(db: sqlite3.Connection) -> list[int]:
    """Return the number of the latest visit, if there is one."""
    return [key for (key,) in db.execute("SELECT key FROM visit ORDER BY key DESC LIMIT 1")]


def nonces_since(db: sqlite3.Connection, since_time: str, count: int) -> list[SaidBefore]:
    """Return the messages with a nonce among the latest `count` messages, oldest first."""
    rows = db.execute(
        "SELECT seq, time, sender, nonce FROM "
        "(SELECT * FROM message ORDER BY seq DESC LIMIT ?) "
        "WHERE nonce IS NOT NULL AND time >= ? ORDER BY seq",
        (count, since_time),
    )
    return rows.fetchall()


def read_on_full_disk(
    path: Path, table: str, read: Callable[[sqlite3.Connection], list[Found]]
) -> list[Found]:
    """Return what `read` finds in a table of the file and its WAL.

    Usually SQLite creates a file for the index of the WAL. Here the index is in memory, unless
    another connection has the file open: then there was room for the index. A new file, or a table
    that an earlier version did not have, has no rows.
    """
    if not (path.exists() and path.stat().st_size):
        return []
    try:
        return _read_table(path, "mode=rw", "EXCLUSIVE", table, read)
    except sqlite3.OperationalError:
        return _read_table(path, "mode=ro", "NORMAL", table, read)


def _read_table(
    path: Path,
    mode: str,
    locking: str,
    table: str,
    read: Callable[[sqlite3.Connection], list[Found]],
) -> list[Found]:
    uri = f"{path.as_uri()}?{mode}"
    db = sqlite3.connect(uri, timeout=_LOCK_TIMEOUT_S, uri=True, isolation_level=None)
    with contextlib.closing(db):
        db.execute(f"PRAGMA locking_mode = {locking}")
        found = db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        return read(db) if found is not None else []
