"""Opening a stream to an address: with TLS if it is needed, and closed again if that fails."""

import ssl
import threading
from collections.abc import Callable

import pytest
from client_fixtures import ScriptedPeer, ScriptedServer
from tls_pair import certificate, over_tls

from tertulia.client.errors import CertificateRefused, NoConnection
from tertulia.client.opening import open_stream
from tertulia.tls.fingerprint import Fingerprint, certificate_in

WAIT_S = 20.0
OWN = Fingerprint.of_certificate(certificate_in(certificate().decode()))

Serve = Callable[..., ScriptedServer]


def expect_end(peer: ScriptedPeer) -> None:
    assert peer.receive() is None


def test_without_tls_the_socket_is_the_stream(scripted_server: Serve) -> None:
    port = scripted_server(expect_end).port
    sock, secured = open_stream("127.0.0.1", port, "127.0.0.2", False, None, WAIT_S)
    with sock:
        assert sock.getpeername() == ("127.0.0.1", port)
        assert sock.getsockname()[0] == "127.0.0.2"
    assert secured is None


@pytest.mark.parametrize(
    ("tls", "pin"),
    [(True, None), (False, OWN.words), (True, OWN.words.upper().replace(" ", "-"))],
    ids=["tls", "pin", "pin in other letters"],
)
def test_a_pin_means_tls_too(scripted_server: Serve, tls: bool, pin: str | None) -> None:
    port = scripted_server(over_tls(expect_end)).port
    sock, secured = open_stream("127.0.0.1", port, "127.0.0.2", tls, pin, WAIT_S)
    with sock:
        assert secured is not None
        assert secured.fingerprint == OWN
        assert sock.getsockname()[0] == "127.0.0.2"
        secured.channel.shutdown()


def test_an_invalid_pin_is_an_error_before_anything_happens() -> None:
    with pytest.raises(ValueError, match="hexadecimal"):
        open_stream("127.0.0.1", 1, None, True, "my pin", WAIT_S)


def test_an_authority_can_decide(scripted_server: Serve) -> None:
    def fail(peer: ScriptedPeer) -> None:
        with pytest.raises(ssl.SSLError, match="ALERT"):
            over_tls(expect_end)(peer)

    context = ssl.create_default_context()
    with pytest.raises(CertificateRefused) as refused:
        open_stream("127.0.0.1", scripted_server(fail).port, None, context, None, WAIT_S)
    assert "certificate" in refused.value.detail


def test_after_a_failure_the_socket_is_closed(scripted_server: Serve) -> None:
    is_left = threading.Event()

    def refuse(peer: ScriptedPeer) -> None:
        peer.send_raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        while peer.socket.recv(65_536):
            pass
        is_left.set()

    with pytest.raises(NoConnection):
        open_stream("127.0.0.1", scripted_server(refuse).port, None, True, None, WAIT_S)
    assert is_left.wait(WAIT_S)
