"""Lines and messages: the result does not depend on how the bytes are split."""

import contextlib
import itertools
import json
from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import UNSET

from tertulia.protocol.lines import (
    MAX_LINE_BYTES,
    BadRequest,
    LineBuffer,
    LineTooLong,
    RequestBuffer,
    decode_request,
    decode_server_message,
    encode,
)
from tertulia.protocol.messages import MAX_INT, ErrorCode, Ping, Register, Request, Say

TOO_LONG = "too long"  # stands for LineTooLong at the end of a list of lines
SMALL_LINE = 8


# --- bytes -> lines ------------------------------------------------------------------------------


def take_all(buffer: LineBuffer) -> Iterable[bytes | str]:
    try:
        while (line := buffer.next_line()) is not None:
            yield line
    except LineTooLong:
        yield TOO_LONG


def cut(pieces: Iterable[bytes], max_line_bytes: int = MAX_LINE_BYTES) -> list[bytes | str]:
    """Feed the pieces one by one; return the lines that are complete after each."""
    buffer = LineBuffer(max_line_bytes)
    lines: list[bytes | str] = []
    for piece in pieces:
        buffer.feed(piece)
        lines += take_all(buffer)
        if TOO_LONG in lines:
            break
    return lines


def expected_lines(data: bytes, max_line_bytes: int) -> list[bytes | str]:
    """Cut the whole stream in the simplest way, as a model of LineBuffer."""
    *whole, rest = data.split(b"\n")
    lines: list[bytes | str] = []
    for line in whole:
        if len(line) + 1 > max_line_bytes:
            return [*lines, TOO_LONG]
        if content := line.removesuffix(b"\r"):
            lines.append(content)
    return [*lines, TOO_LONG] if len(rest) >= max_line_bytes else lines


streams = st.lists(
    st.sampled_from([b"a", b"\n", b"\r", b"\r\n", "\u2028".encode(), b"bcdef", b"bcdefg\n"])
).map(b"".join)


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"one", []),
        (b"one\ntwo\nthr", [b"one", b"two"]),
        (b"one\r\n", [b"one"]),
        (b"\n\r\n\n", []),
        (b" \n", [b" "]),
        (b"o\rne\n", [b"o\rne"]),
        (b"one\r\r\n", [b"one\r"]),
    ],
)
def test_a_line_ends_with_a_newline_and_an_empty_one_is_nothing(
    data: bytes, lines: list[bytes]
) -> None:
    assert cut([data]) == lines
    assert cut(data[i : i + 1] for i in range(len(data))) == lines


@pytest.mark.parametrize("separator", ["\u2028", "\x85", "\x0b"])
def test_only_a_newline_ends_a_line(separator: str) -> None:
    line = f"one{separator}two".encode()
    assert cut([line + b"\n"]) == [line]


def test_a_line_may_have_65536_bytes_and_no_more() -> None:
    longest = b"x" * 65_535
    assert cut([longest + b"\n"]) == [longest]
    assert cut([longest, b"\n"]) == [longest]
    assert cut([longest + b"x\n"]) == [TOO_LONG]
    assert cut([longest, b"x", b"\n"]) == [TOO_LONG]


def test_the_carriage_return_counts_among_the_65536_bytes() -> None:
    assert cut([b"x" * 65_534 + b"\r\n"]) == [b"x" * 65_534]
    assert cut([b"x" * 65_535 + b"\r\n"]) == [TOO_LONG]


def test_a_line_is_too_long_before_its_end_has_come() -> None:
    assert cut([b"x" * 65_535]) == []
    assert cut([b"x" * 65_536]) == [TOO_LONG]


def test_lines_before_one_that_is_too_long_come_first() -> None:
    assert cut([b"one\ntwo\n" + b"x" * 65_536]) == [b"one", b"two", TOO_LONG]


def test_empty_lines_do_not_add_up_to_a_long_one() -> None:
    assert cut([b"\r\n" * 50_000 + b"one\n"]) == [b"one"]


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (b"one\ntwo\r\n", 0),
        (b"\n", 1),
        (b"\r\n", 2),
        (b"one\n\n\r\n\ntwo\n\nthree", 5),
        (b"\r\r\n", 0),
    ],
)
def test_the_bytes_of_empty_lines_are_counted(data: bytes, size: int) -> None:
    for pieces in [data], [data[i : i + 1] for i in range(len(data))]:
        buffer = LineBuffer()
        for piece in pieces:
            buffer.feed(piece)
            list(take_all(buffer))
        assert buffer.empty_bytes == size


@given(streams, st.data())
def test_however_the_bytes_are_split_the_lines_and_the_errors_are_the_same(
    stream: bytes, data: st.DataObject
) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=12).map(sorted))
    bounds = [0, *cuts, len(stream)]
    pieces = [stream[a:b] for a, b in itertools.pairwise(bounds)]
    assert cut(pieces, SMALL_LINE) == expected_lines(stream, SMALL_LINE)


@given(streams)
def test_there_is_always_room_for_more_bytes(stream: bytes) -> None:
    buffer = LineBuffer(SMALL_LINE)
    lines: list[bytes | str] = []
    rest = stream
    while rest and TOO_LONG not in lines:
        room = buffer.free_bytes
        assert 0 < room <= SMALL_LINE
        buffer.feed(rest[:room])
        rest = rest[room:]
        lines += take_all(buffer)
    assert lines == expected_lines(stream, SMALL_LINE)


def test_the_room_shrinks_until_the_line_is_taken() -> None:
    buffer = LineBuffer(SMALL_LINE)
    buffer.feed(b"abc\n")
    assert buffer.free_bytes == SMALL_LINE - 4
    assert list(take_all(buffer)) == [b"abc"]
    assert buffer.free_bytes == SMALL_LINE


def test_mid_line_is_after_the_first_byte_and_before_the_newline() -> None:
    buffer = LineBuffer()
    for piece, mid in [(b"", False), (b"o", True), (b"ne\n", False), (b"\r", True), (b"\n", False)]:
        buffer.feed(piece)
        list(take_all(buffer))
        assert buffer.in_mid_line is mid


# --- bytes -> requests ---------------------------------------------------------------------------


def take_requests(pieces: Iterable[bytes], max_line_bytes: int) -> list[Request | str]:
    """Feed the pieces one by one; return the requests and errors that are there after each."""
    buffer = RequestBuffer(max_line_bytes)
    taken: list[Request | str] = []
    for piece in pieces:
        buffer.feed(piece)
        while True:
            try:
                request = buffer.next_request()
            except BadRequest as bad:
                taken.append(f"{bad.code} {bad.request_id}")
            except LineTooLong:
                return [*taken, TOO_LONG]
            else:
                if request is None:
                    break
                taken.append(request)
        assert not buffer.has_more or buffer.in_mid_line
    return taken


def expected_requests(data: bytes, max_line_bytes: int) -> list[Request | str]:
    """Decode each line separately, as a model of RequestBuffer."""
    requests: list[Request | str] = []
    for line in expected_lines(data, max_line_bytes):
        try:
            requests.append(decode_request(line) if isinstance(line, bytes) else line)
        except BadRequest as bad:
            requests.append(f"{bad.code} {bad.request_id}")
    return requests


request_streams = st.lists(
    st.sampled_from(
        [
            b'{"type":"ping","id":1}',
            b'{"type":"ping"}',
            b'{"type":"say","text":"\xc3\xb1"}',
            b'{"type":"say","x":"\xff","text":"a"}',
            b'{"type":"none","id":7}',
            b'{"type":',
            b'"pong"}',
            b"\n",
            b"\n",
            b"\n",
            b"\r",
            b" ",
            b"x",
        ]
    ),
    max_size=30,
).map(b"".join)


@given(request_streams, st.data())
@example(b'{"type":\n"pong"}\n', None)
@example(b'{"type":"ping"}\n{"type":\n"pong"}\n', None)
@example(b'{"type":"ping"}\n\n{"type":"ping"}{"type":"ping"}\n', None)
@example(b'{"type":"ping"}\n{"type":"ping"}', None)
@example(b'{"type":"ping"} \r\n{"type":"ping"}\r\n', None)
@example(b'{"type":"ping"}\n \n', None)
@example(b'{"type":"say","x":"\xff","text":"a"}\n', None)
def test_however_the_bytes_are_split_the_requests_are_those_of_the_single_lines(
    stream: bytes, data: st.DataObject | None
) -> None:
    cuts = [] if data is None else data.draw(st.lists(st.integers(0, len(stream))).map(sorted))
    pieces = [stream[a:b] for a, b in itertools.pairwise([0, *cuts, len(stream)])]
    assert take_requests(pieces, 40) == expected_requests(stream, 40)
    assert take_requests([stream], 40) == expected_requests(stream, 40)


def test_requests_in_one_piece_keep_their_order() -> None:
    buffer = RequestBuffer()
    buffer.feed(b"".join(encode(Ping(id=number)) for number in range(5)))
    assert [buffer.decoded.pop().id for _ in range(2)] == [0, 1]
    buffer.feed(encode(Ping(id=5)))
    assert [request.id for request in iter(buffer.next_request, None)] == [2, 3, 4, 5]


def test_a_bad_line_does_not_affect_the_others() -> None:
    malformed = f"{ErrorCode.MALFORMED} {UNSET}"
    stream = encode(Ping()) + b"no json\n" + encode(Ping(id=2))
    assert take_requests([stream], MAX_LINE_BYTES) == [Ping(), malformed, Ping(id=2)]


_PINGS = [b'{"type":"ping"}\n', b' {"id":7, "type":"ping"}\r\n']
_WANTED = {
    b'{"type":"say","text":"uno"}\n': "uno",
    b'{"type":"say","text":"ping"}\r\n': "ping",
    b'{"type":"ping","id":-1}\n': "'id'",
    b'nonsense "ping"\n': "not JSON",
    '{"type":"say","text":"adi\u00f3s"}\n'.encode(): "adi\u00f3s",
}
_OTHERS = list(_WANTED)


@given(st.lists(st.sampled_from([*_PINGS, *_OTHERS])), st.lists(st.integers(1, 40)))
def test_pings_are_taken_out_and_the_rest_stays_in_its_order(
    sent: list[bytes], sizes: list[int]
) -> None:
    buffer, data, taken, left = RequestBuffer(), b"".join(sent), [], []
    for size in [*sizes, len(data)]:
        piece, data = data[:size], data[size:]
        if piece:
            buffer.feed(piece)
        taken += buffer.pop_pings()
    while buffer.has_more or buffer.decoded:
        try:
            left.append(buffer.next_request())
        except BadRequest as bad:
            left.append(str(bad))
    assert [one.id for one in taken] == [
        json.loads(one).get("id", UNSET) for one in sent if one in _PINGS
    ]
    found = [one if isinstance(one, str) else getattr(one, "text", one) for one in left if one]
    wanted = [_WANTED[one] for one in sent if one in _OTHERS]
    assert len(found) == len(wanted)
    assert all(want in one for one, want in zip(found, wanted, strict=True))
    assert not buffer.in_mid_line


def test_what_comes_after_pings_were_taken_out_counts_towards_the_bound() -> None:
    buffer, say = RequestBuffer(), encode(Say(text="uno"))
    buffer.feed(encode(Ping()))
    assert buffer.pop_pings() == [Ping()]
    buffer.feed(say)
    assert buffer.free_bytes == MAX_LINE_BYTES - len(say)
    assert buffer.next_request() == Say(text="uno")


def test_a_ping_is_found_behind_requests_that_were_looked_through_and_taken() -> None:
    buffer, say = RequestBuffer(), b'{"type":"say","text":"uno"}\n'
    buffer.feed(say + say + b'{"ty')
    assert buffer.pop_pings() == []
    assert [buffer.next_request(), buffer.next_request()] == [Say(text="uno")] * 2
    buffer.feed(b'pe":"ping"}\n')
    assert buffer.pop_pings() == [Ping()]


@pytest.mark.parametrize(("size", "is_taken"), [(256, True), (257, False)])
def test_only_a_short_ping_is_answered_before_its_turn(size: int, is_taken: bool) -> None:
    buffer = RequestBuffer()
    buffer.feed(b'{"type":"say","text":"uno"}\n' + b'{"type":"ping"}'.rjust(size) + b"\n{")
    assert buffer.pop_pings() == ([Ping()] if is_taken else [])
    assert buffer.next_request() == Say(text="uno")
    assert buffer.next_request() == (None if is_taken else Ping())


def test_the_rest_of_a_line_is_no_request_of_its_own() -> None:
    buffer = RequestBuffer()
    buffer.feed(b"nonsense ")
    assert buffer.next_request() is None
    buffer.feed(b'{"type":"ping"}\n')
    with pytest.raises(BadRequest):
        buffer.next_request()
    assert buffer.next_request() is None


# --- messages -> lines ---------------------------------------------------------------------------


@given(st.text(), st.none() | st.integers(0, MAX_INT))
@example("\n\r\u2028\x85\x00\t", 0)
def test_any_text_travels_as_one_line_and_comes_back_unchanged(
    text: str, request_id: int | None
) -> None:
    said = Say(text=text, id=UNSET if request_id is None else request_id)
    line = encode(said)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode_request(line) == said


def test_an_unset_field_does_not_travel() -> None:
    assert encode(Ping()) == b'{"type":"ping"}\n'
    assert json.loads(encode(Register(name="ana"))) == {"type": "register", "name": "ana"}


@pytest.mark.parametrize("line", [b'{"type":"later"}', b'{"type":"say","text":"a"}'])
def test_a_client_ignores_a_type_that_it_does_not_know(line: bytes) -> None:
    assert decode_server_message(line) is None


@pytest.mark.parametrize("line", [b"x", b"[]", b'{"type":1}', b'{"type":"welcome"}'])
def test_a_line_that_is_no_message_of_a_server_is_a_value_error(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_server_message(line)


@given(st.binary())
@example(b'{"type":"message","text":"\x80"}')
@example(b'{"type":"message","x":' + b"[" * 60_000)
@example(b'{"type":"users","seq":NaN}')
def test_a_client_raises_nothing_but_value_error_whatever_the_bytes(line: bytes) -> None:
    with contextlib.suppress(ValueError):
        decode_server_message(line)
