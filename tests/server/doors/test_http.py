"""Pages of several nodes: which other node one may talk to, and from which one it may come."""

import pytest

from tertulia.server.doors.files import file_of
from tertulia.server.doors.http import Site

NODES = ("10.0.0.1:5000", "lab2.example.org:5001", "[fd00:0::3]:80")


def site(*nodes: str, name: str = "") -> Site:
    page = file_of("text/html", b"<p>hola")
    return Site({"/": page}, (name,) if name else (), nodes=lambda: nodes)


def answer(site: Site, host: str = "10.0.0.1:5000", *, is_secure: bool = False, **headers: str):
    lines = [
        f"Host: {host}",
        *(f"{key.replace('_', '-')}: {value}" for key, value in headers.items()),
    ]
    head = "".join(f"{line}\r\n" for line in ["GET / HTTP/1.1", *lines, ""])
    return site.respond(head.encode(), b"", is_secure=is_secure).answer.decode()


def policy(answered: str) -> str:
    [line] = [line for line in answered.split("\r\n") if "Content-Security" in line]
    [connect] = [part for part in line.split("; ") if part.startswith("connect-src")]
    return connect


def etag(answered: str) -> str:
    return next(line for line in answered.split("\r\n") if line.startswith("ETag: "))[6:]


def status_of_websocket(site: Site, origin: str, host: str = "10.0.0.1:5000") -> int:
    head = (
        f"GET /ws HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    return int(site.respond(head.encode(), b"", is_secure=False).answer.split()[1])


def test_the_page_of_a_server_alone_may_talk_only_to_it():
    assert policy(answer(site())) == "connect-src 'self'"
    assert status_of_websocket(site(), "http://10.0.0.1:5000") == 101
    assert status_of_websocket(site(), "http://10.0.0.2:5000") == 403


@pytest.mark.parametrize("nodes", [NODES, NODES[:1]])
def test_a_page_of_several_servers_may_talk_to_those_that_come_later_too(nodes):
    assert policy(answer(site(*nodes))) == "connect-src 'self' ws:"
    assert policy(answer(site(*nodes), is_secure=True)) == "connect-src 'self' wss:"


def test_a_page_that_a_browser_has_kept_is_not_used_with_the_policy_of_a_server_alone():
    alone, together = answer(site()), answer(site(*NODES))
    assert etag(alone) != etag(together) == etag(answer(site(*NODES[:1])))
    assert answer(site(*NODES), If_None_Match=etag(together)).startswith("HTTP/1.1 304")
    assert answer(site(*NODES), If_None_Match=etag(alone)).startswith("HTTP/1.1 200")


@pytest.mark.parametrize(
    "origin",
    ["http://10.0.0.1:5000", "https://10.0.0.1:5000", "http://LAB2.example.org:5001",
     "http://[fd00::3]", "http://10.0.0.9:5000"],
)  # fmt: skip
def test_pages_of_all_nodes_may_come(origin):
    assert status_of_websocket(site(*NODES), origin, "10.0.0.9:5000") == 101


@pytest.mark.parametrize(
    "origin",
    ["http://10.0.0.1:5001", "http://10.0.0.1", "https://[fd00::3]", "http://10.0.0.11:5000",
     "http://10.0.0.1:5000.evil.example", "http://evil.example:5000", "null", "",
     "ftp://10.0.0.1:5000", "http://10.0.0.1:x", "http://10.0.0.1:99999", "http://user@:5000",
     "http://[::1", "file://"],
)  # fmt: skip
def test_pages_of_other_sites_may_not(origin):
    assert status_of_websocket(site(*NODES), origin, "10.0.0.9:5000") == 403


def test_a_node_knows_the_names_of_all_nodes_as_its_own():
    assert answer(site(*NODES), "lab2.example.org:5001").startswith("HTTP/1.1 200")
    assert answer(site(*NODES), "lab3.example.org:5001").startswith("HTTP/1.1 421")
