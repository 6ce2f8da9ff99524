"""The file beside the history that keeps other servers away and remembers the numbering.

The history's own file may be replaced by an old copy, or be unable to grow on a full disk. This
file stays where it is and always has room for its one line.
"""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import NamedTuple

from tertulia.protocol.messages import MAX_INT

_LINE = b"%020d %020d %-16s\n"
_LINE_BYTES = 59


class StoreInUse(Exception):
    """Another server has this file."""


class Note(NamedTuple):
    """The last reservation."""

    reserved_through: int
    in_file: int  # the number in the history's file; less if its disk was full
    epoch: str  # "": a note of an earlier version, which has only the first number


_NOTHING = Note(0, 0, "")


class LockFile:
    """The locked file. The constructor raises StoreInUse or OSError."""

    def __init__(self, history: Path) -> None:
        self.path = f"{history}.lock"
        self._is_new = not os.path.exists(self.path)
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise StoreInUse(str(history)) from None
        except BaseException:
            self.close()
            raise
        self.note = _read_note(self._fd)

    def write(self, note: Note) -> None:
        """Replace the note; when this returns it is on the disk. Raises OSError."""
        line = _LINE % (note.reserved_through, note.in_file, note.epoch.encode())
        try:
            os.pwrite(self._fd, line, 0)
            os.fsync(self._fd)
        except OSError as error:
            error.filename = self.path
            raise
        self.note = note

    def forget(self) -> None:
        """Delete the file if this process has created it."""
        if self._is_new:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)

    def close(self) -> None:
        """Give up the lock. Idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _read_note(fd: int) -> Note:
    fields = os.pread(fd, _LINE_BYTES, 0).decode("ascii", "replace").split()
    if not fields or not _is_number(fields[0]):
        return _NOTHING
    if len(fields) == 3 and _is_number(fields[1]):
        return Note(int(fields[0]), int(fields[1]), fields[2])
    return Note(int(fields[0]), 0, "")


def _is_number(text: str) -> bool:
    return text.isdigit() and int(text) <= MAX_INT
