"""The bytes of an HTTP response, after which the connection is closed. Pure."""

import email.utils
import http

from websockets.datastructures import Headers
from websockets.http11 import Response


def text_response(
    status: http.HTTPStatus,
    text: str,
    headers: dict[str, str] | None = None,
    *,
    has_body: bool = True,
) -> bytes:
    """Return a response with one line of text."""
    kind = {"Content-Type": "text/plain; charset=utf-8"}
    body = f"{text}\n".encode()
    return response(status, kind | (headers or {}), body, has_body=has_body)


def response(
    status: http.HTTPStatus,
    headers: dict[str, str],
    body: bytes | None,
    *,
    has_body: bool = True,
) -> bytes:
    """Return a response; one without a body is for a status that has none."""
    fields = Headers()
    fields["Date"] = email.utils.formatdate(usegmt=True)
    fields["Connection"] = "close"
    for name, value in headers.items():
        fields[name] = value
    if body is not None:
        fields["Content-Length"] = str(len(body))
    sent = body if body is not None and has_body else b""
    return Response(status.value, status.phrase, fields, sent).serialize()
