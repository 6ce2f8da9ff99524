"""The attendance on the console: all pages of it, shown or written to a file as CSV."""

import contextlib
import os
from collections.abc import Callable, Iterator

from msgspec import UNSET

from tertulia.attendance_csv import csv_lines
from tertulia.i18n import _
from tertulia.operator_commands import BadCommand
from tertulia.protocol.attendance import AttendancePage, AttendanceRow, ListAttendance
from tertulia.protocol.messages import Answer, Request


class Refused(Exception):
    """The server has refused to give the attendance."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


def all_sessions(ask: Callable[[Request], Answer]) -> Iterator[AttendanceRow]:
    """Ask for page after page; yield all sessions. Raises Refused."""
    request = ListAttendance()
    while True:
        page = ask(request)
        if not isinstance(page, AttendancePage):
            raise Refused(page)
        yield from page.sessions
        if not page.more:
            return
        request = ListAttendance(since=page.sessions[-1].joined, until=UNSET)


def write_csv(path: str, sessions: Iterator[AttendanceRow]) -> None:
    """Write a new file, which only this user may read. Raises BadCommand, and what `sessions` does.

    After an error there is no file.
    """
    path = os.path.expanduser(path)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        text = _("{file} already exists: choose a file that does not exist yet")
        raise BadCommand(text.format(file=path)) from None
    except OSError as error:
        raise BadCommand(_not_written(path, error)) from None
    try:
        with open(fd, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            file.writelines(csv_lines(sessions))
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(path)
        if isinstance(error, OSError):
            raise BadCommand(_not_written(path, error)) from None
        raise


def _not_written(path: str, error: OSError) -> str:
    return _("cannot write {file}: {reason}").format(file=path, reason=error.strerror)
