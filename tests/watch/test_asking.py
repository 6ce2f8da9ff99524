"""A look at a server, and every way in which it can fail."""

import contextlib
import io
import os
import socket
import threading

import pytest
from seen import taken

from tertulia.i18n import set_language
from tertulia.protocol.lines import encode
from tertulia.protocol.messages import CloseReason, Closing, Error, ErrorCode, Ping
from tertulia.server.console.place import console_path, listen_for_consoles
from tertulia.watch import asking
from tertulia.watch.asking import Asking, NotSeen, NotServing

PORT = 5_000
ANSWER = encode(taken(total=7))


@pytest.fixture
def server(tmp_path):
    """Return a function that answers the lines of each connection in turn, each by bytes."""
    listener = listen_for_consoles(console_path(tmp_path, PORT))
    listener.setblocking(True)
    threads = []

    def serve(*connections: list[bytes]) -> Asking:
        def run() -> None:
            for answers in connections:
                sock, _ = listener.accept()
                # A viewer that has what it wants, or waits no more, goes.
                with sock, sock.makefile("rb") as lines, contextlib.suppress(OSError):
                    for answer in answers:
                        asked.append(lines.readline())
                        sock.sendall(answer)

        threads.append(threading.Thread(target=run, daemon=True))
        threads[0].start()
        return Asking(tmp_path, PORT)

    asked: list[bytes] = []

    def all_asked() -> list[bytes]:
        threads[0].join(20)
        assert not threads[0].is_alive()
        return asked

    serve.all_asked = all_asked
    yield serve
    all_asked()
    listener.close()


def numbered(number: int) -> bytes:
    return ANSWER.replace(b'{"type":"measures"', b'{"type":"measures","id":%d' % number)


def test_each_look_over_one_connection_is_answered_and_a_ping_in_between_too(server):
    asked = server([numbered(1), encode(Ping(id=4)) + numbered(2), b""])
    assert asked.look().measures.traffic.messages == 7
    assert asked.look().id == 2
    asked.close()
    assert server.all_asked() == [
        b'{"type":"take_measures","id":1}\n',
        b'{"type":"take_measures","id":2}\n',
        b'{"type":"pong","id":4}\n',
    ]


def test_figures_for_another_question_are_no_answer(server):
    asked = server([numbered(7) + numbered(1)])
    assert asked.look().id == 1
    asked.close()


def test_after_a_server_that_stops_the_next_look_finds_the_one_that_is_there_then(server):
    asked = server([encode(Closing(reason=CloseReason.SHUTDOWN))], [numbered(2)])
    with pytest.raises(NotSeen, match="the server has stopped"):
        asked.look()
    assert asked.look().id == 2
    asked.close()


def test_the_half_line_of_a_server_that_stops_is_forgotten(server):
    asked = server([numbered(1)[:20]], [numbered(2)])
    with pytest.raises(NotSeen, match="the server has stopped"):
        asked.look()
    assert asked.look().id == 2
    asked.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (encode(Error(id=1, code=ErrorCode.UNKNOWN_TYPE, message="no")), "another version"),
        (b'{"type":"measures","id":1,"strange":true}\n', "another version"),
        (encode(Error(code=ErrorCode.NOT_OPERATOR, message="too many consoles")), "too many"),
        (b"", "the server has stopped"),
    ],
)
def test_a_server_that_does_not_show_itself_is_named(server, answer, words):
    asked = server([answer])
    with pytest.raises(NotSeen, match=words):
        asked.look()


def test_a_silent_server_is_not_waited_for_for_ever(server, monkeypatch):
    monkeypatch.setattr(asking, "_ANSWER_WITHIN_S", 0.05)
    asked = server([b'{"type":"ping"}\n', b"", b""])
    with pytest.raises(NotSeen, match="does not answer"):
        asked.look()


@pytest.mark.parametrize(
    ("owner", "words"),
    [
        (None, "no server runs on port 5000: start one with tertulia-server 5000"),
        (os.geteuid(), "a program of yours listens on port 5000"),
        (
            os.geteuid() + 4_321,
            f"belongs to the user {os.geteuid() + 4_321}: run this as that user",
        ),
    ],
)
def test_where_nobody_serves_it_is_said_whose_port_that_is(tmp_path, monkeypatch, owner, words):
    monkeypatch.setattr(asking, "listener_of", lambda port: owner if port == PORT else None)
    for lang in ("es", "en"):
        set_language(lang)
        with pytest.raises(NotServing) as problem:
            Asking(tmp_path, PORT).look()
    assert words in str(problem.value)
    assert problem.value.short == "no server on this port"


def test_the_first_row_of_a_table_is_its_heading_and_the_second_a_socket(monkeypatch):
    heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid"
    zeros = "00000000:00000000 00:00000000 00000000"
    row = f"   0: 0100007F:1388 00000000:0000 0A {zeros}  4321        0 77 1"
    tables = {"/proc/net/tcp": [heading, row], "/proc/net/tcp6": [heading]}
    monkeypatch.setattr(
        asking, "open", lambda path, **_: io.StringIO("\n".join(tables[path])), raising=False
    )
    assert asking.listener_of(5_000) == 4_321
    assert asking.listener_of(5_001) is None


def test_the_user_who_listens_on_a_port_is_known() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert asking.listener_of(port) == os.geteuid()
        with socket.create_connection(("127.0.0.1", port)) as client:
            assert asking.listener_of(client.getsockname()[1]) is None, "it only connects"
    assert asking.listener_of(port) is None
