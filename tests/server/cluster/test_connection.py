"""What a node cannot use is refused in words that say what to do; what it can use, it uses.

Each case has a nats-server of its own with other settings, which is up after a moment.
"""

import asyncio
import logging
import socket
import ssl
import sys
import threading
from pathlib import Path

import pytest
import tls_pair
from linked_node import WAIT_S, LinkedNode, linked_node
from nats_keys import SignedLogins
from nats_servers import NatsServers, nats_servers

from tertulia.server.cluster import connection, unusable
from tertulia.server.cluster.addresses import parse_address
from tertulia.server.cluster.link import ClusterUnusable

LOGIN = 'authorization { user: ana, password: "se cret" }'
CHAT = "lab"
# What a node needs; packaging/nats.conf permits a little less.
PERMISSIONS = """
authorization { users: [ { user: ana, password: "se cret", permissions: {
  publish: [ "tertulia.lab.>", "_INBOX.>", "$JS.FC.>", "$JS.API.STREAM.*.TERTULIA-lab",
             "$JS.API.STREAM.MSG.GET.TERTULIA-lab", "$JS.API.CONSUMER.CREATE.TERTULIA-lab.>" ]
  subscribe: [ "tertulia.lab.>", "_INBOX.>" ] } } ] }
"""


def file(path: Path, text: str, mode: int = 0o600) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def refusal(servers: tuple[str, ...], **options: object) -> str:
    """Return the words with which a link does not start."""
    node = LinkedNode(servers, CHAT, **options)
    with pytest.raises(ClusterUnusable) as caught:
        node.link.start()
    assert node.link.stop(WAIT_S)
    return str(caught.value)


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tertulia.server.cluster.link._CONNECT_S", 0.0)
    with socket.socket() as taken:  # bound, but it does not listen
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert refusal((f"nats://127.0.0.1:{port}",)) == (
            f"cannot reach any nats-server (127.0.0.1:{port}: Connection refused): check the "
            "addresses in --cluster, and start nats-server there"
        )


def test_another_program_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tertulia.server.cluster.link._CONNECT_S", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            with listener.accept()[0] as client:
                client.sendall(b"SSH-2.0-x\r\n")

        greeting = threading.Thread(target=greet)
        greeting.start()
        words = refusal((f"nats://127.0.0.1:{listener.getsockname()[1]}",))
        greeting.join()
    assert words.startswith("cannot reach any nats-server (127.0.0.1:")


def test_no_library(one_nats: NatsServers, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("connector", "connection"):
        monkeypatch.delitem(sys.modules, f"tertulia.server.cluster.{module}", raising=False)
        monkeypatch.delattr(f"tertulia.server.cluster.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "nats", None)
    assert refusal(one_nats.urls) == (
        "a cluster needs the Python package nats-py: pip install tertulia[cluster]"
    )


def test_a_server_that_is_too_old(one_nats: NatsServers, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = (99, 0, 0)
    monkeypatch.setattr(unusable, "OLDEST_SERVER", newer)
    monkeypatch.setattr(connection, "OLDEST_SERVER", newer)
    words = refusal(one_nats.urls)
    assert words.startswith("the nats-server 127.")
    assert words.endswith(": update it to 99.0.0 or later")


def test_a_user_and_a_password(tmp_path: Path) -> None:
    with nats_servers(tmp_path, settings=LOGIN) as nats:
        words = f"the nats-server {nats.host}:{nats.port(0)} does not accept the credentials: "
        assert refusal(nats.urls).startswith(words)
        wrong = file(tmp_path / "wrong", "ana\nsecret\n")
        assert refusal(nats.urls, credentials=wrong).startswith(words)
        right = file(tmp_path / "right", "ana\nse cret\n")
        with linked_node(nats, CHAT, credentials=right) as node:
            node.insist(b"one")


def test_a_token(tmp_path: Path) -> None:
    with nats_servers(tmp_path, settings="authorization { token: abc }") as nats:
        right = file(tmp_path / "token", "abc\n")
        with linked_node(nats, CHAT, credentials=right) as node:
            node.insist(b"one")


def test_a_signed_login(tmp_path: Path) -> None:
    logins = SignedLogins()
    with nats_servers(tmp_path, settings=logins.settings) as nats:
        path = file(tmp_path / "chat.creds", logins.credentials)
        with linked_node(nats, CHAT, credentials=path) as node:
            node.insist(b"one")
        other = file(tmp_path / "other.creds", SignedLogins().credentials)
        assert "does not accept the credentials" in refusal(nats.urls, credentials=other)


def test_tls_with_an_authority_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pem = file(tmp_path / "nats.pem", tls_pair.certificate().decode())
    own = file(tmp_path / "ca.pem", authority_of(tls_pair.certificate()))
    settings = f'tls {{ cert_file: "{pem}", key_file: "{pem}" }}'
    with nats_servers(tmp_path, host="127.0.0.1", settings=settings) as nats:
        trusted = tuple(url.replace("nats:", "tls:") for url in nats.urls)
        words = f"the certificate of the nats-server 127.0.0.1:{nats.port(0)} is not trusted ("
        # Also without tls:// nothing is shown to a server whose certificate proves nothing.
        assert refusal(trusted).startswith(words)
        assert refusal(nats.urls).startswith(words)
        monkeypatch.setenv("SSL_CERT_FILE", own)
        with linked_node(nats, CHAT, servers=trusted) as node:
            node.insist(b"one")
            nats.kill(0)
            nats.start(0)
            node.insist(b"two")
    with nats_servers(tmp_path, host="127.0.0.2", settings=settings) as nats:
        assert refusal(nats.urls) == (
            f"the certificate of the nats-server 127.0.0.2:{nats.port(0)} is not for this name: "
            "write in --cluster a name or an address that the certificate has"
        )


def authority_of(pem: bytes) -> str:
    end = b"-----END CERTIFICATE-----\n"
    certificates = pem[pem.index(b"-----BEGIN CERTIFICATE-----") :].split(end)
    return (certificates[1] + end).decode()


def test_tls_that_the_server_does_not_speak(one_nats: NatsServers) -> None:
    urls = tuple(url.replace("nats:", "tls:") for url in one_nats.urls)
    assert refusal(urls) == (
        f"the nats-server {one_nats.host}:{one_nats.port(0)} does not speak TLS: give it a "
        "certificate, or write nats:// in --cluster"
    )


def opening(nats: NatsServers, **options: object) -> str:
    """Return the words with which a link has no stream."""
    node = LinkedNode(nats.urls, CHAT, **options)
    node.link.start()
    try:
        with pytest.raises(ClusterUnusable) as caught:
            node.link.open_stream()
    finally:
        assert node.link.stop(WAIT_S)
    return str(caught.value)


def test_the_permissions_of_the_chats_subjects_are_enough(tmp_path: Path) -> None:
    with nats_servers(tmp_path, settings=PERMISSIONS) as nats:
        path = file(tmp_path / "login", "ana\nse cret\n")
        with (
            linked_node(nats, CHAT, credentials=path) as node,
            linked_node(nats, CHAT, credentials=path) as other,
        ):
            other.link.serve(f"tertulia.{CHAT}.node.b.hello", lambda data, reply: reply(data))
            other.link.ask("tertulia.lab.nobody", b"", WAIT_S)
            assert node.link.ask(f"tertulia.{CHAT}.node.b.hello", b"yes", WAIT_S) == b"yes"
            node.propose(*[bytes(20_000)] * 300)
            other.wait(lambda: len(other.entries) == 300)
            assert other.link.stats.errors == 0, "flow control is permitted, too"
            node.link.delete_stream()


def test_a_permission_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tertulia.server.cluster.stream._TIMEOUT_S", 0.3)
    settings = PERMISSIONS.replace("$JS.API.STREAM", "$JS.API.OTHER")
    with nats_servers(tmp_path, settings=settings) as nats:
        words = opening(nats, credentials=file(tmp_path / "login", "ana\nse cret\n"))
    assert words.startswith("the nats-server does not permit what a node needs (")
    assert "$js.api.stream.info.tertulia-lab" in words


def test_a_subject_that_nobody_may_serve(tmp_path: Path) -> None:
    with nats_servers(tmp_path, settings=PERMISSIONS) as nats:
        node = LinkedNode(nats.urls, CHAT, credentials=file(tmp_path / "l", "ana\nse cret\n"))
        node.link.start()
        try:
            node.link.serve("other.chat", lambda data, reply: None)
            with pytest.raises(ClusterUnusable, match=r"does not permit .*other\.chat"):
                node.link.open_stream()
        finally:
            assert node.link.stop(WAIT_S)


def test_a_log_to_which_nobody_may_publish(tmp_path: Path) -> None:
    settings = PERMISSIONS.replace('"tertulia.lab.>", "_INBOX.>", "$JS.FC', '"_INBOX.>", "$JS.FC')
    with nats_servers(tmp_path, settings=settings) as nats:
        path = file(tmp_path / "login", "ana\nse cret\n")
        with linked_node(nats, CHAT, credentials=path) as node:
            node.link.check_permissions()
            node.propose(b"one")
            node.wait(lambda: node.link.stats.errors)
            with pytest.raises(ClusterUnusable, match=r"does not permit .*tertulia\.lab\.log"):
                node.link.check_permissions()


def test_no_jetstream(tmp_path: Path) -> None:
    words = "the nats-server has no JetStream for this account: "
    with nats_servers(tmp_path, jetstream=False) as nats:
        assert opening(nats).startswith(words)
    accounts = "accounts { A { users [ { user: ana, password: b } ] } }"
    (tmp_path / "accounts").mkdir()
    with nats_servers(tmp_path / "accounts", settings=accounts) as nats:
        path = file(tmp_path / "login", "ana\nb\n")
        assert opening(nats, credentials=path).startswith(words)


def test_too_little_storage(tmp_path: Path) -> None:
    with nats_servers(tmp_path, storage="100MB") as nats:
        assert opening(nats, max_bytes=1 << 30) == (
            "the nats-servers cannot reserve 1024 MiB for the chat's log (insufficient storage "
            "resources available): raise max_file in their jetstream settings, or the account's "
            "limit"
        )


def test_servers_that_are_not_one_cluster(one_nats: NatsServers, chat: str) -> None:
    node = LinkedNode(one_nats.urls * 3, chat)
    node.link.start()
    try:
        with pytest.raises(ClusterUnusable, match="are not one cluster"):
            node.link.open_stream()
    finally:
        assert node.link.stop(WAIT_S)


def test_a_password_that_was_changed_is_tried_again_for_ever(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with nats_servers(tmp_path, settings=LOGIN) as nats:
        path = file(tmp_path / "login", "ana\nse cret\n")
        with linked_node(nats, CHAT, credentials=path) as node:
            node.insist(b"one")
            nats.kill(0)
            nats.change_settings(LOGIN.replace("se cret", "other"))
            nats.start(0)
            node.wait(lambda: any("does not accept" in message for message in caplog.messages))
            nats.kill(0)
            nats.change_settings(LOGIN)
            nats.start(0)
            node.insist(b"two")


def test_what_is_too_much_to_wait_is_dropped_and_counted_until_some_of_it_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "_MAX_UNSENT_BYTES", 10)
    sent: list[bytes] = []
    errors: list[None] = []

    async def publish(_subject: str, data: bytes, _reply: str) -> None:
        sent.append(data)

    async def send() -> None:
        address = parse_address("nats://127.0.0.1:4222")
        full = connection.Connection(
            address, ssl.create_default_context, lambda *_: None, lambda: errors.append(None)
        )
        monkeypatch.setattr(full._client, "publish", publish)
        for data in (b"12345", b"67890", b"x"):
            full.send("lab", data)
        assert len(errors) == 1
        writing = asyncio.create_task(full._write())
        for _ in range(100):
            await asyncio.sleep(0)
        full.send("lab", b"0123456789")
        for _ in range(100):
            await asyncio.sleep(0)
        writing.cancel()

    asyncio.run(send())
    assert sent == [b"12345", b"67890", b"0123456789"]
    assert len(errors) == 1


def test_the_end_does_not_wait_for_a_server(tmp_path: Path) -> None:
    with nats_servers(tmp_path) as nats:
        node = LinkedNode(nats.urls, CHAT)
        node.link.start()
        nats.kill(0)
        node.wait(lambda: not node.link.is_connected)
        assert node.link.stop(WAIT_S)
        assert node.link.ask("nobody", b"", WAIT_S) is None
