"""Attendance and hooks on the full screen: the dialogs, and what is copied from them."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from plain_table import Clock
from table import DAY, SMALL, WIDE, ChatTable

from tertulia.protocol.attendance import AttendancePage, AttendanceRow, ListAttendance
from tertulia.protocol.hooks import (
    CreateHook,
    HookCreated,
    HookList,
    HookRow,
    ListHooks,
    RemoveHook,
)
from tertulia.protocol.messages import Request
from tertulia.protocol.moderation import Role
from tertulia.tui.terminal import bareview

Scenario = Callable[[ChatTable], Awaitable[None]]
PAGES = [
    [AttendanceRow(name="=1+1", address="10.0.0.7", joined=f"{DAY}T14:00:00.000Z",
        left=f"{DAY}T14:30:00.000Z", reason="lost")],
    [AttendanceRow(name="ana", address="fe80::1:2:3:4:5:6", joined=f"{DAY}T15:00:00.000Z")],
]  # fmt: skip


class Records(ChatTable):
    """A screen of an operator, whose server has records."""

    def answers(self, request: Request, request_id: int) -> list[Any]:
        match request:
            case ListAttendance(since=since):
                place = int(since == PAGES[0][-1].joined)
                return [AttendancePage(id=request_id, sessions=PAGES[place], more=place == 0)]
            case CreateHook(name=name):
                return [HookCreated(id=request_id, name=name, secret="abc", path="/hook/abc")]
            case ListHooks():
                row = HookRow(name="build", by="ana", time=f"{DAY}T14:00:00.000Z")
                return [HookList(id=request_id, hooks=[row])]
        return super().answers(request, request_id)

    async def be_operator(self) -> None:
        time = f"{DAY}T15:04:05.000Z"
        await self.hear(Role(seq=self._next(), time=time, name="ana", operator=True))

    async def choose(self, key: str) -> None:
        await self.until(lambda: len(self.app.screen_stack) > 1)
        self.app.screen.query_one("Choices").highlight(key)  # type: ignore[attr-defined]
        await self.press("enter")


def run(clock: Clock, scenario: Callable[[Records], Awaitable[None]], size: Any = WIDE) -> None:
    async def as_operator(table: ChatTable) -> None:
        assert isinstance(table, Records)
        await table.be_operator()
        await scenario(table)

    Records(clock).run(as_operator, size)


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=str)
def test_the_attendance_is_a_list_to_be_copied_as_csv(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    bare: list[str] = []
    monkeypatch.setattr(bareview, "show_until_key", bare.append)

    async def scenario(table: Records) -> None:
        copied: list[str] = []
        table.app.copy_to_clipboard = copied.append  # type: ignore[method-assign]
        await table.enter("/asistencia")
        await table.until(lambda: "Who was here (2 sessions)" in table.shown)
        assert "2026-11-22 14:00 – 14:30" in table.shown
        assert "2026-11-22 15:00 – still here" in table.shown
        assert "connection lost" in table.shown
        assert "fe80::1:2:3:4:5:6" in table.shown
        assert "C: copy as CSV" in table.shown
        await table.press("c")
        header, first, second = copied[0].splitlines()
        assert header == "name,address,joined,left,reason"
        assert first.startswith("'=1+1,10.0.0.7,")  # no formula
        assert second.endswith(",,")
        table.app.suspend = __import__("contextlib").nullcontext
        await table.press("f7")
        assert bare == copied
        await table.press("escape")
        assert len(table.app.screen_stack) == 1

    run(clock, scenario, size)


def test_the_attendance_goes_to_a_file_and_a_refused_line_stays(
    clock: Clock, tmp_path: Path
) -> None:
    async def scenario(table: Records) -> None:
        path = tmp_path / "today.csv"
        await table.enter(f"/attendance {path}")
        assert table.hint == f"The attendance is in {path} (2 sessions)."
        assert path.read_text().count("\n") == 3
        await table.enter(f"/attendance {path}")
        assert "already exists" in table.hint
        assert table.composer.text == f"/attendance {path}"
        table.composer.load("")
        await table.enter("/asistensia")
        assert table.hint == "There is no command /asistensia. Did you mean /attendance?"

    run(clock, scenario)


def test_a_hook_is_shown_with_its_command_and_removed_from_the_list(clock: Clock) -> None:
    async def scenario(table: Records) -> None:
        copied: list[str] = []
        table.app.copy_to_clipboard = copied.append  # type: ignore[method-assign]
        await table.enter("/hook build")
        await table.until(lambda: "A program can now speak as build:" in table.shown)
        await table.click_at(1, 1)
        assert "It is shown only now." in table.shown  # a click beside it must not lose it
        await table.press("c", "escape")
        assert copied == ['curl -d "TEXT" http://192.168.1.10:5000/hook/abc']
        await table.enter("/avisos-web")
        await table.choose("0")
        assert table.client.sent_of(RemoveHook) == []
        await table.choose("yes")
        assert table.client.sent_of(RemoveHook) == [RemoveHook(name="build")]

    run(clock, scenario)
