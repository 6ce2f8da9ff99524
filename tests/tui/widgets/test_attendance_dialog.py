"""The attendance: how a session is painted in each width, and a list that grows."""

import pytest
from plain_table import Clock
from table import DAY, ChatTable

from tertulia.protocol.attendance import AttendanceRow
from tertulia.protocol.messages import ChatMessage, GetHistory
from tertulia.tui.painting.styled_text import Run
from tertulia.tui.widgets.attendance_dialog import AttendanceDialog, AttendancePainter

JOINED, LEFT = f"{DAY}T14:00:00.000Z", f"{DAY}T14:30:00.000Z"
NEXT_DAY = "2026-11-23T00:10:00.000Z"
ONE_LINE = 66  # columns of a session without a reason

pytestmark = pytest.mark.usefixtures("clock")


def session(
    name: str = "ana", address: str = "10.0.0.7", left: str = LEFT, reason: str = ""
) -> AttendanceRow:
    return AttendanceRow(name=name, address=address, joined=JOINED, left=left, reason=reason)


def painted(row: AttendanceRow, width: int) -> list[str]:
    lines = AttendancePainter().paint(row, width)
    assert AttendancePainter().height(row, width) == len(lines)
    return ["".join(text for text, _style in line) for line in lines]


def test_a_session_has_its_columns_in_one_line_where_there_is_room() -> None:
    lines: list[list[Run]] = AttendancePainter().paint(session(reason="lost"), ONE_LINE + 15)
    assert lines == [
        [
            (f"{DAY} 14:00 – 14:30       ", "time"),
            ("ana", "name"),
            (" " * 15 + "10.0.0.7       ", "text"),
            ("  connection lost", "system"),
        ]
    ]
    assert painted(session(), ONE_LINE)[0].endswith("10.0.0.7       ")


def test_in_a_narrow_view_the_parts_are_below_each_other() -> None:
    assert painted(session(), ONE_LINE - 1) == ["ana  10.0.0.7", f"  {DAY} 14:00 – 14:30"]
    row = session(reason="lost")
    assert painted(row, 13) == ["ana  10.0.0.7", "  2026-11-22…", "  connection", "  lost"]
    assert painted(row, 12) == [
        "ana", "  10.0.0.7", "  2026-11-2…", "  connection", "  lost"
    ]  # fmt: skip
    assert painted(row, 2)[:3] == ["a…", " …", " …"]


def test_a_reason_that_does_not_fit_is_below_the_session() -> None:
    row = session(reason="lost")
    assert len(painted(row, ONE_LINE + 15)) == 1
    assert painted(row, ONE_LINE + 14)[1:] == ["  connection lost"]
    long = painted(session(reason="x" * 90), ONE_LINE)
    assert long[1:] == ["  " + "x" * 63 + "…"]


@pytest.mark.parametrize(
    ("row", "lines"),
    [
        (session(name="a" * 16), 1),
        (session(name="a" * 17), 2),
        (session(name="田" * 8), 1),
        (session(name="田" * 9), 2),
        (session(address="192.168.100.200"), 1),
        (session(address="fe80::1:2:3:4:5"), 1),
        (session(address="fe80::1:2:3:4:56"), 2),
        (session(left=NEXT_DAY), 2),
    ],
)
def test_a_session_that_is_wider_than_its_columns_needs_two_lines(
    row: AttendanceRow, lines: int
) -> None:
    assert len(painted(row, ONE_LINE)) == lines


def test_the_end_of_a_session_has_its_day_only_if_it_is_another_one() -> None:
    assert painted(session(left=LEFT), 60)[1] == f"  {DAY} 14:00 – 14:30"
    assert painted(session(left=NEXT_DAY), 60)[1] == f"  {DAY} 14:00 – 2026-11-23 00:10"
    here = AttendanceRow(name="ana", address="10.0.0.7", joined=JOINED)
    assert painted(here, 60)[1] == f"  {DAY} 14:00 – still here"
    assert painted(here, ONE_LINE)[0].startswith(f"{DAY} 14:00 – still here  ana")


def test_sessions_are_added_before_and_after_the_dialog_is_open_and_counted_at_the_end(
    clock: Clock,
) -> None:
    async def scenario(table: ChatTable) -> None:
        dialog = AttendanceDialog()
        dialog.add([session("first")])
        table.app.push_screen(dialog)
        await table.settle()
        assert "Who was here\n" in table.shown.replace("│", "").replace("  ", "")
        dialog.add([session("second")])
        dialog.add([session("third")], "3 sessions")
        await table.settle()
        assert "Who was here (3 sessions)" in table.shown
        assert [row.name for row in dialog._log._entries] == ["first", "second", "third"]
        assert [line.partition(",")[0] for line in dialog.text_to_copy().splitlines()] == [
            "name", "first", "second", "third"
        ]  # fmt: skip

    ChatTable(clock).run(scenario)


def test_a_count_that_came_before_the_dialog_is_open_is_shown_too(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        dialog = AttendanceDialog()
        dialog.add([session()], "1 session")
        dialog.add([])
        table.app.push_screen(dialog)
        await table.settle()
        assert "Who was here (1 session)" in table.shown

    ChatTable(clock).run(scenario)


def test_reading_to_the_top_of_the_attendance_asks_for_no_older_messages(clock: Clock) -> None:
    history = [
        ChatMessage(seq=n, time=JOINED, sender="luis", text=f"old {n}") for n in range(1, 300)
    ]

    async def scenario(table: ChatTable) -> None:
        assert table.current.has_older
        before = len(table.client.sent_of(GetHistory))
        dialog = AttendanceDialog()
        dialog.add([session()] * 100)
        table.app.push_screen(dialog)
        await table.settle()
        await table.press("home")
        assert dialog._log.scroll_y == 0
        assert len(table.client.sent_of(GetHistory)) == before

    ChatTable(clock, history=history).run(scenario)
