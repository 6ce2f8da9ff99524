"""The native door: lines of JSON become requests, and messages become lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.protocol.lines import BadRequest, LineTooLong, encode
from tertulia.protocol.messages import ErrorCode, Ok, Ping, Pong, Quit, Request, Say
from tertulia.server.doors.native import NativeDoor

LINES = (
    b'{"type":"ping","id":1}\n'
    b'{"type":"say","text":"\xc3\xb1"}\r\n'
    b"\n\r\n"
    b"no JSON\n"
    b'{"type":"dance","id":2}\n'
    b'{"type":"quit"}\n'
)
MEANING = [
    Ping(id=1),
    Say(text="ñ"),
    ErrorCode.MALFORMED,
    ErrorCode.UNKNOWN_TYPE,
    Quit(),
]


def requests(door: NativeDoor) -> list[Request | ErrorCode]:
    """Return all that has come, as the input reads it."""
    got: list[Request | ErrorCode] = []
    while door.decoded or door.has_more:
        try:
            request = door.decoded.pop() if door.decoded else door.next_request()
        except BadRequest as bad:
            got.append(bad.code)
            continue
        if request is None:
            break
        got.append(request)
    return got


@given(cuts=st.lists(st.integers(0, len(LINES)), max_size=8), reads_between=st.booleans())
def test_however_the_bytes_are_cut_the_requests_are_the_same(cuts, reads_between):
    door = NativeDoor()
    got: list[Request | ErrorCode] = []
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(LINES)], strict=True):
        door.feed(LINES[start:end])
        if reads_between:
            got += requests(door)
    assert got + requests(door) == MEANING


def test_whole_lines_are_ready_at_once_and_the_first_of_them_is_the_last_in_the_list():
    door = NativeDoor()
    door.feed(b'{"type":"ping","id":1}\n')
    assert (door.decoded, door.has_more) == ([Ping(id=1)], False)
    door = NativeDoor()
    door.feed(b'{"type":"ping","id":1}\n{"type":"pong"}\n')
    assert (door.decoded, door.has_more) == ([Pong(), Ping(id=1)], False)


def test_what_comes_while_requests_are_ready_waits_behind_them():
    door = NativeDoor()
    door.feed(b'{"type":"ping","id":1}\n{"type":"ping","id":2}\n')
    door.decoded.pop()
    door.feed(b'{"type":"ping","id":3}\n')
    assert requests(door) == [Ping(id=2), Ping(id=3)]
    assert not door.has_more


def test_a_line_that_has_begun_is_more_to_come():
    door = NativeDoor()
    door.feed(b'{"type":')
    assert door.has_more
    assert door.next_request() is None
    assert door.has_more
    assert door.in_mid_line
    assert door.free_bytes == 65_536 - 8
    door.feed(b'"ping"}\n')
    assert door.next_request() == Ping()
    assert door.next_request() is None
    assert not door.has_more


def test_bytes_that_are_no_utf8_are_malformed_also_in_a_field_that_is_not_read():
    for line in (b'{"type":"ping","x":"\xff"}\n', b'\n{"type":"ping","x":"\xff"}\n'):
        door = NativeDoor()
        door.feed(line)
        assert requests(door) == [ErrorCode.MALFORMED]


def test_a_line_without_an_end_is_too_long():
    door = NativeDoor()
    door.feed(b"x" * 65_536)
    with pytest.raises(LineTooLong):
        door.next_request()


def test_the_end_of_file_is_news_that_has_to_be_read():
    door = NativeDoor()
    assert not door.is_at_eof
    door.feed_eof()
    assert door.is_at_eof
    assert door.has_more
    assert door.next_request() is None
    assert not door.in_mid_line


def test_all_doors_share_one_encoding_of_events():
    first, second = NativeDoor(), NativeDoor()
    assert first.form is second.form
    assert first.form.encode(Quit()) == encode(Quit())


def test_messages_travel_as_lines():
    door = NativeDoor()
    assert door.encode(Pong(id=1)) == b'{"type":"pong","id":1}\n'
    assert door.encode_all([Pong(id=1), Ok(id=2)]) == door.encode(Pong(id=1)) + door.encode(
        Ok(id=2)
    )
