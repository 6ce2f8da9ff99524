"""HTTP for programs: a `POST` to the secret address of a hook publishes a message in the chat.

Pure: it gets the head of the request and then its body, and returns one line of text. Only hooks
accept `POST`, and they accept no other method.
"""

import http
import math
from collections.abc import Sequence

from websockets.datastructures import Headers

from tertulia.protocol import lines
from tertulia.protocol.hooks import HOOK_PATH, BadNotice, read_notice
from tertulia.protocol.messages import (
    CloseReason,
    Error,
    ErrorCode,
    Ok,
    Ping,
    Request,
    ServerMessage,
)
from tertulia.server.doors.responses import text_response
from tertulia.server.workers.door import AnyMessage, Control, Form, HookPost, Opened

MAX_BODY_BYTES = 16 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# NOT_STORED gets no status that makes a program try again: the message was published.
_STATUS = {
    ErrorCode.NOT_FOUND: http.HTTPStatus.NOT_FOUND,
    ErrorCode.TEXT_TOO_LONG: http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ErrorCode.RATE_LIMITED: http.HTTPStatus.TOO_MANY_REQUESTS,
    ErrorCode.REGISTER_TIMEOUT: http.HTTPStatus.REQUEST_TIMEOUT,
    ErrorCode.BUSY: http.HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.SERVER_FULL: http.HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.UNAVAILABLE: http.HTTPStatus.INSUFFICIENT_STORAGE,
}


def is_hook(path: str) -> bool:
    """Return whether a path is that of a hook, even if there is no such hook."""
    return path.startswith(HOOK_PATH)


def is_own_origin(origin: str, host: str) -> bool:
    """Return whether a page that sends this `Origin` came from the request's own `Host`."""
    return origin.lower() in (f"http://{host}".lower(), f"https://{host}".lower())


def open_hook(method: str, path: str, headers: Headers, host: str, rest: bytes) -> Opened:
    """Answer the head of a request for a hook. Raises LookupError for a header that occurs twice.

    Every `Host` is accepted: a program that knows the secret may use any name of the server. But a
    page of another site could guess secrets through its visitor's browser, and only pages send an
    `Origin`.
    """
    if method != "POST":
        text = "a hook takes only POST, for example: curl -d TEXT http://SERVER:PORT/hook/SECRET"
        return _refused(http.HTTPStatus.METHOD_NOT_ALLOWED, text, {"Allow": "POST"})
    origin = headers.get("Origin")
    if origin is not None and not is_own_origin(origin, host):
        text = "a page of another site may not post to a hook"
        return _refused(http.HTTPStatus.FORBIDDEN, text)
    given = headers.get("Content-Length")
    if "Transfer-Encoding" in headers or given is None:
        text = "send a Content-Length: a body in chunks is not accepted"
        return _refused(http.HTTPStatus.LENGTH_REQUIRED, text)
    if not (given.isascii() and given.isdigit()):
        text = "Content-Length has to be a number of bytes"
        return _refused(http.HTTPStatus.BAD_REQUEST, text)
    if len(given) > 9 or int(given) > MAX_BODY_BYTES:
        text = f"the body is too long: the limit is {MAX_BODY_BYTES} bytes"
        return _refused(http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text)
    expects = headers.get("Expect", "").lower()
    if expects not in ("", "100-continue"):
        text = "the only Expect that is accepted is 100-continue"
        return _refused(http.HTTPStatus.EXPECTATION_FAILED, text)
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":  # the whole form would be published
        text = "send the text itself (curl -d TEXT), or JSON with 'text', not a form"
        return _refused(http.HTTPStatus.UNSUPPORTED_MEDIA_TYPE, text)
    secret = path.removeprefix(HOOK_PATH).partition("?")[0]
    door = HookDoor(secret, int(given), is_json=kind == "application/json")
    # A body that has come already needs no 100 Continue.
    answer = _CONTINUE if expects and len(rest) < int(given) else b""
    return Opened(answer=answer, door=door, rest=rest)


class HookDoor:
    """The body of one request, and its answer. See `workers.door.Door`."""

    __slots__ = (
        "_body",
        "_is_json",
        "_is_read",
        "_missing",
        "_secret",
        "decoded",
        "empty_bytes",
        "has_more",
        "is_at_eof",
        "malformed_count",
        "requests_tried",
    )

    kind = "hook"
    form = Form(lines.encode)  # never used: it follows no events
    free_bytes = MAX_BODY_BYTES
    is_full = True  # once its request has come

    def __init__(self, secret: str, body_bytes: int, *, is_json: bool) -> None:
        self._secret = secret
        self._missing = body_bytes
        self._is_json = is_json
        self._body = b""
        self._is_read = False
        self.decoded: list[Request] = []
        self.has_more = not body_bytes
        self.is_at_eof = False
        self.requests_tried = 0
        self.malformed_count = 0
        self.empty_bytes = 0

    @property
    def in_mid_line(self) -> bool:
        """Whether a part of the body is missing."""
        return self._missing > 0

    def feed(self, data: bytes) -> None:
        """Take in bytes of the body; bytes after it are dropped."""
        data = data[: self._missing]
        self._body += data
        self._missing -= len(data)
        self.has_more = not self._missing

    def feed_eof(self) -> None:
        """Note that the client sends no more."""
        self.is_at_eof = True
        self.has_more = True

    def next_request(self) -> HookPost | None:
        """Return the posted text once the body is complete, or a fault if it cannot become so."""
        self.has_more = False
        if self._is_read or (self._missing and not self.is_at_eof):
            return None
        self._is_read = True
        if self._missing:
            return self._bad("the body is shorter than its Content-Length")
        try:
            return HookPost(self._secret, read_notice(self._body, is_json=self._is_json))
        except BadNotice as bad:
            return self._bad(str(bad))

    def pop_pings(self) -> list[Ping | Control]:
        """Return nothing: HTTP has none."""
        return []

    def _bad(self, reason: str) -> HookPost:
        problem = Error(code=ErrorCode.MALFORMED, message=reason)
        return HookPost(self._secret, "", problem)

    def encode(self, message: AnyMessage) -> bytes:
        """Return an answer as an HTTP response with one line of text."""
        match message:
            case Ok():
                return text_response(http.HTTPStatus.OK, f"said: message {message.seq}")
            case Error(code=ErrorCode.REGISTER_TIMEOUT) if self._is_read:
                text = "the message was said but is not stored yet"
                return text_response(http.HTTPStatus.INSUFFICIENT_STORAGE, text)
            case Error(code=ErrorCode.REGISTER_TIMEOUT):
                text = "the request took too long"
                return text_response(http.HTTPStatus.REQUEST_TIMEOUT, text)
            case Error():
                wait = {}
                if message.retry_after:
                    wait["Retry-After"] = str(math.ceil(message.retry_after))
                status = _STATUS.get(ErrorCode(message.code), http.HTTPStatus.BAD_REQUEST)
                return text_response(status, message.message, wait)
            case _:
                text = "the server is stopping: try again later"
                return text_response(http.HTTPStatus.SERVICE_UNAVAILABLE, text)

    def encode_all(self, messages: Sequence[ServerMessage]) -> bytes:
        """Return the bytes of the first of several messages."""
        return self.encode(messages[0])

    def goodbye(self, _reason: CloseReason) -> bytes:
        """Return nothing: the end of the stream is enough."""
        return b""

    def close(self) -> None:
        """Do nothing: there is nothing to free."""


def _refused(status: http.HTTPStatus, text: str, headers: dict[str, str] | None = None) -> Opened:
    return Opened(answer=text_response(status, text, headers))
