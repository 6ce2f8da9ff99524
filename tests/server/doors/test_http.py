"""What a request gets, under which names, and which pages may open a WebSocket."""

import pytest

from tertulia.server.doors.files import file_of
from tertulia.server.doors.http import Site

NODES = ("10.0.0.1:5000", "lab2.example.org:5001", "[fd00:0::3]:80")


def site(*nodes: str, name: str = "") -> Site:
    page = file_of("text/html", b"<p>hola")
    return Site({"/": page}, (name,) if name else (), nodes=lambda: nodes)


def answer(
    site: Site,
    host: str = "10.0.0.1:5000",
    *,
    method: str = "GET",
    is_secure: bool = False,
    **headers: str,
):
    lines = [
        f"Host: {host}",
        *(f"{key.replace('_', '-')}: {value}" for key, value in headers.items()),
    ]
    head = "".join(f"{line}\r\n" for line in [f"{method} / HTTP/1.1", *lines, ""])
    return site.respond(head.encode(), b"", is_secure=is_secure).answer.decode()


def status(site: Site, *lines: str) -> int:
    head = "".join(f"{line}\r\n" for line in [*lines, ""])
    return int(site.respond(head.encode(), b"", is_secure=False).answer.split()[1])


def policy(answered: str) -> str:
    [line] = [line for line in answered.split("\r\n") if "Content-Security" in line]
    [connect] = [part for part in line.split("; ") if part.startswith("connect-src")]
    return connect


def etag(answered: str) -> str:
    return next(line for line in answered.split("\r\n") if line.startswith("ETag: "))[6:]


def status_of_websocket(site: Site, origin: str | None, host: str = "10.0.0.1:5000") -> int:
    lines = [
        *("GET /ws HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade"),
        *("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="),
    ]
    return status(site, *lines, *([] if origin is None else [f"Origin: {origin}"]))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["GET / HTTP/1.1", "Host: localhost"], 200),
        (["GET /?lang=es HTTP/1.1", "Host: localhost"], 200),
        (["POST / HTTP/1.1", "Host: localhost"], 405),
        (["GET /nothing HTTP/1.1", "Host: localhost"], 404),
        (["GET /../server/cli.py HTTP/1.1", "Host: localhost"], 404),
        (["GET / HTTP/1.1"], 400),
        (["GET / HTTP/1.1", "Host: a b"], 400),
        (["GET / HTTP/1.1", "Host: localhost", "Host: localhost"], 400),
        (["GET / HTTP/9", "Host: localhost"], 400),
        (["GET "], 400),
        (["GET / HTTP/1.1", "Host: localhost", "Content-Length: 5"], 400),
        (["GET / HTTP/1.1", "Host: localhost", "Transfer-Encoding: chunked"], 400),
        (["GET / HTTP/1.1", "Host: localhost", *["X: y"] * 200], 431),
        (["GET /ws HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Content-Length: 5"], 400),
        (["GET /ws HTTP/1.1", "Host: localhost", "Upgrade: websocket"], 426),
        (["GET /ws HTTP/1.1", "Host: localhost"], 404),
    ],
)
def test_a_request_gets_its_status(lines, expected):
    assert status(site(), *lines) == expected


def test_what_comes_after_the_opening_of_a_websocket_is_its_input():
    lines = [
        *("GET /ws HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade"),
        *("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", ""),
    ]
    head = "".join(f"{line}\r\n" for line in lines).encode()
    opened = site().respond(head, b"first frame", is_secure=False)
    assert opened.answer.startswith(b"HTTP/1.1 101 ")
    assert opened.rest == b"first frame"


@pytest.mark.parametrize(
    ("target", "path"),
    [("/", "/"), ("/client?x=1", "/client?x=1"), ("http://localhost/x", "/"), ("*", "/")],
)
def test_where_tls_is_required_a_request_is_sent_there(target, path):
    head = f"GET {target} HTTP/1.1\r\nHost: localhost:5000\r\n\r\n"
    answered = site().redirect(head.encode()).decode()
    assert answered.startswith("HTTP/1.1 307 ")
    assert f"Location: https://localhost:5000{path}\r\n" in answered


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1:5000", 200),
        ("[::1]:5000", 200),
        ("localhost", 200),
        ("chat", 200),
        ("laptop.local:5000", 200),
        ("box.lan", 200),
        ("a.home.arpa", 200),
        ("a.internal", 200),
        ("CHAT.example:5000", 200),  # by --name
        ("box.lan.", 200),
        ("evil.example", 421),
        ("evil.local.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("127.0.0.1%evil.example", 421),
    ],
)
def test_it_is_given_only_under_names_that_nobody_outside_can_point_at_the_server(host, expected):
    assert status(site(name="Chat.example"), "GET / HTTP/1.1", f"Host: {host}") == expected


def test_the_page_of_a_server_alone_may_talk_only_to_it():
    assert policy(answer(site())) == "connect-src 'self'"
    for origin in (None, "http://10.0.0.1:5000", "https://10.0.0.1:5000"):
        assert status_of_websocket(site(), origin) == 101, origin
    for origin in ("http://10.0.0.2:5000", "http://10.0.0.1", "http://10.0.0.1:5000.evil.example"):
        assert status_of_websocket(site(), origin) == 403, origin
    assert status_of_websocket(site(), "http://evil.example", "evil.example") == 421


def test_a_page_of_several_servers_may_talk_to_those_that_come_later_too():
    assert policy(answer(site(*NODES))) == "connect-src 'self' ws:"


def test_a_head_request_gets_the_head_alone():
    page, head = (answer(site(), method=method) for method in ("GET", "HEAD"))
    assert page == head + "<p>hola"
    assert "Content-Length: 7\r\n" in head


@pytest.mark.parametrize(
    ("host", "is_secure", "is_trusted"),
    [
        ("10.0.0.1:5000", False, False),
        ("10.0.0.1:5000", True, True),
        ("localhost:5000", False, True),
        ("127.0.0.1", False, True),
        ("[::1]:5000", False, True),
        ("lab.local", False, False),
    ],
)
def test_only_where_browsers_trust_the_connection_the_page_is_kept_apart_from_others(
    host, is_secure, is_trusted
):
    answered = answer(site(), host, is_secure=is_secure)
    assert ("Cross-Origin-Opener-Policy: same-origin\r\n" in answered) is is_trusted


def test_of_the_etags_that_a_browser_or_a_proxy_knows_one_is_enough():
    known = etag(answer(site()))
    for several in (f'"other", {known}', f"W/{known}"):
        assert answer(site(), If_None_Match=several).startswith("HTTP/1.1 304"), several


def test_a_page_that_a_browser_has_kept_is_not_used_with_the_policy_of_a_server_alone():
    alone, together = answer(site()), answer(site(*NODES))
    assert etag(alone) != etag(together) == etag(answer(site(*NODES[:1])))
    assert answer(site(*NODES), If_None_Match=etag(together)).startswith("HTTP/1.1 304")
    assert answer(site(*NODES), If_None_Match=etag(alone)).startswith("HTTP/1.1 200")


def test_pages_of_all_nodes_may_come_and_those_of_other_sites_may_not():
    for origin in ("http://10.0.0.1:5000", "http://10.0.0.9:5000"):
        assert status_of_websocket(site(*NODES), origin, "10.0.0.9:5000") == 101, origin
    assert status_of_websocket(site(*NODES), "http://10.0.0.1:5001", "10.0.0.9:5000") == 403


def test_a_node_knows_the_names_of_all_nodes_as_its_own():
    assert answer(site(*NODES), "lab2.example.org:5001").startswith("HTTP/1.1 200")
    assert answer(site(*NODES), "lab3.example.org:5001").startswith("HTTP/1.1 421")
