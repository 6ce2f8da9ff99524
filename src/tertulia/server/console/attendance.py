"""The attendance list on the console: shown, or written to a file as CSV."""

from collections.abc import Callable, Iterator

from tertulia.attendance_file import AttendanceFile
from tertulia.protocol.attendance import AttendancePage, AttendanceRow, ListAttendance
from tertulia.protocol.messages import Answer, Request


class Refused(Exception):
    """The server has refused the attendance list."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


def all_sessions(ask: Callable[[Request], Answer]) -> Iterator[AttendanceRow]:
    """Ask for all pages one after the other; yield the sessions. Raises Refused."""
    request = ListAttendance()
    while True:
        page = ask(request)
        if not isinstance(page, AttendancePage):
            raise Refused(page)
        yield from page.sessions
        if not page.more:
            return
        request = ListAttendance(since=page.sessions[-1].joined)


def write_csv(path: str, sessions: Iterator[AttendanceRow]) -> str:
    """Write a new file; return its full path. Raises BadCommand, and what `sessions` raises."""
    file = AttendanceFile(path)
    try:
        for session in sessions:
            file.add([session])
    except BaseException:
        file.discard()
        raise
    file.close()
    return file.path
