"""What a client remembers of its user for the next connection."""

import pytest

from tertulia.client.activity import NEWCOMER, Activity, Resumption
from tertulia.protocol.messages import (
    Direct,
    Error,
    GetHistory,
    GetInfo,
    ListUsers,
    Ok,
    Ping,
    Pong,
    Register,
    Request,
    Say,
    Search,
    SetStatus,
)

CONNECTED_AT = 1_000.0


@pytest.fixture
def activity() -> Activity:
    return Activity(NEWCOMER, CONNECTED_AT)


def test_a_newcomer_is_active_and_was_last_active_when_connecting(activity: Activity) -> None:
    assert activity.resumption("t", CONNECTED_AT + 5) == Resumption("t", "ACTIVO", 5.0)


def test_a_user_who_came_back_has_the_status_and_the_idle_time_of_before() -> None:
    activity = Activity(Resumption("old", "OCUPADO", 30.0), CONNECTED_AT)
    assert activity.resumption("t", CONNECTED_AT + 5) == Resumption("t", "OCUPADO", 35.0)


def test_an_answer_counts_only_once(activity: Activity) -> None:
    activity.note_request(SetStatus(status="OCUPADO"), 1, CONNECTED_AT)
    activity.note_request(SetStatus(status="INACTIVO"), 2, CONNECTED_AT)
    for request_id in (1, 2, 1):
        activity.note_answer(Ok(id=request_id))
    assert activity.resumption("t", CONNECTED_AT).status == "INACTIVO"


def test_a_status_is_the_chosen_one_once_the_server_has_granted_it(activity: Activity) -> None:
    for request_id, status in enumerate(("OCUPADO", "INACTIVO", "DORMIDO"), 1):
        activity.note_request(SetStatus(status=status), request_id, CONNECTED_AT)
    assert activity.resumption("t", CONNECTED_AT).status == "ACTIVO"
    activity.note_answer(Ok(id=1))
    assert activity.resumption("t", CONNECTED_AT).status == "OCUPADO"
    activity.note_answer(Ok(id=2))
    activity.note_answer(Error(id=3, code="status_invalid", message="no"))
    assert activity.resumption("t", CONNECTED_AT).status == "INACTIVO"


def test_other_answers_do_not_change_the_status(activity: Activity) -> None:
    activity.note_request(SetStatus(status="OCUPADO"), 1, CONNECTED_AT)
    activity.note_request(Say(text="hola"), 2, CONNECTED_AT)
    for answer in (Ok(id=2), Ok(), Error(code="malformed", message="no"), Ok(id=7)):
        activity.note_answer(answer)
    assert activity.resumption("t", CONNECTED_AT).status == "ACTIVO"


@pytest.mark.parametrize(
    "request_",
    [
        Say(text="hola"),
        Direct(to="luis", text="hola"),
        SetStatus(status="ACTIVO"),
        GetInfo(name="luis"),
        Search(text="hola"),
    ],
    ids=lambda request: type(request).__name__,
)
def test_a_request_of_the_user_is_activity(activity: Activity, request_: Request) -> None:
    activity.note_request(request_, 1, CONNECTED_AT + 60)
    assert activity.resumption("t", CONNECTED_AT + 100).idle_s == 40.0


@pytest.mark.parametrize(
    "request_",
    [Register(name="ana"), Ping(), Pong(), ListUsers(), GetHistory()],
    ids=lambda request: type(request).__name__,
)
def test_a_request_that_a_client_makes_by_itself_is_no_activity(
    activity: Activity, request_: Request
) -> None:
    activity.note_request(request_, 1, CONNECTED_AT + 60)
    assert activity.resumption("t", CONNECTED_AT + 100).idle_s == 100.0


def test_the_idle_time_is_never_negative(activity: Activity) -> None:
    activity.note_request(Say(text="hola"), 1, CONNECTED_AT + 60)
    assert activity.resumption("t", CONNECTED_AT + 59).idle_s == 0.0
