"""The door of the local socket knows one request more than the native one."""

import pytest
from msgspec import UNSET

from tertulia.protocol.lines import BadRequest
from tertulia.protocol.messages import ErrorCode, ListUsers, Ping
from tertulia.protocol.watching import TakeMeasures
from tertulia.server.doors.console import ConsoleDoor
from tertulia.server.doors.native import NativeDoor

LOOK = b'{"type":"take_measures","id":3}\n'


def test_a_look_is_a_request_and_all_others_are_as_at_the_native_door():
    door = ConsoleDoor()
    door.feed(LOOK[:9])
    assert door.next_request() is None
    door.feed(LOOK[9:] + b'{"type":"take_measures"}\n{"type":"users","id":4}\n')
    assert door.next_request() == TakeMeasures(id=3)
    assert door.next_request() == TakeMeasures(id=UNSET)
    assert door.next_request() == ListUsers(id=4)
    assert door.next_request() is None
    assert not door.has_more
    door.feed(b'{"type":"ping"}\n')
    assert door.decoded == [Ping()]
    door.decoded.clear()
    door.feed(b'{"type":"dance"}\n')
    with pytest.raises(BadRequest) as bad:
        door.next_request()
    assert bad.value.code is ErrorCode.UNKNOWN_TYPE


def test_nobody_can_look_from_the_network():
    door = NativeDoor()
    door.feed(LOOK)
    with pytest.raises(BadRequest) as bad:
        door.next_request()
    assert bad.value.code is ErrorCode.UNKNOWN_TYPE
