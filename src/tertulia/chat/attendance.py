"""Reads the whole attendance page by page, to show it or to write it to a file.

It writes the file itself; the face sends the requests and shows the sessions. Runs in the face's
one thread.
"""

from msgspec import UNSET
from msgspec.structs import replace

from tertulia.attendance_file import AttendanceFile
from tertulia.i18n import _, ngettext
from tertulia.operator_commands import ShowAttendance
from tertulia.protocol.attendance import AttendancePage, ListAttendance


class AttendanceReading:
    """The part of one attendance received so far. `request` asks for the next page."""

    def __init__(self, command: ShowAttendance) -> None:
        """Begin, and create the file if the command names one. Raises BadCommand."""
        self._file = None if command.file is None else AttendanceFile(command.file)
        self.request = ListAttendance()
        self._count = 0

    @property
    def is_for_file(self) -> bool:
        """Return whether the sessions are written to a file, and not to the screen."""
        return self._file is not None

    @property
    def has_begun(self) -> bool:
        """Return whether a page has been received."""
        return self.request.since is not UNSET

    def add(self, page: AttendancePage) -> bool:
        """Add the page that answers `request`; return whether another page is needed.

        Raises BadCommand if the file cannot be written; the file is then removed.
        """
        self._count += len(page.sessions)
        if self._file is not None:
            self._file.add(page.sessions)
        if page.more and page.sessions:
            self.request = replace(self.request, since=page.sessions[-1].joined)
            return True
        if self._file is not None:
            self._file.close()
        return False

    def give_up(self) -> None:
        """Request no more pages, and remove an incomplete file."""
        if self._file is not None:
            self._file.discard()

    def summary(self) -> str:
        """Return a summary of the received sessions; call it after the last page."""
        count = ngettext("{count} session", "{count} sessions", self._count)
        count = count.format(count=self._count)
        if self._file is None:
            return count
        text = _("The attendance is in {file} ({count}).")
        return text.format(file=self._file.path, count=count)
