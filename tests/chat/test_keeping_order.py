"""Keeping order from a chat, on any face: those who are ignored, and the end."""

from pathlib import Path

import pytest
from chat_table import Table, user_list
from plain_table import Clock, said

from tertulia.chat.clock import ServerClock
from tertulia.chat.exit_status import EXIT_LOST, EXIT_REFUSED
from tertulia.chat.ignored import Ignored
from tertulia.client.errors import End, EndReason, RegistrationRefused
from tertulia.protocol.messages import (
    Closing,
    DirectMessage,
    Error,
    ErrorCode,
    GetHistory,
    HistoryPage,
    ListUsers,
    Say,
    Search,
    StoredMessage,
    User,
    UserList,
)
from tertulia.protocol.moderation import ImposeBan, Muted, Role


@pytest.fixture
def desk(clock: Clock) -> Table:
    table = Table(clock)
    table.enter()
    return table


def test_whom_a_ban_fits_is_no_list_of_those_who_are_here(desk: Table) -> None:
    check = ImposeBan(address="10.0.0.0/28", check=True)
    desk.chat.enqueue(check)
    desk.turn()
    fitting = UserList(id=1, seq=10, users=[User(name="José", status="ACTIVO")])
    desk.turn(fitting)
    assert desk.face.shown == [("show_answer", check, fitting)]
    assert [user.name for user in desk.chat.state.users] == ["ana", "José"]


def test_an_end_by_an_operator_is_explained_and_no_attempt_follows(desk: Table) -> None:
    closing = Closing(reason="kicked", by="eva", text="spam", retry_after=1800.0)
    desk.client.end = End(EndReason.KICKED, closing=closing)
    desk.chat.enqueue(Say(text="too late"))
    desk.turn()
    assert desk.chat.over
    assert desk.chat.exit_status == EXIT_LOST
    assert desk.chat.next_attempt_at is None
    assert desk.face.shown == [
        (
            "show_failure",
            "You were removed from the chat by eva: spam. You may come back in 30 min, with: "
            "tertulia ana h 5000",
        )
    ]
    assert [request.text for request in desk.chat.farewell().unsent] == ["too late"]


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (
            Error(code=ErrorCode.BANNED, message="", text="spam", retry_after=90.0),
            "You may not come into this chat: spam. Try again in 1 min 30 s.",
        ),
        (
            Error(code=ErrorCode.BANNED, message=""),
            "You may not come into this chat. Only an operator can change that.",
        ),
        (
            Error(code=ErrorCode.LOCKED, message=""),
            "Nobody new may come into this chat now. Ask for it to be opened, and then use: "
            "tertulia ana h 5000",
        ),
    ],
)
def test_who_is_kept_out_learns_why_and_no_attempt_follows(
    desk: Table, refusal: Error, words: str
) -> None:
    desk.lose()
    desk.face.shown.clear()
    desk.attempt(RegistrationRefused(refusal))
    assert desk.face.shown == [("show_failure", words)]
    assert (desk.chat.over, desk.chat.exit_status) == (True, EXIT_REFUSED)
    assert desk.chat.next_attempt_at is None


def test_a_mute_that_ends_by_itself_is_noticed_without_an_event(desk: Table) -> None:
    desk.chat.clock = ServerClock(desk.clock.monotonic)
    start = "2026-11-22T15:00:00.000Z"
    desk.turn(Role(seq=11, time=start, name="eva", operator=True))
    muted = Muted(seq=12, time=start, name="José", until="2026-11-22T15:10:00.000Z", by="eva")
    desk.turn(muted)
    assert [user.name for user in desk.chat.state.users if user.muted] == ["José"]
    desk.face.shown.clear()
    assert desk.chat.wake_at is not None
    assert 599 < desk.chat.wake_at - desk.clock.now <= 600
    desk.clock.now += 600.1
    desk.turn()
    assert desk.face.shown == [("show_changed_people",)]
    assert not any(user.muted for user in desk.chat.state.users)


def test_who_is_ignored_is_hidden_live_and_in_the_history_and_rings_nothing(
    clock: Clock, tmp_path: Path
) -> None:
    ignored = Ignored("ana", "h 5000", tmp_path / "ignored.json")
    ignored.add("luis")
    desk = Table(clock, ignored=ignored)
    desk.enter()
    direct = DirectMessage(time="", sender="LUIS", to="ana", text="psst")
    desk.turn(said(11, "hola"), said(12, "hola", "eva"), direct)
    assert [shown[1].seq for shown in desk.face.shown] == [12]
    assert ignored.lines() == ["luis: 2 messages hidden"]
    assert desk.chat.state.heard == 1
    old = [StoredMessage(seq=n, time="", sender=s, text="x") for n, s in ((1, "luis"), (2, "eva"))]
    for number, request in enumerate((GetHistory(), Search(text="x")), 1):
        desk.face.shown.clear()
        desk.chat.enqueue(request)
        desk.turn()
        desk.turn(HistoryPage(id=number, messages=old, more=True))
        ((_, _, page),) = desk.face.shown
        assert page.messages == old[1:]


def test_the_list_of_users_is_still_the_list(desk: Table) -> None:
    desk.chat.enqueue(ListUsers())
    desk.turn()
    desk.turn(user_list(1, "ana", "eva"))
    assert [user.name for user in desk.chat.state.users] == ["ana", "eva"]
