"""Writes the history's file: one SQLite database with the messages of the general chat.

A MessageStore is the only connection that writes, and makes all checkpoints. The main thread opens
it, then only the writer's thread uses it. It starts no thread, except a timer while it opens the
file. Reading is in reader.py.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tertulia.protocol.messages import ChatMessage, StoredMessage
from tertulia.server.history.aside import set_wal_aside
from tertulia.server.history.checks import (
    StoreDamaged,
    StoreOfAnotherVersion,
    check_file,
    check_library,
    check_pages,
    is_damage,
    is_full_disk,
    with_file_at_fault,
)
from tertulia.server.history.index import (
    add_words,
    create_index,
    merge_words,
    move_words,
    reindexing,
    remove_words,
)
from tertulia.server.history.lockfile import LockFile
from tertulia.server.history.mail import Rows
from tertulia.server.history.replica import (
    leave_cluster,
    nonces_of_log,
    put_messages,
    put_visits,
    replace_records,
)
from tertulia.server.history.reservations import Reservations
from tertulia.server.history.tables import (
    TABLES,
    Found,
    SaidBefore,
    add_messages,
    create_tables,
    find_message,
    latest_message,
    latest_visit,
    nonces_since,
    read_on_full_disk,
    read_records,
    write_changes,
)
from tertulia.server.history.visits import end_visits, forget_visits
from tertulia.server.history.wal import checkpoint, read_mark, set_mark, wal_belongs
from tertulia.server.hub.keeper import Numbering
from tertulia.server.hub.records import Change, Record, Row

_STEP_CHARS = 256 * 1024  # of text, indexed or deleted in one step
_WAL_BYTES = 16 * 1024 * 1024  # a longer WAL is cut to this after it was emptied
_LOCK_TIMEOUT_S = 20.0  # while another program locks the database; senders wait, too


class MessageStore:
    """The one writing connection to the file, which it creates if there is none.

    The constructor raises SqliteTooOld, StoreInUse, StoreOfAnotherVersion, StoreDamaged, OSError or
    sqlite3.Error, every method sqlite3.Error. If the disk is full, there is a store all the same:
    each method then tries to open the file again.
    """

    def __init__(
        self,
        path: Path,
        block: int,
        check_time_s: float | None = None,
        *,
        of_cluster: bool = False,
    ) -> None:
        """Open the file and reserve a block of numbers.

        It looks for damage for at most `check_time_s` seconds (see `check_pages`). In the file
        of a cluster's node, messages that are written again are ignored, and sessions without an
        end are left as they are: their users may be here on other nodes.
        """
        self._of_cluster = of_cluster
        self._check_time_s = check_time_s
        check_library()
        self._path = path.absolute()  # SQLite gives names such as ":memory:" another meaning.
        self._db: sqlite3.Connection | None = None
        # A descriptor of the same file. It is closed after all connections of this process: closing
        # any descriptor of a file ends SQLite's locks on it.
        self._file_fd = -1
        self._mark = b""
        # Not used between opening and closing; see `close`.
        self._anchor: sqlite3.Connection | None = None
        self.foreign_wal: Path | None = None  # where a WAL of another file is now
        self.problem: Exception | None = None  # why the file is not open yet
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A separate file: a lock on the database would end when any descriptor of it is closed.
        self._lock_file = LockFile(self._path)
        self._reservations = Reservations(
            self._path, self._lock_file, block, self._transaction, of_cluster=of_cluster
        )
        try:
            try:
                self.numbering = self._open()
            except (OSError, sqlite3.Error) as error:
                if not is_full_disk(error):
                    raise
                self.problem = error
                self.numbering = self._reservations.resume_without_file()
        except BaseException as error:
            if isinstance(error, StoreOfAnotherVersion):
                self._lock_file.forget()  # Leave no trace beside a file of another program.
            self.close()
            raise

    @property
    def went_back(self) -> bool:
        """Whether the file is older than the numbers given out. See Reservations."""
        return self._reservations.went_back

    def _open(self) -> Numbering:
        """Open or create the file; on an error, leave no connection open."""
        self._open_descriptor()
        if not wal_belongs(self._path, self._file_fd):
            self.foreign_wal = set_wal_aside(self._path)
        check_file(self._path)
        self._db = sqlite3.connect(
            self._path, timeout=_LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            numbering = self._prepare(self._db)
            self._anchor = sqlite3.connect(
                f"{self._path.as_uri()}?mode=ro", uri=True, check_same_thread=False
            )
            self._anchor.execute("SELECT 1 FROM numbering").fetchone()
            self._wal, self._mark = os.stat(f"{self._path}-wal"), read_mark(self._file_fd)
        except BaseException as error:
            if self._anchor is not None:
                self._anchor.close()
            self._db.close()
            self._db = self._anchor = None
            if not isinstance(error, sqlite3.Error):
                raise
            if is_damage(error):
                raise StoreDamaged(str(error)) from error
            raise with_file_at_fault(self._path, error) from error
        self.problem = None
        return numbering

    def _open_descriptor(self) -> None:
        """Open the file without SQLite; create it so that only its owner may read it."""
        if self._file_fd >= 0:
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.stat(self._path), os.fstat(self._file_fd)):
                    return
            os.close(self._file_fd)
            self._file_fd = -1
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._file_fd = os.open(self._path, flags, 0o600)

    def _prepare(self, db: sqlite3.Connection) -> Numbering:
        db.execute("PRAGMA journal_mode = WAL")
        # A node reads again from the log, which is on several disks, what its own has lost.
        db.execute(f"PRAGMA synchronous = {'NORMAL' if self._of_cluster else 'FULL'}")
        db.execute("PRAGMA secure_delete = ON")  # Overwrite what is deleted.
        db.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
        check_pages(db, self._check_time_s)
        set_mark(db)
        with self._transaction():
            create_tables(db)
            create_index(db)
            if not self._of_cluster:
                end_visits(db)
                leave_cluster(db)
        return self._reservations.resume(db)

    def _connection(self) -> sqlite3.Connection:
        """Return the open connection; open the file if the disk was too full before."""
        if self._db is None:
            try:
                self._open()
            except (OSError, StoreDamaged, StoreOfAnotherVersion) as error:
                raise sqlite3.OperationalError(str(error)) from error
        assert self._db is not None, "_open leaves it open"
        return self._db

    def reserve(self, seq: int) -> int:
        """Reserve a block of numbers after `seq`, and return the last one. See Reservations."""
        return self._reservations.reserve(seq)

    def is_in_place(self) -> bool:
        """Return whether the open file and its WAL are still at their paths.

        If not, writing would lose data, or damage a file that has replaced them.
        """
        if not self._mark:  # not open yet
            return True
        try:
            file, wal = os.stat(self._path), os.stat(f"{self._path}-wal")
        except OSError:
            return False
        return (
            os.path.samestat(file, os.fstat(self._file_fd))
            and os.path.samestat(wal, self._wal)
            and read_mark(self._file_fd) == self._mark
        )

    def _check_place(self) -> None:
        if not self.is_in_place():
            raise sqlite3.OperationalError("the file was removed or replaced")

    def adopt(self, epoch: str, seq: int) -> None:
        """Continue the numbering of a cluster. See Reservations. Raises OSError."""
        self.numbering = self._reservations.adopt(epoch, seq)

    def end_visits(self) -> None:
        """Give an end to the sessions that have none. See visits.py."""
        with self._transaction() as db:
            end_visits(db)

    def replace_records(self, records: Iterable[Record], lost_at: str) -> None:
        """Replace the records that are kept beside the messages. See replica.py."""
        with self._transaction() as db:
            replace_records(db, records, lost_at)

    def add(
        self, messages: Iterable[ChatMessage | StoredMessage], changes: Iterable[Change] = ()
    ) -> None:
        """Write messages and changes of records, all or none.

        When this returns they are safe on disk. In the file of a cluster's node, the latest ones
        may be lost if the power fails: then all of them from some moment on.
        """
        with self._transaction() as db:
            if self._of_cluster:
                put_messages(db, messages)
            else:
                add_messages(db, messages)
            write_changes(db, changes)
        self._check_place()

    def fill(self, rows: Rows, changes: Iterable[Change]) -> None:
        """Write missing rows from another node, and changes, all or none."""
        with self._transaction() as db:
            put_messages(db, rows.messages)
            put_visits(db, rows.visits)
            write_changes(db, changes)

    def records(self, kind: type[Row]) -> list[Row]:
        """Return the records of a kind, also while the disk is full."""
        return self._read(TABLES[kind], lambda db: read_records(db, kind))

    def last_stored(self) -> int:
        """Return the latest number of a message or visit, or 0; also while the disk is full."""
        found = self._read("message", latest_message) + self._read("visit", latest_visit)
        return max(found, default=0)

    def _read(self, table: str, read: Callable[[sqlite3.Connection], list[Found]]) -> list[Found]:
        try:
            db = self._connection()
        except sqlite3.OperationalError:
            return read_on_full_disk(self._path, table, read)
        return read(db)

    def has(self, seq: int) -> bool:
        """Return whether a message is on the disk, also while the disk is full."""
        self._check_place()
        return bool(self._read("message", lambda db: find_message(db, seq)))

    def index(self, count: int) -> bool:
        """Index up to `count` messages for the search; return False if there were none to index."""
        (start,) = self._connection().execute("SELECT indexed_through FROM numbering").fetchone()
        end = self._end_of_step(start, count)
        if end is None:
            return False
        with self._transaction() as db:
            add_words(db, start, end)
            db.execute("UPDATE numbering SET indexed_through = ?", (end,))
        return True

    def forget(self, before_time: str, *, after: int, count: int) -> tuple[int, int | None]:
        """Delete what is older than a time among up to `count` messages after a seq.

        As many sessions of the attendance are deleted, too. Return how many messages were deleted,
        and the last seq looked at, or None at the end.
        """
        with self._transaction() as db:
            is_done = forget_visits(db, before_time, count)
        (indexed_through,) = db.execute("SELECT indexed_through FROM numbering").fetchone()
        end = self._end_of_step(after, count)
        if end is None:
            return 0, None if is_done else after
        rows = db.execute(
            "SELECT seq, text FROM message WHERE seq > ? AND seq <= ? AND time < ?",
            (after, end, before_time),
        ).fetchall()
        if rows:
            with self._transaction():
                remove_words(db, rows, indexed_through)
                gone = [row[:1] for row in rows]
                db.executemany("DELETE FROM message WHERE seq = ?", gone)
                db.executemany("DELETE FROM hook_message WHERE key = ?", gone)
        return len(rows), end

    def replace_old_index(self, count: int) -> bool:
        """Move up to `count` messages from an index of version 1; return False if there is none."""
        old = reindexing(self._connection())
        if old is None:
            return False
        end = self._end_of_step(old.done_through, count)
        if end is not None:
            end = min(end, old.through) if old.done_through < old.through else None
        with self._transaction() as db:
            move_words(db, old.done_through, end)
        return True

    def compact_index(self) -> bool:
        """Remove some words of deleted messages from the index; return False if none are left."""
        with self._transaction() as db:
            return merge_words(db)

    def empty_wal(self) -> None:
        """Move everything into the file, unless somebody is reading."""
        checkpoint(self._connection())

    def newest_time(self) -> str | None:
        """Return the time of the latest message, or None if there are none."""
        row = self._connection().execute("SELECT time FROM message ORDER BY seq DESC LIMIT 1")
        found = row.fetchone()
        return None if found is None else str(found[0])

    def _end_of_step(self, start: int, count: int) -> int | None:
        """Return the last seq of the step after `start`, or None if there are no more messages.

        A step is at most `count` messages, and fewer if they are long, because no message is
        committed while it is under way.
        """
        end, free_chars = None, _STEP_CHARS
        rows = self._connection().execute(
            "SELECT seq, length(text) FROM message WHERE seq > ? ORDER BY seq LIMIT ?",
            (start, count),
        )
        for seq, chars in rows:
            free_chars -= chars
            if end is not None and free_chars < 0:
                break
            end = seq
        return end

    def nonces_since(self, since_time: str, count: int) -> list[SaidBefore]:
        """Return the nonces of recent messages, also while the disk is full. See tables.py."""
        return self._read("message", lambda db: nonces_since(db, since_time, count))

    def nonces_of_log(self, since_time: str, through: int, count: int) -> list[SaidBefore]:
        """Return the nonces that all nodes knew at a number, also while the disk is full.

        See replica.nonces_of_log.
        """
        return self._read("message", lambda db: nonces_of_log(db, since_time, through, count))

    def close(self) -> None:
        """Close the file. Idempotent."""
        # Closing the last connection moves the WAL into the file. If another file was copied over
        # ours, that would damage it: then the anchor, which may not write, is closed last.
        connections = [self._anchor, self._db]
        if not self.is_in_place():
            connections.reverse()
        for connection in connections:
            if connection is not None:
                connection.close()
        if self._file_fd >= 0:
            os.close(self._file_fd)
            self._file_fd, self._mark = -1, b""
        self._lock_file.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        db = self._connection()
        self._check_place()
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
