"""Making a connection, and its thread: what it reports, what it sends, and how it ends."""

import contextlib
import errno
import json
import socket
import threading
from collections.abc import Iterator
from queue import Queue
from types import SimpleNamespace
from typing import Any

import pytest

from tertulia.client import connection
from tertulia.client.connection import Connection, open_socket
from tertulia.client.errors import ConnectFailure, End, EndReason, NoConnection
from tertulia.client.waiter import is_ready
from tertulia.protocol.lines import encode
from tertulia.protocol.messages import Ping, Pong, Say, ServerMessage

WAIT_S = 20.0


class Line:
    """A connection whose other end is the test, and what it reports."""

    def __init__(self) -> None:
        mine, self.peer = _connected_sockets()
        self.peer.settimeout(WAIT_S)
        self._file = self.peer.makefile("rb")
        self.messages: list[ServerMessage | None] = []
        self.ends: list[End] = []
        self._ended = threading.Event()
        self.pauses = 0
        self.connection = Connection(
            mine, on_message=self._on_message, on_pause=self._on_pause, on_end=self._on_end
        )
        self.connection.start()

    def _on_message(self, message: ServerMessage | None, _line: bytes) -> None:
        self.messages.append(message)

    def _on_pause(self) -> None:
        self.pauses += 1

    def _on_end(self, end: End) -> None:
        self.ends.append(end)
        self._ended.set()

    def receive(self) -> dict[str, Any] | None:
        """Read the next line that the connection sends; None at its end."""
        line = self._file.readline()
        return json.loads(line) if line else None

    def wait_for_end(self) -> End:
        assert self._ended.wait(WAIT_S)
        assert len(self.ends) == 1
        return self.ends[0]

    def close(self) -> None:
        self._file.close()
        self.peer.close()
        self.connection.close()
        self.wait_for_end()


def _connected_sockets() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        mine = socket.create_connection(listener.getsockname())
        peer, _address = listener.accept()
        return mine, peer


@pytest.fixture
def line() -> Iterator[Line]:
    with contextlib.closing(Line()) as line:
        yield line


# --- making a connection -----------------------------------------------------------------------


def test_a_family_of_addresses_that_the_kernel_lacks_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_socket = socket.socket

    def without_ipv6(family: int, *rest: Any, **options: Any) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return make_socket(family, *rest, **options)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        found = [
            (socket.AF_INET6, socket.SOCK_STREAM, 0, "", ("::1", port, 0, 0)),
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_asked: found)
        monkeypatch.setattr(socket, "socket", without_ipv6)
        sock = open_socket("localhost", port, None, WAIT_S)
        monkeypatch.undo()
        assert sock.getpeername() == ("127.0.0.1", port)
        sock.close()


def test_nobody_listening_is_refused() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(NoConnection) as error:
            open_socket("127.0.0.1", unused.getsockname()[1], None, WAIT_S)
    assert error.value.failure is ConnectFailure.REFUSED


@pytest.mark.parametrize("source", ["203.0.113.9", "nonsense", "2001:db8::9", "", "a\udc80"])
def test_a_source_that_is_no_address_of_this_machine_is_told(source: str) -> None:
    with pytest.raises(NoConnection) as error:
        open_socket("::1" if ":" in source else "127.0.0.1", 9, source, WAIT_S)
    assert error.value.failure is ConnectFailure.SOURCE


@pytest.mark.parametrize("host", ["a..b", "x" * 300, "a\udc80b"])
def test_a_host_that_cannot_be_is_unknown(host: str) -> None:
    with pytest.raises(NoConnection) as error:
        open_socket(host, 9, None, WAIT_S)
    assert error.value.failure is ConnectFailure.UNKNOWN_HOST


def test_a_source_of_another_family_reaches_nothing() -> None:
    with pytest.raises(NoConnection) as error:
        open_socket("::1", 9, "127.0.0.2", WAIT_S)
    assert error.value.failure is ConnectFailure.UNREACHABLE


@pytest.mark.parametrize(
    ("error", "source", "failure"),
    [
        (TimeoutError(), None, ConnectFailure.TIMED_OUT),
        (OSError(errno.ETIMEDOUT, "timed out"), None, ConnectFailure.TIMED_OUT),
        (OSError(errno.ENETUNREACH, "unreachable"), None, ConnectFailure.UNREACHABLE),
        (OSError(errno.EHOSTUNREACH, "no route"), None, ConnectFailure.UNREACHABLE),
        (OSError(errno.EINVAL, "invalid"), "127.0.0.1", ConnectFailure.UNREACHABLE),
        (OSError(errno.EINVAL, "invalid"), None, ConnectFailure.OTHER),
        (OSError(errno.EACCES, "forbidden"), None, ConnectFailure.OTHER),
    ],
)
def test_each_failure_of_the_system_has_its_cause(
    monkeypatch: pytest.MonkeyPatch, error: OSError, source: str | None, failure: ConnectFailure
) -> None:
    class Unconnectable(socket.socket):
        def connect(self, _address: Any) -> None:
            raise error

    monkeypatch.setattr(connection.socket, "socket", Unconnectable)
    with pytest.raises(NoConnection) as no_connection:
        open_socket("127.0.0.1", 9, source, WAIT_S)
    assert no_connection.value.failure is failure


# --- a connection in use -----------------------------------------------------------------------


def test_a_message_that_arrives_in_two_pieces_is_reported_once(line: Line) -> None:
    data = encode(Pong(id=1))
    line.peer.sendall(data[:5])
    line.peer.sendall(data[5:] + encode(Ping(id=7)))
    assert line.receive() == {"type": "pong", "id": 7}  # after which all before it is reported
    assert line.messages == [Pong(id=1), Ping(id=7)]


def test_a_message_of_an_unknown_type_is_reported_as_such(line: Line) -> None:
    line.peer.sendall(b'{"type":"from_the_future"}\n' + encode(Ping(id=7)))
    line.receive()
    assert line.messages == [None, Ping(id=7)]


def test_what_is_sent_arrives_in_its_order(line: Line) -> None:
    for text in ("one", "two"):
        line.connection.send(encode(Say(text=text)))
    assert [line.receive(), line.receive()] == [
        {"type": "say", "text": "one"},
        {"type": "say", "text": "two"},
    ]


@pytest.mark.parametrize(
    ("last_bytes", "reason", "detail"),
    [
        (b"", EndReason.LOST, "by the server"),
        (b'{"type":"pong', EndReason.LOST, "in the middle of a line"),
        (b"nonsense\n", EndReason.GARBLED, None),
    ],
)
def test_the_end_is_reported_once_with_its_reason(
    line: Line, last_bytes: bytes, reason: EndReason, detail: str | None
) -> None:
    line.peer.sendall(last_bytes)
    line.peer.shutdown(socket.SHUT_WR)
    end = line.wait_for_end()
    assert end.reason is reason
    assert detail is None or end.detail == detail


def test_what_was_sent_before_closing_goes_out_before_quit_and_nothing_after_it(line: Line) -> None:
    line.connection.send(encode(Say(text="last words")))
    closing = threading.Thread(target=line.connection.close)
    closing.start()
    assert [line.receive(), line.receive()] == [
        {"type": "say", "text": "last words"},
        {"type": "quit"},
    ]
    line.connection.send(encode(Say(text="too late")))
    line.peer.shutdown(socket.SHUT_WR)
    closing.join(WAIT_S)
    assert line.wait_for_end() == End(EndReason.CLOSED)
    assert line.receive() is None
    line.connection.close()  # again, and nothing happens


def _not_started() -> tuple[Connection, socket.socket, Queue[End]]:
    """Return a connection whose thread does not run yet, its peer, and what it ends with."""
    mine, peer = _connected_sockets()
    ends: Queue[End] = Queue()
    new = Connection(mine, on_message=lambda *_: None, on_pause=lambda: None, on_end=ends.put)
    return new, peer, ends


def test_an_outbox_that_overflows_wakes_the_thread_which_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = encode(Say(text="hola"))
    monkeypatch.setattr(connection, "MAX_OUTBOX_BYTES", 2 * len(data))
    full, peer, ends = _not_started()
    with peer:
        for _ in range(2):
            full.send(data)
        # As if the thread had woken up for them, and now waited until the server reads.
        full._wake_receiver.recv(4_096)
        assert full._check_life() is None
        full.send(data)
        assert is_ready(full._wake_receiver, sends=False, within_s=0.0)
        assert full._outbox == 2 * data
        full.start()
        assert ends.get(timeout=WAIT_S) == End(EndReason.LOST, "the server has stopped reading")


def test_a_callback_may_close_the_connection() -> None:
    mine, peer = _connected_sockets()
    ended = threading.Event()
    in_use: list[Connection] = []
    in_use.append(
        Connection(
            mine,
            on_message=lambda _message, _line: in_use[0].close(),
            on_pause=lambda: None,
            on_end=lambda _end: ended.set(),
        )
    )
    in_use[0].start()
    with peer:
        peer.sendall(encode(Pong(id=1)))
        peer.shutdown(socket.SHUT_WR)
        assert ended.wait(WAIT_S)


def test_a_silent_server_has_thirty_seconds_until_a_ping_and_fifteen_to_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1_000.0
    monkeypatch.setattr(connection, "time", SimpleNamespace(monotonic=lambda: now))
    silent, peer, ends = _not_started()
    with peer:
        for moment, deadline in [(1_029.9, 1_030.0), (1_030.0, 1_045.0), (1_044.9, 1_045.0)]:
            now = moment
            assert silent._check_life() is None
            assert silent._deadline() == deadline
        assert silent._outbox == encode(Ping())
        now = 1_045.0
        silent.start()
        assert ends.get(timeout=WAIT_S).reason is EndReason.SILENT
