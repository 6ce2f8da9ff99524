"""TLS in a worker: what its time limits are, and what happens when the socket takes nothing."""

import contextlib
import functools
import ssl
from collections import deque
from collections.abc import Iterator

import pytest
from tls_pair import server_side
from worker_bench import READABLE, WRITABLE, WorkerBench, socket_of

from tertulia.protocol.lines import encode
from tertulia.protocol.messages import CloseReason, Register
from tertulia.server.doors.entrance import Offer, OpenEntrance
from tertulia.server.doors.http import Site
from tertulia.server.refusals import server_full
from tertulia.server.workers.connection import Connection, State
from tertulia.tls.contexts import client_context


class Client:
    """The far end of a connection, with TLS in memory."""

    def __init__(self, bench: WorkerBench, connection: Connection) -> None:
        self._bench, self.connection = bench, connection
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = client_context().wrap_bio(self._incoming, self._outgoing)
        self._got = b""

    def hello(self) -> bytes:
        with contextlib.suppress(ssl.SSLWantReadError):
            self._tls.do_handshake()
        return self._outgoing.read()

    def shake_hands(self) -> None:
        self._bench.receive(self.connection, self.hello())
        self._read()
        self._tls.do_handshake()
        self._bench.receive(self.connection, self._outgoing.read())

    def say(self, data: bytes) -> bytes:
        """Return data as it travels."""
        self._tls.write(data)
        return self._outgoing.read()

    def heard(self) -> bytes:
        """Return what has come since the last time."""
        self._bench.flush()
        self._read()
        got = b""
        with contextlib.suppress(ssl.SSLWantReadError):
            while part := self._tls.read(65_536):
                got += part
        return got

    def reads_the_end(self) -> bool:
        """Read everything; return whether the end of TLS has come, too."""
        self._read()
        with contextlib.suppress(ssl.SSLWantReadError):
            while self._tls.read(65_536):
                pass
            return True
        return False

    def _read(self) -> None:
        sent = socket_of(self.connection).sent
        self._incoming.write(bytes(sent))
        sent.clear()


@pytest.fixture
def bench() -> Iterator[WorkerBench]:
    bench = WorkerBench(rate_limit_per_s=None)
    offer = Offer(Site({}, ()), server_side)
    bench.shared.new_door = functools.partial(OpenEntrance, offer)
    bench.connections._new_door = bench.shared.new_door
    yield bench
    bench.close()


@pytest.fixture
def client(bench: WorkerBench) -> Client:
    return Client(bench, bench.connect())


def look(bench: WorkerBench, seconds: float) -> None:
    bench.pass_time(seconds)
    bench.dispatcher.check_deadlines()
    bench.flush()


def test_a_handshake_has_10_seconds_in_all_however_its_bytes_drip(bench, client):
    hello = client.hello()
    for second in range(10):
        assert not client.connection.is_closed
        bench.receive(client.connection, hello[second : second + 1])
        look(bench, 0.99)
    look(bench, 0.2)
    assert client.connection.is_closed
    assert bytes(socket_of(client.connection).sent) == b""
    assert bench.admission._open == 0


def test_a_connection_does_not_refer_to_itself_during_the_handshake(bench, client):
    connection = client.connection
    bench.receive(connection, client.hello())
    assert connection.recv == connection.tls.recv_for_step


def test_the_10_seconds_begin_with_the_first_byte_of_tls_and_the_20_with_the_connection(
    bench, client
):
    look(bench, 5.0)
    bench.receive(client.connection, client.hello())
    look(bench, 9.8)
    assert not client.connection.is_closed
    look(bench, 0.2)
    assert client.connection.is_closed


def test_a_late_handshake_does_not_make_the_20_seconds_longer(bench, client):
    look(bench, 15.0)
    bench.receive(client.connection, client.hello())
    look(bench, 4.9)
    assert not client.connection.is_closed
    look(bench, 0.2)
    assert client.connection.is_closed


def test_after_the_handshake_it_has_the_rest_of_the_20_seconds_to_register(bench, client):
    client.shake_hands()
    look(bench, 10.5)
    look(bench, 9.0)
    assert client.connection.state is State.UNREGISTERED
    look(bench, 0.5)
    assert b'"register_timeout"' in client.heard()


def test_who_registers_in_time_is_not_ended(bench, client):
    client.shake_hands()
    bench.receive(client.connection, client.say(encode(Register(name="ana"))))
    assert b'"welcome"' in client.heard()
    look(bench, 10.5)
    look(bench, 10.0)
    assert client.connection.state is State.REGISTERED


def test_after_the_handshake_no_more_steps_are_taken_for_what_is_read(bench, client):
    client.shake_hands()
    assert client.connection.recv == client.connection.tls.recv


def test_all_lines_of_one_packet_are_read_at_once(bench, client):
    """The poller does not report what is decrypted already."""
    client.shake_hands()
    data = client.say(encode(Register(name="ana")))
    data += b"".join(client.say(b'{"type":"ping","id":%d}\n' % number) for number in range(9))
    bench.receive(client.connection, data)
    assert client.heard().count(b'"pong"') == 9


def test_the_first_request_may_come_with_the_end_of_the_handshake(bench, client):
    bench.receive(client.connection, client.hello())
    client._read()
    client._tls.do_handshake()
    bench.receive(client.connection, client.say(encode(Register(name="ana"))))
    assert b'"welcome"' in client.heard()


def test_a_handshake_that_the_socket_does_not_take_goes_on_when_it_does(bench, client):
    socket_of(client.connection).room = 100
    bench.receive(client.connection, client.hello())
    assert client.connection.blocked
    assert bench.watched(client.connection) == READABLE | WRITABLE
    bench.empty(client.connection, 50)
    assert client.connection.blocked
    bench.empty(client.connection)
    assert not client.connection.blocked
    assert bench.watched(client.connection) == READABLE
    client._read()
    client._tls.do_handshake()
    bench.receive(client.connection, client.say(encode(Register(name="ana"))))
    assert b'"welcome"' in client.heard()


def test_a_client_that_takes_nothing_gets_everything_later_in_order(bench, client):
    luis = bench.join("luis", "10.0.0.2")
    client.shake_hands()
    bench.receive(client.connection, client.say(encode(Register(name="ana"))))
    client.heard()
    socket_of(client.connection).room = 1_000
    for number in range(50):
        bench.receive(luis, b'{"type":"say","text":"%d %s"}\n' % (number, b"x" * 500))
        bench.receive(luis, b'{"type":"direct","to":"ana","text":"psst %d"}\n' % number)
        bench.flush()
    assert client.connection.blocked
    got = client.heard()
    while client.connection.blocked:
        bench.empty(client.connection, 3_000)
        got += client.heard()
    texts = [line.split(b'"text":"')[1].split(b'"')[0] for line in got.splitlines()]
    said = [text for text in texts if not text.startswith(b"psst")]
    assert said == [b"%d %s" % (number, b"x" * 500) for number in range(50)]
    private = [text for text in texts if text.startswith(b"psst")]
    assert private == [b"psst %d" % number for number in range(50)]


def test_nothing_is_said_before_the_handshake_is_over(bench, client):
    bench.receive(client.connection, client.hello())
    socket_of(client.connection).sent.clear()
    bench.connections.finish(client.connection, CloseReason.REFUSED, server_full(), bench.clock.s)
    bench.flush()
    assert bytes(socket_of(client.connection).sent) == b""
    assert socket_of(client.connection).is_shut_down


def test_a_client_that_is_closed_is_told_the_end_of_tls(bench, client):
    client.shake_hands()
    assert not client.reads_the_end()
    bench.connections.close(client.connection, CloseReason.TIMEOUT)
    assert client.reads_the_end()


def test_a_client_that_is_gone_when_its_rest_of_tls_can_go_out_is_closed(bench, client):
    socket_of(client.connection).room = 100
    bench.receive(client.connection, client.hello())
    assert client.connection.blocked
    socket_of(client.connection).error = ConnectionResetError()
    bench.ready(client.connection, WRITABLE)
    assert client.connection.is_closed
    assert bench.observer.faults == 0


def test_a_fault_of_tls_closes_and_is_counted(bench, client, caplog):
    caplog.set_level("INFO")
    bench.receive(client.connection, b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00")
    assert client.connection.is_closed
    assert bench.observer.refused == {"tls_failed": 1}
    assert "code=tls_failed reason=" in caplog.text
    assert "Traceback" not in caplog.text


def test_a_step_is_prepared_before_another_thread_can_take_it(bench, client):
    class Due(deque[Connection]):
        def append(self, connection: Connection) -> None:
            prepared.append(connection.tls is not None and connection.tls.is_busy)
            super().append(connection)

    prepared: list[bool] = []
    bench.doorkeeper.steps_due = Due()
    client.shake_hands()
    assert len(prepared) > 1
    assert all(prepared)


# --- many at once --------------------------------------------------------------------------------


def test_steps_of_handshakes_wait_and_others_are_served_first(bench):
    clients = [Client(bench, bench.connect(f"10.0.1.{number}")) for number in range(40)]
    luis = bench.join("luis", "10.0.0.2")
    bench.takes_steps = False
    for client in clients:
        bench.receive(client.connection, client.hello())
    bench.receive(luis, b'{"type":"ping","id":1}\n')
    assert bench.kinds(luis) == ["Pong"]
    assert not any(socket_of(client.connection).sent for client in clients)
    bench.compute_steps()
    assert all(socket_of(client.connection).sent for client in clients)


def test_a_handshake_that_waits_for_its_step_is_read_no_further(bench, client):
    bench.receive(client.connection, client.hello())
    client._read()
    client._tls.do_handshake()
    bench.takes_steps = False
    bench.receive(client.connection, client.say(encode(Register(name="ana"))))
    assert bench.watched(client.connection) == 0
    bench.receive(client.connection, client.say(b'{"type":"ping"}\n'))
    assert len(socket_of(client.connection).incoming) == 1
    assert client.heard() == b""
    bench.compute_steps()
    assert bench.watched(client.connection) == READABLE
    assert b'"welcome"' in client.heard()
    bench.ready(client.connection, READABLE)
    assert b'"pong"' in client.heard()


@pytest.mark.parametrize("end", ["close", "finish"])
def test_one_that_ends_while_its_step_is_taken_does_no_harm(bench, client, end):
    bench.takes_steps = False
    bench.receive(client.connection, client.hello())
    if end == "close":
        bench.connections.close(client.connection, CloseReason.LOST)
    else:
        bench.connections.finish(client.connection, CloseReason.SHUTDOWN, None, bench.clock.s)
        bench.receive(client.connection, b"more")
    bench.flush()
    bench.compute_steps()
    bench.flush()
    assert bytes(socket_of(client.connection).sent) == b""
    assert bench.observer.faults == 0
    look(bench, 5.0)
    assert client.connection.is_closed


def test_a_handshake_may_come_in_parts(bench, client):
    hello = client.hello()
    for part in (hello[:50], hello[50:]):
        bench.receive(client.connection, part)
    client._read()
    client._tls.do_handshake()
    bench.receive(client.connection, client.say(encode(Register(name="ana"))))
    assert b'"welcome"' in client.heard()
    assert bench.observer.faults == 0
