"""The composition of a server: what fits into its limits, and its certificate over months."""

import errno
import http.client
import os
import socket
import ssl
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import msgspec
import pytest

from tertulia.server import server
from tertulia.server.config import Config
from tertulia.server.server import fit_to
from tertulia.tls.fingerprint import Fingerprint

CONFIG = Config(port=0)


@pytest.mark.parametrize("threads", [1, 8, None])
@pytest.mark.parametrize("descriptors", [16, 40, 64, 128, 1_024, 4_096, 1_048_576])
def test_all_connections_that_are_allowed_fit(descriptors, threads):
    config = msgspec.structs.replace(CONFIG, threads=threads)
    fitting = fit_to(descriptors, config)
    each = 3 if threads is None else 1
    used = 32 + 2 * (threads is not None) + (fitting.max_users + fitting.max_unregistered) * each
    assert used <= max(descriptors, 34)
    assert 0 <= fitting.max_users <= config.max_users
    assert 0 <= fitting.max_unregistered <= config.max_unregistered


def test_with_enough_descriptors_nothing_changes():
    assert fit_to(2_048, CONFIG) == CONFIG


def test_the_announcer_has_room_too(monkeypatch):
    without = fit_to(1_024, CONFIG).max_users
    monkeypatch.setenv("TERTULIA_MDNS", "")
    assert without - fit_to(1_024, CONFIG).max_users == 15  # three quarters of 20
    assert fit_to(1_024, msgspec.structs.replace(CONFIG, announce=False)).max_users == without


@pytest.mark.parametrize(("descriptors", "users"), [(128, 71), (1_024, 743)])
def test_three_quarters_are_for_users(descriptors, users):
    assert fit_to(descriptors, CONFIG).max_users == users


def test_a_server_that_has_no_room_for_anybody_does_not_start(monkeypatch):
    monkeypatch.setattr(server.resource, "getrlimit", lambda _: (34, 34))
    with pytest.raises(OSError, match="open files") as raised:
        server.fit_to_descriptors(CONFIG)
    assert raised.value.errno == errno.EMFILE


def test_nobody_can_connect_before_the_certificate_and_the_page_are_ready(monkeypatch):
    order = []

    def open_sockets(*_):
        order.append("sockets")
        raise OSError(errno.EADDRINUSE, "in use")

    monkeypatch.setattr(server, "find_certificate", lambda _: order.append("certificate"))
    monkeypatch.setattr(server, "read_page", lambda: order.append("page") or {})
    monkeypatch.setattr(server, "Listening", open_sockets)
    with pytest.raises(OSError, match="in use"):
        server.Server(CONFIG)
    assert order == ["certificate", "page", "sockets"]


def test_its_file_for_proxies_is_removed_before_another_server_can_have_one_there(
    monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    running = server.Server(Config(port=0, host="127.0.0.1", unix="chat.sock", announce=False))
    running.start()
    assert os.path.exists("chat.sock")
    seen = []
    stop = running._acceptor.stop  # which closes the sockets

    def note_and_stop(timeout_s: float) -> None:
        seen.append(os.path.exists("chat.sock"))
        stop(timeout_s)

    monkeypatch.setattr(running._acceptor, "stop", note_and_stop)
    running.stop()
    assert seen == [False]


def shown_by(running: server.Server) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(("127.0.0.1", running.port), 20))


def test_a_server_that_runs_for_months_renews_its_certificate_and_ends_no_session(
    monkeypatch, caplog
):
    caplog.set_level("INFO", "tertulia.server")
    running = server.Server(Config(port=0, host="127.0.0.1"))
    running.start()
    try:
        with shown_by(running) as ana:
            ana.sendall(b'{"type":"register","name":"ana"}\n')
            assert b'"welcome"' in ana.recv(65_536)
            running.renew_certificate()
            with shown_by(running) as before:
                first = before.getpeercert(binary_form=True)
            in_a_year = SimpleNamespace(now=lambda _: datetime.now(UTC) + timedelta(days=380))
            fake = SimpleNamespace(datetime=in_a_year, UTC=UTC)
            monkeypatch.setattr(server, "datetime", fake)
            running.renew_certificate()
            with shown_by(running) as after:
                second = after.getpeercert(binary_form=True)
            assert second != first
            assert Fingerprint.of_certificate(second) == Fingerprint.of_certificate(first)
            assert "certificate renewed with the same key" in caplog.text
            ana.sendall(b'{"type":"ping","id":77}\n')
            received = b""
            while b'"id":77' not in received:
                received += ana.recv(65_536)
    finally:
        running.stop()


def test_metrics_that_are_off_are_not_there():
    running = server.Server(Config(port=0, host="127.0.0.1", tls="off", metrics=()))
    running.start()
    try:
        for path in ("/metrics", "/healthz"):
            asked = http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)
            asked.request("GET", path)
            assert asked.getresponse().status == 404
            asked.close()
    finally:
        running.stop()


def test_a_renewal_that_fails_is_logged_and_tried_again(monkeypatch, caplog):
    running = server.Server(Config(port=0, host="127.0.0.1"))
    running.start()
    monkeypatch.setattr(running.certificate, "refresh", lambda _now: 1 / 0)
    running.renew_certificate()
    running.stop()
    assert "certificate not renewed" in caplog.text
