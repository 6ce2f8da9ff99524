"""Asking for the whole attendance, which comes page by page; shown, or written to a file.

It writes the file; the face asks, and shows. In the face's one thread.
"""

from msgspec import UNSET
from msgspec.structs import replace

from tertulia.attendance_file import AttendanceFile
from tertulia.i18n import _, ngettext
from tertulia.operator_commands import ShowAttendance
from tertulia.protocol.attendance import AttendancePage, ListAttendance


class AttendanceReading:
    """What has come so far of one attendance. `request` is the one for the next page."""

    def __init__(self, command: ShowAttendance) -> None:
        """Begin, with a new file if one is wanted. Raises BadCommand."""
        self._file = None if command.file is None else AttendanceFile(command.file)
        self.request = ListAttendance()
        self._count = 0

    @property
    def is_for_file(self) -> bool:
        """Whether the sessions go to a file, and not to the screen."""
        return self._file is not None

    @property
    def has_begun(self) -> bool:
        """Whether a page has come."""
        return self.request.since is not UNSET

    def add(self, page: AttendancePage) -> bool:
        """Take in the page that answers `request`; return whether another one is needed.

        Raises BadCommand if the file cannot be written; then it is gone.
        """
        self._count += len(page.sessions)
        if self._file is not None:
            self._file.add(page.sessions)
        if page.more and page.sessions:
            self.request = replace(self.request, since=page.sessions[-1].joined, id=UNSET)
            return True
        if self._file is not None:
            self._file.close()
        return False

    def give_up(self) -> None:
        """Ask no more, and leave no file that is not complete."""
        if self._file is not None:
            self._file.discard()

    def summary(self) -> str:
        """Return what has come of it; call after the last page."""
        count = ngettext("{count} session", "{count} sessions", self._count)
        count = count.format(count=self._count)
        if self._file is None:
            return count
        text = _("The attendance is in {file} ({count}).")
        return text.format(file=self._file.path, count=count)
