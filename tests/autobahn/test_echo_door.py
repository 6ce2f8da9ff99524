"""The echo fits the door as it is: without the suite, nothing else would notice."""

import pytest
from compare import grade
from echo_door import EchoDoor, TextEchoDoor

from tertulia.server.workers.door import Control, Violation

TEXT, BINARY, PING = 0x81, 0x82, 0x89


def frame(first: int, data: bytes) -> bytes:
    """Write a short frame of a client, whose mask masks nothing."""
    return bytes((first, 0x80 | len(data))) + bytes(4) + data


def echo(first: int, data: bytes) -> Control:
    """Return the answer that sends a message back."""
    return Control(bytes((first, len(data))) + data)


def answers(door: TextEchoDoor, stream: bytes) -> list[Control]:
    """Return everything that a door answers to a stream."""
    door.feed(stream)
    return list(iter(door.next_request, None))


def test_every_message_is_sent_back_in_its_kind():
    stream = (
        frame(TEXT, "ñ".encode()) + frame(TEXT, b"") + frame(TEXT, b"\n") + frame(BINARY, b"\xff")
        + frame(0x02, b"a") + frame(PING, b"?") + frame(0x80, b"b")
        + frame(0x01, b"c") + frame(0x80, b"d") + frame(BINARY, b"")
    )  # fmt: skip
    assert answers(EchoDoor(), stream) == [
        echo(TEXT, "ñ".encode()),
        echo(TEXT, b""),
        echo(TEXT, b"\n"),
        echo(BINARY, b"\xff"),
        echo(0x8A, b"?"),
        echo(BINARY, b"ab"),
        echo(TEXT, b"cd"),
        echo(BINARY, b""),
    ]


def test_with_the_usual_limits_only_texts_are_sent_back():
    door = TextEchoDoor()
    assert answers(door, frame(TEXT, b"x") + frame(TEXT, b"")) == [echo(TEXT, b"x")]
    door.feed(frame(BINARY, b"x"))
    with pytest.raises(Violation):
        door.next_request()


def test_a_result_is_as_bad_as_its_worse_half():
    def result(behavior: str, close: str) -> dict[str, str]:
        return {"behavior": behavior, "behaviorClose": close}

    assert grade(result("OK", "OK")) < grade(result("NON-STRICT", "OK"))
    assert grade(result("NON-STRICT", "OK")) < grade(result("FAILED", "OK"))
    assert grade(result("FAILED", "OK")) < grade(result("FAILED", "WRONG CODE"))
    assert grade(result("OK", "UNCLEAN")) == grade(result("FAILED", "UNCLEAN"))
