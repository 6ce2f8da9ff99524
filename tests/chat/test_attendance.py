"""The whole attendance, read page by page, for the screen or for a file."""

from pathlib import Path

import pytest

from tertulia.chat.attendance import AttendanceReading
from tertulia.i18n import set_language
from tertulia.operator_commands import BadCommand, ShowAttendance
from tertulia.protocol.attendance import AttendancePage, AttendanceRow, ListAttendance

EARLY, LATE = (
    AttendanceRow(name=name, address="10.0.0.1", joined=f"2026-11-22T1{hour}:00:00.000Z")
    for name, hour in (("ana", 4), ("luis", 5))
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "today.csv"


def to_file(file: Path) -> AttendanceReading:
    return AttendanceReading(ShowAttendance(str(file)))


def to_screen() -> AttendanceReading:
    return AttendanceReading(ShowAttendance(None))


def test_each_request_asks_for_the_sessions_after_the_last_one_received() -> None:
    reading = to_screen()
    assert (reading.request, reading.has_begun) == (ListAttendance(), False)
    assert reading.add(AttendancePage(id=7, sessions=[EARLY, LATE], more=True))
    assert (reading.request, reading.has_begun) == (ListAttendance(since=LATE.joined), True)


def test_no_other_page_is_needed_after_the_last_one_or_an_empty_one() -> None:
    reading = to_screen()
    assert not reading.add(AttendancePage(sessions=[EARLY], more=False))
    assert not reading.add(AttendancePage(sessions=[], more=True))
    assert reading.request == ListAttendance()


def test_the_sessions_of_all_pages_are_counted() -> None:
    reading = to_screen()
    assert reading.summary() == "0 sessions"
    reading.add(AttendancePage(sessions=[EARLY], more=True))
    assert reading.summary() == "1 session"
    reading.add(AttendancePage(sessions=[LATE, LATE], more=False))
    assert reading.summary() == "3 sessions"
    set_language("es")
    assert reading.summary() == "3 sesiones"


def test_a_file_has_the_sessions_of_all_pages_after_the_last_one(file: Path) -> None:
    reading = to_file(file)
    reading.add(AttendancePage(sessions=[EARLY], more=True))
    reading.add(AttendancePage(sessions=[LATE], more=False))
    _header, *rows = file.read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["ana", "luis"]
    assert reading.summary() == f"The attendance is in {file} (2 sessions)."


def test_the_person_chooses_between_the_screen_and_a_file(file: Path) -> None:
    assert not to_screen().is_for_file
    reading = to_file(file)
    assert reading.is_for_file
    with pytest.raises(BadCommand, match="already exists"):
        to_file(file)
    reading.give_up()


def test_giving_up_removes_an_incomplete_file(file: Path) -> None:
    reading = to_file(file)
    reading.add(AttendancePage(sessions=[EARLY], more=True))
    reading.give_up()
    assert not file.exists()
    to_screen().give_up()
