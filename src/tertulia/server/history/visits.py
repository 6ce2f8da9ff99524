"""The attendance list in the history's file: pages of it, all of it, and sessions without an end.

The functions raise sqlite3.Error; those that write run in a transaction of the caller.
"""

import sqlite3
from collections.abc import Iterator

from msgspec import UNSET

from tertulia.protocol.attendance import (
    MAX_ATTENDANCE,
    AttendancePage,
    AttendanceRow,
    ListAttendance,
)
from tertulia.protocol.messages import CloseReason
from tertulia.protocol.times import parse_time
from tertulia.server.hub.records import Visit

_COLUMNS = "key, name, address, joined, ended, reason"
_FIRST, _LAST = "", "~"  # before and after every time
_AT_ONCE = 200  # rows in memory while all are read
_PAGE = (
    f"SELECT {_COLUMNS} FROM visit WHERE joined > ? AND joined <= ? ORDER BY joined, key LIMIT ?"
)
_AT = f"SELECT {_COLUMNS} FROM visit WHERE joined = ? ORDER BY key"


def end_visits(db: sqlite3.Connection) -> None:
    """Give an end to the sessions of a server that was killed: the last time in the file.

    It is not known when that server was killed, but it was alive at that time.
    """
    if db.execute("SELECT 1 FROM visit WHERE ended IS NULL LIMIT 1").fetchone() is None:
        return
    (last,) = db.execute(
        "SELECT max(coalesce((SELECT time FROM message ORDER BY seq DESC LIMIT 1), ''), "
        "max(joined), coalesce(max(ended), '')) FROM visit"
    ).fetchone()
    db.execute(
        "UPDATE visit SET ended = ?, reason = ? WHERE ended IS NULL",
        (last, str(CloseReason.LOST)),
    )


def forget_visits(db: sqlite3.Connection, before_time: str, count: int) -> bool:
    """Delete up to `count` sessions that have ended before a time; return whether that was all."""
    deleted = db.execute(
        "DELETE FROM visit WHERE key IN "
        "(SELECT key FROM visit WHERE joined < ? AND ended < ? LIMIT ?)",
        (before_time, before_time, count),
    ).rowcount
    return deleted < count


def attendance_page(db: sqlite3.Connection, request: ListAttendance) -> AttendancePage:
    """Read the page that a request asks for.

    Sessions that began in the same millisecond are on the same page, because the next page begins
    after the time of the last one. So a page has more than MAX_ATTENDANCE rows only if more than
    that began in one millisecond.
    """
    since = _FIRST if request.since is UNSET else parse_time(request.since)
    until = _LAST if request.until is UNSET else parse_time(request.until)
    rows = db.execute(_PAGE, (since, until, MAX_ATTENDANCE + 1)).fetchall()
    more = len(rows) > MAX_ATTENDANCE
    if more:
        cut = _visit(rows[-1]).joined
        whole = [row for row in rows if _visit(row).joined != cut]
        if not whole:
            whole = db.execute(_AT, (cut,)).fetchall()
            more = db.execute(_PAGE, (cut, until, 1)).fetchone() is not None
        rows = whole
    sessions = [attendance_row(_visit(row)) for row in rows]
    return AttendancePage(id=request.id, sessions=sessions, more=more)


def all_visits(db: sqlite3.Connection) -> Iterator[Visit]:
    """Read every session, in the order in which they began. Few rows at a time are in memory."""
    if not has_table(db, "visit"):
        return  # a file of an earlier version
    position = -1
    while rows := db.execute(
        f"SELECT {_COLUMNS} FROM visit WHERE key > ? ORDER BY key LIMIT ?", (position, _AT_ONCE)
    ).fetchall():
        yield from map(_visit, rows)
        position = rows[-1][0]


def visits_between(db: sqlite3.Connection, after: int, through: int, count: int) -> list[Visit]:
    """Read up to `count` sessions with keys above `after`, up to `through`, in ascending order."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM visit WHERE key > ? AND key <= ? ORDER BY key LIMIT ?",
        (after, through, count),
    )
    return list(map(_visit, rows))


def attendance_row(visit: Visit) -> AttendanceRow:
    """Return a session in the form for clients."""
    return AttendanceRow(
        name=visit.name,
        address=visit.address,
        joined=visit.joined,
        left=UNSET if visit.ended is None else visit.ended,
        reason=UNSET if visit.reason is None else visit.reason,
    )


def has_table(db: sqlite3.Connection, name: str) -> bool:
    """Return whether there is such a table; those of a file of an earlier version are missing."""
    found = db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,))
    return found.fetchone() is not None


def _visit(row: tuple[int, str, str, str, str | None, str | None]) -> Visit:
    key, name, address, joined, ended, reason = row
    return Visit(key=key, name=name, address=address, joined=joined, ended=ended, reason=reason)
