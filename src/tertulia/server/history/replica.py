"""The file of a cluster's node: a copy of what all nodes keep, and up to where it is one.

Every node applies the same log, so the same number is the same message everywhere, and after a
crash a node applies entries again whose messages are in its file. Each function runs in a
transaction of the caller, if it writes, and raises sqlite3.Error.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from msgspec import UNSET, Struct

from tertulia.protocol.messages import ChatMessage
from tertulia.server.history.index import add_late_words
from tertulia.server.history.tables import read_on_full_disk

_PUT = "INSERT OR IGNORE INTO message VALUES (?, ?, ?, ?, ?)"


class Place(Struct, frozen=True):
    """The place in the log up to which everything is in the file, and the node's state there."""

    chat: str
    log: str  # the id of the log, from its genesis
    place: int
    state: bytes


def read_place(db: sqlite3.Connection) -> Place | None:
    """Return the place saved last, or None."""
    row = db.execute("SELECT chat, log, place, state FROM place").fetchone()
    return None if row is None else Place(*row)


def read_place_on_full_disk(path: Path) -> Place | None:
    """Return the place that `read_place` would return if there were room on the disk."""
    return read_on_full_disk(path, "place", read_place, None)


def write_place(db: sqlite3.Connection, place: Place) -> None:
    """Put a place where the one before was."""
    db.execute("DELETE FROM place")
    db.execute(
        "INSERT INTO place VALUES (?, ?, ?, ?)", (place.chat, place.log, place.place, place.state)
    )


def leave_cluster(db: sqlite3.Connection) -> None:
    """Forget the place: a server without a cluster adds messages that are not in the log."""
    db.execute("DELETE FROM place")


def put_messages(db: sqlite3.Connection, messages: Iterable[ChatMessage]) -> None:
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
