"""Reserves blocks of event numbers on disk before any of them is used.

The numbers are in the history's file and in the lock file beside it, because either of them may be
older than the other. This is a part of the MessageStore, and used by the same thread.
"""

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path

from tertulia.server.history.lockfile import LockFile, Note
from tertulia.server.history.tables import read_numbers, read_on_full_disk
from tertulia.server.hub.keeper import Numbering


class Reservations:
    """The numbering of one history. Methods raise sqlite3.Error, and OSError where stated."""

    def __init__(
        self,
        path: Path,
        lock_file: LockFile,
        block: int,
        transaction: Callable[[], contextlib.AbstractContextManager[sqlite3.Connection]],
        *,
        of_cluster: bool,
    ) -> None:
        """`block` is how many numbers are reserved at a time.

        The nodes of a cluster share one numbering, which does not depend on this file.
        """
        self._path = path
        self._lock_file = lock_file
        self._block = block
        self._transaction = transaction
        self._of_cluster = of_cluster
        self._epoch = ""
        self._through = self._through_in_file = 0
        # Whether the file is older than the last reservation, because it was replaced by an old
        # copy. Then there is a new epoch, so that clients do not take new messages for old ones.
        self.went_back = False

    def resume(self, db: sqlite3.Connection) -> Numbering:
        """Go on where the file and the lock file end; the file has just been opened."""
        row = db.execute("SELECT epoch, reserved_through FROM numbering").fetchone()
        epoch, reserved_through = row or (secrets.token_hex(8), 0)
        if self._epoch:  # Opened late: numbers have been given out meanwhile.
            epoch, last_seq = self._epoch, self._through - self._block
        else:
            note = self._lock_file.note
            is_older = note.epoch == epoch and reserved_through < note.in_file
            if is_older and not self._of_cluster:
                self.went_back = True
                epoch = secrets.token_hex(8)
            last_seq = reserved_through
            if self.went_back or note.epoch in (epoch, ""):
                last_seq = max(last_seq, note.reserved_through)
        with self._transaction() as db:
            if row is None:
                db.execute("INSERT INTO numbering VALUES (?, ?, 0)", (epoch, reserved_through))
            db.execute("UPDATE numbering SET epoch = ?", (epoch,))
        self._epoch, self._through_in_file = epoch, reserved_through
        return Numbering(epoch, last_seq, self.reserve(last_seq))

    def resume_without_file(self) -> Numbering:
        """Go on while the disk is too full to open the file."""
        note = self._lock_file.note
        try:
            found = read_on_full_disk(self._path, "numbering", read_numbers)
        except sqlite3.Error:
            found = []
        if found:
            epoch, reserved_through = found[0]
        elif os.path.exists(self._path) and os.path.getsize(self._path):
            epoch, reserved_through = note.epoch, 0
        else:
            epoch, reserved_through = "", 0
        last_seq = reserved_through
        if note.epoch in (epoch, ""):
            last_seq = max(last_seq, note.reserved_through)
        is_new = not epoch
        self._epoch = epoch or secrets.token_hex(8)
        self._through_in_file = max(reserved_through, note.in_file if not is_new else 0)
        try:
            return Numbering(self._epoch, last_seq, self.reserve(last_seq))
        except OSError:
            # No client has seen a number of a new epoch, and after a crash there will be another
            # one. The nodes of a cluster have the numbers from their log.
            if not is_new and not self._of_cluster:
                self._epoch = secrets.token_hex(8)
            self._through = last_seq + self._block
            return Numbering(self._epoch, last_seq, self._through)

    def adopt(self, epoch: str, seq: int) -> Numbering:
        """Continue with another epoch, above `seq` and all numbers that were ever reserved.

        Raises OSError.
        """
        through = max(self._through, seq + self._block)
        if epoch != self._epoch:
            with self._transaction() as db:
                db.execute("UPDATE numbering SET epoch = ?", (epoch,))
            self._epoch = epoch
        return Numbering(epoch, seq, self.reserve(through - self._block))

    def reserve(self, seq: int) -> int:
        """Reserve a block of numbers after `seq` on disk, and return the last one.

        This also works on a full disk, because the lock file has room for the number: OSError if
        that fails too.
        """
        through = seq + self._block
        try:
            with self._transaction() as db:
                db.execute("UPDATE numbering SET reserved_through = ?", (through,))
        except sqlite3.OperationalError:
            self._lock_file.write(Note(through, self._through_in_file, self._epoch))
        else:
            self._through_in_file = through
            # Without this note, the only loss is that replacing the file by a copy is not noticed.
            with contextlib.suppress(OSError):
                self._lock_file.write(Note(through, through, self._epoch))
        self._through = through
        return through
