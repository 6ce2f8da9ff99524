"""The bytes of a response: its headers, its body, and what it has without one."""

import email.utils
import http

import pytest

from tertulia.server.doors.responses import response, text_response

DATE = "Sun, 22 Nov 2026 15:04:05 GMT"


@pytest.fixture(autouse=True)
def _date(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every response have the same date."""
    monkeypatch.setattr(email.utils, "formatdate", lambda *, usegmt: DATE if usegmt else "")


def test_a_response_has_the_length_of_its_body_and_ends_the_connection() -> None:
    answer = response(http.HTTPStatus.OK, {"Content-Type": "text/html"}, "ñ".encode())
    assert (
        answer
        == (
            f"HTTP/1.1 200 OK\r\nDate: {DATE}\r\nConnection: close\r\n"
            "Content-Type: text/html\r\nContent-Length: 2\r\n\r\nñ"
        ).encode()
    )


def test_to_a_head_request_the_body_is_announced_and_not_sent() -> None:
    answer = response(http.HTTPStatus.OK, {}, b"body", has_body=False)
    assert answer.endswith(b"\r\nContent-Length: 4\r\n\r\n")


def test_an_empty_body_is_a_body() -> None:
    answer = response(http.HTTPStatus.OK, {}, b"")
    assert answer.endswith(b"\r\nContent-Length: 0\r\n\r\n")


def test_a_status_without_a_body_announces_none() -> None:
    answer = response(http.HTTPStatus.NOT_MODIFIED, {"ETag": '"x"'}, None)
    assert (
        answer
        == (
            f'HTTP/1.1 304 Not Modified\r\nDate: {DATE}\r\nConnection: close\r\nETag: "x"\r\n\r\n'
        ).encode()
    )


def test_a_text_is_one_line_of_plain_text() -> None:
    answer = text_response(http.HTTPStatus.NOT_FOUND, "ñandú")
    assert (
        answer
        == (
            f"HTTP/1.1 404 Not Found\r\nDate: {DATE}\r\nConnection: close\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 8\r\n\r\nñandú\n"
        ).encode()
    )


def test_a_text_can_have_more_headers_or_only_its_length() -> None:
    answer = text_response(http.HTTPStatus.OK, "ok", {"Allow": "GET"}, has_body=False)
    assert b"\r\nAllow: GET\r\n" in answer
    assert answer.endswith(b"\r\nContent-Length: 3\r\n\r\n")
