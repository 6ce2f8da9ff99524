"""The library over TLS: which servers it accepts, and what it never sends to others."""

import contextlib
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from client_fixtures import RealServer, ScriptedPeer, ScriptedServer
from tls_pair import certificate, over_tls

from tertulia.client import reconnect
from tertulia.client.client import Client
from tertulia.client.errors import (
    CertificateRefused,
    ConnectFailure,
    NoConnection,
    RegistrationRefused,
)
from tertulia.client.persistent import PersistentClient
from tertulia.protocol.messages import ChatMessage
from tertulia.server.certificates import authority
from tertulia.tls.contexts import server_context
from tertulia.tls.fingerprint import Fingerprint, certificate_in

WAIT_S = 20.0
OWN = Fingerprint.of_certificate(certificate_in(certificate().decode()))
OTHER = Fingerprint(bytes(32))

Serve = Callable[..., ScriptedServer]


def accept(peer: ScriptedPeer) -> None:
    peer.welcome()
    peer.expect("quit")


def expect_nothing(peer: ScriptedPeer) -> None:
    assert peer.receive() is None, "nothing may be sent to a server that is not the expected one"


def connect(port: int, **options: Any) -> Client:
    return Client.connect("127.0.0.1", port, "ana", timeout=WAIT_S, **options)


def another_context() -> ssl.SSLContext:
    now = datetime.now(UTC)
    ca = authority.make_authority("another", [], now)
    key = authority.new_key()
    made = authority.make_certificate(ca, ["127.0.0.1"], key, now)
    pem = authority.write(key, made, ca.certificate)
    return server_context(pem, pem)


# --- which servers are accepted ------------------------------------------------------------------


def test_everything_goes_through_tls(shared_server: RealServer, fresh_address: Any) -> None:
    with connect(shared_server.port, tls=True, source=fresh_address()) as ana:
        assert ana.fingerprint is not None
        text = "ñ" * 8_000
        seq = ana.say(text)
        said = next(event for event in ana.events() if isinstance(event, ChatMessage))
        assert (said.seq, said.text) == (seq, text)
        pin = ana.fingerprint.words
    with connect(shared_server.port, pin=pin, source=fresh_address()) as again:
        assert again.fingerprint == ana.fingerprint
    with connect(shared_server.port, source=fresh_address()) as plain:
        assert plain.fingerprint is None


# --- servers without TLS, or with half of it -----------------------------------------------------


def answer_in_json(peer: ScriptedPeer) -> None:
    first = peer.socket.recv(65_536)
    assert first[0] == 0x16
    assert b"register" not in first
    peer.send("error", code="malformed", message="the line is not JSON")
    with contextlib.suppress(OSError):  # whatever else comes is no line
        assert b"register" not in peer.socket.recv(65_536)


def test_a_server_of_ours_without_tls_says_so_at_once(
    start_server: Callable[..., RealServer],
) -> None:
    with pytest.raises(NoConnection) as failed:
        connect(start_server("--tls", "off").port, tls=True)
    assert failed.value.failure is ConnectFailure.NO_TLS


def test_a_client_without_tls_learns_that_it_is_required(
    start_server: Callable[..., RealServer],
) -> None:
    server = start_server("--tls", "require")
    with pytest.raises(RegistrationRefused) as refused:
        connect(server.port)
    assert refused.value.code == "tls_required"
    connect(server.port, tls=True).close()


def test_a_server_of_another_kind_is_no_tertulia_server(scripted_server: Serve) -> None:
    def web_page(peer: ScriptedPeer) -> None:
        peer.socket.recv(100)
        peer.send_raw(b"HTTP/1.1 400 Bad Request\r\n\r\n<html>\n")

    server = scripted_server(over_tls(web_page))
    with pytest.raises(NoConnection) as failed:
        connect(server.port, tls=True)
    assert failed.value.failure is ConnectFailure.NOT_TERTULIA


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_refusal_that_comes_with_the_handshake_is_read(
    scripted_server: Serve, version: ssl.TLSVersion
) -> None:
    context = server_context(certificate(), certificate())
    context.maximum_version = version

    def refuse(peer: ScriptedPeer) -> None:
        peer.send("error", code="server_full", message="full")
        peer.receive()

    server = scripted_server(over_tls(refuse, context))
    with pytest.raises(RegistrationRefused) as refused:
        connect(server.port, tls=True)
    assert refused.value.code == "server_full"


# --- coming back ---------------------------------------------------------------------------------


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconnect, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(reconnect, "MAX_DELAY_S", 0.05)


def leave(peer: ScriptedPeer) -> None:
    peer.welcome()


def test_a_lost_connection_comes_back_over_tls_with_the_same_certificate(
    scripted_server: Serve, hasty: None
) -> None:
    def come_back(peer: ScriptedPeer) -> None:
        assert peer.welcome()["token"] == "secret"
        peer.message(12, "again")
        peer.expect("quit")

    server = scripted_server(over_tls(leave), over_tls(come_back))
    with PersistentClient.connect("127.0.0.1", server.port, "ana", tls=True, timeout=WAIT_S) as ana:
        said = next(event for event in ana.events() if isinstance(event, ChatMessage))
        assert said.text == "again"


@pytest.mark.parametrize("pin", [None, OWN.words], ids=["none", "words"])
def test_another_server_in_its_place_is_refused_for_good(
    scripted_server: Serve, hasty: None, pin: str | None
) -> None:
    server = scripted_server(over_tls(leave), over_tls(expect_nothing, another_context()))
    ana = PersistentClient.connect(
        "127.0.0.1", server.port, "ana", tls=True, pin=pin, timeout=WAIT_S
    )
    with ana, pytest.raises(CertificateRefused) as refused:
        list(ana.events())
    assert refused.value.shown not in (None, OWN)


def test_a_client_that_has_used_tls_never_falls_back_to_plain(
    scripted_server: Serve, hasty: None
) -> None:
    server = scripted_server(over_tls(leave), answer_in_json)
    ana = PersistentClient.connect("127.0.0.1", server.port, "ana", tls=True, timeout=WAIT_S)
    with ana, pytest.raises(CertificateRefused) as refused:
        list(ana.events())
    assert refused.value.shown is None


def test_each_node_of_a_chat_has_a_certificate_of_its_own(
    scripted_server: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one of each node is accepted, and from then on no other of that node."""
    monkeypatch.setattr(reconnect, "STEADY_S", 0.0)
    nodes: list[str] = []
    is_refused = threading.Event()

    def first(peer: ScriptedPeer) -> None:
        peer.welcome(nodes=nodes)

    def second(peer: ScriptedPeer) -> None:
        assert peer.welcome(nodes=nodes[::-1])["token"] == "secret"

    def refused(peer: ScriptedPeer) -> None:
        expect_nothing(peer)
        is_refused.set()

    other = another_context()
    here = scripted_server(over_tls(first), over_tls(refused, other))
    there = scripted_server(over_tls(second, other))
    nodes += [f"127.0.0.1:{here.port}", f"127.0.0.1:{there.port}"]
    with PersistentClient.connect("127.0.0.1", here.port, "ana", tls=True, timeout=WAIT_S) as ana:
        assert is_refused.wait(WAIT_S)
        assert str(ana.current.address) == nodes[1]
