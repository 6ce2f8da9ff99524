"""Reads the history's file: pages, searches, everything in it, and a copy of it.

A MessageReader has a read-only connection of its own, so it also works while a server writes the
file. One thread uses it; only `interrupt` may be called by another.
"""

import contextlib
import os
import secrets
import sqlite3
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from math import inf
from operator import itemgetter
from pathlib import Path
from typing import Self

from msgspec import UNSET

from tertulia.protocol.attendance import AttendancePage, ListAttendance
from tertulia.protocol.messages import (
    MAX_PAGE,
    GetHistory,
    HistoryPage,
    Search,
    StoredMessage,
)
from tertulia.server.history.folding import fold
from tertulia.server.history.gaps import Gap, first_whole, gaps_of
from tertulia.server.history.index import reindexing
from tertulia.server.history.mail import GetRows, Rows
from tertulia.server.history.tables import read_records
from tertulia.server.history.visits import all_visits, attendance_page, has_table, visits_between
from tertulia.server.history.wal import new_mark
from tertulia.server.hub.records import MissingMessages, MissingVisits, Visit

_MAX_PAGE_BYTES = 256 * 1024  # of text; a longer message is a page of its own
_MAX_ROWS = 1_000  # for another node at a time
_MAX_ROWS_BYTES = 512 * 1024  # of their text; with all else it fits into a message of NATS
_MAX_SEARCH_WORDS = 16  # Each word costs time; further words are ignored.
_MAX_WORD_CHARS = 100
_MAX_SEQ = 2**63 - 1  # SQLite's largest integer
_INSTRUCTIONS_PER_CLOCK_CHECK = 1_000  # of SQLite's virtual machine

_COLUMNS = (
    "m.seq, m.time, m.sender, m.text, m.nonce, "
    "EXISTS (SELECT 1 FROM hook_message AS h WHERE h.key = m.seq)"
)
_AFTER = f"SELECT {_COLUMNS} FROM message AS m WHERE m.seq > ? AND m.seq < ? ORDER BY m.seq LIMIT ?"
_LATEST = f"SELECT {_COLUMNS} FROM message AS m WHERE m.seq < ? ORDER BY m.seq DESC LIMIT ?"
_LATEST_MATCHING = (
    f"SELECT {_COLUMNS} FROM message_words AS i JOIN message AS m ON m.seq = i.rowid "
    "WHERE message_words MATCH ? AND i.rowid < ? ORDER BY i.rowid DESC LIMIT ?"
)
_LATEST_MATCHING_OLD = (
    f"SELECT {_COLUMNS} FROM message_index AS i JOIN message AS m ON m.seq = i.rowid "
    "WHERE message_index MATCH ? AND i.rowid > ? AND i.rowid <= ? AND i.rowid < ? "
    "ORDER BY i.rowid DESC LIMIT ?"
)


class MessageReader:
    """A read-only connection to the file, opened when it is first used.

    Every method raises sqlite3.Error.
    """

    def __init__(self, path: Path, db: sqlite3.Connection | None = None) -> None:
        self._path = path
        self._db = db
        self._knows_hooks = False

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = _open(self._path)
        if not self._knows_hooks:
            # A file of an earlier version has no such table. This one is this connection's own.
            if not has_table(self._db, "hook_message"):
                self._db.execute("CREATE TEMP TABLE hook_message (key INTEGER PRIMARY KEY)")
            self._knows_hooks = True
        return self._db

    def attendance(self, request: ListAttendance, time_limit_s: float = inf) -> AttendancePage:
        """Read a page of the attendance.

        Raises sqlite3.OperationalError once the time limit is over.
        """
        db = self._connection()
        with _time_limit(db, time_limit_s):
            return attendance_page(db, request)

    def all_visits(self) -> Iterator[Visit]:
        """Read every session of the attendance, in the order in which they began."""
        return all_visits(self._connection())

    def page(self, request: GetHistory | Search, time_limit_s: float = inf) -> HistoryPage:
        """Read the page that a request asks for, in ascending order.

        Raises sqlite3.OperationalError once the time limit is over.
        """
        before = request.before if request.before is not UNSET else _MAX_SEQ
        limit = min(request.limit, MAX_PAGE)
        rows = limit + 1  # the last one shows that there are more
        db = self._connection()
        with _time_limit(db, time_limit_s):
            if isinstance(request, Search):
                found = _matching(db, request.text, before, rows)
            elif request.after is not UNSET:
                found = db.execute(_AFTER, (request.after, before, rows))
            else:
                found = db.execute(_LATEST, (before, rows))
            messages, more = _fill_page(found, limit)
        if isinstance(request, Search) or request.after is UNSET:  # the newest came first
            messages.reverse()
        return HistoryPage(id=request.id, messages=messages, more=more)

    def rows(self, request: GetRows, time_limit_s: float = inf) -> Rows | None:
        """Read rows that another node lacks; None if they are missing here, too.

        Raises sqlite3.OperationalError once the time limit is over.
        """
        db = self._connection()
        with _time_limit(db, time_limit_s):
            db.execute("BEGIN")  # Gaps and rows have to be read in one transaction.
            try:
                return _rows(db, request)
            finally:
                db.execute("COMMIT")

    def lacks_rows(self) -> bool:
        """Return whether this is the file of a cluster's node that lacks rows of other nodes."""
        db = self._connection()
        tables = ("missing_messages", "missing_visits")
        return any(
            has_table(db, table) and db.execute(f"SELECT 1 FROM {table}").fetchone() is not None
            for table in tables
        )

    def all_messages(self) -> Iterator[StoredMessage]:
        """Read every message there is now, in ascending order.

        Only one page at a time is in memory, and between two pages the file is not in use.
        """
        db = self._connection()
        (last,) = db.execute("SELECT max(seq) FROM message").fetchone()
        position = -1
        while last is not None and position < last:
            rows = db.execute(_AFTER, (position, last + 1, MAX_PAGE)).fetchall()
            yield from map(_stored_message, rows)
            position = rows[-1][0] if rows else last

    def copy_to(self, path: str) -> None:
        """Write a complete and compact copy of the file; `path` must be empty or not exist.

        The copy gets its own epoch, because from now on both files give the same numbers to
        different messages.
        """
        # As bytes: a name that is not UTF-8 cannot be bound as a text.
        self._connection().execute("VACUUM INTO CAST(? AS TEXT)", (os.fsencode(path),))
        with contextlib.closing(sqlite3.connect(path)) as copy:
            copy.execute(f"PRAGMA application_id = {new_mark()}")
            copy.execute("UPDATE numbering SET epoch = ?", (secrets.token_hex(8),))
            copy.commit()

    def interrupt(self) -> None:
        """End the query under way, if any, with sqlite3.OperationalError. Any thread."""
        if self._db is not None:
            self._db.interrupt()

    def close(self) -> None:
        """Close the file. Idempotent."""
        if self._db is not None:
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def _open(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        has_table(db, "message")
    except sqlite3.Error:
        # SQLite keeps a lock on a file that it could not read because the disk is full.
        db.close()
        raise
    return db


def _matching(
    db: sqlite3.Connection, text: str, before: int, count: int
) -> Iterable[tuple[object, ...]]:
    """Return the latest messages with all words of a text, the newest first."""
    words = _match_expression(text, fold)
    if not words:
        return []
    db.execute("BEGIN")  # No message may move from one index to the other meanwhile.
    try:
        found: list[tuple[object, ...]] = []
        old = reindexing(db)
        old_words = _match_expression(text, _compose)
        if old is not None and old.done_through < old.through and old_words:
            values = (old_words, *old, before, count)
            found = db.execute(_LATEST_MATCHING_OLD, values).fetchall()
        found += db.execute(_LATEST_MATCHING, (words, before, count))
    finally:
        db.execute("COMMIT")
    return sorted(found, key=itemgetter(0), reverse=True)[:count]


def _match_expression(text: str, fold_word: Callable[[str], str]) -> str:
    """Return the FTS5 expression for messages with all words of a text; "" if it has no word."""
    # A word of the query may be several in the index, which then have to follow one another.
    folded = (fold_word(word[:_MAX_WORD_CHARS]).replace('"', " ") for word in text.split())
    found = [word for word in folded if any(character.isalnum() for character in word)]
    return " ".join(f'"{word}"' for word in found[:_MAX_SEARCH_WORDS])


def _compose(text: str) -> str:
    """Return a text as the old index has it."""
    return unicodedata.normalize("NFC", text)


def _fill_page(
    rows: Iterable[tuple[object, ...]], limit: int, free_bytes: int = _MAX_PAGE_BYTES
) -> tuple[list[StoredMessage], bool]:
    """Return the messages that fit into a page, and whether there are more."""
    messages: list[StoredMessage] = []
    for row in rows:
        message = _stored_message(row)
        free_bytes -= len(message.text.encode())
        if len(messages) == limit or (free_bytes < 0 and messages):
            return messages, True
        messages.append(message)
    return messages, False


def _rows(db: sqlite3.Connection, request: GetRows) -> Rows | None:
    is_messages = request.of == "messages"
    missing = read_records(db, MissingMessages) if is_messages else read_records(db, MissingVisits)
    whole = first_whole(gaps_of(missing), Gap(request.after, request.through))
    if whole is None:
        return None
    after, through = whole
    messages: list[StoredMessage] = []
    visits: list[Visit] = []
    if is_messages:
        found = db.execute(_AFTER, (after, through + 1, _MAX_ROWS + 1))
        messages, more = _fill_page(found, _MAX_ROWS, _MAX_ROWS_BYTES)
        if more:
            through = messages[-1].seq
    else:
        visits = visits_between(db, after, through, _MAX_ROWS)
        if len(visits) == _MAX_ROWS:
            through = visits[-1].key
    return Rows(of=request.of, after=after, through=through, messages=messages, visits=visits)


def _stored_message(row: tuple[object, ...]) -> StoredMessage:
    seq, when, sender, text, nonce, hook = row
    assert isinstance(seq, int)
    return StoredMessage(
        seq=seq,
        time=str(when),
        sender=str(sender),
        text=str(text),
        nonce=UNSET if nonce is None else str(nonce),
        hook=bool(hook),
    )


@contextlib.contextmanager
def _time_limit(db: sqlite3.Connection, limit_s: float) -> Iterator[None]:
    """Interrupt a query that takes longer, with sqlite3.OperationalError."""
    give_up_at = time.monotonic() + limit_s
    db.set_progress_handler(lambda: time.monotonic() > give_up_at, _INSTRUCTIONS_PER_CLOCK_CHECK)
    try:
        yield
    finally:
        db.set_progress_handler(None, 0)
