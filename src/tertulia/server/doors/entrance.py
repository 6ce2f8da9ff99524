"""One port for every door: the first bytes of a connection tell what it speaks.

Lines of JSON are the native protocol, a method of HTTP is a browser. Nothing is said in JSON to a
browser: a connection that has shown that it is one gets every refusal as a response of HTTP.
"""

import http
from collections.abc import Sequence

from tertulia.protocol import lines
from tertulia.protocol.messages import CloseReason, Error, ErrorCode, Request, ServerMessage
from tertulia.server import refusals
from tertulia.server.doors.http import MAX_HEAD_BYTES, Site, error_response, looks_like_http
from tertulia.server.doors.native import NativeDoor
from tertulia.server.workers.door import Entrance, Form, Opened

_END_OF_HEAD = b"\r\n\r\n"


class OpenEntrance(Entrance):
    """The beginning of one connection. See `workers.door.Door`."""

    __slots__ = (
        "_head",
        "_is_http",
        "_site",
        "empty_bytes",
        "has_more",
        "is_at_eof",
        "malformed_count",
        "ready",
        "requests_tried",
    )

    form = Form(lines.encode)
    room = MAX_HEAD_BYTES

    def __init__(self, site: Site) -> None:
        self._site = site
        self._head = b""
        self._is_http = False
        self.ready: list[Request] = []
        self.has_more = False
        self.is_at_eof = False
        self.requests_tried = 0
        self.malformed_count = 0
        self.empty_bytes = 0

    @property
    def in_mid_line(self) -> bool:
        """Whether something has begun."""
        return bool(self._head)

    def open(self, data: bytes) -> Opened | None:
        """Take in bytes from the network; None if they do not tell yet what this is."""
        self._head += data
        is_http = self._is_http or looks_like_http(self._head)
        if is_http is None:
            return None
        if not is_http:
            return Opened(door=NativeDoor(), rest=self._head)
        self._is_http = True
        head, end, rest = self._head.partition(_END_OF_HEAD)
        if len(head) > MAX_HEAD_BYTES:
            too_large = http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            return Opened(answer=error_response(too_large))
        if not end:
            return None
        return self._site.respond(head + end, rest)

    def feed(self, data: bytes) -> None:
        """Not used: `open` takes in the bytes."""
        raise NotImplementedError

    def feed_eof(self) -> None:
        """Note that the client sends no more."""
        self.is_at_eof = True
        self.has_more = True

    def next_request(self) -> None:
        """Return None: there are no requests before it is known how they are made."""
        self.has_more = False

    def encode(self, message: ServerMessage) -> bytes:
        """Return why the connection ends, in the form of what it speaks as far as is known."""
        if not self._is_http:
            return lines.encode(message)
        is_late = isinstance(message, Error) and message.code == ErrorCode.REGISTER_TIMEOUT
        status = http.HTTPStatus.REQUEST_TIMEOUT if is_late else http.HTTPStatus.SERVICE_UNAVAILABLE
        return error_response(status)

    def encode_all(self, messages: Sequence[ServerMessage]) -> bytes:
        """Return the first of several messages as it travels."""
        return self.encode(messages[0])

    def close(self) -> None:
        """Do nothing: there is nothing that would stay."""

    def goodbye(self, _reason: CloseReason) -> bytes:
        """Return nothing: the end of the stream says it."""
        return b""


def say_full_in_json(_first: bytes) -> bytes:
    """Return the refusal of a full server."""
    return lines.encode(refusals.server_full())


def say_full_in_any_form(first: bytes) -> bytes:
    """Return the refusal of a full server for a client that has sent these first bytes."""
    if looks_like_http(first):
        return error_response(http.HTTPStatus.SERVICE_UNAVAILABLE)
    return say_full_in_json(first)
