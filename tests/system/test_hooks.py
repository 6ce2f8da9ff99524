"""Hooks, seen from outside: programs speak through them, and strangers cannot."""

import json
import shutil
import socket
import subprocess

import pytest
from histories import exported, kill
from operators import error_of, operator, refused
from peers import BOTH_THREAD_MODELS, WAIT_S, Server, fresh_address, trusting


@pytest.fixture
def order(secret_file):
    return ("--operator-secret", str(secret_file))


def post(server, path, body=b"build ok", source=None, tls=None, **headers):
    """Post something, and return status, headers and the line of text."""
    fields = {"Host": "ci.example.org", "Content-Length": str(len(body))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    request = f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body
    return answer_to(server, request, source, tls)


def answer_to(server, request, source=None, tls=None):
    client = socket.create_connection(
        ("127.0.0.1", server.port), WAIT_S, (source or fresh_address(), 0)
    )
    with client if tls is None else tls.wrap_socket(client) as client:
        client.sendall(request)
        received = b""
        while chunk := client.recv(65_536):
            received += chunk
    head, _, text = received.decode().partition("\r\n\r\n")
    assert text.endswith("\n")
    assert text.count("\n") == 1, text
    return int(head.split()[1]), head.lower(), text.rstrip("\n")


def hook(peer, name="build"):
    answer = peer.ask("hook", name=name)
    assert answer["type"] == "hook", answer
    assert answer["path"] == f"/hook/{answer['secret']}"
    return answer["path"]


@BOTH_THREAD_MODELS
def test_a_program_speaks_in_the_chat_without_being_there(start, order, run, path):
    server = start(*order)
    luis, ana = server.user("luis"), operator(server)
    address = hook(ana)
    status, _head, text = post(server, address)
    seq = int(text.split()[-1])
    assert status == 200
    said = luis.until("message")[-1]
    time_ = said.pop("time")
    expected = {"type": "message", "seq": seq, "from": "build", "text": "build ok", "hook": True}
    assert said == expected
    assert post(server, address, '{"text":"¿sí?"}'.encode())[0] == 200
    assert post(server, address, b"x", tls=trusting("http/1.1"))[0] == 200
    assert [m["text"] for m in server.sync(luis, ana)[0]] == ["¿sí?", "x"], "nobody came or left"
    stored = {"seq": seq, "time": time_, "from": "build", "text": "build ok", "hook": True}
    assert luis.ask("history")["messages"][0] == stored
    assert luis.ask("search", text="build")["messages"] == [stored]
    assert "hook" not in luis.ask("history")["messages"][-1]
    assert {user["name"] for user in luis.ask("users")["users"]} == {"ana", "luis"}
    assert {row["name"] for row in ana.ask("attendance")["sessions"]} == {"ana", "luis"}
    assert ana.ask("hush", on=True)["type"] == "ok"
    assert post(server, address)[0] == 200
    kill(server)
    assert exported(run, path)[0] == stored
    server = start(*order)
    assert post(server, address, b"after a crash")[0] == 200
    assert refused(server, "BUILD")["code"] == "name_held"
    ana = operator(server)
    (row,) = ana.ask("hooks")["hooks"]
    assert (row["name"], row["by"]) == ("build", "ana")
    assert row["used"] > row["time"]
    assert address.split("/")[-1] not in json.dumps(ana.ask("hooks")) + server.log()
    assert ana.ask("unhook", name="build")["type"] == "ok"
    assert post(server, address)[0] == 404
    assert ana.ask("hooks")["hooks"] == []
    server.user("build")
    assert error_of(ana, "hook", name="build") == "name_taken"
    assert error_of(server.user("eva"), "hook", name="x") == "not_operator"


@BOTH_THREAD_MODELS
def test_secrets_cannot_be_guessed_and_nobody_else_is_kept_out(start_server, order):
    server = start_server(*order, "--code", "abc")
    ana = server.peer()
    ana.register("ana", code="abc")
    ana.ask("operator", secret="a-secret-of-the-operator")
    address, guesser = hook(ana), fresh_address()
    for _ in range(5):
        assert post(server, "/hook/guess", source=guesser)[0] == 404
    status, head, text = post(server, address, source=guesser)
    assert status == 429
    assert "retry-after: 2" in head or "retry-after: 3" in head
    assert "too many" in text
    assert post(server, address)[0] == 200
    luis = server.peer(guesser)
    luis.register("luis", code="abc")  # the code is another matter
    server.stop()
    log = server.log()
    assert log.count("wrong hook") == 1
    assert log.count(guesser) == 3, "that line, and luis, who joins and leaves"
    assert address.split("/")[-1] not in log


@BOTH_THREAD_MODELS
def test_what_cannot_be_said_is_explained(start_server, order):
    server = start_server(*order)
    ana = operator(server)
    address = hook(ana)
    for body, headers, status in (
        (b"\xff", {}, 400),
        (b"\x1b[31m", {}, 400),
        (b"", {}, 400),
        (b"hola", {"Content_Type": "application/json"}, 400),
        (b"x" * 16_385, {}, 413),
        (b"x", {"Content_Length": ""}, 411),
        (b"x", {"Transfer_Encoding": "chunked"}, 411),
        (b"x", {"Origin": "http://evil.example"}, 403),
        (b"x", {"Content_Type": "multipart/form-data; boundary=x"}, 415),
    ):
        found, _head, text = post(server, address, body, **headers)
        assert (found, bool(text)) == (status, True), text
    assert post(server, address, b"x" * 16_384)[0] == 200
    get = f"GET {address} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    assert answer_to(server, get)[0] == 405
    assert post(server, "/", Host="localhost")[0] == 405
    assert [m["text"][:1] for m in server.sync(ana)[0] if m["type"] == "message"] == ["x"]


@BOTH_THREAD_MODELS
def test_one_hook_says_so_much_and_slow_bodies_have_an_end(order, threads, tmp_path):
    server = Server(
        (*order, "--threads", threads, "--challenge-timeout", "0.1", "--register-timeout", "1"),
        tmp_path / "server.log",
    )
    ana = operator(server)
    address, other = hook(ana), hook(ana, "other")
    answers = [post(server, address) for _ in range(40)]
    assert [status for status, _head, _text in answers[:20]] == [200] * 20
    refused = [head for status, head, _text in answers if status == 429]
    assert refused
    assert all("retry-after: 1" in head for head in refused)
    assert post(server, other)[0] == 200
    with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as slow:
        slow.sendall(f"POST {address} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx".encode())
        assert slow.recv(65_536).startswith(b"HTTP/1.1 408 ")
    with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as short:
        short.sendall(f"POST {other} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx".encode())
        short.shutdown(socket.SHUT_WR)
        assert short.recv(65_536).startswith(b"HTTP/1.1 400 ")
    server.stop()


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_curl_with_and_without_an_invitation(start_server, order):
    server = start_server(*order)
    ana = operator(server)
    url = f"http://127.0.0.1:{server.port}{hook(ana)}"

    def curl(*options, data):
        done = subprocess.run(
            ["curl", "-sS", "-w", "%{http_code}", *options, "--data-binary", "@-", url],
            input=data,
            capture_output=True,
            timeout=WAIT_S,
            check=True,
        )
        return done.stdout.decode()[-3:]

    assert curl(data=b"build ok\n") == "200"
    # Without an invitation it would wait for longer than this test does.
    waiting = ("--expect100-timeout", str(2 * WAIT_S), "-H", "Expect: 100-continue")
    assert curl(*waiting, data=b"x" * 2_000) == "200"
    assert curl("-H", "Content-Type: application/json", data=b'{"text":"json"}') == "200"
    assert curl("-H", "Transfer-Encoding: chunked", data=b"x") == "411"
    texts = [m["text"] for m in server.sync(ana)[0] if m["type"] == "message"]
    assert [text[:8] for text in texts] == ["build ok", "x" * 8, "json"]


def test_where_there_is_no_http_there_are_no_hooks(start_server, order):
    server = start_server(*order, "--web", "off")
    error = operator(server).ask("hook", name="build")
    assert error["code"] == "not_found"
    assert "--web off" in error["message"]


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("es", ("/aviso-web", "/avisos-web", "/quitar-aviso-web")),
        ("en", ("/hook", "/hooks", "/unhook")),
    ],
)
def test_the_console_makes_lists_and_removes_hooks(start_server, console, lang, words):
    server = start_server()
    make, show, remove = words
    lines = (f"{make} build", f"{make} build", show, f"{remove} build", f"{remove} build", show)
    done = console(server, *lines, lang=lang)
    shown = done.stdout.splitlines()
    assert f":{server.port}/hook/" in shown[1]
    secret = shown[1].rpartition("/")[2]
    assert f"{remove} build" in shown[2]
    assert shown[3].startswith("build  ")
    assert secret not in "".join(shown[2:])
    assert len(shown) == 6
    assert len(done.stderr.splitlines()) == 2
    assert post(server, f"/hook/{secret}")[0] == 404
