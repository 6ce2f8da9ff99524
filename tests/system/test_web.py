"""Browsers' doors: HTTP and WebSocket on the port of the native protocol."""

import json
import re
import socket

import pytest
from peers import BOTH_THREAD_MODELS, WAIT_S, Server, read_with_gaps, wait_for
from web_peer import BINARY, CONTINUATION, PING, PONG, TEXT, WebPeer, upgrade

OWN = "127.0.0.1:{port}"


def exchange(server: Server, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes and return status, headers and body of the response, up to the end."""
    with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as client:
        client.sendall(request.replace(b"{port}", str(server.port).encode()))
        received = b""
        while chunk := client.recv(65_536):
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return int(status.split()[1]), headers, body


def get(server: Server, path: str = "/", host: str = OWN, method: str = "GET", **headers: str):
    fields = {"Host": host} | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return exchange(server, ("\r\n".join(lines) + "\r\n\r\n").encode())


def web(server: Server, name: str | None = None, source: str | None = None, **fields) -> WebPeer:
    peer = WebPeer("127.0.0.1", server.port, source)
    server.peers.append(peer)
    if name is not None:
        peer.register(name, **fields)
    return peer


# --- HTTP ----------------------------------------------------------------------------------------


def test_the_page_and_its_files_come_with_their_types_and_headers(server):
    status, headers, body = get(server)
    assert status == 200
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert int(headers["content-length"]) == len(body)
    assert headers["connection"] == "close"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "cross-origin-opener-policy" not in get(server, host="192.168.1.10")[1]
    modules = re.findall("<(/[a-z-]+\\.js)>; rel=modulepreload", headers["link"])
    assert "/main.js" in modules
    assert all(get(server, module)[0] == 200 for module in modules)
    own = re.findall(rb'(?:src|href)="([^"#]+)"', body)
    assert own
    for name in own:
        assert b":" not in name, "the page needs no other host"
        status, headers, _ = get(server, "/" + name.decode().lstrip("/"))
        assert (status, headers["x-content-type-options"]) == (200, "nosniff"), name
    assert get(server, "/?lang=es")[2] == body


def test_a_file_that_the_browser_has_is_not_sent_again(server):
    _, headers, body = get(server)
    status, again, nothing = get(server, If_None_Match=headers["etag"])
    assert (status, nothing, again["etag"]) == (304, b"", headers["etag"])
    assert get(server, If_None_Match='"another"')[2] == body


def test_head_is_get_without_the_body(server):
    _, headers, body = get(server)
    status, head, nothing = get(server, method="HEAD")
    assert (status, nothing) == (200, b"")
    assert head["content-length"] == headers["content-length"] == str(len(body))


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 20_000, 431),
    ],
)
def test_what_is_no_proper_request_is_answered_by_a_status(server, request_, status):
    found, headers, _ = exchange(server, request_)
    assert (found, headers["connection"]) == (status, "close")


def test_the_server_answers_only_under_names_that_nobody_outside_can_point_at_it(named):
    for host, status in (("chat.example:{port}", 200), ("evil.example", 421)):
        assert get(named, host=host)[0] == status


@pytest.fixture(scope="module")
def named(threads, tmp_path_factory):
    log = tmp_path_factory.mktemp("named") / "server.log"
    server = Server(("--threads", threads, "--name", "chat.example"), log)
    yield server
    server.stop()


def test_a_request_that_drips_in_has_as_long_as_a_registration(start_server):
    server = start_server("--register-timeout", "1", "--challenge-timeout", "0.4")
    status, _, _ = exchange(server, b"GET / HTT")
    assert status == 408
    with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as silent:
        assert b'"register_timeout"' in silent.recv(4_096)


def test_the_door_can_be_closed(start_server):
    server = start_server("--web", "off")
    peer = server.peer()
    peer.send_raw(b"GET / HTTP/1.1\r\n\r\n")
    peer.expect_error("malformed")
    assert "http" not in server.log()


def test_a_full_server_says_so_in_the_form_of_the_client(start_server):
    server = start_server("--max-users", "1", "--shared-addresses")
    server.user("ana")
    peers = []
    while server.process.poll() is None and len(peers) < 2_000:
        peers.append(server.peer("127.0.0.1"))
        if len(peers) > 256:
            break
    status, _, _ = get(server)
    assert status == 503
    last = server.peer("127.0.0.1")
    last.expect_error("server_full")


# --- WebSocket -----------------------------------------------------------------------------------


@BOTH_THREAD_MODELS
def test_a_browser_and_a_terminal_are_in_one_chat(server):
    ana, luis = web(server, "ana"), server.user("luis")
    ana.until("joined", name="luis")
    ana.send("say", text="¡hola!", id=1)
    said = luis.expect("message", text="¡hola!", **{"from": "ana"})
    got = [ana.next(), ana.next()]
    assert said in got
    assert {"type": "ok", "id": 1, "seq": said["seq"]} in got
    luis.send("direct", to="ana", text="psst")
    ana.expect("direct", text="psst", **{"from": "luis"})
    assert ana.ask("users")["users"] == luis.ask("users")["users"]
    ana.send("quit")
    luis.until("left", name="ana", reason="quit")
    ana.wait_for_end()
    assert (ana.close_code, ana.close_reason) == (1000, "quit")


@BOTH_THREAD_MODELS
def test_a_slow_browser_gets_whole_messages_in_order_and_a_gap(start_server):
    server = start_server("--log-bytes", "65536", "--send-buffer-bytes", "4608")
    ana = server.user("ana")
    slow = WebPeer("127.0.0.1", server.port, receive_buffer=4608)
    server.peers.append(slow)
    slow.register("slow")
    ana.until("joined", name="slow")
    for number in range(120):
        ana.ask("say", text=f"{number} " + "x" * 5_000)
    read_with_gaps(slow, ana)


def test_a_message_can_come_in_parts_and_with_pings_between(server):
    ana = web(server, "ana")
    line = json.dumps({"type": "say", "text": "en partes: ñ", "id": 5}, ensure_ascii=False).encode()
    cut = line.index("ñ".encode()) + 1  # within the letter
    ana.send_frame(TEXT, line[:cut], fin=False)
    ana.send_frame(PING, b"still here?")
    ana.send_frame(CONTINUATION, b"", fin=False)
    ana.send_frame(CONTINUATION, line[cut:])
    ana.until("message", text="en partes: ñ")
    assert ana.pongs == [b"still here?"]


def test_a_message_is_one_request_and_an_empty_one_is_nothing(server):
    ana = web(server, "ana")
    for message in (b"", b"\n", b"\r\n"):
        ana.send_frame(TEXT, message)
    ana.send_frame(TEXT, b'{"type":"ping","id":1}\n')
    assert ana.next() == {"type": "pong", "id": 1}
    ana.send_frame(TEXT, b'{"type":"ping","id":1}\n{"type":"ping","id":2}')
    ana.expect_error("malformed")


@pytest.mark.parametrize(
    ("opcode", "data", "options", "code"),
    [
        (BINARY, b"data", {}, 1003),
        (TEXT, b"\xff\xfe", {}, 1007),
        (TEXT, b"not masked", {"mask": None}, 1002),
    ],
)
def test_who_breaks_the_rules_of_websocket_is_closed_with_the_code_for_it(
    server, opcode, data, options, code
):
    witness, ana = server.user("witness"), web(server, "ana")
    ana.send_frame(opcode, data, **options)
    assert ana.rest() == []
    assert ana.close_code == code
    witness.until("left", name="ana", reason="protocol")


@pytest.mark.parametrize("parts", [1, 3])
def test_a_message_that_is_too_long_is_answered_and_closes(server, parts):
    ana = web(server, "ana")
    longest = b'{"type":"ping","id":1}'.ljust(65_536)
    ana.send_frame(TEXT, longest)
    assert ana.next() == {"type": "pong", "id": 1}
    size = 65_536 // parts + 1
    for part in range(parts):
        opcode = CONTINUATION if part else TEXT
        ana.send_frame(opcode, b" " * size, fin=part == parts - 1)
    ana.expect_error("line_too_long")
    assert ana.rest() == []
    assert ana.close_code == 1009


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:{port}", 101),
        ("http://evil.example", 403),
    ],
)
def test_a_page_of_another_site_cannot_open_a_websocket(server, origin, status):
    host = f"127.0.0.1:{server.port}"
    request = upgrade(host, Origin=origin.format(port=server.port))
    with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as client:
        client.sendall(request)
        assert client.recv(4_096).startswith(f"HTTP/1.1 {status} ".encode())


def test_a_websocket_under_a_foreign_name_is_refused(server):
    request = upgrade("evil.example", Origin="http://evil.example")
    assert exchange(server, request)[0] == 421


def test_a_refused_registration_is_answered_before_the_end(server):
    server.user("ana")
    late = web(server)
    late.send("register", name="ana")
    late.expect_error("name_taken")
    assert late.rest() == []
    assert (late.close_code, late.close_reason) == (1000, "refused")


def test_who_leaves_the_page_is_gone_at_once(server):
    witness, ana = server.user("witness"), web(server, "ana")
    ana.half_close()
    witness.until("left", name="ana", reason="quit")
    assert ana.rest() == []
    assert ana.close_code == 1000


@BOTH_THREAD_MODELS
def test_a_reload_takes_the_session_over_and_the_other_is_told_why(server):
    luis, old = server.user("luis"), web(server, "ana", receipts=True)
    luis.send("direct", to="ana", text="psst", id=1)
    old.until("direct", receipt=1)
    new = web(server)
    new.send("register", name="ana", token=old.token, receipts=True)
    new.until("direct", receipt=1, text="psst")
    new.send("received", receipt=1)
    luis.until("ok", id=1)
    old.rest()
    assert (old.close_code, old.close_reason) == (1000, "replaced")


def test_the_end_of_the_server_closes_with_its_own_code(start_server):
    server = start_server()
    ana, stranger = web(server, "ana"), web(server)
    server.signal()
    assert [m["type"] for m in ana.rest()] == ["closing"]
    stranger.rest()
    assert (ana.close_code, stranger.close_code) == (1001, 1001)
    assert server.wait() == 0


@pytest.mark.parametrize(("opcode", "data"), [(PING, b""), (PONG, b""), (TEXT, b""), (TEXT, b"\n")])
def test_frames_that_ask_for_nothing_are_not_free(start_server, opcode, data):
    server = start_server("--rate-limit", "10")
    witness, ana = server.user("witness"), web(server, "ana")
    witness.until("joined", name="ana")
    try:
        for _ in range(3_000):
            ana.send_frame(opcode, data)
    except OSError:
        pass  # the server has closed
    witness.until("left", name="ana", reason="flood")


def test_a_browser_that_says_nothing_is_asked_for_a_sign_of_life(start_server):
    server = start_server("--ping-after", "0.3", "--silence-timeout", "2.5")
    ana = web(server, "ana")
    with ana.alive():
        wait_for(lambda: ana.pings >= 2, "two pings")
    ana.answers_pings = False
    ana.rest()


def test_who_leaves_while_a_confirmation_is_missing_is_told_so_in_the_end(server):
    luis, ana = server.user("luis", receipts=True), web(server, "ana")
    ana.send("direct", to="luis", text="psst", id=1)
    luis.until("direct", receipt=1)
    ana.send("quit")
    assert ana.rest() == []
    assert (ana.close_code, ana.close_reason) == (1000, "quit")
