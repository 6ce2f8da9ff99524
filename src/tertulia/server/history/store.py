"""The messages of the general chat in one SQLite file: what is written, and how it is read.

No thread of its own, but for a timer while the file is opened. A `MessageStore` writes and does all
checkpoints, in one thread; a `MessageReader` has a read-only connection of its own, in another.
"""

import contextlib
import fcntl
import itertools
import os
import secrets
import sqlite3
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from math import inf
from pathlib import Path
from typing import NamedTuple, Self

from msgspec import UNSET

from tertulia.protocol.messages import (
    MAX_INT,
    MAX_PAGE,
    ChatMessage,
    GetHistory,
    HistoryPage,
    Search,
    StoredMessage,
)

_SCHEMA_VERSION = 1
_SCHEMA = """
    CREATE TABLE IF NOT EXISTS message (
        seq INTEGER PRIMARY KEY, time TEXT NOT NULL, sender TEXT NOT NULL, text TEXT NOT NULL,
        nonce TEXT
    ) STRICT;
    CREATE TABLE IF NOT EXISTS numbering (
        epoch TEXT NOT NULL, reserved_through INTEGER NOT NULL, indexed_through INTEGER NOT NULL
    ) STRICT;
    CREATE VIRTUAL TABLE IF NOT EXISTS message_index USING fts5(
        text, content='message', content_rowid='seq', tokenize="unicode61 remove_diacritics 2"
    );
"""
_OWN_TABLES = ("message", "numbering", "sqlite_")
_BESIDE = b"%020d\n"  # reserved_through, in the lock file
_COLUMNS = "seq, time, sender, text, nonce"
_PAGE_BYTES = 256 * 1024  # of text in a page of history
_STEP_CHARS = 256 * 1024  # of texts that are indexed or forgotten in one step
_LOCK_TIMEOUT_S = 20.0  # for somebody's tool that holds the file; speakers wait meanwhile
_CHECK_TIME_S = 2.0  # for looking through the file at the start; a large one is checked in part
_MAX_WORDS = 16  # that a search looks for; each costs time
_MAX_WORD_CHARS = 100


class StoreInUse(Exception):
    """Another server has this file."""


class StoreOfAnotherVersion(Exception):
    """This file is not a history that this version can read."""


class StoreDamaged(Exception):
    """This file is no history, or no longer a whole one."""


class Numbering(NamedTuple):
    """Which numbers may be given: those above `last_seq`, up to `reserved_through`."""

    epoch: str
    last_seq: int
    reserved_through: int


class MessageStore:
    """The one writing connection to the file, which it creates if it is not there.

    Raises StoreInUse, StoreOfAnotherVersion, StoreDamaged, OSError and sqlite3.Error; every method
    the last.
    """

    def __init__(self, path: Path, block: int) -> None:
        self._block = block
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # On a file of its own: a lock on the database would vanish with any descriptor to it.
        self._lock_fd = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._db = sqlite3.connect(
                path, timeout=_LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
        except BlockingIOError:
            os.close(self._lock_fd)
            raise StoreInUse(str(path)) from None
        except BaseException:
            os.close(self._lock_fd)
            raise
        try:
            self._open(path)
        except sqlite3.DatabaseError as error:
            self.close()
            if isinstance(error, sqlite3.OperationalError):
                raise  # disk full, no right to write ...: the file itself is sound
            raise StoreDamaged(str(error)) from error
        except BaseException:
            self.close()
            raise

    def _open(self, path: Path) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        tables = self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        others = [name for (name,) in tables if not name.startswith(_OWN_TABLES)]
        if version not in (0, _SCHEMA_VERSION) or others:
            raise StoreOfAnotherVersion(str(path))
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._look_through()
        self._db.executescript(_SCHEMA)
        self._db.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        with self._transaction():
            if self._db.execute("SELECT count(*) FROM numbering").fetchone()[0] == 0:
                self._db.execute("INSERT INTO numbering VALUES (?, 0, 0)", (secrets.token_hex(8),))
        epoch, last_seq = self._db.execute(
            "SELECT epoch, reserved_through FROM numbering"
        ).fetchone()
        last_seq = max(last_seq, self._reserved_beside())
        self.numbering = Numbering(epoch, last_seq, self.reserve(last_seq))

    def _look_through(self) -> None:
        """Raise StoreDamaged for a fault that is found in time."""
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self._db.interrupt()  # a progress handler is not called while pages are looked at

        timer = threading.Timer(_CHECK_TIME_S, give_up)
        timer.start()
        try:
            problem = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.OperationalError:
            if not late.is_set():
                raise
        else:
            # To a check that was cut short all pages that it has not seen are lost ones.
            if problem != "ok" and not late.is_set():
                raise StoreDamaged(problem)
        finally:
            timer.cancel()
            timer.join()

    def reserve(self, seq: int) -> int:
        """Reserve a block of numbers after `seq` on disk, before any is given; return its last.

        On a full disk this still works: a few bytes of the lock file can be written over.
        """
        through = seq + self._block
        try:
            with self._transaction():
                self._db.execute("UPDATE numbering SET reserved_through = ?", (through,))
        except sqlite3.OperationalError:
            os.pwrite(self._lock_fd, _BESIDE % through, 0)
            os.fsync(self._lock_fd)
        return through

    def _reserved_beside(self) -> int:
        """Read the number in the lock file, which has its place there from the beginning."""
        noted = os.pread(self._lock_fd, len(_BESIDE % 0), 0)
        if len(noted) < len(_BESIDE % 0):
            os.pwrite(self._lock_fd, _BESIDE % 0, 0)
        return int(noted) if noted.strip().isdigit() and int(noted) <= MAX_INT else 0

    def add(self, messages: Iterable[ChatMessage]) -> None:
        """Write messages, all or none; once this returns they are on the disk."""
        rows = (
            (m.seq, m.time, m.sender, m.text, None if m.nonce is UNSET else m.nonce)
            for m in messages
        )
        with self._transaction():
            self._db.executemany("INSERT INTO message VALUES (?, ?, ?, ?, ?)", rows)

    def has(self, seq: int) -> bool:
        """Tell whether a message is on the disk."""
        found = self._db.execute("SELECT 1 FROM message WHERE seq = ?", (seq,))
        return found.fetchone() is not None

    def index(self, count: int) -> bool:
        """Bring up to `count` messages into the search index; tell whether some are left."""
        (start,) = self._db.execute("SELECT indexed_through FROM numbering").fetchone()
        end = self._step_from(start, count)
        if end is None:
            return False
        with self._transaction():
            self._db.execute(
                "INSERT INTO message_index (rowid, text) "
                "SELECT seq, text FROM message WHERE seq > ? AND seq <= ?",
                (start, end),
            )
            self._db.execute("UPDATE numbering SET indexed_through = ?", (end,))
        return True

    def forget(self, before_time: str, count: int) -> bool:
        """Delete up to `count` messages said before a time; tell whether some may be left."""
        (indexed,) = self._db.execute("SELECT indexed_through FROM numbering").fetchone()
        rows = self._db.execute(
            "SELECT seq, text FROM message WHERE seq <= ? AND time < ?",
            (self._step_from(0, count), before_time),
        ).fetchall()
        with self._transaction():
            self._db.executemany(
                "INSERT INTO message_index (message_index, rowid, text) VALUES ('delete', ?, ?)",
                [row for row in rows if row[0] <= indexed],
            )
            self._db.executemany("DELETE FROM message WHERE seq = ?", [row[:1] for row in rows])
        return bool(rows)

    def _step_from(self, start: int, count: int) -> int | None:
        """Find the last of the next `count` messages, of fewer if they are long; None: no more.

        Nothing else is written meanwhile, so that a step has to be short.
        """
        end, room = None, _STEP_CHARS
        rows = self._db.execute(
            "SELECT seq, length(text) FROM message WHERE seq > ? ORDER BY seq LIMIT ?",
            (start, count),
        )
        for seq, size in rows:
            room -= size
            if end is not None and room < 0:
                break
            end = seq
        return end

    def nonces_since(self, since_time: str, count: int) -> list[tuple[int, str, str, str]]:
        """List seq, time, sender and nonce of the latest messages that had one, oldest first."""
        rows = self._db.execute(
            "SELECT seq, time, sender, nonce FROM "
            "(SELECT * FROM message ORDER BY seq DESC LIMIT ?) "
            "WHERE nonce IS NOT NULL AND time >= ? ORDER BY seq",
            (count, since_time),
        )
        return rows.fetchall()

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._db.close()
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


class MessageReader:
    """A read-only connection: pages, searches, and the whole of it. Raises sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )

    def page(self, request: GetHistory | Search, time_limit_s: float = inf) -> HistoryPage:
        """Read the page that is asked for."""
        before = request.before if request.before is not UNSET else 2**63 - 1
        limit = min(request.limit, MAX_PAGE)
        if isinstance(request, Search):
            query = _query_for(request.text)
            if not query:
                return HistoryPage(id=request.id, messages=[], more=False)
            sql = (
                "SELECT m.seq, m.time, m.sender, m.text, m.nonce FROM message_index AS i "
                "JOIN message AS m ON m.seq = i.rowid "
                "WHERE message_index MATCH ? AND i.rowid < ? ORDER BY i.rowid DESC LIMIT ?"
            )
            values: tuple[object, ...] = (query, before, limit + 1)
            newest_first = True
        elif request.after is not UNSET:
            sql = f"SELECT {_COLUMNS} FROM message WHERE seq > ? AND seq < ? ORDER BY seq LIMIT ?"
            values = (request.after, before, limit + 1)
            newest_first = False
        else:
            sql = f"SELECT {_COLUMNS} FROM message WHERE seq < ? ORDER BY seq DESC LIMIT ?"
            values = (before, limit + 1)
            newest_first = True
        with _time_limit(self._db, time_limit_s):
            messages, more = _fill_page(self._db.execute(sql, values), limit)
        if newest_first:
            messages.reverse()
        return HistoryPage(id=request.id, messages=messages, more=more)

    def all_messages(self) -> Iterator[StoredMessage]:
        """Read everything, a message at a time."""
        for row in self._db.execute(f"SELECT {_COLUMNS} FROM message ORDER BY seq"):
            yield _message(row)

    def copy_to(self, path: str) -> None:
        """Write a copy of the file, whole and compact; `path` has to be empty or not there.

        The copy has an epoch of its own: the numbers that it gives out next were given already.
        """
        self._db.execute("VACUUM INTO ?", (path,))
        copy = sqlite3.connect(path)
        try:
            copy.execute("UPDATE numbering SET epoch = ?", (secrets.token_hex(8),))
            copy.commit()
        finally:
            copy.close()

    def interrupt(self) -> None:
        """End the query under way, if any: sqlite3.OperationalError there. Any thread."""
        self._db.interrupt()

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def set_aside(path: Path, clock: Callable[[], float] = time.time) -> Path:
    """Move a damaged file, and what belongs to it, out of the way; return where it is now."""
    now = int(clock())
    names = (f"{path.name}.damaged-{number}" for number in itertools.count(now))
    aside = next(path.with_name(name) for name in names if not path.with_name(name).exists())
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.rename(f"{path}{suffix}", f"{aside}{suffix}")
    return aside


def _query_for(text: str) -> str:
    """Ask the index for all the words of a text; what is no word is left out."""
    words = unicodedata.normalize("NFC", text).replace('"', " ").split()
    found = [
        word[:_MAX_WORD_CHARS] for word in words if any(character.isalnum() for character in word)
    ]
    return " ".join(f'"{word}"' for word in found[:_MAX_WORDS])


def _fill_page(rows: Iterable[tuple[object, ...]], limit: int) -> tuple[list[StoredMessage], bool]:
    """Take rows up to the limit of messages and of bytes; tell whether there are more."""
    messages: list[StoredMessage] = []
    room = _PAGE_BYTES
    for row in rows:
        message = _message(row)
        room -= len(message.text.encode())
        if len(messages) == limit or (room < 0 and messages):
            return messages, True
        messages.append(message)
    return messages, False


def _message(row: tuple[object, ...]) -> StoredMessage:
    seq, when, sender, text, nonce = row
    assert isinstance(seq, int)
    return StoredMessage(
        seq=seq,
        time=str(when),
        sender=str(sender),
        text=str(text),
        nonce=UNSET if nonce is None else str(nonce),
    )


@contextlib.contextmanager
def _time_limit(db: sqlite3.Connection, limit_s: float) -> Iterator[None]:
    """Interrupt what takes longer: sqlite3.OperationalError."""
    end = time.monotonic() + limit_s
    db.set_progress_handler(lambda: time.monotonic() > end, 1_000)
    try:
        yield
    finally:
        db.set_progress_handler(None, 0)
