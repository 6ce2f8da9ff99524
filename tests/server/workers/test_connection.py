"""One connection: its states, its holds, its challengers, its pages and its own output."""

import itertools
from typing import Any

import pytest
from worker_bench import FakeSocket

from tertulia.protocol.messages import GetHistory, Register
from tertulia.server.doors.native import NativeDoor
from tertulia.server.history.mail import PageTicket
from tertulia.server.workers.connection import NOT_HELD, Connection, Hold, State

POSSIBLE = {
    (State.UNREGISTERED, State.REGISTERED),
    (State.UNREGISTERED, State.FINISHING),
    (State.UNREGISTERED, State.CLOSED),
    (State.REGISTERED, State.FINISHING),
    (State.REGISTERED, State.CLOSED),
    (State.FINISHING, State.DRAINING),
    (State.FINISHING, State.CLOSED),
    (State.DRAINING, State.CLOSED),
}


def connect(room: int = 1_000) -> tuple[Connection, FakeSocket]:
    sock: Any = FakeSocket(room)
    return Connection(sock, "10.0.0.1", NativeDoor(), 100.0), sock


@pytest.fixture
def connection() -> Connection:
    return connect()[0]


# --- states and holds ----------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "after"), itertools.product(State, State))
def test_a_connection_takes_no_step_that_does_not_exist(connection, before, after):
    connection.state = before
    if (before, after) in POSSIBLE:
        connection.change_state(after)
        assert connection.state is after
    else:
        with pytest.raises(KeyError, match=f"{before.name} -> {after.name}"):
            connection.change_state(after)
        assert connection.state is before


def test_a_connection_is_closed_in_one_state_only(connection):
    for state in State:
        connection.state = state
        assert connection.is_closed == (state is State.CLOSED)


def test_a_held_connection_is_not_read_until_the_hold_is_released(connection):
    assert connection.is_read
    request = Register(name="ana")
    connection.hold_for(Hold.CHALLENGE, request)
    assert not connection.is_read
    assert connection.release_hold() is request
    assert connection.hold is NOT_HELD
    assert connection.is_read
    assert connection.release_hold() is None


def test_a_new_hold_forgets_the_request_of_the_one_before(connection):
    connection.hold_for(Hold.CHALLENGE, Register(name="ana"))
    connection.hold_for(Hold.DELIVERY)
    assert connection.release_hold() is None


def test_a_connection_is_not_read_after_its_end_of_file(connection):
    connection.door.feed_eof()
    assert not connection.is_read


def test_only_the_backlog_is_a_hold_of_the_clients_own_doing(connection):
    waits = set()
    for hold in Hold:
        connection.hold_for(hold)
        if connection.waits_for_others:
            waits.add(hold)
    assert waits == set(Hold) - {Hold.NOTHING, Hold.BACKLOG}


def test_the_challengers_are_returned_once_in_their_order(connection):
    first, second = connect()[0], connect()[0]
    owner: Any = object()
    assert connection.pop_challengers() == []
    connection.challenge_until = 103.0
    connection.add_challenger(first, owner)
    connection.add_challenger(second, owner)
    assert connection.pop_challengers() == [(first, owner), (second, owner)]
    assert connection.challenge_until == float("inf")
    assert connection.pop_challengers() == []


def test_its_repr_says_who_it_is_and_where_it_stands(connection):
    connection.out += b"1234"
    assert repr(connection) == "<Connection - 10.0.0.1 UNREGISTERED out=4>"


# --- pages ---------------------------------------------------------------------------------------


def test_pages_are_asked_for_one_at_a_time_in_their_order(connection):
    requests = [GetHistory(id=number) for number in range(3)]
    assert connection.next_page() is None
    for request in requests:
        connection.queue_page(request)
    assert connection.answers_due == connection.pages_due == 3
    owner: Any = None
    for number, request in enumerate(requests):
        assert connection.next_page() is request
        connection.ticket = PageTicket(request, owner, 1)
        assert connection.next_page() is None
        assert connection.pages_due == 3 - number
        connection.ticket = None
    assert connection.next_page() is None
    assert connection.pages_due == 0


@pytest.mark.parametrize("hindrance", ["blocked", "closed"])
def test_no_page_is_asked_for_while_the_client_takes_nothing(connection, hindrance):
    request = GetHistory()
    connection.queue_page(request)
    if hindrance == "blocked":
        connection.blocked = True
    else:
        connection.change_state(State.CLOSED)
    assert connection.next_page() is None
    assert connection.pages_due == 1
    connection.blocked = False
    assert (connection.next_page() is request) == (hindrance == "blocked")


# --- output --------------------------------------------------------------------------------------


def test_what_is_queued_goes_out_as_far_as_the_socket_takes_it():
    connection, sock = connect(room=4)
    connection.out += b"123456789"
    assert not connection.flush_out()
    assert connection.out == b"56789"
    assert not connection.flush_out()
    assert connection.out == b"56789"
    sock.room = 5
    assert connection.flush_out()
    assert connection.out == b""
    assert sock.sent == b"123456789"


def test_a_broken_socket_raises():
    connection, sock = connect()
    sock.error = ConnectionResetError()
    connection.out += b"1"
    with pytest.raises(ConnectionResetError):
        connection.flush_out()
