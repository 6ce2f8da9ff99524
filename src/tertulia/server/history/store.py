"""Writing the history's file: one SQLite database with the messages of the general chat.

A MessageStore is the only connection that writes, and makes all checkpoints. One thread uses it; it
starts none, except a timer while it opens the file. Reading is in reader.py.
"""

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import UNSET

from tertulia.protocol.messages import ChatMessage
from tertulia.server.history.aside import set_wal_aside
from tertulia.server.history.checks import (
    SCHEMA_VERSION,
    StoreDamaged,
    StoreOfAnotherVersion,
    check_file,
    check_library,
    check_pages,
    is_damage,
    with_file_at_fault,
)
from tertulia.server.history.lockfile import LockFile, Note
from tertulia.server.history.wal import new_mark, wal_belongs
from tertulia.server.hub.keeper import Numbering

# The index is brought up to date apart from the messages, in `index` (docs/adr/0004-history.md);
# indexed_through is the last seq in it.
_SCHEMA = """
    CREATE TABLE IF NOT EXISTS message (
        seq INTEGER PRIMARY KEY, time TEXT NOT NULL, sender TEXT NOT NULL, text TEXT NOT NULL,
        nonce TEXT
    );
    CREATE TABLE IF NOT EXISTS numbering (
        epoch TEXT NOT NULL, reserved_through INTEGER NOT NULL, indexed_through INTEGER NOT NULL
    );
    CREATE VIRTUAL TABLE IF NOT EXISTS message_index USING fts5(
        text, content='message', content_rowid='seq', tokenize="unicode61 remove_diacritics 2"
    );
"""
_STEP_CHARS = 256 * 1024  # of text, indexed or deleted in one step
_LOCK_TIMEOUT_S = 20.0  # while another program locks the database; speakers wait for it too


class MessageStore:
    """The one writing connection to the file, which it creates if there is none.

    The constructor raises SqliteTooOld, StoreInUse, StoreOfAnotherVersion, StoreDamaged, OSError or
    sqlite3.Error, every method sqlite3.Error.
    """

    def __init__(self, path: Path, block: int) -> None:
        """Open the file and reserve a block of numbers."""
        check_library()
        path = path.absolute()  # SQLite gives names such as ":memory:" a meaning of their own.
        self._block = block
        # Whether the file is older than the numbers given out: it was put back from a copy. Then
        # the numbering has a new epoch, so that clients do not take the next messages for old ones.
        self.went_back = False
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A file of its own: a lock on the database would end when anyone closes a descriptor of it.
        self._lock_file = LockFile(path)
        try:
            # Created here, so that only its owner may read it.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self.foreign_wal = None if wal_belongs(path) else set_wal_aside(path)
            check_file(path)
            self._db = sqlite3.connect(
                path, timeout=_LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
        except BaseException as error:
            if isinstance(error, StoreOfAnotherVersion):
                self._lock_file.forget()  # Leave no trace beside a file of another program.
            self._lock_file.close()
            raise
        try:
            self.numbering = self._open()
        except sqlite3.DatabaseError as error:
            self.close()
            if is_damage(error):
                raise StoreDamaged(str(error)) from error
            raise with_file_at_fault(path, error) from error
        except BaseException:
            self.close()
            raise

    def _open(self) -> Numbering:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA secure_delete = ON")  # Overwrite what is deleted.
        check_pages(self._db)
        self._set_mark()
        self._db.executescript(_SCHEMA)
        self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        with self._transaction():
            if self._db.execute("SELECT count(*) FROM numbering").fetchone()[0] == 0:
                self._db.execute("INSERT INTO numbering VALUES (?, 0, 0)", (secrets.token_hex(8),))
        epoch, reserved_through = self._db.execute(
            "SELECT epoch, reserved_through FROM numbering"
        ).fetchone()
        note = self._lock_file.note
        if note.epoch == epoch and reserved_through < note.in_file:
            self.went_back = True
            epoch = secrets.token_hex(8)
            self._db.execute("UPDATE numbering SET epoch = ?", (epoch,))
        last_seq = reserved_through
        if self.went_back or note.epoch in (epoch, ""):
            last_seq = max(last_seq, note.reserved_through)
        self._epoch = epoch
        self._reserved_in_file = reserved_through
        return Numbering(epoch, last_seq, self.reserve(last_seq))

    def _set_mark(self) -> None:
        """Give the file a new mark, in a WAL that has nothing else (wal.py)."""
        (old,) = self._db.execute("PRAGMA application_id").fetchone()
        if self._checkpoint():
            self._db.execute(f"PRAGMA application_id = {new_mark()}")
            if not self._checkpoint():  # because of a reader that has just begun
                self._db.execute(f"PRAGMA application_id = {old}")

    def _checkpoint(self) -> bool:
        """Move the WAL into the file and empty it; return False if a reader is in the way."""
        self._db.execute("PRAGMA busy_timeout = 0")
        try:
            is_busy: int = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        finally:
            self._db.execute(f"PRAGMA busy_timeout = {_LOCK_TIMEOUT_S * 1_000:.0f}")
        return not is_busy

    def reserve(self, seq: int) -> int:
        """Reserve a block of numbers after `seq` on disk, and return the last one.

        This also works on a full disk, because the lock file has room for the number: OSError if
        that fails too.
        """
        through = seq + self._block
        try:
            with self._transaction():
                self._db.execute("UPDATE numbering SET reserved_through = ?", (through,))
        except sqlite3.OperationalError:
            self._lock_file.write(Note(through, self._reserved_in_file, self._epoch))
        else:
            self._reserved_in_file = through
            # Without this note, only a file put back from a copy would not be noticed.
            with contextlib.suppress(OSError):
                self._lock_file.write(Note(through, through, self._epoch))
        return through

    def add(self, messages: Iterable[ChatMessage]) -> None:
        """Write messages, all or none; when this returns they are on the disk."""
        rows = (
            (m.seq, m.time, m.sender, m.text, None if m.nonce is UNSET else m.nonce)
            for m in messages
        )
        with self._transaction():
            self._db.executemany("INSERT INTO message VALUES (?, ?, ?, ?, ?)", rows)

    def has(self, seq: int) -> bool:
        """Return whether a message is on the disk."""
        found = self._db.execute("SELECT 1 FROM message WHERE seq = ?", (seq,))
        return found.fetchone() is not None

    def index(self, count: int) -> bool:
        """Index up to `count` messages for the search; return False if there were none to index."""
        (start,) = self._db.execute("SELECT indexed_through FROM numbering").fetchone()
        end = self._end_of_step(start, count)
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
        """Delete up to `count` messages older than a time; return False if there were none."""
        (indexed_through,) = self._db.execute("SELECT indexed_through FROM numbering").fetchone()
        rows = self._db.execute(
            "SELECT seq, text FROM message WHERE seq <= ? AND time < ?",
            (self._end_of_step(0, count), before_time),
        ).fetchall()
        with self._transaction():
            self._db.executemany(
                "INSERT INTO message_index (message_index, rowid, text) VALUES ('delete', ?, ?)",
                [row for row in rows if row[0] <= indexed_through],
            )
            self._db.executemany("DELETE FROM message WHERE seq = ?", [row[:1] for row in rows])
        return bool(rows)

    def _end_of_step(self, start: int, count: int) -> int | None:
        """Return the last seq of the step after `start`, or None if there are no more messages.

        A step is at most `count` messages, and fewer if they are long, because no message is
        committed while it is under way.
        """
        end, free_chars = None, _STEP_CHARS
        rows = self._db.execute(
            "SELECT seq, length(text) FROM message WHERE seq > ? ORDER BY seq LIMIT ?",
            (start, count),
        )
        for seq, chars in rows:
            free_chars -= chars
            if end is not None and free_chars < 0:
                break
            end = seq
        return end

    def nonces_since(self, since_time: str, count: int) -> list[tuple[int, str, str, str]]:
        """Return seq, time, sender and nonce of the messages with a nonce, oldest first.

        Only the latest `count` messages are looked at.
        """
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
        self._lock_file.close()

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
