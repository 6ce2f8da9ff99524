"""The TLS handshake of a client: which servers are accepted, and what is said about the others."""

import contextlib
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from client_fixtures import ScriptedPeer, ScriptedServer
from tls_pair import certificate, over_tls

from tertulia.client import handshake
from tertulia.client.errors import (
    CertificateRefused,
    ConnectFailure,
    NoConnection,
    RegistrationRefused,
)
from tertulia.client.handshake import Secured, secure
from tertulia.server.certificates import authority
from tertulia.tls.contexts import server_context
from tertulia.tls.fingerprint import Fingerprint, certificate_in

WAIT_S = 20.0
SHORT_S = 0.05
OWN = Fingerprint.of_certificate(certificate_in(certificate().decode()))
OTHER = Fingerprint(bytes(32))
HANDSHAKE_FAILURE, INTERNAL_ERROR, NO_APPLICATION_PROTOCOL = (
    b"\x15\x03\x03\x00\x02\x02" + bytes([number]) for number in (40, 80, 120)
)

Script = Callable[[ScriptedPeer], None]
ShakeHands = Callable[..., Secured]


class NarrowSocket(socket.socket):
    """A socket that accepts few bytes at a time."""

    def send(self, data: Any, flags: int = 0, /) -> int:
        return super().send(bytes(data)[:200], flags)


@pytest.fixture
def shake_hands(scripted_server: Callable[..., ScriptedServer]) -> Any:
    """Return a function that performs the handshake with a server that plays a script."""
    with contextlib.ExitStack() as sockets:

        def shake(
            script: Script,
            *,
            host: str = "localhost",
            context: ssl.SSLContext | None = None,
            pin: str | None = None,
            timeout: float = WAIT_S,
        ) -> Secured:
            with socket.create_connection(("127.0.0.1", scripted_server(script).port)) as sock:
                narrow = sockets.enter_context(NarrowSocket(fileno=sock.detach()))
            return secure(narrow, host, context, pin, timeout)

        yield shake


def expect_end(peer: ScriptedPeer) -> None:
    assert peer.receive() is None


def receive_record(peer: ScriptedPeer) -> None:
    with peer.socket.makefile("rb") as file:
        kind, _version, size = struct.unpack(">BHH", file.read(5))
        assert kind == 0x16
        assert len(file.read(size)) == size


def answer(data: bytes) -> Script:
    """Return a script that answers the first record with `data`, and ends the connection."""

    def play(peer: ScriptedPeer) -> None:
        receive_record(peer)
        peer.send_raw(data)

    return play


def stall_after(data: bytes) -> Script:
    """Return a script that sends `data`, and then nothing until the client goes."""

    def play(peer: ScriptedPeer) -> None:
        peer.send_raw(data)
        with contextlib.suppress(ConnectionError):
            while peer.socket.recv(65_536):
                pass

    return play


def trusting(pem: bytes) -> ssl.SSLContext:
    """Return a context that trusts the authority at the end of a file."""
    text = pem.decode()
    return ssl.create_default_context(cadata=text[text.rindex("-----BEGIN CERTIFICATE") :])


# --- certificates --------------------------------------------------------------------------------


@pytest.mark.parametrize("pin", [None, OWN.hex, OWN.words], ids=["none", "hex", "words"])
def test_the_expected_certificate_is_accepted(shake_hands: ShakeHands, pin: str | None) -> None:
    secured = shake_hands(over_tls(lambda _peer: None), pin=pin)
    assert secured.fingerprint == OWN
    assert secured.channel.is_open


@pytest.mark.parametrize("pin", [OTHER.hex, OTHER.words], ids=["hex", "words"])
def test_another_certificate_is_refused_and_the_server_learns_of_the_end(
    shake_hands: ShakeHands, pin: str
) -> None:
    is_left = threading.Event()

    def wait_for_end(peer: ScriptedPeer) -> None:
        expect_end(peer)
        is_left.set()

    with pytest.raises(CertificateRefused) as refused:
        shake_hands(over_tls(wait_for_end), pin=pin)
    assert (refused.value.pin, refused.value.shown) == (pin, OWN)
    assert is_left.wait(WAIT_S)


def test_an_authority_can_decide_instead_of_a_pin(shake_hands: ShakeHands) -> None:
    shake_hands(over_tls(lambda _peer: None), context=trusting(certificate()))
    with pytest.raises(CertificateRefused) as refused:
        shake_hands(expect_alert, context=ssl.create_default_context())
    assert (refused.value.pin, refused.value.shown) == (None, None)
    assert "certificate" in refused.value.detail


@pytest.mark.parametrize("host", ["chat.example", "127.0.0.2"])
def test_an_authority_decides_for_the_host_of_the_server_alone(
    shake_hands: ShakeHands, host: str
) -> None:
    with pytest.raises(CertificateRefused, match=f"'{re.escape(host)}'"):
        shake_hands(expect_alert, host=host, context=trusting(certificate()))


def test_a_certificate_for_an_address_is_good_in_every_zone(shake_hands: ShakeHands) -> None:
    now = datetime.now(UTC)
    ca = authority.make_authority("test", [], now)
    key = authority.new_key()
    made = authority.make_certificate(ca, ["fe80::1"], key, now)
    pem = authority.write(key, made, ca.certificate)
    script = over_tls(lambda _peer: None, server_context(pem, pem))
    shake_hands(script, host="fe80::1%eth0", context=trusting(pem))


def expect_alert(peer: ScriptedPeer) -> None:
    with pytest.raises(ssl.SSLError, match="ALERT"):
        over_tls(expect_end)(peer)


@pytest.mark.parametrize(
    ("host", "sent"),
    [
        ("chat.example", "chat.example"),
        ("localhost", "localhost"),
        ("127.0.0.1", None),
        ("fe80::a", None),
        ("fe80::1%eth", None),
        ("ñandú.example", None),
        ("", None),
    ],
)
def test_a_host_name_is_sent_and_an_address_is_not(
    shake_hands: ShakeHands, host: str, sent: str | None
) -> None:
    names: list[str | None] = []
    context = server_context(certificate(), certificate())
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    shake_hands(over_tls(lambda _peer: None, context), host=host)
    assert names == [sent]


# --- servers without TLS, or with half of it -----------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", HANDSHAKE_FAILURE],
    ids=["another protocol", "request for a page", "refusal"],
)
def test_a_server_without_tls_is_not_the_expected_one_if_there_is_a_pin(
    shake_hands: ShakeHands, data: bytes
) -> None:
    with pytest.raises(NoConnection) as failed:
        shake_hands(answer(data))
    assert failed.value.failure is ConnectFailure.NO_TLS
    with pytest.raises(CertificateRefused) as refused:
        shake_hands(answer(data), pin=OWN.hex)
    assert (refused.value.pin, refused.value.shown) == (OWN.hex, None)


@pytest.mark.parametrize("pin", [None, OWN.hex], ids=["none", "pin"])
@pytest.mark.parametrize(
    ("alert", "failure"),
    [
        (NO_APPLICATION_PROTOCOL, ConnectFailure.NOT_TERTULIA),
        (INTERNAL_ERROR, ConnectFailure.OTHER),
    ],
    ids=["another protocol", "fault of the server"],
)
def test_a_failure_of_tls_has_its_cause(
    shake_hands: ShakeHands, alert: bytes, failure: ConnectFailure, pin: str | None
) -> None:
    with pytest.raises(NoConnection, match="alert") as failed:
        shake_hands(answer(alert), pin=pin)
    assert failed.value.failure is failure


@pytest.mark.parametrize("pin", [None, OWN.hex], ids=["none", "pin"])
def test_a_server_that_is_too_full_for_tls_is_no_other_server(
    shake_hands: ShakeHands, pin: str | None
) -> None:
    full = b'{"type":"error","code":"server_full","message":"full"}\n'
    with pytest.raises(RegistrationRefused) as refused:
        shake_hands(answer(full + b"more"), pin=pin)
    assert refused.value.code == "server_full"


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":"error","code":"malformed","message":"the line is not JSON"}\n',
        b'{"type":"pong"}\n',
        b'{"type":\n',
    ],
    ids=["another error", "another message", "no message"],
)
def test_any_other_line_is_no_tls(shake_hands: ShakeHands, line: bytes) -> None:
    with pytest.raises(NoConnection) as failed:
        shake_hands(answer(line))
    assert failed.value.failure is ConnectFailure.NO_TLS


@pytest.mark.parametrize("data", [b"", b"\x16\x03"], ids=["nothing", "part of a record"])
def test_a_handshake_that_does_not_go_on_has_an_end(shake_hands: ShakeHands, data: bytes) -> None:
    with pytest.raises(NoConnection, match="no answer to the TLS handshake") as failed:
        shake_hands(stall_after(data), timeout=SHORT_S)
    assert failed.value.failure is ConnectFailure.NO_ANSWER


def test_a_connection_that_ends_in_the_handshake_is_no_answer(shake_hands: ShakeHands) -> None:
    with pytest.raises(NoConnection, match="closed in the middle of the TLS handshake") as failed:
        shake_hands(answer(b""))
    assert failed.value.failure is ConnectFailure.NO_ANSWER


def test_however_much_comes_the_time_is_for_the_whole_handshake(
    shake_hands: ShakeHands, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = time.monotonic()
    clock = SimpleNamespace(monotonic=count(0.0, 0.6 * WAIT_S).__next__)
    monkeypatch.setattr(handshake, "time", clock)
    with pytest.raises(NoConnection, match="no answer"):
        shake_hands(stall_after(b"\x16\x03"))
    assert time.monotonic() - begun < 0.4 * WAIT_S


def test_a_connection_that_is_reset_is_no_answer(shake_hands: ShakeHands) -> None:
    def reset(peer: ScriptedPeer) -> None:
        receive_record(peer)
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with pytest.raises(NoConnection) as failed:
        shake_hands(reset)
    assert str(failed.value) == "no_answer: Connection reset by peer"


def test_what_comes_with_the_end_of_the_handshake_is_not_lost(shake_hands: ShakeHands) -> None:
    context = server_context(certificate(), certificate())
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    def hurry(peer: ScriptedPeer) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        is_over = False
        while not is_over:
            incoming.write(peer.socket.recv(65_536))
            try:
                tls.do_handshake()
                is_over = True
                tls.write(b"early")
            except ssl.SSLWantReadError:
                pass
            peer.send_raw(outgoing.read())

    assert shake_hands(hurry).early == b"early"
