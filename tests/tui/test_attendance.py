"""What is asked for and shown of an attendance, whatever comes between its pages. No screen."""

from pathlib import Path
from typing import Any

import pytest

from tertulia.chat.attendance import AttendanceReading
from tertulia.operator_commands import BadCommand, ShowAttendance
from tertulia.protocol.attendance import AttendancePage, AttendanceRow, ListAttendance
from tertulia.protocol.messages import Error, Ok
from tertulia.tui import attendance
from tertulia.tui.attendance import AttendanceDesk

FIRST, LAST = (
    AttendanceRow(name="ana", address="10.0.0.1", joined=f"2026-11-22T1{hour}:00:00.000Z")
    for hour in (4, 5)
)
PAGES = [AttendancePage(sessions=[FIRST], more=True), AttendancePage(sessions=[LAST], more=False)]
NEXT = ListAttendance(since=FIRST.joined)


class Dialog:
    def __init__(self) -> None:
        self.shown: list[tuple[str, str]] = []

    def add(self, sessions: list[AttendanceRow], summary: str) -> None:
        self.shown += [(session.joined, summary) for session in sessions]


class Desk:
    """A desk, with what it asks for and what it shows."""

    def __init__(self) -> None:
        self.asked: list[ListAttendance] = []
        self.screen_stack: list[Any] = []
        self.hints: list[str] = []
        this: Any = self
        self._desk = AttendanceDesk(this, this)
        self.give_up = self._desk.give_up

    def push_screen(self, dialog: Any) -> None:
        self.screen_stack.append(dialog)

    def hint(self, text: str) -> None:
        self.hints.append(text)

    def ask(self, request: ListAttendance) -> None:
        """As the model."""
        self.asked.append(request)

    def want(self, file: Path | None = None) -> str:
        model: Any = self
        return self._desk.ask(model, ShowAttendance(None if file is None else str(file)))

    def answer(self, answer: Any, request: ListAttendance | None = None) -> None:
        """Answer what was asked last, or an earlier request."""
        model: Any = self
        self._desk.show_answer(model, request or self.asked[-1], answer)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(attendance, "AttendanceDialog", Dialog)
    return Desk()


def test_pages_are_asked_for_one_after_the_other_and_counted_at_the_end(desk: Desk) -> None:
    assert desk.want() == ""
    for page in PAGES:
        desk.answer(page)
    assert desk.asked == [ListAttendance(), NEXT]
    [dialog] = desk.screen_stack
    assert dialog.shown == [(FIRST.joined, ""), (LAST.joined, "2 sessions")]
    assert desk.hints == []


def test_of_a_dialog_that_was_closed_no_more_pages_are_asked_for(desk: Desk) -> None:
    desk.want()
    desk.answer(PAGES[0])
    [dialog] = desk.screen_stack
    desk.screen_stack.clear()
    desk.answer(PAGES[1])
    assert dialog.shown == [(FIRST.joined, "")]
    desk.answer(PAGES[1])
    assert (desk.screen_stack, desk.asked) == ([], [ListAttendance(), NEXT])


def test_a_file_is_whole_or_not_there(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "today.csv"
    desk.want(file)
    desk.answer(PAGES[0])
    desk.answer(PAGES[1])
    assert desk.hints == [f"The attendance is in {file} (2 sessions)."]
    assert len(file.read_text(encoding="utf-8-sig").splitlines()) == 3
    another = tmp_path / "another.csv"
    desk.want(another)
    desk.answer(PAGES[0])
    desk.give_up()
    assert list(tmp_path.iterdir()) == [file]
    desk.answer(PAGES[1])
    assert desk.screen_stack == []


def test_a_second_attendance_takes_the_place_of_the_first(desk: Desk, tmp_path: Path) -> None:
    desk.want(tmp_path / "today.csv")
    first = desk.asked[-1]
    desk.want()
    assert list(tmp_path.iterdir()) == []
    desk.answer(PAGES[0], first)
    assert desk.screen_stack == []
    desk.answer(PAGES[0])
    assert len(desk.screen_stack) == 1


def test_a_refusal_is_told_and_leaves_no_file(desk: Desk, tmp_path: Path) -> None:
    desk.want(tmp_path / "today.csv")
    desk.answer(Error(code="history_off", message=""))
    assert len(desk.hints) == 1
    assert list(tmp_path.iterdir()) == []
    desk.want()
    desk.answer(Ok())
    assert (desk.screen_stack, len(desk.hints)) == ([], 1)


def test_a_file_that_cannot_be_made_or_written_is_told(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert str(tmp_path / "none") in desk.want(tmp_path / "none" / "today.csv")
    assert desk.asked == []
    desk.want(tmp_path / "today.csv")

    def fail(reading: AttendanceReading, _page: AttendancePage) -> bool:
        reading.give_up()
        raise BadCommand("the disk is full")

    monkeypatch.setattr(AttendanceReading, "add", fail)
    desk.answer(PAGES[0])
    assert desk.hints == ["the disk is full"]
    assert len(desk.asked) == 1
