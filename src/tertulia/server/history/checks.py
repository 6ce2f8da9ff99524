"""Checks whether a file is a history that this version can use. Nothing here changes any file.

A file counts as damaged only if SQLite reports that it is corrupt or not a database. After any
other error it is left alone.
"""

import contextlib
import errno
import os
import sqlite3
import threading
from pathlib import Path

from tertulia.server.history.tables import COLUMNS, INDEXES, SCHEMA_VERSION

OLDEST_SQLITE = (3, 34, 0)
_CHECK_TIME_S = 2.0  # for checking the file at the start; a large file is checked in part
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_INDEX_TABLES = {
    f"{index}{suffix}"
    for index in ("message_index", "message_words")
    for suffix in ("", "_data", "_idx", "_content", "_docsize", "_config")
}


class StoreOfAnotherVersion(Exception):
    """This file is not a history that this version can read."""


class StoreDamaged(Exception):
    """This file is not a database, or parts of it are damaged."""


class SqliteTooOld(Exception):
    """The SQLite library of this Python lacks what the history needs."""


def check_library() -> None:
    """Raise SqliteTooOld if the SQLite library is older than OLDEST_SQLITE."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise SqliteTooOld(sqlite3.sqlite_version)


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether SQLite found a corrupt file, or one that is not a database."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_full_disk(error: Exception) -> bool:
    """Return whether a file could not be written because there was no room for it."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0)
        return code in (
            sqlite3.SQLITE_FULL,
            sqlite3.SQLITE_IOERR_WRITE,
            sqlite3.SQLITE_IOERR_SHMSIZE,
        )
    return isinstance(error, OSError) and error.errno in _NO_ROOM


def with_file_at_fault(path: Path, error: sqlite3.Error) -> Exception:
    """Return an error that says more clearly why a file cannot be opened, or the error itself.

    It is an OSError with the name of the file, or says that the disk is full.
    """
    extended_code = getattr(error, "sqlite_errorcode", 0)
    if extended_code == sqlite3.SQLITE_IOERR_SHMSIZE:  # "disk I/O error", as of a broken disk
        full = sqlite3.OperationalError("database or disk is full")
        full.sqlite_errorcode = sqlite3.SQLITE_FULL
        return full
    code = extended_code & 0xFF
    if code not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return error
    for name in (path, f"{path}-wal", f"{path}-shm"):
        if os.path.isdir(name):
            return IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(name))
        if os.path.exists(name) and not os.access(name, os.R_OK | os.W_OK):
            return PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(name))
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path.parent))
    return error


def check_file(path: Path) -> None:
    """Check the schema of the file at `path`, which may be empty, without creating any other file.

    Raises StoreOfAnotherVersion, StoreDamaged, OSError or sqlite3.Error.
    """
    with contextlib.closing(connect_to_read(path)) as db:
        try:
            check_schema(db, path)
        except sqlite3.Error as error:
            if is_damage(error):
                raise StoreDamaged(str(error)) from error
            raise with_file_at_fault(path, error) from error


def check_version(path: Path) -> None:
    """Raise StoreOfAnotherVersion if there is a file that this version cannot read.

    Other errors are found when the history is opened.
    """
    if os.path.exists(path):
        with contextlib.suppress(StoreDamaged, OSError, sqlite3.Error):
            check_file(path)


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open the file for reading only; without a WAL, SQLite creates no file beside it either."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    if not has_wal(path):
        uri += "&immutable=1"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)


def has_wal(path: Path) -> bool:
    """Return whether the WAL has changes that are not in the file yet."""
    try:
        return os.path.getsize(f"{path}-wal") > 0
    except FileNotFoundError:
        return False


def check_schema(db: sqlite3.Connection, path: Path) -> None:
    """Raise StoreOfAnotherVersion unless the tables are those of a history, or there are none.

    Raises sqlite3.DatabaseError for a damaged file.
    """
    try:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master")]
        columns = {
            table: [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
            for table in COLUMNS
        }
    except sqlite3.DatabaseError as error:
        if _has_foreign_schema(db, error):
            raise StoreOfAnotherVersion(str(path)) from error
        raise
    unknown = [
        name
        for name in tables
        if name not in COLUMNS
        and name not in INDEXES
        and name not in _INDEX_TABLES
        and not name.startswith("sqlite_")
    ]
    fits = all(columns[table] in ([], expected) for table, expected in COLUMNS.items())
    if version not in range(SCHEMA_VERSION + 1) or unknown or not fits:
        raise StoreOfAnotherVersion(str(path))


def _has_foreign_schema(db: sqlite3.Connection, error: sqlite3.DatabaseError) -> bool:
    """Return whether the schema is complete, but uses SQL that this SQLite library does not know.

    SQLite reports that as a corrupt file, too. The connection is of no other use afterwards.
    """
    if "malformed database schema" not in str(error):
        return False
    try:
        db.execute("PRAGMA writable_schema = ON")  # read the rows even if they make no sense
        rows = db.execute("SELECT CAST(sql AS BLOB) FROM sqlite_master").fetchall()
    except sqlite3.DatabaseError:
        return False
    return all(sql is None or sql[:7].upper() == b"CREATE " for (sql,) in rows)


def check_pages(db: sqlite3.Connection, time_limit_s: float | None = None) -> None:
    """Raise StoreDamaged if a fault is found within the time limit, by default _CHECK_TIME_S."""
    is_late = threading.Event()

    def give_up() -> None:
        is_late.set()
        db.interrupt()  # quick_check calls no progress handler while it reads pages.

    timer = threading.Timer(_CHECK_TIME_S if time_limit_s is None else time_limit_s, give_up)
    timer.start()
    try:
        problem = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError:
        if not is_late.is_set():
            raise
    else:
        # An interrupted check reports the pages that it has not read as lost.
        if problem != "ok" and not is_late.is_set():
            raise StoreDamaged(" ".join(problem.split()))  # one line for the log
    finally:
        timer.cancel()
        timer.join()
