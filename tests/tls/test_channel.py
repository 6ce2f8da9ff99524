"""TLS over a socket that blocks, cuts and ends wherever it likes."""

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator

import pytest
from tls_pair import TlsPair, received, server_side

from tertulia.tls.channel import TlsChannel
from tertulia.tls.contexts import client_context

SOME = bytes(range(256)) * 40  # less than a record
MUCH = bytes(range(251)) * 4_000  # a megabyte


@pytest.fixture
def make_pair() -> Iterator[Callable[..., TlsPair]]:
    """Make pairs that have not shaken hands yet."""
    with contextlib.ExitStack() as pairs:

        def make(*arguments: ssl.SSLContext, **options: int) -> TlsPair:
            pair = TlsPair(*arguments, **options)
            pairs.callback(pair.close)
            return pair

        yield make


@pytest.fixture
def pair(make_pair: Callable[..., TlsPair]) -> TlsPair:
    return make_pair().shake_hands()


@pytest.fixture
def narrow(make_pair: Callable[..., TlsPair]) -> TlsPair:
    """A pair whose sockets take little at a time."""
    return make_pair(buffer_bytes=4_608).shake_hands()


def send_all(channel: TlsChannel, data: bytes, read: TlsChannel) -> bytes:
    """Send as a connection does: what was not taken is the beginning of the next call."""
    got, out = b"", bytearray(data)
    while out:
        try:
            sent = channel.send(out)
        except BlockingIOError:
            sent = 0
        assert 0 <= sent <= len(out)
        del out[:sent]
        got += received(read)
    return got + received(read)


def fill_up(sock: socket.socket) -> None:
    """Send so much that the socket takes nothing more."""
    fill = b"\x00" * 65_536
    with contextlib.suppress(BlockingIOError):
        while True:
            sock.send(fill)


def test_what_is_sent_arrives_in_both_directions(pair: TlsPair) -> None:
    assert pair.server.send(SOME) == len(SOME)
    assert received(pair.client) == SOME
    assert pair.client.send(b"x") == 1
    assert received(pair.server) == b"x"


@pytest.mark.parametrize("size", [1, 2, 16_383, 16_384, 16_385, len(MUCH)])
def test_however_little_the_socket_takes_everything_arrives_once_and_in_order(
    narrow: TlsPair, size: int
) -> None:
    assert send_all(narrow.server, MUCH[:size], narrow.client) == MUCH[:size]
    assert not narrow.server.has_unsent


def test_a_full_socket_leaves_at_least_one_byte_to_the_caller(narrow: TlsPair) -> None:
    assert narrow.server.send(SOME) == len(SOME) - 1
    assert narrow.server.has_unsent
    with pytest.raises(BlockingIOError):
        narrow.server.send(SOME[-1:])
    with pytest.raises(BlockingIOError):
        narrow.server.send(SOME[-1:])
    assert received(narrow.client) != SOME
    assert send_all(narrow.server, SOME[-1:], narrow.client)
    assert not narrow.server.has_unsent


def test_other_bytes_may_follow_the_rest_of_what_was_refused(narrow: TlsPair) -> None:
    """A worker puts a private line behind the rest of a cut slice: here SSLSocket would fail."""
    sent = narrow.server.send(SOME)
    got = received(narrow.client)
    got += send_all(narrow.server, SOME[sent:] + b"private" + SOME, narrow.client)
    assert got == SOME + b"private" + SOME


def test_once_the_rest_is_taken_the_next_bytes_go_out_from_the_first_one_on(
    narrow: TlsPair,
) -> None:
    sent = narrow.server.send(SOME)
    got = received(narrow.client)
    got += send_all(narrow.server, SOME[sent:], narrow.client)
    got += send_all(narrow.server, b"again", narrow.client)
    assert got == SOME + b"again"


def test_a_byte_array_can_be_changed_after_it_was_sent(pair: TlsPair) -> None:
    data = bytearray(SOME)
    pair.server.send(data)
    del data[:]
    assert received(pair.client) == SOME


def test_all_that_one_read_has_brought_is_returned_at_once(pair: TlsPair) -> None:
    """A poller reports no bytes that are decrypted already."""
    for _ in range(100):
        pair.client.send(b"a line\n")
    assert pair.server.recv(65_536) == b"a line\n" * 100
    with pytest.raises(BlockingIOError):
        pair.server.recv(65_536)


def test_a_record_may_come_byte_by_byte(pair: TlsPair) -> None:
    pair.client.send(b"hello")
    got = b""
    for _ in range(5 + 5 + 1 + 16):  # of header, text, kind and tag
        got += received(pair.server, 1)
    assert got == b"hello"


def test_the_handshake_may_come_byte_by_byte(make_pair: Callable[..., TlsPair]) -> None:
    pair = make_pair()
    pair.greet()
    while not (pair.client.is_open and pair.server.is_open):
        received(pair.server, 1)
        received(pair.client, 1)
    pair.client.send(b"hello")
    assert received(pair.server) == b"hello"


def test_close_notify_is_the_end_and_what_came_before_it_is_kept(pair: TlsPair) -> None:
    pair.client.send(b"last")
    pair.client.say_end()
    assert pair.server.recv(65_536) == b"last"
    assert pair.server.recv(65_536) == b""


def test_after_close_notify_the_other_direction_goes_on(pair: TlsPair) -> None:
    pair.client.say_end()
    with pytest.raises(BlockingIOError):
        pair.server.recv(65_536)
    assert pair.server.recv(65_536) == b""
    pair.server.send(b"answer")
    assert received(pair.client) == b"answer"
    pair.server.shutdown()
    assert received(pair.client) == b""


def test_an_end_without_close_notify_is_an_end_too(pair: TlsPair) -> None:
    pair.client_socket.shutdown(socket.SHUT_WR)
    assert pair.server.recv(65_536) == b""


def test_before_the_handshake_nothing_can_be_sent_and_no_error_of_tls_says_try_again(
    make_pair: Callable[..., TlsPair],
) -> None:
    pair = make_pair()
    with pytest.raises(ConnectionError):
        pair.server.send(b"too early")
    with pytest.raises(BlockingIOError):
        pair.server.recv(65_536)
    pair.server.shutdown()
    assert pair.client_socket.recv(100) == b""


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\xff\xff" + b"x" * 70_000, b"\x16" * 1_000], ids=["long", "short"]
)
def test_garbage_is_an_error(make_pair: Callable[..., TlsPair], garbage: bytes) -> None:
    pair = make_pair()
    pair.client_socket.send(garbage)
    with pytest.raises(ssl.SSLError):
        received(pair.server)


def test_a_changed_record_is_an_error(pair: TlsPair) -> None:
    pair.client.send(b"hello")
    record = bytearray(pair.server_socket.recv(65_536))
    record[-1] ^= 1
    pair.client_socket.send(record)
    with pytest.raises(ssl.SSLError):
        pair.server.recv(65_536)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_carry_everything(
    make_pair: Callable[..., TlsPair], version: ssl.TLSVersion
) -> None:
    context = client_context()
    context.maximum_version = version
    pair = make_pair(context, buffer_bytes=4_608).shake_hands()
    assert send_all(pair.server, MUCH, pair.client) == MUCH
    assert send_all(pair.client, MUCH, pair.server) == MUCH


def test_an_older_version_is_refused(make_pair: Callable[..., TlsPair]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    pair = make_pair(context)
    pair.greet()
    with pytest.raises(ssl.SSLError, match=r"UNSUPPORTED_PROTOCOL|NO_PROTOCOLS|VERSION"):
        received(pair.server)


def test_nobody_can_resume_and_nothing_is_compressed(pair: TlsPair) -> None:
    assert server_side().num_tickets == 0
    for flag in (ssl.OP_NO_TICKET, ssl.OP_NO_RENEGOTIATION, ssl.OP_NO_COMPRESSION):
        assert server_side().options & flag
    assert pair.client._tls.compression() is None
    received(pair.client)
    assert not pair.client._tls.session_reused


def test_the_two_agree_on_the_protocol(pair: TlsPair) -> None:
    assert pair.server.alpn == pair.client.alpn == "tertulia"


def test_without_a_protocol_in_common_there_is_none(make_pair: Callable[..., TlsPair]) -> None:
    context = client_context()
    context.set_alpn_protocols(["h2"])
    pair = make_pair(context).shake_hands()
    assert pair.server.alpn is None


def test_a_read_for_a_step_computes_nothing_and_says_that_the_step_is_due(
    make_pair: Callable[..., TlsPair],
) -> None:
    pair = make_pair()
    with pytest.raises(BlockingIOError):
        pair.server.recv_for_step(65_536)
    assert not pair.server.is_step_due
    pair.greet()
    with pytest.raises(BlockingIOError):
        pair.server.recv_for_step(65_536)
    assert pair.server.is_step_due
    with pytest.raises(BlockingIOError):
        pair.client.recv(65_536)
    pair.server.prepare_step()
    assert not pair.server.is_step_due
    pair.client_socket.close()
    pair.server.compute_step()
    assert pair.server.recv_for_step(65_536) == b""


def test_why_a_step_that_another_thread_has_taken_failed_is_said_at_each_later_read(
    make_pair: Callable[..., TlsPair],
) -> None:
    pair = make_pair()
    pair.client_socket.send(b"\x16\x03\x01\xff\xff" + b"x" * 70_000)
    with pytest.raises(BlockingIOError):
        pair.server.recv_for_step(65_536)
    pair.server.prepare_step()
    pair.server.compute_step()
    for _ in range(2):
        with pytest.raises(ssl.SSLError, match="PACKET_LENGTH_TOO_LONG"):
            pair.server.decrypt()
    assert pair.client_socket.recv(100)[:1] == b"\x15", "the client gets an alert"


def test_while_another_thread_takes_a_step_nothing_is_read_or_sent(
    make_pair: Callable[..., TlsPair],
) -> None:
    pair = make_pair()
    pair.server.prepare_step()
    pair.server._outgoing.write(b"a part of what the other thread is making")
    pair.client_socket.send(b"more")
    with pytest.raises(BlockingIOError):
        pair.server.recv_for_step(65_536)
    with pytest.raises(BlockingIOError):
        pair.server.send(b"x")
    pair.server.say_end()
    with pytest.raises(BlockingIOError):
        pair.client_socket.recv(100)
    assert pair.server_socket.recv(100) == b"more"


def test_a_client_that_takes_no_answers_of_tls_itself_may_have_64_kib_of_them_waiting(
    make_pair: Callable[..., TlsPair],
) -> None:
    pair = make_pair()
    fill_up(pair.server_socket)
    pair.server._unsent = bytes(65_536 - 1)
    pair.server._outgoing.write(b"x")
    with pytest.raises(BlockingIOError):
        pair.server.decrypt()
    pair.server._outgoing.write(b"x")
    with pytest.raises(ConnectionError, match="too many requests"):
        pair.server.decrypt()


def test_a_handshake_that_the_socket_does_not_take_goes_on_later(
    make_pair: Callable[..., TlsPair],
) -> None:
    pair = make_pair(buffer_bytes=4_608)
    pair.greet()
    fill_up(pair.server_socket)
    with pytest.raises(BlockingIOError):
        pair.server.recv(65_536)
    assert pair.server.has_unsent
    assert not pair.server.flush()
    with contextlib.suppress(BlockingIOError):
        while pair.client_socket.recv(65_536):
            pass
    assert pair.server.flush()
    assert not pair.server.has_unsent


@pytest.mark.parametrize("has_room", [True, False])
def test_close_notify_comes_after_the_bytes_that_the_socket_had_not_taken(
    narrow: TlsPair, has_room: bool
) -> None:
    narrow.server.send(SOME)
    assert narrow.server.has_unsent
    got = received(narrow.client) if has_room else b""
    narrow.server.say_end()
    got += received(narrow.client)
    while narrow.server.has_unsent:
        narrow.server.flush()
        got += received(narrow.client)
    assert got == SOME
    assert narrow.client.recv(65_536) == b""


def test_an_alert_comes_after_the_bytes_that_the_socket_had_not_taken(
    make_pair: Callable[..., TlsPair],
) -> None:
    pair = make_pair(buffer_bytes=4_608)
    pair.greet()
    fill_up(pair.server_socket)
    received(pair.server)
    unsent = pair.server._unsent
    assert unsent
    pair.client_socket.send(b"\x17\x03\x03\x00\x20" + b"x" * 32)
    with pytest.raises(ssl.SSLError):
        received(pair.server)
    assert pair.server._unsent.startswith(unsent)
    assert len(pair.server._unsent) > len(unsent)
