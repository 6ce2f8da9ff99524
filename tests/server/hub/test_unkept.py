"""Pages without a history: each is refused, and where it is known, with the last message."""

import threading

import pytest
from msgspec import UNSET

from tertulia.protocol.attendance import ListAttendance
from tertulia.protocol.messages import (
    MAX_INT,
    ChatMessage,
    ErrorCode,
    GetHistory,
    Joined,
    Search,
    Status,
)
from tertulia.server.hub.eventlog import EventLog
from tertulia.server.hub.unkept import refuse_page

NOW = "2026-11-22T15:04:05.123Z"


@pytest.fixture
def events() -> EventLog:
    """Messages with the numbers 1, 2 and 4, and between them a newcomer."""
    events = EventLog(threading.Lock(), 1_000_000, 0)
    for seq in range(1, 5):
        if seq == 3:
            events.append(Joined(seq=seq, time=NOW, name="ana", status=Status.ACTIVO))
        else:
            events.append(ChatMessage(seq=seq, time=NOW, sender="ana", text="hola"))
    return events


@pytest.mark.parametrize(
    ("request_", "last"),
    [
        (GetHistory(id=5), 4),
        (GetHistory(id=5, after=6), 6),
        (GetHistory(id=5, before=4), 2),
        (GetHistory(id=5, before=2), 1),
        (GetHistory(id=5, before=1), 0),
        (GetHistory(id=5, after=2, before=4), 2),
        (GetHistory(id=5, before=MAX_INT), 4),
    ],
)
def test_a_page_of_messages_is_refused_with_the_last_one_that_it_would_have(events, request_, last):
    refused = refuse_page(events, request_)
    assert (refused.code, refused.id, refused.seq) == (ErrorCode.HISTORY_OFF, 5, last)


@pytest.mark.parametrize("request_", [Search(id=5, text="hola"), ListAttendance(id=5)])
def test_other_pages_are_refused_without_a_number(events, request_):
    refused = refuse_page(events, request_)
    assert (refused.code, refused.id, refused.seq) == (ErrorCode.HISTORY_OFF, 5, UNSET)
