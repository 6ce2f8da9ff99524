"""Bytes in, messages out; messages in, bytes out; and the limit of a line. Nothing else.

A line is one JSON object in UTF-8, ended by the byte LF alone.
"""

import json
import re
from collections.abc import Sequence
from typing import NoReturn, get_args

import msgspec
from msgspec import UNSET, UnsetType

from tertulia.protocol.messages import MAX_INT, ErrorCode, Request, ServerMessage, StoredMessage

MAX_LINE_BYTES = 65_536  # from a client, with its newline

_EMPTY_LINES = re.compile(rb"(?:\r?\n)+")

_encoder = msgspec.json.Encoder()
_request_decoder: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_server_decoder: msgspec.json.Decoder[ServerMessage] = msgspec.json.Decoder(ServerMessage)
_request_types = frozenset(kind.__struct_config__.tag for kind in get_args(Request))
_server_types = frozenset(kind.__struct_config__.tag for kind in get_args(ServerMessage))


class _AnyObject(msgspec.Struct):
    pass


class LineTooLong(Exception):
    """More than `max_line_bytes` came without a newline."""


class BadRequest(Exception):
    """A line that is no request: `malformed` or `unknown_type`, with the `id` it had."""

    def __init__(self, code: ErrorCode, reason: str, request_id: int | UnsetType) -> None:
        super().__init__(reason)
        self.code = code
        self.request_id = request_id


class LineBuffer:
    """Cut a stream of bytes into lines.

    Holds at most `max_line_bytes` as long as no more than `room` is fed at a time.
    """

    __slots__ = ("_bytes", "_max_line_bytes", "_scanned", "_start")

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._max_line_bytes = max_line_bytes
        self._bytes = bytearray()
        self._start = 0  # of the first line not yet taken
        self._scanned = 0  # no newline in [start, scanned)

    @property
    def room(self) -> int:
        """Say how many bytes may be fed now; 0 only while whole lines wait to be taken."""
        return self._max_line_bytes - len(self._bytes) + self._start

    @property
    def in_mid_line(self) -> bool:
        """Tell, once `next_line` gave None, whether a line has begun and not ended."""
        return len(self._bytes) > self._start

    def feed(self, data: bytes) -> None:
        """Take what came from the network."""
        if self._start:
            del self._bytes[: self._start]
            self._scanned -= self._start
            self._start = 0
        self._bytes += data

    def next_line(self) -> bytes | None:
        """Take the next line that is not empty, without its end, or None if there is none yet.

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
            # A run of empty lines at once: one by one they would cost more than requests.
            run = _EMPTY_LINES.match(self._bytes, self._start)
            if run is not None:
                self._start = self._scanned = run.end()
        self._scanned = len(self._bytes)
        if self._scanned - self._start >= self._max_line_bytes:
            raise LineTooLong
        return None


class RequestBuffer(LineBuffer):
    """Cut a stream of bytes into requests.

    What comes as whole lines without a fault, as nearly everything does, is decoded in one go, and
    the rest line by line.
    """

    __slots__ = ("by_line", "decoded")

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        super().__init__(max_line_bytes)
        self.decoded: list[Request] = []  # may be taken from the end, instead of `next_request`
        self.by_line = False  # there is more for `next_request` than that, or may be

    def feed(self, data: bytes) -> None:
        """Take what came from the network."""
        if not (self.by_line or self.decoded):
            try:
                if not data.isascii():
                    data.decode()  # the decoder skips the fields that it does not know unread
                if data.find(b"\n") == len(data) - 1:
                    self.decoded.append(_request_decoder.decode(data))
                    return
                *lines, rest = data.split(b"\n")
                if not rest:
                    self.decoded = list(map(_request_decoder.decode, reversed(lines)))
                    return
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                pass  # which line it is, and what is wrong with it, is found out line by line
        self.by_line = True
        super().feed(data)

    def next_request(self) -> Request | None:
        """Take the next request, or None if there is none yet. Raises BadRequest, LineTooLong."""
        if self.decoded:
            return self.decoded.pop()
        line = self.next_line()
        if line is not None:
            return decode_request(line)
        self.by_line = self.in_mid_line
        return None


def decode_request(line: bytes) -> Request:
    """Read a line from a client. Raises BadRequest."""
    try:
        if not line.isascii():
            line.decode()  # the decoder skips the fields that it does not know unread
        return _request_decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        _explain(line, error)


def _explain(line: bytes, error: Exception) -> NoReturn:
    """Find out, slowly, what a line that is no request would have been."""
    try:
        content = json.loads(line.decode(), parse_constant=_refuse_constant, parse_int=_small_int)
    except (ValueError, RecursionError):
        raise BadRequest(ErrorCode.MALFORMED, "not a JSON text in UTF-8", UNSET) from error
    if not isinstance(content, dict):
        raise BadRequest(ErrorCode.MALFORMED, "not a JSON object", UNSET) from error
    request_id = content.get("id", UNSET)
    if request_id is not UNSET and (type(request_id) is not int or not 0 <= request_id <= MAX_INT):
        reason = "'id' has to be an integer from 0 to 2^53-1"
        raise BadRequest(ErrorCode.MALFORMED, reason, UNSET) from error
    reason = str(error)
    try:
        msgspec.json.decode(line, type=_AnyObject)  # stricter: it takes no unpaired surrogate
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
    """Read a line from the server; None for a type that this client does not know.

    Raises ValueError for what is no message at all.
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


def encode_stored(message: StoredMessage) -> bytes:
    """Write a message of the history as a line of its own, for an export."""
    return _encoder.encode(message) + b"\n"


def encode_lines(messages: Sequence[Request | ServerMessage]) -> bytes:
    """Write messages, each as a line."""
    return _encoder.encode_lines(messages)


def encode(message: Request | ServerMessage) -> bytes:
    """Write a message as a line, with its newline."""
    return _encoder.encode(message) + b"\n"
