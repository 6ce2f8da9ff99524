"""The requests of an operator: what each method sends, and what it returns."""

from collections.abc import Callable

import pytest
from msgspec import UNSET
from noting_verbs import NotingVerbs

from tertulia.protocol.attendance import AttendancePage, AttendanceRow, ListAttendance
from tertulia.protocol.hooks import (
    CreateHook,
    HookCreated,
    HookList,
    HookRow,
    ListHooks,
    RemoveHook,
)
from tertulia.protocol.messages import Ok, Request, Status, User, UserList
from tertulia.protocol.moderation import (
    BanList,
    BanRow,
    BecomeOperator,
    ImposeBan,
    ImposeMute,
    Kick,
    LiftBan,
    LiftMute,
    ListBans,
    PinMessage,
    ReleaseName,
    SetHush,
    SetLock,
)

TIME = "2026-11-22T15:04:05.123Z"
ROWS = [
    AttendanceRow(name="ana", address="10.0.0.1", joined=f"2026-11-22T15:04:0{second}.000Z")
    for second in range(3)
]


@pytest.mark.parametrize(
    ("call", "request_"),
    [
        (lambda ana: ana.become_operator("secret"), BecomeOperator(secret="secret")),
        (lambda ana: ana.kick("luis"), Kick(name="luis")),
        (lambda ana: ana.kick("luis", reason=""), Kick(name="luis", reason="")),
        (lambda ana: ana.ban("luis"), ImposeBan(name="luis")),
        (
            lambda ana: ana.ban(address="10.0.0.7", minutes=30, reason="spam"),
            ImposeBan(address="10.0.0.7", minutes=30.0, reason="spam"),
        ),
        (lambda ana: ana.unban("luis"), LiftBan(name="luis")),
        (lambda ana: ana.unban(address="10.0.0.7"), LiftBan(address="10.0.0.7")),
        (lambda ana: ana.mute("luis"), ImposeMute(name="luis")),
        (lambda ana: ana.mute("luis", minutes=0.5), ImposeMute(name="luis", minutes=0.5)),
        (lambda ana: ana.unmute("luis"), LiftMute(name="luis")),
        (lambda ana: ana.hush(), SetHush(on=True)),
        (lambda ana: ana.hush(False), SetHush(on=False)),
        (lambda ana: ana.lock(), SetLock(on=True)),
        (lambda ana: ana.lock(False), SetLock(on=False)),
        (lambda ana: ana.pin(0), PinMessage(seq=0)),
        (lambda ana: ana.pin(), PinMessage(seq=UNSET)),
        (lambda ana: ana.release("luis"), ReleaseName(name="luis")),
        (lambda ana: ana.remove_hook("build"), RemoveHook(name="build")),
    ],
)
def test_what_is_not_given_is_not_sent(
    call: Callable[[NotingVerbs], None], request_: Request
) -> None:
    ana = NotingVerbs(Ok())
    call(ana)
    assert ana.sent == [request_]


@pytest.mark.parametrize("target", [{}, {"name": "luis", "address": "10.0.0.7"}])
def test_a_ban_is_for_a_name_or_for_an_address(target: dict[str, str]) -> None:
    ana = NotingVerbs()
    for method in (ana.ban, ana.fits, ana.unban):
        with pytest.raises(ValueError, match="either"):
            method(**target)
    assert ana.sent == []


def test_a_ban_can_be_tried_without_any_effect() -> None:
    fitting = UserList(seq=1, users=[User(name="luis", status=Status.ACTIVO)])
    ana = NotingVerbs(fitting, fitting)
    assert ana.fits("luis") == ana.fits(address="10.0.0.0/28") == fitting
    assert ana.sent == [
        ImposeBan(name="luis", check=True),
        ImposeBan(address="10.0.0.0/28", check=True),
    ]


def test_the_lists_of_bans_and_hooks_are_returned() -> None:
    bans = [BanRow(name="luis", address="10.0.0.7", by="ana")]
    hooks = [HookRow(name="build", by="ana", time=TIME)]
    created = HookCreated(name="build", secret="abc", path="/hook/abc")
    ana = NotingVerbs(BanList(bans=bans), HookList(hooks=hooks), created)
    assert (ana.bans(), ana.hooks(), ana.create_hook("build")) == (bans, hooks, created)
    assert ana.sent == [ListBans(), ListHooks(), CreateHook(name="build")]


def test_the_attendance_is_requested_page_after_page() -> None:
    ana = NotingVerbs(
        AttendancePage(sessions=ROWS[:2], more=True), AttendancePage(sessions=ROWS[2:], more=False)
    )
    sessions = ana.attendance(since=TIME, until="2026-11-23T00:00:00Z")
    assert [next(sessions), next(sessions)] == ROWS[:2]
    assert ana.sent == [ListAttendance(since=TIME, until="2026-11-23T00:00:00Z")]
    assert list(sessions) == ROWS[2:]
    assert ana.sent[1:] == [ListAttendance(since=ROWS[1].joined, until="2026-11-23T00:00:00Z")]


def test_the_attendance_has_an_end_even_if_a_server_promises_more_and_sends_nothing() -> None:
    ana = NotingVerbs(AttendancePage(sessions=[], more=True))
    assert list(ana.attendance()) == []
    assert ana.sent == [ListAttendance()]
