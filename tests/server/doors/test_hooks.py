"""What may be posted to a hook, and what is said about the rest: statuses, and one line of text."""

import pytest
from msgspec import UNSET

from tertulia.protocol.messages import Closing, Error, Ok
from tertulia.server.doors.hooks import MAX_BODY_BYTES, HookDoor
from tertulia.server.doors.http import Site

SECRET = "a-secret"


def open_(method="POST", path=f"/hook/{SECRET}", rest=b"", host="ci.example.org", **headers):
    fields = {"Host": host} if host else {}
    fields |= {name.replace("_", "-"): value for name, value in headers.items() if value}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    head = f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode()
    return Site({}, ()).respond(head, rest, is_secure=False)


def posted(body, *pieces, **headers):
    """Return what the door makes of a body, which comes in these pieces."""
    opened = open_(Content_Length=str(len(body)), **headers)
    assert opened.door is not None, opened.answer
    for piece in pieces or (body,):
        opened.door.feed(piece)
    return opened.door.next_request()


def status_and_text(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    assert body.count(b"\n") == 1
    return int(head.split()[1]), body.decode().rstrip("\n"), head.decode()


def refusal(**options):
    opened = open_(**options)
    assert opened.door is None
    return status_and_text(opened.answer)


def test_a_body_without_bytes_is_complete_at_once():
    opened = open_(Content_Length="0")
    assert opened.door.has_more
    assert opened.door.next_request() is not None
    assert not opened.door.has_more
    assert opened.door.next_request() is None


def test_a_body_is_a_text_however_it_is_cut():
    post = posted(b"build ok", b"bui", b"", b"ld ok, and more that is dropped")
    assert (post.secret, post.text, post.problem, post.id) == (SECRET, "build ok", None, UNSET)


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("build ok", "application/x-www-form-urlencoded", "build ok"),
        ("¿qué?\r\n", "text/plain; charset=utf-8", "¿qué?"),
        ('{"text":"hola"}', "application/json", "hola"),
        ('{"text":"hola"}', "application/x-www-form-urlencoded", "hola"),
        ('{"text":"hola"}', None, "hola"),
        ('{"text":5}', None, '{"text":5}'),
    ],
)
def test_plain_text_and_json_are_told_apart(body, kind, text):
    assert posted(body.encode(), Content_Type=kind).text == text


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        (b"\xff", "text/plain", "not UTF-8"),
        (b"hola", "application/json", "JSON object with 'text'"),
        (b'{"text":5}', "Application/JSON; charset=utf-8", "JSON object with 'text'"),
        (b'{"text":5}', "application/json ;charset=utf-8", "JSON object with 'text'"),
    ],
)
def test_a_body_that_is_no_text_is_explained(body, kind, reason):
    post = posted(body, Content_Type=kind)
    assert post.problem.code == "malformed"
    assert reason in post.problem.message


def test_a_body_of_exactly_the_limit_is_read():
    post = posted(b" " * (MAX_BODY_BYTES - 4) + b"hola")
    assert (post.text.strip(), post.problem) == ("hola", None)


def test_a_body_that_ends_early_is_explained():
    opened = open_(Content_Length="20")
    opened.door.feed(b"build")
    assert opened.door.next_request() is None
    assert opened.door.in_mid_line
    opened.door.feed_eof()
    assert "shorter" in opened.door.next_request().problem.message
    assert opened.door.next_request() is None


def test_a_client_that_waits_for_an_invitation_gets_one():
    invited = open_(Content_Length="5", Expect="100-continue")
    assert invited.answer == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert open_(Content_Length="5", Expect="100-continue", rest=b"build").answer == b""
    assert refusal(Content_Length="5", Expect="a miracle")[0] == 417
    assert refusal(Content_Length=str(MAX_BODY_BYTES + 1), Expect="100-continue")[0] == 413


@pytest.mark.parametrize(
    ("options", "status", "word"),
    [
        ({"method": "GET"}, 405, "POST"),
        ({"method": "HEAD", "Content_Length": "0"}, 405, "POST"),
        ({"method": "PUT", "Content_Length": "3"}, 405, "POST"),
        ({}, 411, "Content-Length"),
        ({"Transfer_Encoding": "chunked"}, 411, "Content-Length"),
        ({"Transfer_Encoding": "chunked", "Content_Length": "3"}, 411, "Content-Length"),
        ({"Content_Length": "many"}, 400, "number"),
        ({"Content_Length": "-1"}, 400, "number"),
        ({"Content_Length": "16385"}, 413, "16384"),
        ({"Content_Length": "9" * 5_000}, 413, "16384"),
        ({"Content_Length": "3", "Origin": "http://evil.example"}, 403, "another site"),
        ({"Content_Length": "3", "host": None}, 400, "HTTP/1.1"),
        ({"Content_Length": "3", "Content_Type": "multipart/form-data; boundary=x"}, 415, "form"),
    ],
)
def test_bad_requests_are_refused_with_a_status_and_a_line_that_says_why(options, status, word):
    found, text, head = refusal(**options)
    assert (found, word in text) == (status, True), text
    assert ("Allow: POST" in head) == (status == 405)


def test_a_header_that_is_there_twice_is_a_bad_request():
    head = b"POST /hook/x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n"
    answer = Site({}, ()).respond(head, b"", is_secure=False).answer
    assert status_and_text(answer)[0] == 400


def test_post_is_taken_on_no_other_path_and_under_other_names_not_looked_at():
    for path in ("/", "/hook", "/ws", "/hooks/x"):
        assert refusal(path=path, host="127.0.0.1", Content_Length="3")[0] == 405
    assert refusal(path="/", Content_Length="3")[0] == 421


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (Ok(seq=12), 200),
        (Error(code="not_found", message="x"), 404),
        (Error(code="text_too_long", message="x"), 413),
        (Error(code="text_invalid", message="x"), 400),
        (Error(code="rate_limited", message="x", retry_after=0.2), 429),
        (Error(code="busy", message="x", retry_after=1.0), 503),
        (Error(code="unavailable", message="x", seq=5), 507),
        (Error(code="register_timeout", message="x"), 408),
        (Closing(reason="shutdown", retry_after=1.0), 503),
    ],
)
def test_answers_are_statuses_with_a_line(message, status):
    found, text, head = status_and_text(HookDoor(SECRET, 5, is_json=False).encode(message))
    assert found == status
    assert text
    assert ("Retry-After: 1" in head) == (status in (429, 503) and isinstance(message, Error))
