"""Clients that find the server full: what they are told, and who is answered all the same."""

import contextlib
import functools
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator

import pytest
from tls_pair import server_side

from tertulia.protocol.networks import LOOPBACK
from tertulia.server.doors.entrance import Offer, refusal_when_full
from tertulia.server.doors.http import Site
from tertulia.server.doors.monitoring import Monitoring
from tertulia.server.workers.access import HeaderRule
from tertulia.server.workers.turned_away import TurnedAway
from tertulia.tls.channel import TlsChannel
from tertulia.tls.contexts import client_context

HERE, WAIT_S = "127.0.0.1", 20.0
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost:5000\r\nUser-Agent: a long name\r\n\r\n"
LAN = (*LOOPBACK, ipaddress.ip_network("10.0.0.0/24"))


class Bench:
    """Refused clients, whose far ends the test holds. The time is 0.0 until it says otherwise."""

    def __init__(self, context: Callable[[], ssl.SSLContext] | None = None) -> None:
        def measure():
            raise AssertionError("nobody asks for the figures")

        monitoring = Monitoring(LAN, measure, lambda: "")
        offer = Offer(Site({}, (), monitoring=monitoring))
        self.turned_away = TurnedAway(functools.partial(refusal_when_full, offer), context)
        self.socks: list[socket.socket] = []

    def refuse(self, address: str = HERE, header: HeaderRule = HeaderRule.NONE):
        """Return the far end of a refused client, and its descriptor here."""
        near, far = socket.socketpair()
        near.setblocking(False)
        far.settimeout(WAIT_S)
        self.socks.append(far)
        self.turned_away.add(near, header, 0.0, address)
        return far, near.fileno()

    def read(self, fd: int) -> None:
        """Let it read all that has come, as the poll would report it again and again."""
        for _ in range(20):
            self.turned_away.on_ready(fd, 0.0)

    def close(self) -> None:
        self.turned_away.close()
        for sock in self.socks:
            sock.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def rest_of(far: socket.socket) -> bytes:
    got = b""
    while data := far.recv(65_536):
        got += data
    return got


@pytest.mark.parametrize("size", [1, 10, 16, 17, len(REQUEST)])
def test_a_check_of_the_health_is_read_to_its_end_and_answered(bench, size):
    far, fd = bench.refuse()
    for start in range(0, len(REQUEST), size):
        assert bench.turned_away.to_read == [fd]
        far.sendall(REQUEST[start : start + size])
        bench.read(fd)
    assert rest_of(far).endswith(b"\r\n\r\nok\n")
    assert bench.turned_away.to_read == []
    assert len(bench.turned_away) == 1  # for a moment, so that the client can read


def test_whoever_does_not_finish_the_request_in_time_is_refused(bench):
    far, fd = bench.refuse()
    far.sendall(REQUEST[:-2])
    bench.read(fd)
    wake_at = bench.turned_away.wake_at
    assert wake_at is not None
    bench.turned_away.on_time(wake_at)
    assert rest_of(far).startswith(b"HTTP/1.1 503")


def test_a_head_that_is_too_long_is_not_read_to_its_end(bench):
    far, fd = bench.refuse()
    far.sendall(REQUEST[:-4].ljust(16 * 1024 - 1, b"x"))
    bench.read(fd)
    assert bench.turned_away.to_read == [fd]
    far.sendall(b"x")
    bench.read(fd)
    assert bench.turned_away.to_read == []
    assert rest_of(far).startswith(b"HTTP/1.1 503")


def test_whoever_ends_in_the_middle_is_refused_at_once(bench):
    far, fd = bench.refuse()
    far.sendall(REQUEST[:-2])
    far.shutdown(socket.SHUT_WR)
    bench.read(fd)
    assert rest_of(far).startswith(b"HTTP/1.1 503")


@pytest.mark.parametrize("header", [b"", b"PROXY TCP4 10.0.0.9 "])
def test_whoever_ends_before_the_proxys_header_is_whole_is_refused_at_once(bench, header):
    far, fd = bench.refuse(HERE, HeaderRule.REQUIRED)
    far.sendall(header)
    far.shutdown(socket.SHUT_WR)
    bench.read(fd)
    assert bench.turned_away.to_read == []
    assert b'"server_full"' in rest_of(far)


def test_an_answered_client_has_a_second_to_read_whatever_else_it_sends(bench):
    far, fd = bench.refuse()
    bench.turned_away.on_time(0.25)
    far.sendall(b'{"type":"ping"}\n')
    bench.turned_away.on_ready(fd, 1.0)
    assert bench.turned_away.wake_at == 1.25
    bench.turned_away.on_time(1.2)
    assert len(bench.turned_away) == 1
    bench.turned_away.on_time(1.25)
    assert len(bench.turned_away) == 0


@pytest.mark.parametrize(
    ("address", "first", "answer"),
    [
        ("10.0.9.1", REQUEST, b"HTTP/1.1 503"),
        (HERE, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"HTTP/1.1 503"),
        (HERE, b'{"type":"register","name":"ana"}\n', b'{"type":"error","code":"server_full"'),
    ],
)
def test_everyone_else_is_told_that_the_server_is_full(bench, address, first, answer):
    far, fd = bench.refuse(address)
    far.sendall(first)
    bench.read(fd)
    assert rest_of(far).startswith(answer)


@pytest.mark.parametrize(
    ("header", "is_answered"),
    [
        (b"PROXY TCP4 10.0.0.9 10.0.0.1 1 2\r\n", True),
        (b"PROXY TCP4 10.0.9.9 10.0.0.1 1 2\r\n", False),
        (b"PROXY UNKNOWN\r\n", False),
        (b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", True),
    ],
)
@pytest.mark.parametrize("rule", [HeaderRule.OPTIONAL, HeaderRule.REQUIRED])
def test_behind_a_proxy_the_named_address_counts(bench, rule, header, is_answered):
    far, fd = bench.refuse(HERE, rule)
    far.sendall(header + REQUEST)
    bench.read(fd)
    assert rest_of(far).startswith(b"HTTP/1.1 200" if is_answered else b"HTTP/1.1 503")


def test_a_proxy_that_sends_no_header_is_closed_at_once_without_a_word(bench):
    far, fd = bench.refuse(HERE, HeaderRule.REQUIRED)
    far.sendall(b"hello")
    bench.read(fd)
    assert len(bench.turned_away) == 0
    assert rest_of(far) == b""


def test_at_the_local_socket_nobody_is_known_without_a_header(bench):
    far, fd = bench.refuse(HERE, HeaderRule.OPTIONAL)
    far.sendall(REQUEST)
    bench.read(fd)
    assert rest_of(far).startswith(b"HTTP/1.1 503")


def test_a_handshake_has_a_second_and_is_closed_without_a_word():
    bench = Bench(server_side)
    far, fd = bench.refuse()
    far.sendall(b"\x16\x03\x01")
    bench.read(fd)
    bench.turned_away.on_time(0.9)
    assert len(bench.turned_away) == 1
    bench.turned_away.on_time(1.0)
    assert len(bench.turned_away) == 0
    assert rest_of(far) == b""
    bench.close()


def test_without_tls_whoever_begins_a_handshake_is_told_that_the_server_is_full(bench):
    far, fd = bench.refuse()
    far.sendall(b"\x16\x03\x01")
    bench.read(fd)
    assert b'"server_full"' in rest_of(far)


def test_with_tls_whoever_does_not_use_it_is_told_so_at_once():
    bench = Bench(server_side)
    far, fd = bench.refuse()
    far.sendall(b'{"type":"ping"}\n')
    bench.read(fd)
    assert bench.turned_away.to_read == []
    assert b'"server_full"' in rest_of(far)
    bench.close()


def test_only_the_first_byte_shows_that_a_handshake_begins():
    bench = Bench(server_side)
    far, fd = bench.refuse()
    far.sendall(b"P")
    bench.read(fd)
    far.sendall(b"\x16")
    bench.read(fd)
    bench.turned_away.on_time(0.25)
    assert bench.turned_away.to_read == []
    assert b'"server_full"' in rest_of(far)
    bench.close()


def shake_hands(bench: Bench, far: socket.socket, fd: int) -> TlsChannel:
    """Return the far end's TLS after the handshake."""
    far.setblocking(False)
    client = TlsChannel(far, client_context(), server_side=False)
    with contextlib.suppress(BlockingIOError):
        client.decrypt()  # says hello
    while not client.is_open:
        bench.read(fd)
        with contextlib.suppress(BlockingIOError):
            client.recv(65_536)
    bench.read(fd)
    return client


def test_whoever_says_nothing_inside_tls_is_refused_there_when_the_second_is_over():
    bench = Bench(server_side)
    far, fd = bench.refuse()
    client = shake_hands(bench, far, fd)
    bench.turned_away.on_time(0.9)
    assert bench.turned_away.to_read == [fd]
    bench.turned_away.on_time(1.0)
    assert bench.turned_away.to_read == []
    assert b'"server_full"' in client.recv(65_536)
    bench.close()


def test_a_refusal_inside_tls_ends_with_the_end_of_tls():
    bench = Bench(server_side)
    far, fd = bench.refuse()
    client = shake_hands(bench, far, fd)
    client.send(b'{"type":"ping"}\n')
    bench.read(fd)
    assert b'"server_full"' in client.recv(65_536)
    assert client.recv(65_536) == b""
    bench.close()
