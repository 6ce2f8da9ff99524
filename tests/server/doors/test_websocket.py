"""The WebSocket door: frames in, requests out, and messages back as frames."""

import gc
import struct
import weakref
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.protocol.lines import BadRequest, LineTooLong
from tertulia.protocol.messages import CloseReason, Ping, Pong, Say
from tertulia.server.doors.websocket import WebSocketDoor, text_message
from tertulia.server.workers.door import Control, Violation

TEXT, CONTINUATION, CLOSE, PING, PONG = 1, 0, 8, 9, 10


def frame(opcode: int, data: bytes, *, fin: bool = True) -> bytes:
    """Write a frame of a client, whose mask masks nothing."""
    first = (0x80 if fin else 0) | opcode
    if len(data) < 126:
        return bytes((first, 0x80 | len(data))) + bytes(4) + data
    return struct.pack("!BBH", first, 0x80 | 126, len(data)) + bytes(4) + data


def inputs(door: WebSocketDoor) -> list[Any]:
    """Take out all requests, and the exceptions in their places."""
    found: list[Any] = []
    while door.has_more:
        try:
            request = door.next_request()
        except (BadRequest, LineTooLong, Violation) as fault:
            request = fault  # type: ignore[assignment]
        if request is not None:
            found.append(request)
    return found


STREAM = (
    frame(TEXT, '{"type":"say","text":"ñ"}'.encode())
    + frame(TEXT, b'{"type":"say","text":"uno"}')
    + frame(TEXT, b'{"type":"say",', fin=False)
    + frame(PING, b"?")
    + frame(CONTINUATION, '"text":"dos ñ"}'.encode())
    + frame(TEXT, b"")
    + frame(TEXT, b'{"type":"say","text":"' + b"x" * 300 + b'"}')
)


@given(st.lists(st.integers(1, 40), max_size=80))
def test_however_the_bytes_are_cut_the_requests_are_the_same(sizes: list[int]) -> None:
    door = WebSocketDoor()
    found, rest = [], STREAM
    for size in [*sizes, len(STREAM)]:
        piece, rest = rest[:size], rest[size:]
        door.feed(piece)
        found += inputs(door)
    assert found == [
        Say(text="ñ"),
        Say(text="uno"),
        Control(b"\x8a\x01?"),
        Say(text="dos ñ"),
        Say(text="x" * 300),
    ]
    assert door.empty_bytes == 2 * 16  # an empty message, and a part of one
    assert not door.in_mid_line


def test_a_stream_that_ends_within_a_message_ends_in_the_middle() -> None:
    for begun in (frame(TEXT, b"{", fin=False), frame(TEXT, b"{}")[:-1]):
        door = WebSocketDoor()
        door.feed(begun)
        door.feed_eof()
        assert inputs(door) == []
        assert (door.in_mid_line, door.is_at_eof) == (True, True)


def test_a_bad_message_does_no_harm_to_the_next() -> None:
    door = WebSocketDoor()
    door.feed(frame(TEXT, b"nonsense") + frame(TEXT, b'{"type":"ping"}'))
    bad, ping = inputs(door)
    assert isinstance(bad, BadRequest)
    assert ping == Ping()


def test_after_a_fault_nothing_more_is_read() -> None:
    door = WebSocketDoor()
    door.feed(frame(2, b"binary") + frame(TEXT, b'{"type":"ping"}'))
    door.feed(frame(TEXT, b'{"type":"ping"}'))
    [fault] = inputs(door)
    assert isinstance(fault, Violation)
    assert door.goodbye(CloseReason.PROTOCOL)[2:4] == (1003).to_bytes(2, "big")


@pytest.mark.parametrize("size", [1, 124, 125, 126, 127, 65_535, 65_536, 70_000])
def test_a_message_to_the_client_has_a_header_for_its_length(size: int) -> None:
    message = text_message(b"x" * size + b"\n")
    assert message[0] == 0x81
    if size < 126:
        assert (message[1], message[2:]) == (size, b"x" * size)
    elif size < 65_536:
        assert (message[1], message[2:4]) == (126, size.to_bytes(2, "big"))
    else:
        assert (message[1], message[2:10]) == (127, size.to_bytes(8, "big"))


def test_several_messages_are_lines_of_one() -> None:
    door = WebSocketDoor()
    assert door.encode_all([Ping(), Pong(id=1)])[2:] == b'{"type":"ping"}\n{"type":"pong","id":1}'
    assert door.encode(Ping())[2:] == b'{"type":"ping"}'


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (CloseReason.QUIT, 1000),
        (CloseReason.REPLACED, 1000),
        (CloseReason.SHUTDOWN, 1001),
        (CloseReason.FLOOD, 1008),
        (CloseReason.PROTOCOL, 1008),
    ],
)
def test_the_last_frame_says_why_the_session_ends(reason: CloseReason, code: int) -> None:
    assert WebSocketDoor().goodbye(reason)[2:] == code.to_bytes(2, "big") + reason.encode()


@pytest.mark.parametrize("size", [125, 126, 127, 65_535, 65_536])
@pytest.mark.parametrize("mask", [bytes(4), b"\x01\x02\x03\xff"])
def test_a_message_of_any_size_and_mask_is_read(size: int, mask: bytes) -> None:
    text = b'{"type":"ping","id":7}'.ljust(size)
    head = (
        bytes((0x81, 0x80 | size)) if size < 126
        else struct.pack("!BBH", 0x81, 0xFE, size) if size < 65_536
        else struct.pack("!BBQ", 0x81, 0xFF, size)
    )  # fmt: skip
    masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(text))
    door = WebSocketDoor()
    for _ in range(2):
        door.feed(head + mask + masked)
        assert inputs(door) == [Ping(id=7)]


def test_a_size_that_could_be_written_shorter_is_no_frame() -> None:
    door = WebSocketDoor()
    door.feed(struct.pack("!BBH", 0x81, 0xFE, 22) + bytes(4) + b'{"type":"ping","id":7}')
    assert all(isinstance(found, Violation | Ping) for found in inputs(door))


@pytest.mark.parametrize("text", [b"\n", b"\r\n", b"\r"])
def test_a_message_of_line_ends_alone_is_no_request_and_counts_as_empty(text: bytes) -> None:
    door = WebSocketDoor()
    door.feed(frame(TEXT, text) + frame(TEXT, b'{"type":"ping"}'))
    assert inputs(door) == [Ping()]
    assert door.empty_bytes == 16


def test_a_pong_is_no_request_and_counts_as_empty() -> None:
    door = WebSocketDoor()
    door.feed(frame(PONG, b"?") * 3)
    assert inputs(door) == []
    assert door.empty_bytes == 3 * 16


def test_the_librarys_own_answers_to_pings_do_not_pile_up() -> None:
    door = WebSocketDoor()
    door.feed(frame(PING, b"?") * 3)
    assert [type(one) for one in inputs(door)] == [Control] * 3
    assert door._protocol.data_to_send() == []


def test_after_the_clients_closing_frame_nothing_more_is_a_request() -> None:
    door = WebSocketDoor()
    door.feed(frame(CLOSE, b"\x03\xe8"))
    assert (inputs(door), door.is_at_eof) == ([], True)
    door.feed(frame(TEXT, b'{"type":"ping"}'))
    assert inputs(door) == []


def test_all_pings_are_taken_out_also_those_of_websocket_itself() -> None:
    door = WebSocketDoor()
    door.feed(frame(PING, b"?") + frame(TEXT, b'{"type":"say","text":"ping"}'))
    door.feed(frame(TEXT, b'{"type":"ping","id":7}'))
    assert door.pop_pings() == [Control(b"\x8a\x01?"), Ping(id=7)]
    assert inputs(door) == [Say(text="ping")]


def test_after_256_messages_that_wait_nothing_more_is_to_be_fed() -> None:
    door = WebSocketDoor()
    for _ in range(255):
        door.feed(frame(PING, b""))
    assert not door.is_full
    door.feed(frame(PING, b""))
    assert door.is_full
    door.next_request()
    assert not door.is_full


def test_after_as_many_bytes_as_a_line_may_have_nothing_more_is_to_be_fed() -> None:
    door = WebSocketDoor()
    door.feed(frame(TEXT, b"x" * 65_535))
    assert not door.is_full
    door.feed(frame(PING, b"?" * 100))  # not a text
    assert not door.is_full
    door.feed(frame(TEXT, b"x"))
    assert door.is_full


def test_a_closed_door_keeps_no_bytes_and_waits_for_no_garbage_collection() -> None:
    door = WebSocketDoor()
    door.feed(frame(TEXT, b"x" * 1_000)[:500])
    library = door._protocol
    door.close()
    assert not library.reader.buffer
    remains = weakref.ref(library)
    gc.disable()
    try:
        del door, library
        assert remains() is None
    finally:
        gc.enable()
