"""From where users may come: --allow and --deny, from outside."""

import contextlib
import re

from peers import BOTH_THREAD_MODELS


def is_closed_without_a_word(server, source, data=b""):
    """Connect, send something perhaps, and return whether the server closes and says nothing."""
    peer = server.peer(source, tls=None)
    with contextlib.suppress(ConnectionError):
        if data:
            peer.send_raw(data)
        return peer.socket.recv(1) == b""
    return True


@BOTH_THREAD_MODELS
def test_only_those_who_are_allowed_come_in(start_server):
    server = start_server("--allow", "127.0.40.0/24", "--allow", "127.0.41.7")
    server.user("ana", "127.0.40.9")
    server.user("luis", "127.0.41.7")
    for source in ("127.0.41.8", "127.0.0.1"):
        assert is_closed_without_a_word(server, source)
        assert is_closed_without_a_word(server, source, b'{"type":"register","name":"eva"}\n')
        assert is_closed_without_a_word(server, source, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")


@BOTH_THREAD_MODELS
def test_whoever_is_denied_stays_out_even_if_allowed(start_server):
    server = start_server("--allow", "127.0.40.0/24", "--deny", "127.0.40.128/25")
    server.user("ana", "127.0.40.127")
    assert is_closed_without_a_word(server, "127.0.40.128")


def test_with_deny_alone_everyone_else_comes_in(start_server):
    server = start_server("--deny", "127.0.40.0/24")
    server.user("ana")
    assert is_closed_without_a_word(server, "127.0.40.1")


def test_those_who_are_denied_fill_no_log_and_take_no_place(start_server):
    server = start_server("--deny", "127.0.40.0/24", "--max-users", "1", "--max-unregistered", "1")
    for _ in range(100):
        assert is_closed_without_a_word(server, "127.0.40.1")
    server.user("ana")
    log = server.wait_for_log("joined name=ana")
    assert len(re.findall("127.0.40.1", log)) == 1
    assert "refused address=127.0.40.1 code=address_denied" in log
