"""Finds the door for a new connection by its first bytes, so that one port serves all doors.

A TLS record means TLS, and the first bytes inside it are examined in the same way. A line of JSON
means the native protocol, a method of HTTP a browser. A connection that speaks HTTP gets every
refusal as an HTTP response, never as JSON.
"""

import http
import ssl
from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tertulia.protocol import lines
from tertulia.protocol.messages import CloseReason, Error, ErrorCode, Request, ServerMessage
from tertulia.server import refusals
from tertulia.server.doors.http import MAX_HEAD_BYTES, Site, error_response, looks_like_http
from tertulia.server.doors.monitoring import asks_for_monitoring
from tertulia.server.doors.native import NativeDoor
from tertulia.server.doors.responses import text_response
from tertulia.server.workers.door import AnyMessage, Entrance, Form, Opened
from tertulia.tls.channel import HANDSHAKE_RECORD, HTTP, NATIVE, TlsChannel

_OBJECT = ord("{")  # the first byte of a line of JSON
_END_OF_HEAD = b"\r\n\r\n"
_NO_TLS_HERE = bytes((0x15, 3, 1, 0, 2, 2, 40))  # the alert handshake_failure, which is fatal


class Offer(Struct, frozen=True):
    """The protocols of a port: `site` is None without HTTP, `context` is None without TLS."""

    site: Site | None = None
    context: Callable[[], ssl.SSLContext] | None = None
    requires_tls: bool = False


class OpenEntrance(Entrance):
    """The beginning of one connection. See `workers.door.Door`."""

    form = Form(lines.encode)
    free_bytes = MAX_HEAD_BYTES

    _head = b""
    _is_http = False
    has_more = False
    is_at_eof = False
    requests_tried = 0
    malformed_count = 0
    empty_bytes = 0

    def __init__(self, offer: Offer) -> None:
        self._offer = offer
        self.decoded: list[Request] = []

    @property
    def in_mid_line(self) -> bool:
        """Whether some bytes have come."""
        return bool(self._head)

    def open_native(self, first: bytes) -> NativeDoor | None:
        """Return a door if the first bytes are a line of JSON, as they usually are."""
        has_begun = self._head or self.proxy is not None or self.tls is not None
        if first[0] != _OBJECT or has_begun or self._lacks_tls:
            return None
        return NativeDoor()

    def open(self, data: bytes) -> Opened | None:
        """Take in bytes from the network; return None if they do not show the protocol yet."""
        self._head += data
        if self.tls is None and self._head[0] == HANDSHAKE_RECORD:
            first, self._head = self._head, b""
            if self._offer.context is None:
                return Opened(answer=_NO_TLS_HERE)
            return Opened(tls=self._offer.context(), rest=first)
        site = self._offer.site
        is_http = self._is_http or _is_http(site, self._head, self.tls)
        if is_http is None:
            return None
        if site is None or not is_http:
            if self._lacks_tls:
                refusal = refusals.tls_required()
                return Opened(answer=lines.encode(refusal), refused=ErrorCode.TLS_REQUIRED)
            return Opened(door=NativeDoor(), rest=self._head)
        self._is_http = True
        opened = self._open_http(site)
        if opened is not None and self._head.startswith(b"HEAD "):
            head, end, _body = opened.answer.partition(_END_OF_HEAD)
            return replace(opened, answer=head + end)
        return opened

    def _open_http(self, site: Site) -> Opened | None:
        head, end, rest = self._head.partition(_END_OF_HEAD)
        if len(head) > MAX_HEAD_BYTES:
            too_large = http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            return Opened(answer=error_response(too_large))
        if not end:
            line, newline, _rest = head.partition(b"\n")
            # typed by hand: the end of the head would never come
            if newline and not line.endswith(b"\r"):
                return Opened(answer=error_response(http.HTTPStatus.BAD_REQUEST))
            return None
        if self._lacks_tls:
            return Opened(answer=site.redirect(head + end))
        return site.respond(
            head + end, rest, is_secure=self.tls is not None, client_address=self.client_address
        )

    def refuse_as(self, first: bytes, error: Error) -> bytes:
        """Return a refusal in the protocol of a connection with these first bytes."""
        if first[:1] == bytes((HANDSHAKE_RECORD,)):
            return _NO_TLS_HERE
        if _is_http(self._offer.site, first, None):
            is_full = error.code == ErrorCode.SERVER_FULL
            unavailable, bad = http.HTTPStatus.SERVICE_UNAVAILABLE, http.HTTPStatus.BAD_REQUEST
            return text_response(unavailable if is_full else bad, error.message)
        return lines.encode(error)

    def feed(self, data: bytes) -> None:
        """Not used: `open` takes in the bytes."""
        raise NotImplementedError

    def feed_eof(self) -> None:
        """Note that the client sends no more."""
        self.is_at_eof = True
        self.has_more = True

    def next_request(self) -> None:
        """Return None: there are no requests before the protocol is known."""
        self.has_more = False

    def encode(self, message: AnyMessage) -> bytes:
        """Return the bytes of a refusal, in the protocol that the first bytes indicate."""
        if self.tls is not None and not self.tls.is_open:
            return b""
        if self._is_http or (self.tls is not None and self.tls.alpn == HTTP):
            is_late = isinstance(message, Error) and message.code == ErrorCode.REGISTER_TIMEOUT
            unavailable = http.HTTPStatus.SERVICE_UNAVAILABLE
            return error_response(http.HTTPStatus.REQUEST_TIMEOUT if is_late else unavailable)
        return lines.encode(refusals.tls_required() if self._lacks_tls else message)

    def encode_all(self, messages: Sequence[ServerMessage]) -> bytes:
        """Return the bytes of the first of several messages."""
        return self.encode(messages[0])

    def close(self) -> None:
        """Do nothing: there is nothing to free."""

    def goodbye(self, reason: CloseReason) -> bytes:
        """Return the answer to an incomplete head; nothing in any other case."""
        if self._is_http and reason is CloseReason.LOST:
            return error_response(http.HTTPStatus.BAD_REQUEST)
        return b""

    @property
    def _lacks_tls(self) -> bool:
        return self._offer.requires_tls and self.tls is None and not self.is_local


def refusal_when_full(
    offer: Offer, first: bytes, tls: TlsChannel | None, client_address: str | None, *, is_last: bool
) -> bytes | None:
    """Return the refusal of a full server for a client that has sent these first bytes.

    Monitoring programs get their answer all the same: otherwise a full server would seem to be
    dead. `client_address` is None if it is unknown. Returns None if more has to be read; never if
    `is_last`.
    """
    site = offer.site
    is_http = _is_http(site, first, tls)
    if is_http is None and not is_last:
        return None
    if not is_http:
        return lines.encode(refusals.server_full())
    if site is not None and site.monitoring is not None and site.monitoring.admits(client_address):
        head, end, _rest = first.partition(_END_OF_HEAD)
        is_open = tls is not None or not offer.requires_tls
        if is_open and not end and not is_last and len(first) < MAX_HEAD_BYTES:
            return None
        if is_open and end and (answer := site.respond_though_full(head + end, client_address)):
            return answer
    return error_response(http.HTTPStatus.SERVICE_UNAVAILABLE)


def _is_http(site: Site | None, first: bytes, tls: TlsChannel | None) -> bool | None:
    """Return whether these bytes are HTTP; None if more of them are needed to decide.

    A protocol that client and server have agreed on in TLS decides. Without the page, only the
    requests of monitoring programs are HTTP.
    """
    agreed = None if tls is None else tls.alpn
    if site is None or agreed == NATIVE:
        return False
    if not site.has_page:
        return asks_for_monitoring(first)
    return True if agreed == HTTP else looks_like_http(first)
