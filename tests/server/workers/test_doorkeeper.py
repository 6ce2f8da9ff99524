"""Who stands behind a proxy, and what the others have to wait for before they have a door."""

import functools
import ipaddress
from collections.abc import Iterator
from typing import Any

import pytest
from worker_bench import FakeSocket, WorkerBench, socket_of

from tertulia.protocol.messages import CloseReason, Ping, Pong, Register
from tertulia.server.doors.entrance import Offer, OpenEntrance
from tertulia.server.doors.http import Site
from tertulia.server.observer import ADDRESS_DENIED, NO_PROXY_HEADER
from tertulia.server.workers.access import HeaderRule
from tertulia.server.workers.connection import NOT_HELD, Connection, Hold, State
from tertulia.server.workers.door import Asker, Opened
from tertulia.server.workers.mail import AcceptedSocket, Adopt, Answered
from tertulia.server.workers.poller import READABLE

PROXY, USER = "10.0.0.7", "192.0.2.1"
LINE = b'{"type":"ping","id":1}\n'


def header(address: str = USER) -> bytes:
    return f"PROXY TCP4 {address} 10.0.0.1 1 2\r\n".encode()


class Bench(WorkerBench):
    """A worker whose connections come through a proxy."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**({"shared_addresses": False} | options))
        offer = Offer(Site({}, ()))
        self.connections._new_door = functools.partial(OpenEntrance, offer)

    def come(self, rule: HeaderRule = HeaderRule.REQUIRED) -> Connection:
        sock: Any = FakeSocket()
        assert self.admission.admit(PROXY, is_proxy=True)
        self.dispatcher.read_mail(Adopt([AcceptedSocket(sock, PROXY, rule)]))
        connection = self.connections.at(sock.fileno())
        assert connection is not None
        return connection

    def said(self, connection: Connection) -> bytes:
        self.flush()
        return bytes(socket_of(connection).sent)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


# --- the header of a proxy -----------------------------------------------------------------------


def test_a_connection_counts_for_the_address_that_its_proxy_names(bench):
    connection = bench.come()
    assert bench.admission._unregistered == {PROXY: 1}
    bench.receive(connection, header() + LINE)
    assert bench.heard(connection) == [Pong(id=1)]
    assert connection.address == USER
    assert bench.admission._unregistered == {USER: 1}
    bench.receive(connection, Register(name="ana"))
    assert bench.admission._unregistered == {}
    assert connection.session.address == USER


def test_a_header_is_read_once_though_nothing_comes_with_it():
    bench = Bench(max_unregistered_per_address=1)
    connection = bench.come()
    bench.receive(connection, b"PROXY UNKNOWN\r\n")
    bench.come()
    bench.receive(connection, LINE)
    assert bench.heard(connection) == [Pong(id=1)]
    bench.close()


def test_a_header_may_come_in_pieces_and_before_anything_else(bench):
    connection = bench.come()
    head = header()
    for start in range(len(head)):
        bench.receive(connection, head[start : start + 1])
        assert connection.state is State.UNREGISTERED
    bench.receive(connection, LINE)
    assert bench.heard(connection) == [Pong(id=1)]
    bench.receive(connection, Ping(id=2))
    assert bench.heard(connection) == [Pong(id=2)]


def test_a_proxy_that_sends_no_header_is_told_so_and_finished(bench):
    connection = bench.come()
    bench.receive(connection, LINE)
    assert b'"error"' in bench.said(connection)
    assert connection.state is State.DRAINING
    assert bench.observer.refused == {NO_PROXY_HEADER: 1}
    assert not any(b'"pong"' in line for line in bench.said(connection).splitlines())


def test_a_refusal_for_want_of_a_header_is_in_the_form_of_what_was_said(bench):
    connection = bench.come()
    bench.receive(connection, b"GET / HTTP/1.1\r\n\r\n")
    assert bench.said(connection).startswith(b"HTTP/1.1 ")


def test_whoever_comes_through_a_proxy_from_a_denied_address_is_closed_without_a_word(caplog):
    caplog.set_level("INFO", "tertulia.server")
    bench = Bench(deny=(ipaddress.ip_network("192.0.2.0/24"),))
    connection = bench.come()
    bench.receive(connection, header() + LINE)
    assert connection.state is State.CLOSED
    assert socket_of(connection).sent == b""
    assert bench.observer.refused == {ADDRESS_DENIED: 1}
    assert len(caplog.messages) == 1
    assert bench.admission._unregistered == {}
    other = bench.come()
    bench.receive(other, header("192.0.3.1") + LINE)
    assert bench.heard(other) == [Pong(id=1)]
    bench.close()


@pytest.mark.parametrize("network", ["192.0.2.0/24", "10.0.0.0/24"])
def test_whoever_is_not_named_by_the_proxy_is_admitted_only_if_the_proxy_itself_is(network):
    bench = Bench(allow=(ipaddress.ip_network(network),))
    connection = bench.come()
    bench.receive(connection, b"PROXY UNKNOWN\r\n" + LINE)
    if ipaddress.ip_address(PROXY) in ipaddress.ip_network(network):
        assert bench.heard(connection) == [Pong(id=1)]
    else:
        assert connection.state is State.CLOSED
        assert socket_of(connection).sent == b""
    bench.close()


def test_of_one_named_address_there_may_be_only_so_many_unregistered_connections():
    bench = Bench(max_unregistered_per_address=1)
    first, second, third = (bench.come() for _ in range(3))
    bench.receive(first, header() + LINE)
    assert bench.heard(first) == [Pong(id=1)]
    bench.receive(second, header() + b"GET / HTTP/1.1\r\n\r\n")
    assert bench.said(second).startswith(b"HTTP/1.1 503 ")
    assert second.state is State.DRAINING
    assert bench.observer.refused == {"server_full": 1}
    bench.receive(third, header("192.0.2.2") + LINE)
    assert bench.heard(third) == [Pong(id=1)]
    assert bench.admission._unregistered == {USER: 2, "192.0.2.2": 1}
    bench.close()


def test_a_proxy_that_speaks_for_itself_keeps_its_own_place():
    bench = Bench(max_unregistered_per_address=1)
    connection = bench.come()
    bench.receive(connection, header(PROXY) + LINE)
    assert bench.heard(connection) == [Pong(id=1)]
    assert bench.admission._unregistered == {PROXY: 1}
    bench.close()


@pytest.mark.parametrize(
    ("head", "is_noted"),
    [
        (b"", False),
        (header(PROXY), False),
        (b"PROXY UNKNOWN\r\n", False),
        (header(), True),
        (header(PROXY) + b"{", True),
        (header(PROXY) + b"G", True),
    ],
)
def test_the_end_of_a_proxy_that_only_looks_whether_the_server_lives_is_not_noted(
    bench, caplog, head, is_noted
):
    caplog.set_level("INFO", "tertulia.server")
    connection = bench.come()
    if head:
        bench.receive(connection, head)
    socket_of(connection).error = ConnectionResetError()
    bench.ready(connection, READABLE)
    assert connection.state is State.CLOSED
    assert bool(caplog.messages) is is_noted


@pytest.mark.parametrize(
    ("head", "address"),
    [(header(), USER), (header(PROXY), PROXY), (b"PROXY UNKNOWN\r\n", None)],
)
def test_what_is_not_for_everyone_depends_on_the_address_that_was_named(bench, head, address):
    connection = bench.come()
    entrance: Any = connection.door
    assert entrance.client_address is None
    bench.receive(connection, head)
    assert entrance.client_address == address


# --- the first bytes -----------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [HeaderRule.NONE, HeaderRule.REQUIRED])
def test_the_first_bytes_may_come_one_by_one(bench, rule):
    connection = bench.come(rule)
    head = header() if rule is HeaderRule.REQUIRED else b""
    request = head + b"GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for start in range(len(request)):
        assert bench.said(connection) == b""
        assert connection.state is State.UNREGISTERED
        bench.receive(connection, request[start : start + 1])
    assert bench.said(connection).startswith(b"HTTP/1.1 404 ")
    assert bench.observer.faults == 0


# --- an answer that another thread prepares ------------------------------------------------------


class Later:
    """An answer that comes when the test says so."""

    def __init__(self) -> None:
        self.askers: list[Asker] = []

    def ask(self, asker: Asker) -> None:
        self.askers.append(asker)


class Pieces:
    """The rest of an answer, in pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = [*pieces, b""]

    def next_piece(self) -> bytes:
        return self._pieces.pop(0)


def wait_for_answer(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> tuple[Connection, Later]:
    connection, later = bench.come(HeaderRule.NONE), Later()
    monkeypatch.setattr(OpenEntrance, "open", lambda *_: Opened(later=later))
    bench.receive(connection, b"GET /client HTTP/1.1\r\n")
    assert connection.hold is Hold.ANSWER
    return connection, later


def test_a_connection_is_held_until_its_answer_is_ready_and_ends_with_it(bench, monkeypatch):
    connection, later = wait_for_answer(bench, monkeypatch)
    opened = Opened(answer=b"the answer")
    later.askers[0].answer(opened)
    assert bench.read_mail() == [Answered(connection, opened)]
    assert connection.hold is NOT_HELD
    assert connection.state is State.FINISHING
    assert connection.deadline == bench.clock.s + bench.shared.config.register_timeout_s
    assert bench.said(connection) == b"the answer"
    assert connection.state is State.DRAINING


def test_an_answer_for_a_connection_that_has_ended_is_nobodys(bench, monkeypatch):
    connection, later = wait_for_answer(bench, monkeypatch)
    bench.dispatcher._say_goodbye(connection)
    said = bench.said(connection)
    later.askers[0].answer(Opened(answer=b"the answer"))
    bench.read_mail()
    assert bench.said(connection) == said
    assert bench.observer.faults == 0


def test_an_answer_that_is_read_piece_by_piece_goes_out_to_its_end(bench, monkeypatch):
    connection, later = wait_for_answer(bench, monkeypatch)
    later.askers[0].answer(Opened(answer=b"head ", source=Pieces(b"one ", b"two")))
    bench.read_mail()
    assert bench.said(connection) == b"head one two"
    assert connection.state is State.DRAINING


def test_an_answer_for_a_connection_that_is_closed_already_is_not_kept(bench, monkeypatch):
    connection, later = wait_for_answer(bench, monkeypatch)
    bench.connections.close(connection, CloseReason.LOST)
    later.askers[0].answer(Opened(source=Pieces(b"one"), refused="tls_required"))
    bench.read_mail()
    assert connection.source is None
    assert bench.observer.refused == {}


def test_an_answer_for_a_connection_that_waits_for_none_is_dropped(bench):
    connection = bench.come(HeaderRule.NONE)
    bench.dispatcher.read_mail(Answered(connection, Opened(answer=b"the answer")))
    assert bench.said(connection) == b""
    assert connection.state is State.UNREGISTERED


def test_a_connection_that_is_refused_at_its_entrance_is_counted(bench):
    offer = Offer(Site({}, ()), requires_tls=True)
    bench.connections._new_door = functools.partial(OpenEntrance, offer)
    newcomer = bench.connect(USER)
    bench.receive(newcomer, LINE)
    assert b'"tls_required"' in bench.said(newcomer)
    assert bench.observer.refused == {"tls_required": 1}


@pytest.mark.parametrize(
    ("rule", "head", "is_refused"),
    [
        (HeaderRule.NONE, b"", True),
        (HeaderRule.REQUIRED, header(), True),
        (HeaderRule.OPTIONAL, b"", False),
        (HeaderRule.OPTIONAL, header(), False),
    ],
)
def test_where_tls_is_required_only_the_local_socket_may_do_without(bench, rule, head, is_refused):
    offer = Offer(Site({}, ()), requires_tls=True)
    bench.connections._new_door = functools.partial(OpenEntrance, offer)
    connection = bench.come(rule)
    bench.receive(connection, head + LINE)
    assert bench.observer.refused == ({"tls_required": 1} if is_refused else {})
    assert (b'"pong"' in bench.said(connection)) != is_refused


def test_a_post_to_a_hook_without_a_body_is_answered_at_once(bench):
    connection = bench.come(HeaderRule.NONE)
    head = b"POST /hook/none HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
    bench.receive(connection, head)
    assert bench.said(connection).startswith(b"HTTP/1.1 404 ")
    assert connection.state is State.DRAINING
