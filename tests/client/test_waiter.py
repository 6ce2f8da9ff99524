"""Waiting for sockets, with `poll` and on systems without it."""

import select
import socket
import time
from collections.abc import Iterator

import pytest

from tertulia.client.waiter import Waiter, is_ready

WAIT_S = 20.0
SHORT_S = 0.02


@pytest.fixture(params=["poll", "select"], autouse=True)
def _way_to_wait(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "select":
        monkeypatch.delattr(select, "poll")


class Ends:
    """A connection, the socket that wakes its thread up, and the other ends of both."""

    def __init__(self) -> None:
        self.sock, self.peer = socket.socketpair()
        self.waker, self.bell = socket.socketpair()
        self.sock.setblocking(False)
        self.waiter = Waiter(self.waker, self.sock)

    def fill(self) -> None:
        """Send until the socket accepts no more."""
        try:
            while True:
                self.sock.send(bytes(65_536))
        except BlockingIOError:
            pass

    def close(self) -> None:
        for end in (self.sock, self.peer, self.waker, self.bell):
            end.close()


@pytest.fixture
def ends() -> Iterator[Ends]:
    ends = Ends()
    yield ends
    ends.close()


def test_a_wait_ends_without_anything_after_its_time(ends: Ends) -> None:
    begun = time.monotonic()
    assert ends.waiter.wait(SHORT_S, sends=False) == (False, False)
    assert not is_ready(ends.sock, sends=False, within_s=SHORT_S)
    assert time.monotonic() - begun > 1.5 * SHORT_S
    assert not is_ready(ends.sock, sends=False, within_s=-1.0)


def test_it_is_told_which_socket_has_something_to_read(ends: Ends) -> None:
    ends.peer.send(b"x")
    assert ends.waiter.wait(WAIT_S, sends=False) == (False, True)
    ends.bell.send(b"x")
    assert ends.waiter.wait(WAIT_S, sends=False) == (True, True)
    ends.sock.recv(1)
    assert ends.waiter.wait(WAIT_S, sends=False) == (True, False)


def test_the_end_of_a_connection_is_something_to_read(ends: Ends) -> None:
    ends.peer.close()
    assert ends.waiter.wait(WAIT_S, sends=False) == (False, True)
    assert is_ready(ends.sock, sends=False, within_s=WAIT_S)


def test_a_socket_that_accepts_bytes_ends_the_wait_of_a_sender_at_once(ends: Ends) -> None:
    begun = time.monotonic()
    assert ends.waiter.wait(WAIT_S, sends=True) == (False, False)
    assert is_ready(ends.sock, sends=True, within_s=WAIT_S)
    assert time.monotonic() - begun < WAIT_S


def test_a_sender_waits_for_a_full_socket_until_something_comes(ends: Ends) -> None:
    ends.fill()
    begun = time.monotonic()
    assert ends.waiter.wait(SHORT_S, sends=True) == (False, False)
    assert time.monotonic() - begun > 0.75 * SHORT_S
    assert not is_ready(ends.sock, sends=True, within_s=0.0)
    ends.peer.send(b"x")
    assert ends.waiter.wait(WAIT_S, sends=True) == (False, True)
    assert is_ready(ends.sock, sends=True, within_s=WAIT_S)


def test_a_wait_is_not_ended_by_what_an_earlier_one_waited_for(ends: Ends) -> None:
    ends.waiter.wait(WAIT_S, sends=True)
    begun = time.monotonic()
    assert ends.waiter.wait(SHORT_S, sends=False) == (False, False)
    assert time.monotonic() - begun > 0.75 * SHORT_S


def test_a_broken_socket_is_something_to_read_on_windows_too(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(select, "poll", raising=False)
    monkeypatch.setattr(select, "select", lambda _readers, _writers, watched, _s: ([], [], watched))
    waiter = Waiter(ends.waker, ends.sock)
    assert waiter.wait(WAIT_S, sends=False) == (False, True)
    assert is_ready(ends.sock, sends=False, within_s=WAIT_S)
