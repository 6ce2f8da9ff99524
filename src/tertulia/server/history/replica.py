"""Writes the file of a cluster's node, which is a copy of what all nodes keep.

Every node applies the same log, so a number means the same message everywhere. After a crash, a
node may apply entries again whose messages are already in its file. Each function runs in a
transaction of the caller and raises sqlite3.Error.
"""

import sqlite3
from collections.abc import Iterable
from itertools import islice, takewhile

from msgspec import UNSET

from tertulia.protocol.messages import ChatMessage, CloseReason, StoredMessage
from tertulia.server.history.gaps import Gap, changes_between, gaps_of, united
from tertulia.server.history.index import add_late_words
from tertulia.server.history.tables import TABLES, SaidBefore, read_records, write_changes
from tertulia.server.hub.records import (
    Ban,
    HeldName,
    Hook,
    Insider,
    MissingMessages,
    MissingVisits,
    Mute,
    Pin,
    Place,
    Record,
    Switch,
    Visit,
)

_REPLACED = (Ban, Mute, Switch, Pin, Insider, HeldName, Hook)
_PUT = "INSERT OR IGNORE INTO message VALUES (?, ?, ?, ?, ?)"


def replace_records(db: sqlite3.Connection, records: Iterable[Record], lost_at: str) -> None:
    """Replace all rows with these, except visits and rows about messages.

    A visit without an end that is not among them gets the given end: its session ended while this
    node was away. Another node knows the true end, so the visit counts as missing.
    """
    records = list(records)
    for kind in _REPLACED:
        db.execute(f"DELETE FROM {TABLES[kind]}")
    write_changes(db, records)
    here = {record.key for record in records if isinstance(record, Visit)}
    rows = db.execute("SELECT key FROM visit WHERE ended IS NULL ORDER BY key").fetchall()
    lost = [key for (key,) in rows if key not in here]
    db.executemany(
        "UPDATE visit SET ended = max(joined, ?), reason = ? WHERE key = ?",
        [(lost_at, str(CloseReason.LOST), key) for key in lost],
    )
    if lost:
        gaps = gaps_of(read_records(db, MissingVisits))
        more = united(gaps, Gap(lost[0] - 1, lost[-1]))
        write_changes(db, changes_between(MissingVisits, gaps, more))


def leave_cluster(db: sqlite3.Connection) -> None:
    """Forget the place: a server without a cluster adds messages that are not in the log."""
    for kind in (Place, MissingMessages, MissingVisits):
        db.execute(f"DELETE FROM {TABLES[kind]}")


def put_messages(db: sqlite3.Connection, messages: Iterable[ChatMessage | StoredMessage]) -> None:
    """Write messages, except those that are there already."""
    (indexed_through,) = db.execute("SELECT indexed_through FROM numbering").fetchone()
    rows = [
        (m.seq, m.time, m.sender, m.text, None if m.nonce is UNSET else m.nonce) for m in messages
    ]
    db.executemany(_PUT, [row for row in rows if row[0] > indexed_through])
    # Indexing goes on above indexed_through. So a message below it either has its words in the
    # index already, or gets them now.
    late = [row for row in rows if row[0] <= indexed_through]
    missed = [(row[0], row[3]) for row in late if db.execute(_PUT, row).rowcount]
    add_late_words(db, missed)


def put_visits(db: sqlite3.Connection, visits: Iterable[Visit]) -> None:
    """Write visits from another node. One without an end is ignored if the file has it already.

    Its end may have been applied here since the other node read it.
    """
    for visit in visits:
        if visit.ended is not None or not _has_visit(db, visit.key):
            write_changes(db, [visit])


def _has_visit(db: sqlite3.Connection, key: int) -> bool:
    return db.execute("SELECT 1 FROM visit WHERE key = ?", (key,)).fetchone() is not None


def nonces_of_log(
    db: sqlite3.Connection, since_time: str, through: int, count: int
) -> list[SaidBefore]:
    """Return the latest nonces of messages up to a number, as all nodes knew them there.

    In the log, later messages have later times.
    """
    rows = db.execute(
        "SELECT seq, time, sender, nonce FROM message WHERE seq <= ? ORDER BY seq DESC", (through,)
    )
    recent = takewhile(lambda row: row[1] >= since_time, rows)
    found = list(islice((row for row in recent if row[3] is not None), count))
    rows.close()
    return found[::-1]
