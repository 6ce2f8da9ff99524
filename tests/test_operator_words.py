"""What operators read: what was done, why something was refused, and the rows of their lists."""

import pytest
from msgspec import UNSET

from tertulia.operator_words import (
    ban_words,
    bans,
    done,
    fits,
    hook_created,
    hooks,
    how_long,
    local_time,
    reason_words,
    refused,
    session_words,
)
from tertulia.protocol.attendance import AttendanceRow, ListAttendance
from tertulia.protocol.hooks import CreateHook, HookCreated, HookRow, RemoveHook
from tertulia.protocol.messages import Error, GetHistory, Status, User
from tertulia.protocol.moderation import (
    BanRow,
    ImposeBan,
    ImposeMute,
    Kick,
    LiftBan,
    LiftMute,
    PinMessage,
    ReleaseName,
    SetHush,
    SetLock,
)

NOON = "2026-11-22T12:00:00.000Z"


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (UNSET, ""),
        (1.0, " for 1 minute"),
        (90.0, " for 90 minutes"),
        (60.0, " for 1 hour"),
        (120.0, " for 2 hours"),
        (1_440.0, " for 1 day"),
        (2_880.0, " for 2 days"),
        (1_500.0, " for 25 hours"),
    ],
)
def test_a_time_is_told_in_the_largest_unit_that_fits(minutes, words):
    assert how_long(minutes) == words


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Kick(name="l\x1buis"), "l␛uis is no longer in the chat."),
        (ImposeBan(name="luis", minutes=5), "luis may not come in for 5 minutes. /unban luis"),
        (ImposeBan(address="10.0.0.7"), "10.0.0.7 may not come in. /unban 10.0.0.7 lifts that."),
        (LiftBan(name="luis"), "luis may come in again."),
        (ImposeMute(name="luis", minutes=60), "luis may not speak for 1 hour. /unmute luis"),
        (LiftMute(name="luis"), "luis may speak again."),
        (ReleaseName(name="luis"), "The name luis is free."),
        (RemoveHook(name="ci"), "No program can speak as ci any more."),
        (SetHush(on=True), "Only operators may speak"),
        (SetHush(on=False), "Everyone may speak"),
        (SetLock(on=True), "Nobody new may come in"),
        (SetLock(on=False), "Everyone may come in"),
        (PinMessage(seq=7), "The message is pinned."),
        (PinMessage(), "No message is pinned now."),
        (GetHistory(), "Done."),
    ],
)
def test_what_was_done_is_told(request_, words):
    assert done(request_).startswith(words)


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        (Kick(name="luis"), "user_not_connected", "luis is not here."),
        (LiftBan(name="luis"), "not_found", "There is no such ban. /bans shows all."),
        (LiftMute(name="luis"), "not_found", "luis may speak already."),
        (ReleaseName(name="luis"), "not_found", "The name luis is not held."),
        (RemoveHook(name="ci"), "not_found", "There is no secret address with this name. /hooks"),
        (CreateHook(name="ci"), "not_found", "This server was started with --web off"),
        (PinMessage(seq=7), "not_found", "There is no message with this number."),
        (CreateHook(name="ci"), "name_held", "The name ci is taken."),
        (CreateHook(name="c i"), "name_invalid", "A name has 1 to 32 letters"),
        (CreateHook(name="ci"), "busy", "There are too many secret addresses. /hooks"),
        (ImposeBan(name="luis"), "busy", "There are too many bans or mutes. /bans"),
        (ImposeBan(name="luis"), "address_invalid", "Nothing was done: this would ban you too."),
        (ImposeBan(address="10.0.0.7"), "address_invalid", "Nothing was done"),
        (ImposeBan(address="10.0.0.300"), "address_invalid", "That is not an address"),
        (LiftBan(address="10.0.0.7"), "address_invalid", "That is not an address"),
        (Kick(name="luis", reason="x" * 201), "text_too_long", "The reason is too long"),
        (Kick(name="luis", reason="\x1b"), "text_invalid", "The reason cannot contain"),
        (ListAttendance(), "unavailable", "The history cannot be read now."),
        (ImposeBan(name="luis"), "unavailable", "It holds now, but could not be stored"),
        (ListAttendance(), "history_off", "This server keeps no history, and so"),
        (GetHistory(), "history_off", "This server keeps no messages."),
        (GetHistory(), "of_later_servers", "slow␊down"),
    ],
)
def test_a_refusal_is_told_with_what_it_was_about(request_, code, words):
    assert refused(request_, Error(code=code, message="slow\ndown", name="luis")).startswith(words)


def test_nothing_that_others_wrote_controls_the_terminal():
    evil, shown = "a\x1b[2J\n\u202e👩\u200d💻", "a␛[2J␊<U+202E>👩\u200d💻"
    created = HookCreated(name=evil, secret="s3", path=evil)
    lines = [
        ban_words(BanRow(name=evil, address=evil, by=evil, reason=evil)),
        *hook_created(created, "http://lab1:5000"),
        *hooks([HookRow(name=evil, by=evil, time=NOON)]),
        session_words(AttendanceRow(name=evil, address=evil, joined=NOON, left=NOON, reason=evil)),
        refused(Kick(name="luis"), Error(code="user_not_connected", message="", name=evil)),
    ]
    assert [line.count(shown) for line in lines] == [4, 1, 1, 1, 2, 3, 1]
    assert all(line.replace("\u200d", "").isprintable() for line in lines)


def test_a_ban_has_who_until_when_by_whom_and_why():
    whole = BanRow(name="luis", address="10.0.0.7", until=NOON, by="ana", reason="sp\nam")
    assert ban_words(whole) == "luis, 10.0.0.7  until 2026-11-22 12:00  by ana  sp␊am"
    assert ban_words(BanRow(address="10.0.0.0/28", by="server")) == "10.0.0.0/28  by the console"
    assert bans([]) == ["Nobody is banned."]


def test_a_hook_is_shown_with_the_command_that_uses_it_and_later_without_the_secret():
    created = HookCreated(name="ci", secret="s3", path="/hooks/s3")
    used, secret = hook_created(created, "https://lab1:5000", "-k")[1:]
    assert used == '  curl -k -d "TEXT" https://lab1:5000/hooks/s3'
    assert secret.endswith("/unhook ci removes it.")
    assert "  curl -d " in hook_created(created, "http://lab1:5000")[1]
    assert hooks([HookRow(name="ci", by="ana", time=NOON, used=NOON)]) == [
        "ci  by ana  since 2026-11-22 12:00  last used 2026-11-22 12:00"
    ]
    assert hooks([HookRow(name="ci", by="server", time=NOON)]) == [
        "ci  by the console  since 2026-11-22 12:00"
    ]
    assert hooks([]) == ["There are no secret addresses for programs."]


def test_a_session_is_shown_until_its_end_if_it_has_one():
    here = AttendanceRow(name="ana", address="10.0.0.1", joined=NOON)
    assert session_words(here) == "ana  10.0.0.1  since 2026-11-22 12:00, still here"
    gone = AttendanceRow(name="ana", address="10.0.0.1", joined=NOON, left=NOON, reason="lost")
    assert session_words(gone).endswith("to 2026-11-22 12:00  connection lost")
    assert [reason_words(reason) for reason in ("quit", "of later\n")] == ["", "of later␊"]


def test_a_time_that_is_none_is_unknown():
    assert local_time("soon") == local_time(UNSET) == "?"


def test_who_would_be_banned_is_counted():
    users = [User(name=name, status=Status.ACTIVO) for name in ("ana", "eva")]
    assert fits(users[:1]) == "This ends the session of 1 person: ana"
    assert fits(users) == "This ends the sessions of 2 people: ana, eva"
