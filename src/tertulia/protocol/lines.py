"""Between bytes and messages: cut a stream into lines, decode and encode them, limit their length.

A line is one JSON object in UTF-8. Only the byte LF ends it. No socket, thread or clock in here.
"""

import json
import re
from collections.abc import Sequence
from typing import NoReturn, get_args

import msgspec
from msgspec import UNSET, UnsetType

from tertulia.protocol.envelope import Message
from tertulia.protocol.messages import MAX_INT, ErrorCode, Ping, Request, ServerMessage

MAX_LINE_BYTES = 65_536  # of a line from a client, with its newline

_MIN_REQUEST_BYTES = 15  # without its newline: {"type":"ping"}
_MAX_PING_BYTES = 256  # of one that is looked for among other requests

_EMPTY_LINES = re.compile(rb"(?:\n+|\r\n)+")

_encoder = msgspec.json.Encoder()
_request_decoder: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_server_decoder: msgspec.json.Decoder[ServerMessage] = msgspec.json.Decoder(ServerMessage)
_request_types = frozenset(kind.__struct_config__.tag for kind in get_args(Request))
_server_types = frozenset(kind.__struct_config__.tag for kind in get_args(ServerMessage))


class _AnyObject(msgspec.Struct):
    pass


class LineTooLong(Exception):
    """A line is longer than `max_line_bytes`."""


class BadRequest(Exception):
    """A line is not a request: `malformed` or `unknown_type`, with the `id` that it had."""

    def __init__(self, code: ErrorCode, reason: str, request_id: int | UnsetType) -> None:
        super().__init__(reason)
        self.code = code
        self.request_id = request_id


class LineBuffer(msgspec.Struct, eq=False):
    """Cuts a stream of bytes into lines.

    It holds at most `max_line_bytes`, as long as no more than `free_bytes` are fed at a time.
    `empty_bytes` counts the bytes of empty lines; the caller that reads it sets it back to 0.
    """

    _max_line_bytes: int = MAX_LINE_BYTES
    # A bytearray as soon as it holds anything: thousands of empty ones would take room.
    _bytes: bytes | bytearray = b""
    _start: int = 0  # where the first line begins that was not returned yet
    _scanned: int = 0  # no newline in [start, scanned)
    empty_bytes: int = 0

    @property
    def free_bytes(self) -> int:
        """How many bytes may be fed now; 0 only while there are complete lines to return."""
        return self._max_line_bytes - len(self._bytes) + self._start

    @property
    def in_mid_line(self) -> bool:
        """Whether, once `next_line` has returned None, a line has begun and not ended."""
        return len(self._bytes) > self._start

    def feed(self, data: bytes) -> None:
        """Take in bytes from the network."""
        if self._start:
            self._bytes = self._bytes[self._start :]
            self._scanned -= self._start
            self._start = 0
        if self._bytes:
            self._bytes += data
        else:
            self._bytes = bytearray(data)

    def next_line(self) -> bytes | None:
        """Return the next line that is not empty, without its end; None if there is none yet.

        Raises LineTooLong.
        """
        while (end := self._bytes.find(b"\n", self._scanned)) >= 0:
            start = self._start
            if end - start >= self._max_line_bytes:
                raise LineTooLong
            self._start = self._scanned = end + 1
            if end > start and self._bytes[end - 1] == 0x0D:
                end -= 1
            if end > start:
                return bytes(self._bytes[start:end])
            # A run of empty lines in one step: one by one they would cost more than requests.
            run = _EMPTY_LINES.match(self._bytes, self._start)
            if run is not None:
                self._start = self._scanned = run.end()
            self.empty_bytes += self._start - start
        self._scanned = len(self._bytes)
        if self._scanned - self._start >= self._max_line_bytes:
            raise LineTooLong
        return None


class RequestBuffer(LineBuffer):
    """Cuts a stream of bytes into requests.

    Nearly all that comes is complete lines without a fault: they are decoded in one go into
    `decoded`, whose last element is the next request. The rest is decoded line by line by
    `next_request`.
    """

    _ahead: int = 0  # up to here there is no whole line with a ping
    decoded: list[Request] = []
    has_more: bool = False  # `next_request` may have something once `decoded` is empty

    def feed(self, data: bytes) -> None:
        """Take in bytes from the network."""
        if not (self.has_more or self.decoded):
            try:
                if not data.isascii():
                    data.decode()  # the decoder does not read the fields that it does not know
                end = data.find(b"\n")
                if end == len(data) - 1:
                    self.decoded.append(_request_decoder.decode(data))
                    return
                if end >= _MIN_REQUEST_BYTES:  # or it may be a flood of empty lines
                    *lines, rest = data.split(b"\n")
                    if not rest:
                        self.decoded = list(map(_request_decoder.decode, reversed(lines)))
                        return
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                pass  # `next_request` finds out which line it is, and what is wrong with it
        self.has_more = True
        self._ahead = max(0, self._ahead - self._start)
        super().feed(data)

    @property
    def is_full(self) -> bool:
        """Whether nothing more may be fed before a request is taken."""
        return self.free_bytes <= 0

    def pop_pings(self) -> list[Ping]:
        """Remove and return every complete ping; everything else stays, in its order."""
        taken = [request for request in reversed(self.decoded) if type(request) is Ping]
        if taken:
            self.decoded[:] = [request for request in self.decoded if type(request) is not Ping]
        self.has_more = True  # what comes from now on stays as it is until it is asked for
        data, at = bytearray(self._bytes), max(self._ahead, self._start)
        while (end := data.find(b"\n", at)) >= 0:
            ping = decode_ping(data[at:end])
            if ping is None:
                at = end + 1
            else:
                taken.append(ping)
                del data[at : end + 1]
        self._bytes, self._ahead, self._scanned = data, at, self._start
        return taken

    def next_request(self) -> Request | None:
        """Return the next request, or None if there is none yet. Raises BadRequest, LineTooLong."""
        if self.decoded:
            return self.decoded.pop()
        line = self.next_line()
        if line is not None:
            return decode_request(line)
        self.has_more = self.in_mid_line
        return None


def decode_request(line: bytes) -> Request:
    """Decode a line from a client. Raises BadRequest."""
    try:
        if not line.isascii():
            line.decode()  # the decoder does not read the fields that it does not know
        return _request_decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        _explain(line, error)


def decode_ping(line: bytes | bytearray) -> Ping | None:
    """Decode a line from a client if it is a `ping`; None for any other."""
    if len(line) > _MAX_PING_BYTES or b'"ping"' not in line:
        return None
    try:
        request = decode_request(bytes(line))
    except BadRequest:
        return None  # `decode_request` finds out what is wrong with it
    return request if isinstance(request, Ping) else None


def _explain(line: bytes, error: Exception) -> NoReturn:
    """Raise a BadRequest that names the fault of a line. Slow."""
    try:
        content = json.loads(line.decode(), parse_constant=_refuse_constant, parse_int=_small_int)
    except (ValueError, RecursionError):
        raise BadRequest(ErrorCode.MALFORMED, "the line is not JSON in UTF-8", UNSET) from error
    if not isinstance(content, dict):
        raise BadRequest(ErrorCode.MALFORMED, "the line is not a JSON object", UNSET) from error
    request_id = content.get("id", UNSET)
    if request_id is not UNSET and (type(request_id) is not int or not 0 <= request_id <= MAX_INT):
        reason = "'id' must be an integer from 0 to 2^53-1"
        raise BadRequest(ErrorCode.MALFORMED, reason, UNSET) from error
    reason = str(error)
    try:
        msgspec.json.decode(line, type=_AnyObject)  # stricter: refuses unpaired surrogates
    except msgspec.DecodeError as not_json:
        reason = str(not_json)
    else:
        kind = content.get("type")
        if isinstance(kind, str) and kind not in _request_types:
            reason = f"there is no request of type {kind[:32]!r}"
            raise BadRequest(ErrorCode.UNKNOWN_TYPE, reason, request_id) from error
    raise BadRequest(ErrorCode.MALFORMED, reason, request_id) from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _small_int(digits: str) -> int:
    return int(digits) if len(digits) <= 20 else -1  # Python refuses thousands of digits


def decode_server_message(line: bytes) -> ServerMessage | None:
    """Decode a line from the server; return None for a type that this client does not know.

    Raises ValueError for a line that is no message at all.
    """
    try:
        return _server_decoder.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        try:
            kind = msgspec.json.decode(line, type=dict[str, object]).get("type")
        except (msgspec.DecodeError, RecursionError):
            kind = None
        if isinstance(kind, str) and kind not in _server_types:
            return None
        raise ValueError(f"not a message of the protocol: {error}") from error


def encode_exported(item: msgspec.Struct) -> bytes:
    """Encode a message of the history, or what else an export has, as a line."""
    return _encoder.encode(item) + b"\n"


def encode_lines(messages: Sequence[Request | ServerMessage]) -> bytes:
    """Encode messages, each as a line."""
    return _encoder.encode_lines(messages)


def encode(message: Message) -> bytes:
    """Encode a message as a line, with its newline."""
    return _encoder.encode(message) + b"\n"
