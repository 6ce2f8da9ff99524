"""The operator's secret: on which connections it is given, and for how long it is kept."""

from typing import Any

import pytest
from chat_table import Table
from msgspec.structs import replace
from plain_table import Clock, StubClient

from tertulia.chat.jobs import Job, Jobs, Origin
from tertulia.chat.rights import Rights
from tertulia.chat.state import State
from tertulia.protocol.messages import Error, ErrorCode, ListUsers, Ok
from tertulia.protocol.moderation import BecomeOperator

WELCOME = StubClient().welcome
SECRET = BecomeOperator(secret="open sesame")
TYPED = Job(SECRET, Origin.TYPED)
AGAIN = Job(SECRET, Origin.REFRESH)
RATE_LIMITED = Error(code=ErrorCode.RATE_LIMITED, message="no", retry_after=287.4)
WRONG = Error(code=ErrorCode.OPERATOR_WRONG, message="no")


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture
def state() -> State:
    return State(WELCOME)


@pytest.fixture
def rights(jobs: Jobs, state: State) -> Rights:
    return Rights(None, jobs, state)


def given(rights: Rights, jobs: Jobs) -> list[Any]:
    """Return what is sent on a new connection."""
    rights.ask_again(WELCOME)
    return [*iter(lambda: jobs.pop_ready(0.0), None)]


def test_the_right_secret_is_kept_for_the_next_connection(
    rights: Rights, jobs: Jobs, state: State
) -> None:
    assert given(rights, jobs) == []
    assert rights.note_answer(TYPED, Ok())
    assert state.is_operator
    assert given(rights, jobs) == [AGAIN]


def test_the_secret_is_given_before_anything_else(jobs: Jobs, state: State) -> None:
    jobs.add(ListUsers(), Origin.TYPED)
    assert given(Rights("open sesame", jobs, state), jobs) == [
        AGAIN,
        Job(ListUsers(), Origin.TYPED),
    ]


def test_an_operator_does_not_give_the_secret(jobs: Jobs, state: State) -> None:
    Rights("open sesame", jobs, state).ask_again(replace(WELCOME, operator=True))
    assert jobs.pop_ready(0.0) is None


def test_a_wrong_secret_is_not_given_again_and_another_refusal_changes_nothing(
    jobs: Jobs, state: State
) -> None:
    rights = Rights("open sesame", jobs, state)
    assert rights.note_answer(AGAIN, RATE_LIMITED)
    assert given(rights, jobs) == [AGAIN]
    assert rights.note_answer(AGAIN, WRONG)
    assert given(rights, jobs) == []
    assert not state.is_operator


def test_a_secret_that_was_never_right_is_not_kept(rights: Rights, jobs: Jobs) -> None:
    rights.note_answer(TYPED, RATE_LIMITED)
    assert given(rights, jobs) == []


def test_success_is_shown_only_to_a_person_who_typed_the_secret(rights: Rights) -> None:
    assert rights.note_answer(TYPED, Ok())
    assert not rights.note_answer(AGAIN, Ok())


# --- in a chat -----------------------------------------------------------------------------------


@pytest.fixture
def desk(clock: Clock) -> Table:
    table = Table(clock)
    table.enter()
    return table


def come_back(desk: Table, **welcome: Any) -> list[Any]:
    """Lose the connection, get another one, and return what is sent on it first."""
    desk.lose()
    client = type(desk.client)()
    client.welcome = replace(client.welcome, **welcome)
    desk.attempt(client)
    return client.sent[:1]


def test_the_right_secret_is_given_again_on_a_connection_that_has_no_rights(desk: Table) -> None:
    desk.chat.enqueue(SECRET)
    desk.turn()
    desk.turn(Ok(id=1))
    assert desk.face.shown == [("show_answer", SECRET, Ok(id=1))]
    assert desk.chat.state.is_operator
    assert come_back(desk) == [SECRET]
    desk.face.shown.clear()
    desk.turn(Ok(id=1))
    assert not any(shown[0] == "show_answer" for shown in desk.face.shown)  # nobody asked for it
    assert come_back(desk, operator=True) == [ListUsers()]


def test_a_secret_from_the_start_is_given_first(clock: Clock) -> None:
    table = Table(clock, operator_secret="open sesame")
    table.turn()
    assert table.client.sent == [SECRET]
    table.turn(Error(id=1, code=ErrorCode.OPERATOR_WRONG, message="no"))
    assert table.face.shown[0][:2] == ("show_answer", SECRET)
    assert table.client.sent[1] == ListUsers()
