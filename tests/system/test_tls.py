"""TLS on the one port, from outside: handshakes, what is inside, ends and oddities."""

import contextlib
import json
import select
import socket
import ssl
import subprocess

import pytest
from peers import BOTH_THREAD_MODELS, WAIT_S, Peer, Server, read_with_gaps, trusting, wait_for
from web_peer import WebPeer

from tertulia.tls.fingerprint import Fingerprint

NATIVE, HTTP = "tertulia", "http/1.1"
HELLO_TYPE = 0x16


@pytest.fixture(autouse=True)
def no_warnings_of_old_versions(recwarn: pytest.WarningsRecorder) -> None:
    """The tests ask for versions that the library advises against."""


def secure(server: Server, name: str | None = None, *protocols: str, **options) -> Peer:
    """Connect with TLS, and register if there is a name."""
    peer = server.peer(tls=trusting(*protocols or (NATIVE,)), **options)
    if name is not None:
        peer.register(name)
    return peer


def secure_web(server: Server, name: str | None = None, **options) -> WebPeer:
    peer = WebPeer("127.0.0.1", server.port, tls=trusting(HTTP), **options)
    server.peers.append(peer)
    if name is not None:
        peer.register(name)
    return peer


class Talk:
    """A client whose TLS is in memory: the test decides which bytes travel when."""

    def __init__(self, server: Server, context: ssl.SSLContext | None = None) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = (context or trusting()).wrap_bio(self._incoming, self._outgoing)
        self.peer = server.peer(tls=None)

    def outgoing(self) -> bytes:
        """Return what the handshake has to send next."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
        return self._outgoing.read()

    def send(self, data: bytes, *, at_a_time: int = 1_000_000) -> None:
        for start in range(0, len(data), at_a_time):
            self.peer.socket.sendall(data[start : start + at_a_time])

    def shake_hands(self, *, at_a_time: int = 1_000_000) -> None:
        while True:
            self.send(self.outgoing(), at_a_time=at_a_time)
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self._incoming.write(self.peer.socket.recv(65_536))
            else:
                self.send(self._outgoing.read(), at_a_time=at_a_time)
                return

    def encrypted(self, data: bytes) -> bytes:
        self.tls.write(data)
        return self._outgoing.read()

    def end(self) -> bytes:
        """Return close_notify."""
        with contextlib.suppress(ssl.SSLError):  # the other side has not ended, or still sends
            self.tls.unwrap()
        return self._outgoing.read()

    def until(self, text: bytes) -> bytes:
        got = b""
        while text not in got:
            try:
                got += self.tls.read(65_536)
            except ssl.SSLWantReadError:
                data = self.peer.socket.recv(65_536)
                assert data, got
                self._incoming.write(data)
        return got


def line(kind: str, **fields: object) -> bytes:
    return json.dumps({"type": kind, **fields}).encode() + b"\n"


def get(server: Server, path: str = "/", *, tls: ssl.SSLContext | None, host: str = ""):
    """Return status, headers and body of a response."""
    peer = server.peer(tls=tls)
    host = host or f"127.0.0.1:{server.port}"
    peer.send_raw(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    received = b""
    while chunk := peer.socket.recv(65_536):
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return int(status.split()[1]), headers, body


def openssl(server: Server, *options: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-brief", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


# --- everything is as without TLS ----------------------------------------------------------------


@BOTH_THREAD_MODELS
def test_clients_with_and_without_tls_and_browsers_are_in_one_chat(server):
    plain, native, web = server.user("plain"), secure(server, "native"), secure_web(server, "web")
    peers = [plain, native, web]
    for peer in peers:
        peer.send("say", text=f"from {peer.name}")
    said = [[peer.until("message")[-1]["text"] for _ in range(3)] for peer in peers]
    assert said[0] == said[1] == said[2]
    native.send("direct", to="web", text="psst", id=1)
    web.until("direct", text="psst")
    native.until("ok", id=1)
    native.send("quit")
    plain.until("left", name="native", reason="quit")
    native.rest()  # ends with close_notify: a cut end would raise an error


@BOTH_THREAD_MODELS
def test_a_crowd_sees_everything_in_one_order(start_server):
    server = start_server("--shared-addresses")
    peers = [secure(server, f"user{n}") for n in range(12)]
    peers += [secure_web(server, f"web{n}") for n in range(4)]
    for number in range(20):
        for peer in peers:
            peer.send("say", text=f"{peer.name} {number}")
    logs = []
    for peer in peers:
        got: list[str] = []
        while len(got) < 20 * len(peers):
            message = peer.next()
            assert message is not None
            if message["type"] == "message":
                got.append(message["text"])
        logs.append(got)
    assert all(log == logs[0] for log in logs)
    assert len(set(logs[0])) == len(logs[0])


@BOTH_THREAD_MODELS
@pytest.mark.parametrize("kind", [secure, secure_web])
def test_a_slow_reader_gets_whole_messages_in_order_and_a_gap(start_server, kind):
    server = start_server("--log-bytes", "65536", "--send-buffer-bytes", "4608")
    ana = server.user("ana")
    slow = kind(server, "slow", receive_buffer=4608)
    ana.until("joined", name="slow")
    for number in range(120):
        ana.ask("say", text=f"{number} " + "x" * 5_000)
        if number % 10 == 0:  # lines for it alone go between the pieces
            ana.send("direct", to="slow", text=f"psst {number}")
    got = read_with_gaps(slow, ana)
    direct = [m["text"] for m in got if m["type"] == "direct"]
    assert direct == [f"psst {number}" for number in range(0, 120, 10)]


def test_a_slow_reader_without_a_gap_misses_nothing(start_server):
    server = start_server("--send-buffer-bytes", "4608")
    ana = server.user("ana")
    slow = secure(server, "slow", receive_buffer=4608)
    ana.until("joined", name="slow")
    texts = [f"{number} " + "x" * 16_000 for number in range(60)]
    for text in texts:
        ana.ask("say", text=text)
    got = [m["text"] for m in slow.until("message", text=texts[-1]) if m["type"] == "message"]
    assert got == texts


def test_a_long_line_and_a_page_of_history_go_through(start_server, tmp_path):
    server = start_server("--history", str(tmp_path / "h.db"))
    ana = secure(server, "ana")
    longest = "ñ" * 8_000
    for _ in range(12):
        ana.ask("say", text=longest)
    page = ana.ask("history", limit=50)
    assert [m["text"] for m in page["messages"]] == [longest] * 12
    ana.send_raw(b'{"type":"ping","id":1}'.ljust(65_535) + b"\n")
    ana.until("pong", id=1)
    ana.send_raw(b" " * 65_537)
    ana.until("error", code="line_too_long")
    assert ana.rest() == []


def test_the_page_comes_over_tls_with_the_certificate_of_the_authority(server):
    status, headers, page = get(server, tls=trusting(HTTP))
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "strict-transport-security" not in headers
    assert get(server, tls=None)[2] == page
    status, headers, authority = get(server, "/ca.crt", tls=None)
    assert (status, headers["content-type"]) == (200, "application/x-x509-ca-cert")
    trusted = ssl.create_default_context(cadata=authority.decode())
    with (
        socket.create_connection(("127.0.0.1", server.port), WAIT_S) as plain,
        trusted.wrap_socket(plain, server_hostname="127.0.0.1") as client,
    ):
        assert client.version() == "TLSv1.3"
    assert get(server, tls=trusting(), host="evil.example")[0] == 421


def test_a_full_server_says_so_inside_tls(start_server):
    server = start_server("--max-users", "1", "--max-unregistered", "1", "--shared-addresses")
    server.user("ana")
    server.peer("127.0.0.1", tls=None).send_raw(b'{"ty')
    secure(server).expect_error("server_full")
    late = secure(server)
    late.send("register", name="luis")
    late.expect_error("server_full")
    late.expect_end()
    silent = secure(server, None, HTTP)
    assert silent.socket.recv(65_536).startswith(b"HTTP/1.1 503 ")
    assert get(server, tls=trusting(HTTP))[0] == 503
    assert get(server, tls=trusting())[0] == 503
    half = server.peer(tls=None)
    half.send_raw(b"\x16\x03\x01")
    assert half.socket.recv(100) == b""


def test_a_stop_is_said_inside_tls_and_ends_it_properly(start_server):
    server = start_server()
    native, web = secure(server, "native"), secure_web(server, "web")
    server.signal()
    native.until("closing", reason="shutdown")
    native.expect_end()
    web.until("closing", reason="shutdown")
    web.rest()
    assert web.close_code == 1001
    assert server.wait() == 0


def test_who_is_replaced_gets_a_proper_end(server):
    luis, old = server.user("luis"), secure(server, "ana")
    new = secure(server)
    new.send("register", name="ana", token=old.token)
    new.until("welcome")
    assert [m["type"] for m in old.rest()] in ([], ["joined"])
    luis.until("left", name="ana", reason="replaced")


# --- handshakes ----------------------------------------------------------------------------------


@BOTH_THREAD_MODELS
@pytest.mark.parametrize("at_a_time", [1, 7, 100])
def test_a_handshake_may_come_in_pieces(server, at_a_time):
    talk = Talk(server)
    talk.shake_hands(at_a_time=at_a_time)
    talk.send(talk.encrypted(line("register", name="ana")), at_a_time=at_a_time)
    assert b'"type":"welcome"' in talk.until(b"\n")


@BOTH_THREAD_MODELS
def test_a_handshake_that_stalls_is_over_in_time_and_costs_nobody_anything(start_server):
    server = start_server("--register-timeout", "3", "--challenge-timeout", "0.5")
    stalled, half, quick = Talk(server), Talk(server), Talk(server)
    stalled.send(stalled.outgoing()[:100])
    half.send(half.outgoing())  # the rest of the handshake never comes
    quick.shake_hands()  # and then says nothing
    ana = server.user("ana")
    for each in (stalled, half):
        got = b""
        with contextlib.suppress(ConnectionError):
            while chunk := each.peer.socket.recv(65_536):
                got += chunk
                assert ana.roundtrip() == []
        assert b'"type"' not in got
    assert b"register_timeout" in quick.until(b"\n")
    server.wait_for_log("(?s)(reason=timeout registered=no.*){2}")


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16",
        b"\x16\x03\x01",
        b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
        b"\x16\x03\x01\xff\xff" + b"x" * 100_000,
        b'\x16{"type":"register","name":"ana"}\n',
        b"\x16" * 70_000,
        b"\x16\x03\x01\x40\x00" + b"\x01\x00\x3f\xfc" + b"\x00" * 16_380,
    ],
    ids=range(7),
)
def test_garbage_after_the_first_byte_of_tls_ends_that_connection_alone(server, garbage):
    ana = server.user("ana")
    bad = server.peer(tls=None)
    with contextlib.suppress(OSError):
        bad.send_raw(garbage)
        bad.half_close()
        answer = b""
        while chunk := bad.socket.recv(65_536):
            answer += chunk
        assert b'"type"' not in answer, (
            "nothing is said in JSON to one who has not shown to be native"
        )
    assert ana.roundtrip() == []


def test_a_handshake_that_fails_is_logged_with_its_reason(start_server):
    server = start_server()
    context = trusting()
    context.maximum_version = context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA")  # without forward secrecy, and for another kind of key
    with pytest.raises(ssl.SSLError):
        server.peer(tls=context)
    server.wait_for_log(r"refused address=\S+ code=tls_failed reason=no_shared_cipher")


def test_old_versions_are_refused_with_an_alert(server):
    with openssl(server, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0") as client:
        output, _ = client.communicate(b"", WAIT_S)
        assert client.returncode != 0
    assert b"alert protocol version" in output


def test_both_versions_of_today_are_spoken(server):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = trusting(NATIVE)
        context.minimum_version = context.maximum_version = version
        peer = server.peer(tls=context)
        assert peer.socket.version() == version.name.replace("_", ".")
        assert peer.socket.selected_alpn_protocol() == NATIVE
        assert peer.socket.compression() is None
        peer.register(f"user{version.value}")
        if version is ssl.TLSVersion.TLSv1_3:
            assert not peer.socket.session.has_ticket


def test_nobody_can_renegotiate(server):
    witness = server.user("witness")
    with openssl(server, "-tls1_2", "-nocommands") as client:
        assert client.stdin is not None
        client.stdin.write(line("register", name="ana"))
        client.stdin.flush()
        witness.until("joined", name="ana")
        client.stdin.close()
        witness.until("left", name="ana")
    with openssl(server, "-tls1_2") as client:
        client.stdin.write(line("register", name="eva"))
        client.stdin.flush()
        witness.until("joined", name="eva")
        client.stdin.write(b"R\n")
        client.stdin.flush()
        output = client.stdout.read()
    witness.until("left", name="eva")
    assert b"no renegotiation" in output.lower() or b"RENEGOTIATING" in output


@pytest.mark.long
def test_keys_can_be_changed_as_often_as_one_likes(server):
    witness = server.user("witness")
    with openssl(server) as client:
        client.stdin.write(line("register", name="ana"))
        client.stdin.flush()
        witness.until("joined", name="ana")
        for number in range(20):
            client.stdin.write(b"K\n")
            client.stdin.flush()
            while not select.select([witness.socket], [], [], 0.2)[0]:  # K swallows what is with it
                client.stdin.write(line("say", text=f"{number}", nonce=f"{number}"))
                client.stdin.flush()
            witness.until("message", text=f"{number}")
        client.stdin.close()
        witness.until("left", name="ana")
        client.stdout.read()


# --- what is inside ------------------------------------------------------------------------------


def test_tls_inside_tls_is_nothing_special(server):
    talk = Talk(server)
    talk.shake_hands()
    inner = Talk(server)
    talk.send(talk.encrypted(inner.outgoing() + b"\n"))
    answer = talk.until(b"\n")
    assert b'"code":"malformed"' in answer
    talk.send(talk.encrypted(line("register", name="ana")))
    assert b"welcome" in talk.until(b"welcome")


def test_what_was_agreed_in_tls_holds_whatever_is_sent(server):
    peer = secure(server, None, NATIVE)
    peer.send_raw(b"GET / HTTP/1.1\r\n\r\n")
    peer.expect_error("malformed")
    peer.send("register", name="ana")
    peer.expect("welcome")
    peer = secure(server, None, HTTP)
    peer.send_raw(line("register", name="luis") + b"\r\n\r\n")
    assert peer.socket.recv(4_096).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("protocols", [(), ("h2",)])
def test_without_an_agreement_the_first_bytes_tell(server, protocols):
    native = server.peer(tls=trusting(*protocols))
    native.register("ana")
    assert get(server, tls=trusting(*protocols))[0] == 200


# --- the end -------------------------------------------------------------------------------------


def test_an_end_without_close_notify_is_as_without_tls(server):
    witness, ana, luis = server.user("witness"), secure(server, "ana"), secure(server, "luis")
    ana.half_close()
    witness.until("left", name="ana", reason="quit")
    luis.send_raw(b'{"type":"say"')
    luis.half_close()
    witness.until("left", name="luis", reason="lost")


def test_close_notify_is_an_end_and_what_came_before_it_is_carried_out(server):
    witness, talk = server.user("witness"), Talk(server)
    talk.shake_hands()
    talk.send(talk.encrypted(line("register", name="ana")))
    talk.until(b"welcome")
    last = talk.encrypted(line("say", text="last words", id=7))
    talk.send(last + talk.end())
    witness.until("message", text="last words")
    witness.until("left", name="ana", reason="quit")


def test_a_reset_is_a_lost_connection(server):
    witness, ana = server.user("witness"), secure(server, "ana")
    ana.reset()
    witness.until("left", name="ana", reason="lost")


def test_a_changed_record_loses_the_connection_and_nothing_of_it_is_heard(server):
    witness, talk = server.user("witness"), Talk(server)
    talk.shake_hands()
    talk.send(talk.encrypted(line("register", name="ana")))
    talk.until(b"welcome")
    record = bytearray(talk.encrypted(line("say", text="changed")))
    record[-1] ^= 1
    talk.send(bytes(record))
    left = witness.until("left", name="ana", reason="lost")
    assert not any(m["type"] == "message" for m in left)


# --- require, off, and the certificate -----------------------------------------------------------


@pytest.fixture(scope="module")
def strict_server(threads, tmp_path_factory):
    """A server that speaks nothing but TLS."""
    log = tmp_path_factory.mktemp("strict") / "server.log"
    server = Server(("--threads", threads, "--tls", "require"), log)
    yield server
    server.stop()


@pytest.fixture
def strict(strict_server):
    yield strict_server
    strict_server.part()


@pytest.mark.parametrize("first", [b"hello\n", b'{"type":"register","name":"ana","id":1}\n', b"\n"])
def test_where_tls_is_required_a_plain_client_gets_one_clear_line(strict, first):
    plain = strict.peer(tls=None)
    plain.send_raw(first)
    error = plain.expect_error("tls_required")
    assert "TLS" in error["message"]
    plain.expect_end()
    secure(strict, "ana")
    strict.wait_for_log(r"refused address=\S+ code=tls_required")


def test_where_tls_is_required_a_browser_is_sent_to_https(strict):
    own = f"127.0.0.1:{strict.port}"
    status, headers, body = get(strict, "/?lang=es", tls=None)
    assert (status, headers["location"]) == (307, f"https://{own}/?lang=es")
    assert b"https" in body
    assert get(strict, "/ws", tls=None)[0] == 307
    assert get(strict, "http://evil.example/", tls=None)[1]["location"] == f"https://{own}/"
    status, headers, _ = get(strict, "//evil.example/", tls=None)
    assert headers["location"] == f"https://{own}//evil.example/"
    assert get(strict, tls=None, host="evil.example")[0] == 421
    assert get(strict, tls=None, host="a b")[0] == 400
    assert get(strict, tls=trusting(HTTP))[0] == 200
    secure_web(strict, "ana")


def test_where_tls_is_required_silence_is_answered_by_the_same_line(start_server):
    server = start_server(
        "--tls", "require", "--register-timeout", "1", "--challenge-timeout", "0.5"
    )
    server.peer(tls=None).expect_error("tls_required")


def test_where_tls_is_required_a_proxy_on_this_computer_may_end_it(start_server, tmp_path):
    path = tmp_path / "chat.sock"
    server = start_server("--tls", "require", "--unix", str(path), "--shared-addresses")
    server.peer(host=str(path), tls=None).register("ana")
    named = server.peer(host=str(path), tls=None)
    named.send_raw(b"PROXY TCP4 10.9.0.1 10.9.0.2 1 2\r\n")
    assert named.register("luis")["address"] == "10.9.0.1"
    plain = server.peer(tls=None)
    plain.send_raw(b"hello\n")
    plain.expect_error("tls_required")


def test_without_tls_a_client_that_wants_it_is_told_so_at_once(start_server):
    for options in (("--tls", "off"), ("--tls", "off", "--web", "off")):
        server = start_server(*options)
        with pytest.raises(ssl.SSLError, match="ALERT_HANDSHAKE_FAILURE"):
            server.peer(tls=trusting())
        assert "certificate" not in server.log()
        server.peer(tls=None).register("ana")


def test_without_the_page_there_is_still_tls(start_server):
    server = start_server("--web", "off")
    secure(server, "ana")
    peer = server.peer(tls=trusting(HTTP))
    peer.send_raw(b"GET / HTTP/1.1\r\n\r\n")
    peer.expect_error("malformed")


def test_the_log_has_the_fingerprint_and_a_restart_shows_the_same(start_server):
    found = set()
    for _ in range(2):
        server = start_server()
        log = server.wait_for_log(r"certificate sha256=[0-9a-f]{64} words='(\w+ ){5}\w+'")
        der = secure(server).socket.getpeercert(binary_form=True)
        fingerprint = Fingerprint.of_certificate(der)
        assert f"sha256={fingerprint.hex} words='{fingerprint.words}'" in log
        found.add(fingerprint)
    assert len(found) == 1


def test_without_a_place_to_keep_it_the_certificate_is_made_in_memory(start_server, tmp_path):
    (tmp_path / "state").write_text("not a directory")
    within = ("env", f"XDG_STATE_HOME={tmp_path}/state", "LC_ALL=C")
    server = start_server("--history", "off", within=within)
    secure(server, "ana")
    server.wait_for_log("certificate not kept .*error=Not a directory")
    within = ("env", "-u", "XDG_STATE_HOME", "-u", "HOME", "LC_ALL=C")
    secure(start_server("--history", "off", within=within), "luis")


@pytest.fixture
def files(tmp_path):
    """Write certificates as another program does."""

    def make(name: str) -> str:
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-days", "9", "-nodes"]
        command += ["-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", f"/CN={name}"]
        made = {"keyout": tmp_path / f"{name}.key", "out": tmp_path / f"{name}.crt"}
        for option, path in made.items():
            command += [f"-{option}", str(path)]
        subprocess.run(command, capture_output=True, check=True)
        made["keyout"].replace(tmp_path / "chat.key")
        made["out"].replace(tmp_path / "chat.crt")
        return certificate_of((tmp_path / "chat.crt").read_text())

    def certificate_of(pem: str) -> str:
        return ssl.PEM_cert_to_DER_cert(pem).hex()

    return make


def shown(server: Server) -> str:
    with contextlib.closing(secure(server)) as peer:
        return peer.socket.getpeercert(binary_form=True).hex()


@BOTH_THREAD_MODELS
@pytest.mark.long
def test_new_files_of_the_operator_are_taken_up_without_a_restart(start_server, files, tmp_path):
    first = files("first")
    options = ("--certificate", str(tmp_path / "chat.crt"), "--key", str(tmp_path / "chat.key"))
    server = start_server(*options)
    ana = secure(server, "ana")
    assert shown(server) == first
    assert get(server, "/ca.crt", tls=None)[0] == 404
    second = files("second")
    wait_for(lambda: shown(server) == second, "the new certificate")
    key = (tmp_path / "chat.key").read_bytes()
    (tmp_path / "chat.key").write_bytes(b"half a k")
    server.wait_for_log("new certificate not used, the old one stays: ")
    assert shown(server) == second
    (tmp_path / "chat.key").write_bytes(key)
    assert ana.roundtrip() == []


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--key", "chat.key"], 2, "--certificate and --key belong together"),
        (["--certificate", "chat.crt", "--key", "nothing"], 1, "nothing cannot be read: No such"),
    ],
)
def test_files_that_cannot_be_used_end_the_start_with_the_reason(
    run, files, tmp_path, options, status, words
):
    files("chat")
    done = run("0", "--lang", "en", *options, cwd=tmp_path)
    said = done.stderr.decode()
    assert (done.returncode, words in said, said.count("\n")) == (status, True, 1), said
