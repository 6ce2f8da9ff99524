"""The rules of WebSocket (RFC 6455) that a client can break, each with what it gets for that.

Every stream is tried in one piece and byte by byte: where the bytes are cut must not matter.
"""

import itertools
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tertulia.protocol.lines import BadRequest, LineTooLong
from tertulia.protocol.messages import CloseReason, Say
from tertulia.server.doors.websocket import WebSocketDoor
from tertulia.server.workers.door import Control, Violation

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FIN = 0x80
MASK = b"\x37\xfa\x21\x3d"
BEFORE, AFTER = b'{"type":"say","text":"', b'"}'
# What is UTF-8 is Python's rule; these are faults that it finds at different bytes of a letter.
NOT_UTF8 = {
    "a continuation alone": b"\x80",
    "a beginning of four with two": b"\xf0\x9f\x98",
    "two bytes for NUL": b"\xc0\x80",
    "half of a pair of surrogates": b"\xed\xa0\x80",
    "above U+10FFFF": b"\xf4\x90\x80\x80",
}
AT_THE_BORDERS = "\x7f\x80\u07ff\u0800\ud7ff\ue000\ufdd0\ufffd\ufffe\uffff\U00010000\U0010ffff"


def frame(opcode: int, data: bytes = b"", *, first: int = FIN, mask: bytes | None = MASK) -> bytes:
    """Write a frame of a client; `first` are the bits beside the opcode."""
    masked = 0 if mask is None else 0x80
    size = len(data)
    if size < 126:
        head = bytes((first | opcode, masked | size))
    else:
        head = struct.pack("!BBH", first | opcode, masked | 126, size)
    if mask is None:
        return head + data
    return head + mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))


def parts(*texts: bytes, ends: bool = True) -> bytes:
    """Write a text as a message in several frames."""
    last = len(texts) - 1
    return b"".join(
        frame(CONTINUATION if place else TEXT, text, first=FIN if ends and place == last else 0)
        for place, text in enumerate(texts)
    )


def closing(code: int, reason: bytes = b"") -> bytes:
    """Write the frame that ends a WebSocket."""
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


SAID = frame(TEXT, BEFORE + b"x" + AFTER)


def read(stream: bytes, *sizes: int) -> tuple[WebSocketDoor, list[Any]]:
    """Feed a door a stream in pieces; return it with all requests, faults in their places.

    The last of the sizes holds for the rest.
    """
    door, found = WebSocketDoor(), list[Any]()
    for size in itertools.chain(sizes, itertools.repeat(sizes[-1])):
        if not stream:
            break
        piece, stream = stream[:size], stream[size:]
        door.feed(piece)
        while door.has_more:
            try:
                request = door.next_request()
            except (BadRequest, LineTooLong, Violation) as fault:
                found.append(type(fault))
            else:
                if request is not None:
                    found.append(request)
    return door, found


def code_of(door: WebSocketDoor) -> int:
    """Return the code with which a door ends the session that has broken the protocol."""
    return int.from_bytes(door.goodbye(CloseReason.PROTOCOL)[2:4], "big")


@pytest.fixture(params=[1, 1_000_000], ids=["byte by byte", "in one piece"])
def size(request: pytest.FixtureRequest) -> int:
    """How many bytes come at once."""
    return request.param  # type: ignore[no-any-return]


# --- frames --------------------------------------------------------------------------------------

BREAKS = {
    **{f"reserved bit {n} of a text": frame(TEXT, b"{}", first=FIN | 64 >> n) for n in range(3)},
    "a reserved bit of a ping": frame(PING, first=FIN | 64),
    **{f"opcode {code}": frame(code) for code in (3, 7, 11, 15)},
    "reserved bits of the rest": frame(TEXT, b"{", first=0) + frame(CONTINUATION, b"}", first=0xF0),
    "a text without a mask": frame(TEXT, b"{}", mask=None),
    # It would be a ping if it had a mask of four zeros.
    "a text without a mask that begins as with one":
        frame(TEXT, bytes(4) + b'{"type":"ping"}', mask=None) + b"    ",
    "a ping without a mask": frame(PING, mask=None),
    "a ping in two parts": frame(PING, b"a", first=0) + frame(CONTINUATION, b"b"),
    "a pong in two parts": frame(PONG, b"a", first=0) + frame(CONTINUATION, b"b"),
    "a close in two parts": frame(CLOSE, first=0),
    "a ping of 126 bytes": frame(PING, b"x" * 126),
    "a pong of 126 bytes": frame(PONG, b"x" * 126),
    "a close of 126 bytes": closing(1000, b"x" * 124),
    "the rest of nothing": frame(CONTINUATION, b"{}"),
    "a part of nothing": frame(CONTINUATION, b"{}", first=0),
    "the rest of a message that has ended": SAID + frame(CONTINUATION),
    "a text within a text": frame(TEXT, b"{", first=0) + frame(TEXT, b"}"),
    "a close of one byte": frame(CLOSE, b"\x03"),
    "a close within a text": frame(TEXT, b"{", first=0) + closing(1000),
    **{
        f"close code {code}": closing(code)
        for code in (0, 999, 1004, 1006, 1015, 2999, 5000)
    },
}  # fmt: skip


@pytest.mark.parametrize("stream", BREAKS.values(), ids=BREAKS)
def test_a_frame_that_is_not_allowed_ends_the_session_with_1002(stream: bytes, size: int) -> None:
    door, found = read(SAID + stream + SAID, size)
    said = [Say(text="x")] * (2 if stream.startswith(SAID) else 1)
    assert found == [*said, Violation]
    assert code_of(door) == 1002


def test_a_text_within_a_text_is_not_allowed_either_if_it_comes_alone() -> None:
    begun = frame(TEXT, b"{", first=0)
    door, found = read(begun + SAID, len(begun), len(SAID))
    assert found == [Violation]
    assert code_of(door) == 1002


@pytest.mark.parametrize("first", [FIN, 0])
def test_data_that_is_no_text_ends_the_session_with_1003(first: int, size: int) -> None:
    door, found = read(frame(BINARY, b"{}", first=first) + frame(CONTINUATION) + SAID, size)
    assert found == [Violation]
    assert code_of(door) == 1003


@pytest.mark.parametrize("length", [0, 1, 124, 125])
def test_a_ping_is_answered_with_its_bytes_also_within_a_message(length: int, size: int) -> None:
    ping, data = bytes(range(131, 131 + length)), BEFORE + b"x" + AFTER
    stream = (
        frame(TEXT, data[:9], first=0) + frame(PING, ping) + frame(CONTINUATION, first=0)
        + frame(PING, ping) + frame(PONG, b"not asked for") + frame(CONTINUATION, data[9:])
    )  # fmt: skip
    pong = Control(bytes((0x8A, length)) + ping)
    assert read(stream, size)[1] == [pong, pong, Say(text="x")]


def test_pings_are_answered_in_their_order(size: int) -> None:
    stream = b"".join(frame(PING, b"%d" % number) for number in range(10))
    answers = [Control(b"\x8a\x01%d" % number) for number in range(10)]
    assert read(stream, size)[1] == answers


PLAIN = frame(TEXT, BEFORE + b"x" + AFTER, mask=bytes(4))
FRAMES = st.builds(
    lambda opcode, data, first, mask: frame(opcode, data, first=first, mask=mask),
    st.sampled_from([TEXT, TEXT, TEXT, CONTINUATION, CONTINUATION, PING, CLOSE, BINARY]),
    st.sampled_from(
        [b"", b"\n", b"{", b"\xc3", b"\xb1", b"\x03\xe8", BEFORE, PLAIN, PLAIN + PLAIN]
    ),
    st.sampled_from([FIN, FIN, 0, FIN | 64]),
    st.sampled_from([bytes(4), MASK]),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(FRAMES, min_size=2, max_size=4).map(b"".join))
def test_wherever_a_stream_is_cut_a_door_makes_the_same_of_it(stream: bytes) -> None:
    whole, found = read(stream, len(stream))
    for place in range(1, len(stream)):
        door, requests = read(stream, place, len(stream))
        assert requests == found, place
        assert (door.is_at_eof, door.in_mid_line) == (whole.is_at_eof, whole.in_mid_line)
        assert door.empty_bytes == whole.empty_bytes
        assert code_of(door) == code_of(whole)


def test_masked_bytes_that_look_like_a_frame_are_not_read_as_one() -> None:
    mask = bytes((SAID[0] ^ ord("a"), SAID[1] ^ ord("b"), 1, 2))
    text = b"ab\0\0\0\0" + BEFORE + b"x" + AFTER
    hidden = frame(TEXT, BEFORE + b"x" + AFTER, mask=mask[2:] + mask[:2])
    stream = frame(TEXT, text, mask=mask)
    assert stream[6:] == hidden
    for place in range(1, len(stream)):
        door = WebSocketDoor()
        door.feed(stream[:place])
        assert door.in_mid_line, place
        door.feed(stream[place:])
        assert not door.in_mid_line, place
        with pytest.raises(BadRequest):
            door.next_request()
        assert door.next_request() is None, place


# --- texts ---------------------------------------------------------------------------------------


def test_every_letter_may_be_cut_between_frames(size: int) -> None:
    data = BEFORE + AT_THE_BORDERS.encode() + AFTER
    expected = [Say(text=AT_THE_BORDERS)]
    assert read(frame(TEXT, data), size)[1] == expected
    assert read(parts(*(bytes([byte]) for byte in data)), size)[1] == expected
    assert read(parts(b"", data, b"", b""), size)[1] == expected


@pytest.mark.parametrize("bad", NOT_UTF8.values(), ids=NOT_UTF8)
def test_a_text_that_is_not_utf8_ends_the_session_with_1007(bad: bytes, size: int) -> None:
    text = BEFORE + "é€😀".encode() + bad + AFTER
    in_bytes = [bytes([byte]) for byte in text]
    streams = [frame(TEXT, text), parts(text, b""), parts(*in_bytes), parts(*in_bytes, ends=False)]
    for stream in streams:
        door, found = read(stream + frame(PING), size)
        assert found == [Violation], stream
        assert code_of(door) == 1007


@pytest.mark.parametrize("end", [b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98"])
def test_a_text_that_ends_within_a_letter_ends_the_session_with_1007(end: bytes, size: int) -> None:
    for stream in (frame(TEXT, b"x" + end), parts(b"x" + end, b"", b"")):
        door, found = read(stream + SAID, size)
        assert found == [Violation]
        assert code_of(door) == 1007


def test_the_rest_of_a_text_that_is_not_utf8_is_not_waited_for(size: int) -> None:
    door, found = read(parts(b"x\xf4", b"\x90", ends=False), size)
    assert found == [Violation]
    assert code_of(door) == 1007


# --- closing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stream",
    [
        frame(CLOSE),
        *(closing(code) for code in (1000, 1003, 1007, 1014, 3000, 4999)),
        closing(1000, "adiós".encode()),
        closing(1000, b"x" * 123),
    ],
)
def test_after_a_close_nothing_more_is_read(stream: bytes, size: int) -> None:
    door, found = read(SAID + stream + SAID + frame(PING), size)
    assert found == [Say(text="x")]
    assert (door.is_at_eof, door.in_mid_line) == (True, False)
    assert door.goodbye(CloseReason.QUIT) == b"\x88\x06\x03\xe8quit"


@pytest.mark.parametrize("bad", [b"\xff", b"\xf0\x9f\x98"])
def test_a_reason_that_is_not_utf8_ends_the_session_with_1007(bad: bytes, size: int) -> None:
    door, found = read(closing(1000, b"x" + bad), size)
    assert found == [Violation]
    assert code_of(door) == 1007
