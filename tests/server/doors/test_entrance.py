"""The entrance: what a connection gets whose first bytes are not a proper request."""

from types import SimpleNamespace
from typing import Any

import pytest

from tertulia.protocol.lines import encode
from tertulia.protocol.messages import CloseReason, Error, ErrorCode, Ping
from tertulia.server.doors.entrance import Offer, OpenEntrance
from tertulia.server.doors.files import file_of
from tertulia.server.doors.http import Site
from tertulia.server.doors.native import NativeDoor

OPEN, TLS_ALONE = {}, {"requires_tls": True}


def entrance(**options: bool) -> OpenEntrance:
    site = Site({"/": file_of("text/html", b"<p>hola")}, ())
    return OpenEntrance(Offer(site, **options))


@pytest.mark.parametrize("offer", [OPEN, TLS_ALONE], ids=["open", "TLS alone"])
@pytest.mark.parametrize(
    "head",
    [
        b"GET /\x07 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /\r HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /\xc3\xb1 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET  HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \xc3\xb1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX\0: y\r\n\r\n",
    ],
)
def test_bytes_that_may_not_stand_in_a_head_are_a_bad_request(head: bytes, offer) -> None:
    opened = entrance(**offer).open(head)
    assert opened is not None
    assert opened.answer.startswith(b"HTTP/1.1 400 ")
    assert opened.door is None


@pytest.mark.parametrize("head", [b"GET / HTTP/1.0\n", b"GET /\n\n", b"HEAD / HTTP/1.1\nHost: a"])
def test_lines_that_end_with_a_newline_alone_are_not_waited_for(head: bytes) -> None:
    door = entrance()
    assert door.open(head[:10]) is None or b"\n" in head[:10]
    opened = entrance().open(head)
    assert opened is not None
    assert opened.answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("head", [b"GET / HTTP/1.1\r", b"GET / HTTP/1.1\r\nHost: a\r\n"])
def test_a_head_that_ends_too_early_is_answered(head: bytes) -> None:
    door = entrance()
    assert door.open(head) is None
    assert door.in_mid_line
    assert door.goodbye(CloseReason.LOST).startswith(b"HTTP/1.1 400 ")
    assert door.goodbye(CloseReason.REFUSED) == b""  # it has been answered


def test_a_brace_after_other_bytes_does_not_begin_a_line_of_json() -> None:
    begun = entrance()
    assert begun.open_native(b"{") is not None
    assert begun.open(b"GE") is None
    assert begun.open_native(b"{") is None


def test_where_tls_is_required_only_the_local_socket_may_do_without() -> None:
    local, remote = entrance(requires_tls=True), entrance(requires_tls=True)
    local.is_local = True
    assert local.open_native(b"{") is not None
    assert remote.open_native(b"{") is None


def test_a_connection_that_has_said_nothing_gets_no_goodbye() -> None:
    assert entrance().goodbye(CloseReason.LOST) == b""


@pytest.mark.parametrize("lines", [[b"Cookie: " + b"x" * 9_000], [b"X: y"] * 200, [b"X: " * 9_000]])
def test_a_head_that_is_too_long_is_said_to_be_so(lines: list[bytes]) -> None:
    head = b"\r\n".join([b"GET / HTTP/1.1", b"Host: a", *lines, b"", b""])
    opened = entrance().open(head)
    assert opened is not None
    assert opened.answer.startswith(b"HTTP/1.1 431 ")


def test_a_head_may_have_16_kib() -> None:
    start = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    lines = b"\r\n".join(b"X%d: " % number + b"x" * 4_000 for number in range(4))
    head = start + lines + b"\r\nY: "
    for size, status in ((16 * 1024, b"200"), (16 * 1024 + 1, b"431")):
        opened = entrance().open(head.ljust(size, b"y") + b"\r\n\r\n")
        assert opened is not None
        assert opened.answer.split()[1] == status


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"HEAD /nothing HTTP/1.1\r\nHost: a\r\n\r\n", b"404"),
        (b"HEAD / HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"421"),
        (b"HEAD / HTTP/1.1\r\n\r\n", b"400"),
        (b"HEAD / HTTP/1.1\n\n", b"400"),
    ],
)
def test_a_refused_head_request_gets_no_body_either(head: bytes, status: bytes) -> None:
    opened = entrance().open(head)
    assert opened is not None
    assert opened.answer.startswith(b"HTTP/1.1 " + status)
    assert opened.answer.endswith(b"\r\n\r\n")
    assert b"\r\nContent-Length: " in opened.answer


def inside_tls(alpn: str | None, *, is_open: bool = True) -> OpenEntrance:
    """Return an entrance in TLS; unless `is_open`, its handshake is not over."""
    inside: Any = entrance(context=object)
    inside.tls = SimpleNamespace(alpn=alpn, is_open=is_open)
    return inside


@pytest.mark.parametrize("alpn", [None, "tertulia"])
def test_inside_tls_a_line_of_json_is_the_native_protocol(alpn: str | None) -> None:
    opened = inside_tls(alpn).open(encode(Ping()))
    assert opened is not None
    assert isinstance(opened.door, NativeDoor)
    assert opened.rest == encode(Ping())


def test_the_first_bytes_inside_tls_are_looked_at_without_those_of_tls() -> None:
    door: Any = entrance(context=object)
    opened = door.open(b"\x16\x03\x01")
    assert (opened.tls is None, opened.rest) == (False, b"\x16\x03\x01")
    door.tls = SimpleNamespace(alpn=None, is_open=True)
    opened = door.open(encode(Ping()))
    assert isinstance(opened.door, NativeDoor)
    assert opened.rest == encode(Ping())


def test_inside_tls_the_protocol_that_was_agreed_on_counts() -> None:
    browser = inside_tls("http/1.1")
    assert browser.open_native(encode(Ping())) is None
    opened = browser.open(encode(Ping()))
    assert opened is not None
    assert opened.answer.startswith(b"HTTP/1.1 400 ")


def test_inside_tls_there_is_no_further_tls() -> None:
    opened = inside_tls(None).open(b"\x16\x03\x01")
    assert opened is not None
    assert opened.tls is None


@pytest.mark.parametrize(
    ("alpn", "is_open", "begin"),
    [
        (None, True, b'{"type":"error"'),
        ("tertulia", True, b'{"type":"error"'),
        ("http/1.1", True, b"HTTP/1.1 408 "),
        (None, False, b""),
        ("http/1.1", False, b""),
    ],
)
def test_inside_tls_a_refusal_is_in_the_protocol_agreed_on_but_not_before(alpn, is_open, begin):
    late = Error(code=ErrorCode.REGISTER_TIMEOUT, message="too late")
    refusal = inside_tls(alpn, is_open=is_open).encode(late)
    assert refusal.startswith(begin)
    assert bool(refusal) is is_open


def test_a_refusal_to_a_client_that_speaks_tls_is_an_alert() -> None:
    full = Error(code=ErrorCode.SERVER_FULL, message="full")
    alert = entrance().refuse_as(b"\x16\x03\x01\0\xff", full)
    assert alert == b"\x15\x03\x01\0\x02\x02\x28"
    assert entrance().refuse_as(b"GET / HTTP/1.1\r\n", full).startswith(b"HTTP/1.1 503 ")
    assert entrance().refuse_as(b"", full) == entrance().refuse_as(b"{", full) == encode(full)
