"""Which statuses were requested and granted, and which one a new connection needs."""

import pytest
from msgspec.structs import replace
from plain_table import StubClient

from tertulia.chat.jobs import Job, Origin
from tertulia.chat.state import State
from tertulia.chat.status_requests import StatusRequests
from tertulia.protocol.messages import SetStatus, Status

WELCOME = StubClient().welcome
BUSY = SetStatus(status=Status.OCUPADO)


@pytest.fixture
def state() -> State:
    """The state of a user who is active."""
    return State(WELCOME)


@pytest.fixture
def requests(state: State) -> StatusRequests:
    return StatusRequests(state)


def test_a_requested_status_is_the_one_to_expect(state: State, requests: StatusRequests) -> None:
    requests.note_sent(BUSY)
    assert (state.status, state.asked_status) == (Status.ACTIVO, Status.OCUPADO)


def test_the_grant_of_a_new_status_is_not_shown_because_everyone_hears_of_it(
    requests: StatusRequests,
) -> None:
    requests.note_sent(BUSY)
    assert not requests.note_granted(Job(BUSY, Origin.TYPED))


def test_the_grant_of_the_present_status_is_shown_to_a_person_who_typed_it(
    state: State, requests: StatusRequests
) -> None:
    state.status = Status.OCUPADO
    requests.note_sent(BUSY)
    state.status = Status.ACTIVO  # it changes while the answer is on its way
    assert requests.note_granted(Job(BUSY, Origin.TYPED))
    assert not requests.note_granted(Job(BUSY, Origin.REFRESH))


def test_the_status_at_the_beginning_is_the_present_one(requests: StatusRequests) -> None:
    assert requests.note_granted(Job(SetStatus(status=Status.ACTIVO), Origin.TYPED))


@pytest.mark.parametrize(
    ("granted", "status", "again"),
    [
        (Status.OCUPADO, Status.ACTIVO, BUSY),
        (Status.OCUPADO, Status.OCUPADO, None),
        (Status.OCUPADO, Status.INACTIVO, None),
        (Status.ACTIVO, Status.ACTIVO, None),
        (None, Status.ACTIVO, None),
    ],
)
def test_only_an_active_user_asks_a_new_connection_for_the_status_of_the_lost_one(
    requests: StatusRequests, granted: Status | None, status: Status, again: SetStatus | None
) -> None:
    if granted is not None:
        requests.note_granted(Job(SetStatus(status=granted), Origin.TYPED))
    assert requests.to_ask_again(replace(WELCOME, status=status)) == again


def test_a_status_that_was_not_granted_is_not_asked_for_again(requests: StatusRequests) -> None:
    requests.note_sent(BUSY)
    assert requests.to_ask_again(WELCOME) is None
