"""The requests that the methods of a client make, what they return, and the line that is sent."""

import json

import pytest
from noting_verbs import NotingVerbs

from tertulia.client.errors import RequestRefused
from tertulia.client.requests import registration, request_line
from tertulia.protocol.attendance import AskSeenBy, SeenBy
from tertulia.protocol.messages import (
    Direct,
    GetHistory,
    GetInfo,
    HistoryPage,
    ListUsers,
    Ok,
    Ping,
    Pong,
    Register,
    Request,
    Say,
    Search,
    SetStatus,
    Status,
    UserInfo,
    UserList,
)

PAGE = HistoryPage(messages=[], more=False)


def test_saying_something_returns_the_number_of_the_message() -> None:
    user = NotingVerbs(Ok(seq=11), Ok())
    assert [user.say("one"), user.say("two", nonce="n")] == [11, 0]
    assert user.sent == [Say(text="one"), Say(text="two", nonce="n")]


def test_a_direct_message_returns_the_time_of_the_server_if_it_gives_one() -> None:
    user = NotingVerbs(Ok(time="2026-11-22T15:04:05.123Z"), Ok())
    assert user.direct("luis", "one") == "2026-11-22T15:04:05.123Z"
    assert user.direct("luis", "two", nonce="n") is None
    assert user.sent == [Direct(to="luis", text="one"), Direct(to="luis", text="two", nonce="n")]


def test_each_question_returns_its_answer() -> None:
    users = UserList(seq=1, users=[])
    info = UserInfo(name="luis", address="127.0.0.1", status=Status.ACTIVO, since="T", idle=0)
    seen = SeenBy(seq=11, seen=[], not_seen=[], unknown=[])
    user = NotingVerbs(users, info, seen, Ok(), Pong())
    assert (user.users(), user.info("luis"), user.seen_by(11)) == (users, info, seen)
    user.set_status(Status.OCUPADO)
    user.ping()
    assert user.sent == [
        ListUsers(),
        GetInfo(name="luis"),
        AskSeenBy(seq=11),
        SetStatus(status="OCUPADO"),
        Ping(),
    ]


def test_a_page_begins_and_ends_where_the_caller_says() -> None:
    user = NotingVerbs(PAGE, PAGE, PAGE, PAGE)
    user.history()
    assert user.history(before=0, after=0, limit=3) == PAGE
    user.search("pan")
    assert user.search("pan", before=0, limit=3) == PAGE
    assert user.sent == [
        GetHistory(limit=50),
        GetHistory(before=0, after=0, limit=3),
        Search(text="pan", limit=50),
        Search(text="pan", before=0, limit=3),
    ]


def test_a_registration_has_only_the_fields_that_are_known() -> None:
    assert registration("ana", token=None, code="", idle=0.0) == Register(
        name="ana", protocol=1, receipts=True, nodes=True, code="", idle=0.0
    )


def test_a_line_has_the_request_with_its_id() -> None:
    line = request_line(Say(text="¡hola!"), 7)
    assert line.endswith(b"\n")
    assert json.loads(line) == {"type": "say", "id": 7, "text": "¡hola!"}


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (Say(text="x" * 16_385), "text_too_long"),
        (Direct(to="luis", text="a\x1bb"), "text_invalid"),
        (Direct(to="a\udc80", text="hola"), "malformed"),
        (Direct(to="x" * 70_000, text="hola"), "line_too_long"),
    ],
)
def test_what_every_server_would_refuse_has_no_line(request_: Request, code: str) -> None:
    with pytest.raises(RequestRefused) as refusal:
        request_line(request_, 7)
    assert refusal.value.code == code


def test_a_line_may_have_exactly_so_many_bytes() -> None:
    room = 65_536 - len(request_line(GetInfo(name=""), 7))
    assert len(request_line(GetInfo(name="x" * room), 7)) == 65_536
    with pytest.raises(RequestRefused, match="line_too_long"):
        request_line(GetInfo(name="x" * (room + 1)), 7)
