"""The WebSocket door: the messages of the native protocol, each request in a text message.

The library `websockets` reads the frames; this module joins them to messages and writes its own.
A message to the client holds one or more lines.
"""

import codecs
import logging
from collections import deque
from collections.abc import Sequence

from websockets.exceptions import PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State
from websockets.streams import StreamReader

try:
    from websockets.speedups import apply_mask
except ImportError:  # the library was installed without its part in C
    from websockets.utils import apply_mask

from tertulia.protocol import lines
from tertulia.protocol.lines import MAX_LINE_BYTES, LineTooLong
from tertulia.protocol.messages import CloseReason, Ping, Request, ServerMessage
from tertulia.server.workers.door import AnyMessage, Control, Form, Violation

# Nothing else can be sent in the middle of a frame, so it must not be long.
MAX_SLICE_BYTES = 16 * 1024

_TEXT, _CLOSE, _PONG = 0x81, 0x88, 0x8A  # first bytes of complete messages
_MASKED = 0x80  # added to the size of every frame of a client
_SIZE_IN_TWO_BYTES = 126  # means that the size follows
_SHORTEST_FRAME = 7
_MAX_INPUTS = 256  # that wait; beyond this, nothing more is read
_EMPTY_COUNTS_AS = 16  # bytes; reading an empty frame costs as much as reading a short line
_NORMAL, _GOING_AWAY, _UNSUPPORTED, _INVALID_DATA, _POLICY = 1000, 1001, 1003, 1007, 1008
_CLOSE_CODES = {
    CloseReason.SHUTDOWN: _GOING_AWAY,
    CloseReason.FLOOD: _POLICY,
    CloseReason.PROTOCOL: _POLICY,
}

_Utf8Decoder = codecs.getincrementaldecoder("utf-8")

# The library must not write to the server's log about anything that a client sends.
quiet_log = logging.getLogger("tertulia.websockets")
quiet_log.setLevel(logging.CRITICAL)


def text_message(data: bytes) -> bytes:
    """Return lines as one text message, separated by newlines."""
    return frame(_TEXT, data[:-1])


def frame(first_byte: int, data: bytes) -> bytes:
    """Return a frame that is a complete message; its first byte is the kind."""
    size = len(data)
    if size < 126:
        return bytes((first_byte, size)) + data
    if size < 65_536:
        return bytes((first_byte, 126)) + size.to_bytes(2, "big") + data
    return bytes((first_byte, 127)) + size.to_bytes(8, "big") + data


class WebSocketDoor:
    """One connection's messages. See `workers.door.Door`."""

    __slots__ = (
        "_close_code",
        "_decoder",
        "_inputs",
        "_is_in_frame",
        "_part",
        "_protocol",
        "decoded",
        "empty_bytes",
        "has_more",
        "is_at_eof",
        "malformed_count",
        "requests_tried",
    )

    kind = "web"
    form = Form(lines.encode, text_message, MAX_SLICE_BYTES)
    free_bytes = MAX_LINE_BYTES  # input is decoded at once

    def __init__(self) -> None:
        self.decoded: list[Request] = []  # always empty: messages are decoded one by one
        self.has_more = False
        self.is_at_eof = False
        self.requests_tried = 0
        self.malformed_count = 0
        self.empty_bytes = 0
        self._protocol = Protocol(
            Side.SERVER, state=State.OPEN, max_size=MAX_LINE_BYTES, logger=quiet_log
        )
        self._is_in_frame = False  # whether the library waits for the rest of a frame
        self._part: bytearray | None = None  # the first frames of a message that has several
        self._decoder: codecs.IncrementalDecoder | None = None  # of the text in `_part`
        self._inputs: deque[bytes | Control | Exception] = deque()
        self._close_code: int | None = None  # for a violation by the client, if there was one

    @property
    def in_mid_line(self) -> bool:
        """Whether a message has begun and not ended."""
        return self._part is not None or self._is_in_frame

    def feed(self, data: bytes) -> None:
        """Take in bytes from the network."""
        self.has_more = True
        protocol = self._protocol
        is_between_messages = self._part is None and not self._is_in_frame
        if is_between_messages and self._close_code is None and not self.is_at_eof:
            data = self._add_whole_messages(data)
            if not data:
                return
        protocol.receive_data(data)
        self._is_in_frame = not _waits_for_a_frame(protocol)
        for event in protocol.events_received():
            if isinstance(event, Frame) and self._close_code is None:
                self._add_frame(event)
        protocol.data_to_send()  # dropped: this module writes the answers itself
        fault = protocol.parser_exc
        if fault is not None and self._close_code is None:
            close = protocol.close_sent
            too_long = isinstance(fault, PayloadTooBig)
            self._fail(close.code if close else _POLICY, LineTooLong() if too_long else Violation())

    def feed_eof(self) -> None:
        """Note that the client sends no more."""
        self.is_at_eof = True
        self.has_more = True

    def next_request(self) -> Request | Control | None:
        """Return the next request, or None. Raises BadRequest, LineTooLong and Violation."""
        if not self._inputs:
            self.has_more = False
            return None
        match self._inputs.popleft():
            case bytes() as message:
                return lines.decode_request(message)
            case Control() as control:
                return control
            case fault:
                raise fault

    @property
    def is_full(self) -> bool:
        """Whether nothing more may be fed before a request is taken."""
        texts = (one for one in self._inputs if isinstance(one, bytes))
        return len(self._inputs) >= _MAX_INPUTS or sum(map(len, texts)) >= MAX_LINE_BYTES

    def pop_pings(self) -> list[Ping | Control]:
        """Remove and return every complete ping, also WebSocket's own; the rest stays, in order."""
        taken: list[Ping | Control] = []
        kept: deque[bytes | Control | Exception] = deque()
        for one in self._inputs:
            ping = lines.decode_ping(one) if isinstance(one, bytes) else one
            if isinstance(ping, Ping | Control):
                taken.append(ping)
            else:
                kept.append(one)
        self._inputs = kept
        return taken

    def encode(self, message: AnyMessage) -> bytes:
        """Return the bytes of a message."""
        return text_message(lines.encode(message))

    def encode_all(self, messages: Sequence[ServerMessage]) -> bytes:
        """Return the bytes of several messages as one."""
        return text_message(lines.encode_lines(messages))

    def goodbye(self, reason: CloseReason) -> bytes:
        """Return the closing frame, with the reason of the session's end."""
        code = self._close_code or _CLOSE_CODES.get(reason, _NORMAL)
        return frame(_CLOSE, code.to_bytes(2, "big") + reason.encode())

    def close(self) -> None:
        """Break the cycle of references that the library's parser is part of."""
        self._protocol.reader.buffer.clear()
        self._protocol.parser.close()

    def _add_whole_messages(self, data: bytes) -> bytes:
        """Take in messages of one frame each; return the bytes from the first other one on.

        Nearly all messages have one frame, and the library takes five times as long for them.
        """
        start, end = 0, len(data)
        while end - start >= _SHORTEST_FRAME and data[start] == _TEXT:
            size, mask_at = data[start + 1] - _MASKED, start + 2
            if size == _SIZE_IN_TWO_BYTES:
                size, mask_at = int.from_bytes(data[start + 2 : start + 4], "big"), start + 4
                if size < _SIZE_IN_TWO_BYTES:
                    break
            elif not 0 < size < _SIZE_IN_TWO_BYTES:
                break
            text_at = mask_at + 4
            stop = text_at + size
            if stop > end:
                break
            message = apply_mask(data[text_at:stop], data[mask_at:text_at])
            if not (_is_utf8(message) and message.strip(b"\r\n")):
                break
            self._inputs.append(message)
            start = stop
        return data[start:]

    def _add_frame(self, part: Frame) -> None:
        """Take in a frame that the library has found valid."""
        match part.opcode:
            case Opcode.TEXT | Opcode.CONT:
                self._add_part(part)
            case Opcode.PING:
                self._inputs.append(Control(frame(_PONG, bytes(part.data))))
            case Opcode.PONG:
                self.empty_bytes += _EMPTY_COUNTS_AS
            case Opcode.BINARY:
                self._fail(_UNSUPPORTED, Violation())
            case Opcode.CLOSE:
                self.is_at_eof = True

    def _add_part(self, part: Frame) -> None:
        """Take in a part of a text. Invalid UTF-8 is found before the other parts come."""
        if part.opcode is Opcode.TEXT:
            if part.fin:
                self._add_message(bytes(part.data))
                return
            self._part, self._decoder = bytearray(), _Utf8Decoder()
        else:  # even a short one costs as much to read
            self.empty_bytes += _EMPTY_COUNTS_AS
        assert self._part is not None
        assert self._decoder is not None
        self._part += part.data
        try:
            self._decoder.decode(part.data)
        except UnicodeDecodeError:
            self._fail(_INVALID_DATA, Violation())
            return
        if part.fin:
            message, self._part, self._decoder = bytes(self._part), None, None
            self._add_message(message)

    def _add_message(self, message: bytes) -> None:
        if not _is_utf8(message):
            self._fail(_INVALID_DATA, Violation())
        elif message.strip(b"\r\n"):
            self._inputs.append(message)
        else:
            self.empty_bytes += _EMPTY_COUNTS_AS

    def _fail(self, code: int, fault: Exception) -> None:
        self._close_code = code
        self._inputs.append(fault)


def _waits_for_a_frame(protocol: Protocol) -> bool:
    """Return whether all frames that were read are complete.

    The buffer does not show it: it is also empty between the head of a frame and its rest.
    """
    waits_in = protocol.parser.gi_yieldfrom  # type: ignore[attr-defined]  # it is a generator
    return waits_in is not None and waits_in.gi_code is StreamReader.at_eof.__code__


def _is_utf8(message: bytes) -> bool:
    try:
        return message.isascii() or bool(message.decode())
    except UnicodeDecodeError:
        return False
