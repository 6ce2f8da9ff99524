"""Finds out whether the WAL beside a history belongs to it.

SQLite cannot know that: if the file of a killed server was replaced by a copy, it replays the old
WAL over the copy. So each run of the server first writes a random mark into the first page of the
file, as the number that SQLite keeps for programs (`application_id`). If the first page in a WAL
has another mark, the WAL comes from another file or another run.
"""

import os
import secrets
import sqlite3
import struct
from pathlib import Path

_MARK_OFFSET = 68  # of application_id; https://www.sqlite.org/fileformat2.html
_MARK_BYTES = 4
_WAL_HEADER_BYTES = 32
_FRAME_HEADER_BYTES = 24
_WAL_MAGICS = (0x377F0682, 0x377F0683)


def new_mark() -> int:
    """Return a random mark for one run."""
    return secrets.randbelow(2**31 - 1) + 1


def read_mark(file_fd: int) -> bytes:
    """Return the mark of the open history; fewer bytes if the file is too short."""
    return os.pread(file_fd, _MARK_BYTES, _MARK_OFFSET)


def set_mark(db: sqlite3.Connection) -> None:
    """Give the open file a new mark, in an otherwise empty WAL."""
    (old,) = db.execute("PRAGMA application_id").fetchone()
    if checkpoint(db):
        db.execute(f"PRAGMA application_id = {new_mark()}")
        if not checkpoint(db):  # because of a reader that has just begun
            db.execute(f"PRAGMA application_id = {old}")


def checkpoint(db: sqlite3.Connection) -> bool:
    """Move the WAL into the file and empty it; return False if a reader is in the way."""
    (timeout_ms,) = db.execute("PRAGMA busy_timeout").fetchone()
    db.execute("PRAGMA busy_timeout = 0")
    try:
        is_busy: int = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        db.execute(f"PRAGMA busy_timeout = {timeout_ms}")
    return not is_busy


def wal_belongs(path: Path, file_fd: int) -> bool:
    """Return whether the WAL seems to belong to the open file; True without a WAL.

    Raises OSError.
    """
    try:
        wal = os.open(f"{path}-wal", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        mark = _last_mark(wal)
    except OSError as error:
        error.filename = f"{path}-wal"
        raise
    finally:
        os.close(wal)
    return mark is None or mark == read_mark(file_fd)


def _last_mark(wal_fd: int) -> bytes | None:
    """Return the mark in the latest copy of the first page, or None if the WAL has no such page."""
    header = os.pread(wal_fd, _WAL_HEADER_BYTES, 0)
    if len(header) < _WAL_HEADER_BYTES:
        return None
    magic, _version, page_bytes, _number = struct.unpack_from(">4I", header)
    if magic not in _WAL_MAGICS or page_bytes == 0:
        return None
    salts = header[16:24]
    mark, offset = None, _WAL_HEADER_BYTES
    while True:
        frame = os.pread(wal_fd, _FRAME_HEADER_BYTES + _MARK_OFFSET + _MARK_BYTES, offset)
        if len(frame) < _FRAME_HEADER_BYTES + _MARK_OFFSET + _MARK_BYTES or frame[8:16] != salts:
            return mark  # The rest is left over from an earlier use of the WAL.
        if frame[:4] == b"\0\0\0\1":
            mark = frame[-_MARK_BYTES:]
        offset += _FRAME_HEADER_BYTES + page_bytes
