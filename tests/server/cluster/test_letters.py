"""Letters on the wire."""

import pytest

from tertulia.protocol.messages import DirectMessage, Error, ErrorCode
from tertulia.server.cluster.letters import (
    Accepted,
    Answer,
    AskArrived,
    AskIdle,
    AskLife,
    Confirmed,
    Envelope,
    Forward,
    HandedOver,
    IdleFor,
    Known,
    LifeShown,
    NotHere,
    SeenThrough,
    pack,
    unpack,
)

TIME = "2026-11-22T15:00:00.000Z"
LETTERS = [
    Forward(1, 2, "ana", DirectMessage(time=TIME, sender="ana", to="luis", text="¿qué tal?"), 3),
    Accepted(1, 3),
    Confirmed(1, TIME),
    AskArrived([1, 2]),
    NotHere(2),
    HandedOver(2, 3, [(3, "b", 1)]),
    Known("ana", "n1", TIME),
    AskLife(1, 2),
    LifeShown(1),
    AskIdle(1, 2),
    IdleFor(1, 0.5),
    SeenThrough(2, 9),
    Answer(2, Error(code=ErrorCode.UNDELIVERED, message="gone")),
]


def test_letters_arrive_in_order_as_they_were_sent() -> None:
    assert unpack(pack(Envelope("b", LETTERS))) == Envelope("b", LETTERS)


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", b"\x92\xa1\x80\x90", b"\x92\xa1b\x91\x91\xa5later", b"\x91" * 100_000]
)
def test_letters_that_cannot_be_read_are_none(data: bytes) -> None:
    assert unpack(data) is None
