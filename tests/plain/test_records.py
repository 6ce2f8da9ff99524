"""Attendance and hooks line by line: what operators ask for, and what is written."""

import base64
import re
from pathlib import Path

import pytest
from plain_table import TIME, Clock, Table, page

from tertulia.i18n import set_language
from tertulia.protocol.attendance import AttendancePage, AttendanceRow, ListAttendance
from tertulia.protocol.hooks import CreateHook, HookCreated, HookList, HookRow, RemoveHook
from tertulia.protocol.messages import Error, ErrorCode, Ok, UserList
from tertulia.protocol.moderation import Role
from tertulia.tls.fingerprint import Fingerprint

EVA = AttendanceRow(name="Eva", address="10.0.0.7", joined="2026-11-22T15:00:00.000Z")
LUIS = AttendanceRow(
    name="luis", address="10.0.0.8", joined="2026-11-22T14:00:00.000Z",
    left="2026-11-22T14:30:00.000Z", reason="kicked",
)  # fmt: skip


@pytest.fixture
def operator(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Table:
    table = Table(clock, on_terminal=True)
    table.turn()
    table.turn(UserList(id=1, seq=10, users=[]))
    table.turn(page(2))
    table.turn(Role(seq=11, time=TIME, name="ana", operator=True))
    table.client.sent.clear()
    return table


def written(table: Table) -> list[str]:
    """Return what was written since the last time, the times as `T`."""
    lines = table.stdout.getvalue().splitlines()
    table.stdout.truncate(0)
    table.stdout.seek(0)
    return [re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "T", line) for line in lines]


def test_all_pages_of_the_attendance_are_written(operator: Table) -> None:
    operator.face.submit("/attendance")
    operator.turn()
    assert operator.client.sent == [ListAttendance()]
    written(operator)
    operator.turn(AttendancePage(id=1, sessions=[LUIS], more=True))
    assert operator.client.sent[1:] == [ListAttendance(since=LUIS.joined)]
    operator.turn(AttendancePage(id=2, sessions=[EVA], more=False))
    assert written(operator) == [
        "luis  10.0.0.8  from T to T  removed by an operator",
        "Eva  10.0.0.7  since T, still here",
    ]
    assert operator.words[-1] == "2 sessions"
    set_language("es")
    operator.face.submit("/asistencia")
    operator.turn()
    operator.turn(AttendancePage(id=3, sessions=[LUIS], more=False))
    assert written(operator) == ["luis  10.0.0.8  de T a T  un operador cerró su sesión"]


def test_the_attendance_goes_to_a_file_that_was_not_there(operator: Table, tmp_path: Path) -> None:
    path = tmp_path / "hoy día.csv"
    operator.face.submit(f"/asistencia {path}")
    operator.turn()
    operator.turn(AttendancePage(id=1, sessions=[LUIS], more=True))
    operator.turn(AttendancePage(id=2, sessions=[EVA], more=False))
    assert operator.words[-1] == f"The attendance is in {path} (2 sessions)."
    assert path.read_text().count("\n") == 3
    operator.face.submit(f"/attendance {path}")
    operator.turn()
    assert operator.words[-1].startswith(f"{path} already exists")
    assert len(operator.client.sent) == 2
    other = tmp_path / "other.csv"
    operator.face.submit(f"/attendance {other}")
    operator.turn()
    assert other.exists()
    operator.turn(Error(id=3, code=ErrorCode.HISTORY_OFF, message=""))
    assert operator.words[-1].startswith("This server keeps no history, and so it does not know")
    assert not other.exists()
    operator.face.submit(f"/attendance {other}")
    operator.turn()
    operator.face.finish()
    assert not other.exists()  # it was never complete


def test_a_second_reading_of_the_attendance_takes_the_place_of_the_first(
    operator: Table, tmp_path: Path
) -> None:
    path = tmp_path / "first.csv"
    operator.face.submit(f"/attendance {path}")
    operator.turn()
    operator.turn(AttendancePage(id=1, sessions=[LUIS], more=True))
    operator.face.submit("/attendance")
    assert not path.exists()
    written(operator)
    operator.turn(AttendancePage(id=2, sessions=[EVA], more=True))
    assert written(operator) == []
    since = ListAttendance(since=LUIS.joined)
    assert operator.client.sent == [ListAttendance(), since, ListAttendance()]
    operator.turn(AttendancePage(id=3, sessions=[LUIS], more=False))
    assert len(written(operator)) == 1
    assert operator.words[-1] == "1 session"
    assert list(tmp_path.iterdir()) == []


def test_a_hook_is_shown_as_the_command_that_works_and_can_be_removed(operator: Table) -> None:
    operator.face.submit("/aviso-web build")
    operator.turn()
    assert operator.client.sent == [CreateHook(name="build")]
    written(operator)
    created = HookCreated(id=1, name="build", secret="abc", path="/hook/abc")
    operator.turn(created)
    assert written(operator) == [
        "A program can now speak as build:",
        '  curl -d "TEXT" http://h:5000/hook/abc',
        "Keep this address secret. It is shown only now. /unhook build removes it.",
    ]
    operator.client.fingerprint = Fingerprint(b"x" * 32)
    operator.face.order.show_answer(CreateHook(name="build"), created)
    operator.turn()
    pin = base64.b64encode(b"x" * 32).decode()
    options = f'-k --pinnedpubkey "sha256//{pin}"'
    assert written(operator)[1] == f'  curl {options} -d "TEXT" https://h:5000/hook/abc'
    operator.face.submit("/hooks")
    operator.turn()
    operator.turn(HookList(id=2, hooks=[HookRow(name="build", by="ana", time=EVA.joined)]))
    assert written(operator) == ["build  by ana  since T"]
    operator.face.submit("/unhook build")
    operator.turn()
    assert operator.client.sent[-1] == RemoveHook(name="build")
    operator.turn(Ok(id=3))
    assert operator.words[-1] == "No program can speak as build any more."


def test_only_operators_may_ask_and_only_they_are_told_what_was_perhaps_meant(
    table: Table, operator: Table
) -> None:
    table.greet()
    for line in ("/attendance", "/hook build", "/hooks"):
        table.face.submit(line)
        table.turn()
        assert table.words[-1].startswith("Only an operator can do that.")
    assert len(table.client.sent) == 1
    table.face.submit("/asistensia")
    operator.face.submit("/asistensia")
    table.turn()
    operator.turn()
    assert table.words[-1] == "There is no command /asistensia. /help shows all commands."
    assert operator.words[-1] == "There is no command /asistensia. Did you mean /attendance?"
    assert operator.face.complete("/asis").candidates == ["/asistencia "]
    assert table.face.complete("/asis").candidates == []
