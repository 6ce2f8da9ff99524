"""The attendance on the console: all pages of it, and a file that is complete or not there."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tertulia.operator_commands import BadCommand
from tertulia.protocol.attendance import AttendancePage, AttendanceRow, ListAttendance
from tertulia.protocol.messages import Answer, Error, Request
from tertulia.server.console.attendance import Refused, all_sessions, write_csv

REFUSAL = Error(code="history_off", message="")


def row(name: str, joined: str = "2026-11-22T12:00:00.000Z") -> AttendanceRow:
    return AttendanceRow(name=name, address="10.0.0.1", joined=joined)


class Server:
    """A server that gives these answers, one after the other."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.asked: list[Request] = []

    def ask(self, request: Request) -> Answer:
        self.asked.append(request)
        return self._answers.pop(0)


def test_page_after_page_is_asked_for_until_there_are_no_more() -> None:
    one, two, three = row("ana"), row("luis", "2026-11-22T12:00:01.000Z"), row("eva")
    server = Server(
        AttendancePage(sessions=[one, two], more=True), AttendancePage(sessions=[three], more=False)
    )
    assert list(all_sessions(server.ask)) == [one, two, three]
    assert server.asked == [ListAttendance(), ListAttendance(since="2026-11-22T12:00:01.000Z")]


def test_nothing_more_is_asked_for_than_is_read() -> None:
    server = Server(AttendancePage(sessions=[row("ana"), row("luis")], more=True))
    assert next(all_sessions(server.ask)) == row("ana")
    assert len(server.asked) == 1


def test_a_refusal_has_the_answer_of_the_server() -> None:
    sessions = all_sessions(Server(AttendancePage(sessions=[row("ana")], more=True), REFUSAL).ask)
    assert next(sessions) == row("ana")
    with pytest.raises(Refused) as refused:
        next(sessions)
    assert refused.value.answer is REFUSAL


def test_the_sessions_are_written_to_a_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert write_csv("today.csv", iter([row("ana"), row("luis")])) == str(tmp_path / "today.csv")
    lines = (tmp_path / "today.csv").read_text().splitlines()
    assert [line.partition(",")[0] for line in lines] == ["name", "ana", "luis"]
    with pytest.raises(BadCommand, match="already exists"):
        write_csv("today.csv", iter([]))


def refuse() -> None:
    raise Refused(REFUSAL)


def press_ctrl_c() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(("stop", "error"), [(refuse, Refused), (press_ctrl_c, KeyboardInterrupt)])
def test_no_file_is_left_if_not_all_sessions_come(
    tmp_path: Path, stop: Callable[[], None], error: type[BaseException]
) -> None:
    def sessions() -> Iterator[AttendanceRow]:
        yield row("ana")
        stop()

    with pytest.raises(error):
        write_csv(str(tmp_path / "today.csv"), sessions())
    assert list(tmp_path.iterdir()) == []
