"""The library over TLS: which servers it accepts, and what it never sends to others."""

import contextlib
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from client_fixtures import RealServer, ScriptedPeer, ScriptedServer
from tls_pair import certificate, server_side

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

Script = Callable[[ScriptedPeer], None]
Serve = Callable[..., ScriptedServer]


def over_tls(script: Script, context: ssl.SSLContext | None = None) -> Script:
    """Return a script that is played inside TLS."""

    def play(peer: ScriptedPeer) -> None:
        peer.socket = (context or server_side()).wrap_socket(peer.socket, server_side=True)
        with contextlib.closing(ScriptedPeer(peer.socket)) as inside:
            script(inside)

    return play


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


@pytest.mark.parametrize(
    "pin",
    [None, OWN.hex, OWN.words, OWN.words.upper().replace(" ", "-")],
    ids=["none", "hex", "words", "other letters"],
)
def test_the_expected_certificate_is_accepted(scripted_server: Serve, pin: str | None) -> None:
    server = scripted_server(over_tls(accept))
    with connect(server.port, tls=True, pin=pin) as ana:
        assert ana.fingerprint == OWN


@pytest.mark.parametrize("pin", [OTHER.hex, OTHER.words])
def test_another_certificate_is_refused_and_nothing_is_sent(
    scripted_server: Serve, pin: str
) -> None:
    server = scripted_server(over_tls(expect_nothing))
    with pytest.raises(CertificateRefused) as refused:
        connect(server.port, tls=True, pin=pin)
    assert (refused.value.pin, refused.value.shown) == (pin, OWN)


def test_what_is_no_pin_is_an_error_before_anything_happens() -> None:
    with pytest.raises(ValueError, match="hexadecimal"):
        connect(1, pin="my pin")


def test_an_authority_can_decide_instead_of_a_pin(scripted_server: Serve) -> None:
    pem = certificate().decode()
    ours = ssl.create_default_context(cadata=pem[pem.rindex("-----BEGIN CERTIFICATE") :])
    server = scripted_server(over_tls(accept))
    connect(server.port, tls=ours).close()

    def fail(peer: ScriptedPeer) -> None:
        with pytest.raises(ssl.SSLError, match="ALERT"):
            over_tls(expect_nothing)(peer)

    server = scripted_server(fail)
    with pytest.raises(CertificateRefused) as refused:
        connect(server.port, tls=ssl.create_default_context())
    assert (refused.value.pin, refused.value.shown) == (None, None)
    assert "certificate" in refused.value.detail


# --- servers without TLS, or with half of it -----------------------------------------------------


def answer_in_json(peer: ScriptedPeer) -> None:
    first = peer.socket.recv(65_536)
    assert first[0] == 0x16
    assert b"register" not in first
    peer.send("error", code="malformed", message="the line is not JSON")
    with contextlib.suppress(OSError):  # whatever else comes is no line
        assert b"register" not in peer.socket.recv(65_536)


@pytest.mark.parametrize("options", [{"tls": True}, {"pin": OWN.hex}], ids=["tls", "pin"])
def test_a_server_without_tls_gets_nothing_readable(
    scripted_server: Serve, options: dict[str, Any]
) -> None:
    server = scripted_server(answer_in_json)
    if "pin" in options:
        with pytest.raises(CertificateRefused) as refused:
            connect(server.port, **options)
        assert refused.value.shown is None
    else:
        with pytest.raises(NoConnection) as failed:
            connect(server.port, **options)
        assert failed.value.failure is ConnectFailure.NO_TLS


def test_a_server_that_is_too_full_for_tls_is_no_other_server(scripted_server: Serve) -> None:
    def refuse(peer: ScriptedPeer) -> None:
        peer.send("error", code="server_full", message="full")
        with contextlib.suppress(ConnectionError):
            while peer.socket.recv(65_536):
                pass

    server = scripted_server(refuse)
    with pytest.raises(RegistrationRefused) as refused:
        connect(server.port, pin=OWN.hex)
    assert refused.value.code == "server_full"


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


@pytest.mark.parametrize("answers", [b"", b"\x16\x03"])
def test_a_handshake_that_does_not_go_on_has_an_end(scripted_server: Serve, answers: bytes) -> None:
    def stall(peer: ScriptedPeer) -> None:
        peer.send_raw(answers)
        while peer.socket.recv(65_536):
            pass

    server = scripted_server(stall)
    with pytest.raises(NoConnection) as failed:
        Client.connect("127.0.0.1", server.port, "ana", tls=True, timeout=0.3)
    assert failed.value.failure is ConnectFailure.NO_ANSWER


def test_a_connection_that_ends_in_the_handshake_is_no_answer(scripted_server: Serve) -> None:
    server = scripted_server(lambda peer: None)
    with pytest.raises(NoConnection) as failed:
        connect(server.port, tls=True)
    assert failed.value.failure is ConnectFailure.NO_ANSWER


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
