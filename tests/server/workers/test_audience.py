"""Sessions in step and behind: over real socket pairs with small buffers, without threads."""

import socket
import threading

import pytest

from tertulia.server.hub.eventlog import EventLog
from tertulia.server.workers.audience import Audience
from tertulia.server.workers.connection import Connection, State


class Bench:
    """An audience, its log, and a far end for each connection."""

    def __init__(
        self,
        max_bytes: int = 1_000_000,
        stretch_bytes: int = 64_000,
        *,
        messages_only: bool = False,
    ) -> None:
        self.log = EventLog(threading.Lock(), max_bytes)
        self.audience = Audience(self.log, stretch_bytes, messages_only=messages_only)
        self.far: dict[Connection, socket.socket] = {}
        self.lines: list[bytes] = []

    def connect(self, cursor: int = 0) -> Connection:
        near, far = socket.socketpair()
        near.setblocking(False)
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        far.setblocking(False)
        connection = Connection(near, "10.0.0.1", 0.0)
        self.far[connection] = far
        self.audience.add(connection, cursor)
        return connection

    def publish(self, count: int, size: int = 50) -> None:
        for _ in range(count):
            seq = len(self.lines) + 1
            line = b"%d " % seq + b"x" * size + b"\n"
            self.lines.append(line)
            self.log.append(line, is_message=True)

    def flush(self) -> list[tuple[Connection, OSError | None]]:
        return self.audience.flush()

    def read(self, connection: Connection) -> bytes:
        got = b""
        while True:
            try:
                data = self.far[connection].recv(1_000_000)
            except BlockingIOError:
                return got
            if not data:
                return got
            got += data

    def read_all(self, connection: Connection) -> bytes:
        """Read until nothing more comes, as a reader would who was slow only once."""
        got = b""
        while True:
            self.audience.unblock(connection)
            self.flush()
            got += (piece := self.read(connection))
            if not piece and not self.audience.has_work:
                return got

    def close(self) -> None:
        for connection, far in self.far.items():
            far.close()
            connection.sock.close()


@pytest.fixture
def bench():
    bench = Bench()
    yield bench
    bench.close()


def test_all_get_everything_and_are_in_step(bench):
    readers = [bench.connect() for _ in range(3)]
    bench.publish(10)
    while bench.audience.has_work:
        assert bench.flush() == []
    for reader in readers:
        assert bench.read(reader) == b"".join(bench.lines)
    assert "in_step=3 behind=0 blocked=0" in repr(bench.audience)


def test_a_newcomer_gets_only_what_came_after_its_cursor(bench):
    early = bench.connect()
    bench.publish(5)
    late = bench.connect(cursor=3)
    bench.publish(1)
    while bench.audience.has_work:
        bench.flush()
    assert bench.read(early) == b"".join(bench.lines)
    assert bench.read(late) == b"".join(bench.lines[3:])


def test_who_wants_messages_alone_gets_nothing_else_and_falls_out_of_step_with_nobody():
    bench = Bench(messages_only=True)
    early = bench.connect()
    bench.log.append(b"joined\n", is_message=False)
    bench.flush()
    late = bench.connect(cursor=1)
    bench.publish(1)
    bench.log.append(b"left\n", is_message=False)
    while bench.audience.has_work:
        assert bench.flush() == []
    assert bench.read(early) == bench.read(late) == bench.lines[0]
    assert "cursor=3 in_step=2" in repr(bench.audience)
    bench.close()


def test_a_slow_reader_holds_up_nobody_and_loses_nothing(bench):
    slow, quick = bench.connect(), bench.connect()
    got = b""
    for _ in range(40):
        bench.publish(20)
        bench.flush()
        got += bench.read(quick)
    assert got == b"".join(bench.lines)
    assert "blocked=1" in repr(bench.audience)
    assert bench.read_all(slow) == b"".join(bench.lines)
    assert "in_step=2 behind=0 blocked=0" in repr(bench.audience)


def test_the_rest_of_a_line_that_was_cut_goes_out_before_a_private_line(bench):
    reader = bench.connect()
    bench.publish(1, size=500_000)
    assert bench.flush() == [(reader, None)]
    reader.out += b"private\n"
    assert bench.read_all(reader) == bench.lines[0] + b"private\n"


def test_who_falls_out_of_the_log_gets_a_gap_between_whole_lines():
    bench = Bench(max_bytes=10_000)
    reader = bench.connect()
    for _ in range(4):
        bench.publish(100)
        bench.flush()  # until the socket is full
    bench.publish(2_000)
    got = bench.read_all(reader)
    bench.publish(1)
    got += bench.read_all(reader)
    bench.close()
    lines = got.splitlines(keepends=True)
    gap = next(i for i, line in enumerate(lines) if b'"gap"' in line)
    assert lines[:gap] == bench.lines[:gap]
    assert lines[gap] == b'{"type":"gap","after":%d,"through":2400}\n' % gap
    assert lines[gap + 1 :] == bench.lines[2400:]


def test_a_broken_socket_is_reported_and_the_others_go_on(bench):
    broken, sound = bench.connect(), bench.connect()
    bench.flush()
    bench.far[broken].close()
    bench.publish(1)
    [(connection, error)] = bench.flush()
    assert connection is broken
    assert isinstance(error, OSError)
    bench.audience.remove(broken)
    bench.publish(1)
    assert bench.flush() == []
    assert bench.read(sound) == b"".join(bench.lines)


def test_who_leaves_takes_the_rest_along(bench):
    reader = bench.connect()
    bench.flush()
    bench.publish(3)
    assert bench.audience.take_rest(reader) == b"".join(bench.lines)
    bench.audience.remove(reader)
    bench.flush()
    assert bench.read(reader) == b""


def test_a_connection_takes_no_step_that_does_not_exist(bench):
    connection = bench.connect()
    connection.enter(State.FINISHING)
    with pytest.raises(KeyError):
        connection.enter(State.REGISTERED)
    connection.enter(State.CLOSED)
    with pytest.raises(KeyError):
        connection.enter(State.CLOSED)
