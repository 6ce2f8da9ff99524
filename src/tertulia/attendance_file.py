"""Writes the attendance as CSV to a new file; it never overwrites an existing one.

Writing may block. After an error no file is left.
"""

import contextlib
import errno
import os
from collections.abc import Iterable

from tertulia.attendance_csv import csv_header, csv_line
from tertulia.i18n import N_, _
from tertulia.operator_commands import BadCommand
from tertulia.protocol.attendance import AttendanceRow

_REASONS = {
    errno.ENOENT: N_("there is no folder {folder}"),
    errno.ENOTDIR: N_("{folder} is not a folder"),
    errno.EACCES: N_("you may not write in {folder}"),
    errno.EPERM: N_("you may not write in {folder}"),
    errno.EROFS: N_("{folder} can only be read"),
    errno.ENOSPC: N_("the disk is full"),
    errno.EDQUOT: N_("the disk is full"),
    errno.ENAMETOOLONG: N_("the name is too long"),
}


class AttendanceFile:
    """A file that is being written, and that only this user may read.

    `path` is the complete path: “~” stands for the home directory, as in a shell. All methods
    except `discard` raise BadCommand, with a text for the user.
    """

    def __init__(self, path: str) -> None:
        """Create the file. It must not exist."""
        self.path = os.path.abspath(os.path.expanduser(path))
        try:
            fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            text = _("{file} already exists: choose a file that does not exist yet")
            raise BadCommand(text.format(file=self.path)) from None
        except (OSError, UnicodeEncodeError) as error:
            raise self._not_written(error) from None
        self._file = open(fd, "w", encoding="utf-8", errors="backslashreplace", newline="")  # noqa: SIM115
        self._write([csv_header()])

    def add(self, rows: Iterable[AttendanceRow]) -> None:
        """Write sessions to the file."""
        self._write(map(csv_line, rows))

    def close(self) -> None:
        """Complete the file."""
        try:
            self._file.close()
        except OSError as error:
            self.discard()
            raise self._not_written(error) from None

    def discard(self) -> None:
        """Remove the file."""
        with contextlib.suppress(OSError):  # the rest in the buffer is not needed
            self._file.close()
        with contextlib.suppress(OSError):  # the file or its folder was already removed
            os.unlink(self.path)

    def _write(self, lines: Iterable[str]) -> None:
        try:
            self._file.writelines(lines)
        except OSError as error:
            self.discard()
            raise self._not_written(error) from None

    def _not_written(self, error: OSError | UnicodeEncodeError) -> BadCommand:
        code = error.errno if isinstance(error, OSError) else None
        known = _REASONS.get(code or 0)
        reason = str(error.strerror if isinstance(error, OSError) else error)
        if known is not None:
            reason = _(known).format(folder=os.path.dirname(self.path))
        text = _("cannot write {file}: {reason}")
        return BadCommand(text.format(file=self.path, reason=reason))
