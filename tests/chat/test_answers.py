"""What becomes of an answer: what the face shows of it, and what else it changes."""

from pathlib import Path
from typing import Any

import pytest
from noting_face import NotingFace
from plain_table import StubClient, page, said

from tertulia.chat.answers import Answers
from tertulia.chat.ignored import Ignored
from tertulia.chat.jobs import Job, Jobs, Origin
from tertulia.chat.rights import Rights
from tertulia.chat.state import State
from tertulia.chat.status_requests import StatusRequests
from tertulia.client.catchup import CatchUp
from tertulia.protocol.messages import (
    Answer,
    Direct,
    Error,
    ErrorCode,
    GetHistory,
    ListUsers,
    Ok,
    Request,
    Say,
    Search,
    SetStatus,
    Status,
    User,
    UserList,
)
from tertulia.protocol.moderation import BecomeOperator, ImposeBan

WELCOME = StubClient().welcome
BUSY = SetStatus(status=Status.OCUPADO)
DIRECT = Direct(to="luis", text="hola")
SECRET = BecomeOperator(secret="open sesame")
LIST = UserList(
    seq=10, users=[User(name=name, status=Status.ACTIVO) for name in ("ana", "luis", "eva")]
)
NO = Error(code=ErrorCode.RATE_LIMITED, message="no")
NOT_CONNECTED = Error(code=ErrorCode.USER_NOT_CONNECTED, message="no")


class Desk:
    """Answers, with everything that they pass something to."""

    def __init__(self, path: Path) -> None:
        self.face = NotingFace()
        self.state = State(WELCOME)
        self.catch_up = CatchUp(WELCOME, 0)
        self.ignored = Ignored("ana", "h 5000", path)
        self.requests = StatusRequests(self.state)
        rights = Rights(None, Jobs(), self.state)
        self._answers = Answers(
            self.face, self.state, self.catch_up, self.ignored, rights, self.requests
        )

    def answer(
        self,
        request: Request,
        answer: Answer,
        origin: Origin = Origin.TYPED,
        *,
        is_repeated: bool = False,
    ) -> list[tuple[Any, ...]]:
        """Pass an answer on; return what the face shows."""
        self.face.shown.clear()
        self._answers.handle(Job(request, origin, is_repeated), answer)
        return self.face.shown

    @property
    def users(self) -> list[str]:
        return [user.name for user in self.state.users]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "ignored.json")


def test_a_typed_list_of_users_is_shown_and_is_the_list_from_now_on(desk: Desk) -> None:
    assert desk.answer(ListUsers(), LIST) == [("show_answer", ListUsers(), LIST)]
    assert desk.users == ["ana", "eva", "luis"]


@pytest.mark.parametrize(
    ("origin", "shown"),
    [(Origin.GREETING, [("greet", 3)]), (Origin.REFRESH, []), (Origin.WATCHED, [])],
)
def test_the_first_list_of_users_is_a_greeting_and_those_the_program_needs_are_not_shown(
    desk: Desk, origin: Origin, shown: list[tuple[Any, ...]]
) -> None:
    assert desk.answer(ListUsers(), LIST, origin) == shown
    assert desk.users == ["ana", "eva", "luis"]


def test_a_list_of_users_that_the_program_needs_and_the_server_refuses_is_not_needed_any_more(
    desk: Desk,
) -> None:
    assert desk.answer(ListUsers(), NO) == [("show_answer", ListUsers(), NO)]
    assert desk.state.needs_users
    assert desk.answer(ListUsers(), NO, Origin.REFRESH) == [("show_answer", ListUsers(), NO)]
    assert not desk.state.needs_users


def test_a_list_that_answers_another_request_is_not_the_list_of_users(desk: Desk) -> None:
    check = ImposeBan(address="10.0.0.0/28", check=True)
    assert desk.answer(check, LIST) == [("show_answer", check, LIST)]
    assert desk.users == ["ana"]


@pytest.mark.parametrize(
    ("origin", "answer", "is_shown"),
    [(Origin.TYPED, Ok(), True), (Origin.REFRESH, Ok(), False), (Origin.REFRESH, NO, True)],
)
def test_the_secret_makes_an_operator_and_the_face_shows_what_the_person_needs(
    desk: Desk, origin: Origin, answer: Answer, is_shown: bool
) -> None:
    assert bool(desk.answer(SECRET, answer, origin)) is is_shown
    assert desk.state.is_operator is isinstance(answer, Ok)


def test_a_direct_message_that_was_sent_twice_had_perhaps_arrived_the_first_time(
    desk: Desk,
) -> None:
    assert desk.answer(DIRECT, NOT_CONNECTED, is_repeated=True) == [
        ("show_uncertain_delivery", DIRECT)
    ]
    assert desk.answer(DIRECT, NOT_CONNECTED) == [("show_answer", DIRECT, NOT_CONNECTED)]
    assert desk.answer(DIRECT, NO, is_repeated=True) == [("show_answer", DIRECT, NO)]


def test_a_granted_status_is_the_status_and_is_shown_if_it_was_that_before(desk: Desk) -> None:
    for shown in ([], [("show_answer", BUSY, Ok())]):
        desk.requests.note_sent(BUSY)
        assert desk.answer(BUSY, Ok()) == shown
        assert (desk.state.status, desk.state.asked_status) == (Status.OCUPADO, None)
    assert desk.requests.to_ask_again(WELCOME) == BUSY


def test_a_refused_status_is_shown_and_changes_nothing(desk: Desk) -> None:
    desk.requests.note_sent(BUSY)
    assert desk.answer(BUSY, NO) == [("show_answer", BUSY, NO)]
    assert (desk.state.status, desk.state.asked_status) == (Status.ACTIVO, None)
    assert desk.requests.to_ask_again(WELCOME) is None


def test_the_answer_to_another_request_leaves_the_requested_status(desk: Desk) -> None:
    desk.requests.note_sent(BUSY)
    desk.answer(SECRET, Ok())
    assert desk.state.asked_status is Status.OCUPADO


@pytest.mark.parametrize("request_", [GetHistory(limit=2), Search(text="hola")])
def test_old_messages_are_shown_without_those_of_ignored_users(desk: Desk, request_: Any) -> None:
    desk.ignored.add("luis")
    answer = page(1, said(7, "hola"), said(8, "hola", "eva"))
    assert desk.answer(request_, answer) == [
        ("show_answer", request_, page(1, said(8, "hola", "eva")))
    ]


def test_the_next_page_begins_before_the_last_one_and_a_search_changes_nothing_of_that(
    desk: Desk,
) -> None:
    desk.answer(Search(text="hola"), page(1, said(3, "hola")))
    assert desk.catch_up.oldest_seq == 11
    desk.answer(GetHistory(), page(1, said(7, "hola")))
    assert desk.catch_up.oldest_seq == 7


@pytest.mark.parametrize("request_", [Say(text="hola"), GetHistory(), Search(text="hola")])
def test_every_other_refusal_is_shown(desk: Desk, request_: Any) -> None:
    desk.ignored.add("eva")
    assert desk.answer(request_, NO) == [("show_answer", request_, NO)]
