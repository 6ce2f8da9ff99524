"""For what the epoll waits on each connection: over real socket pairs."""

import os
import select
import socket
from collections.abc import Iterator

import pytest

from tertulia.server.doors.native import NativeDoor
from tertulia.server.workers.connection import Connection, Hold
from tertulia.server.workers.mailbox import Mailbox
from tertulia.server.workers.poller import READABLE, WRITABLE, Poller


class Bench:
    """A poller with one connection, whose socket is readable and writable."""

    def __init__(self) -> None:
        self.mailbox = Mailbox()
        self.poller = Poller(self.mailbox.fileno())
        near, self.far = socket.socketpair()
        near.setblocking(False)
        self.far.send(b"x")
        self.connection = Connection(near, "10.0.0.1", NativeDoor(), 0.0)

    def ready(self) -> list[int]:
        """Bring the poller up to date; return what it finds the connection ready for."""
        self.poller.update(self.connection)
        return [mask for fd, mask in self.poller.wait(0) if fd == self.connection.fd]


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.poller.close()
    bench.mailbox.close()
    bench.connection.sock.close()
    bench.far.close()


def test_a_connection_is_read(bench):
    assert bench.ready() == [READABLE]
    assert bench.ready() == [READABLE]  # also when nothing has changed


def test_a_blocked_connection_is_waited_for_to_take_more(bench):
    bench.ready()
    bench.connection.blocked = True
    assert bench.ready() == [READABLE | WRITABLE]
    bench.connection.blocked = False
    assert bench.ready() == [READABLE]


@pytest.mark.parametrize("hold", [hold for hold in Hold if hold is not Hold.NOTHING])
def test_a_held_connection_is_not_read(bench, hold):
    bench.ready()
    bench.connection.hold_for(hold)
    assert bench.ready() == []
    bench.connection.release_hold()
    assert bench.ready() == [READABLE]


def test_a_held_and_blocked_connection_is_waited_for_to_take_more(bench):
    bench.connection.hold_for(Hold.BACKLOG)
    bench.connection.blocked = True
    assert bench.ready() == [WRITABLE]


def test_a_connection_at_its_end_of_file_is_not_read(bench):
    bench.ready()
    bench.connection.door.feed_eof()
    assert bench.ready() == []


def test_an_error_of_a_connection_that_waits_for_nothing_is_not_reported(bench):
    bench.ready()
    bench.connection.hold_for(Hold.CHALLENGE)
    bench.far.close()
    assert bench.ready() == []
    bench.connection.release_hold()
    [mask] = bench.ready()
    assert mask & select.EPOLLHUP


def test_a_closed_connection_is_forgotten_and_its_descriptor_can_come_again(bench):
    bench.connection.blocked = True
    bench.ready()
    bench.poller.forget(bench.connection)
    bench.connection.sock.close()
    assert bench.poller.wait(0) == []
    near, far = socket.socketpair()
    if near.fileno() != bench.connection.fd:  # the system may have given the same number already
        fd = near.detach()
        os.dup2(fd, bench.connection.fd)
        os.close(fd)
        near = socket.socket(fileno=bench.connection.fd)
    far.send(b"x")
    again = Connection(near, "10.0.0.1", NativeDoor(), 0.0)
    bench.poller.update(again)
    assert bench.poller.wait(0) == [(again.fd, READABLE)]
    near.close()
    far.close()


def test_a_wake_up_of_the_mailbox_is_found(bench):
    bench.mailbox.fall_asleep()
    bench.mailbox.nudge(0.0)
    assert bench.poller.wait(0) == [(bench.mailbox.fileno(), READABLE)]
    bench.mailbox.clear_wake_up()
    assert bench.poller.wait(0) == []
