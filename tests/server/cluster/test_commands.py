"""Entries of the log as bytes."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tertulia.protocol.messages import CloseReason, Status
from tertulia.protocol.moderation import ImposeBan, Kick
from tertulia.protocol.names import Name
from tertulia.server.cluster.commands import (
    FORMAT,
    Active,
    Batch,
    Enter,
    FormatTooNew,
    Genesis,
    Idle,
    Leave,
    NodeLeave,
    NodeUp,
    Operate,
    Part,
    Post,
    Promote,
    Rules,
    SayText,
    ShowStatus,
    SignOfLife,
    pack,
    size_of,
    unpack,
)
from tertulia.server.hub.room import Newcomer

COMMANDS = [
    Enter(1, Newcomer(Name("José", "jose"), "10.0.0.1", None, False, False), "hash", 0.0),
    Leave(1, CloseReason.QUIT),
    SayText(1, "hola", "n"),
    ShowStatus(1, Status.OCUPADO),
    Idle(1),
    Active(1),
    Promote(1),
    Operate(1, True, ImposeBan(address="10.0.0.0/28", minutes=0.5, reason="ruido")),
    Post("hash", "hecho"),
    SignOfLife(9, b"digest"),
    NodeLeave(),
    NodeLeave(CloseReason.SHUTDOWN),
    Genesis("log", "epoch", 7, Rules(False, 10, None, 600.0, 100, 10.0), 1),
    Part("log", 0, [("Ban", {"key": "name:ana", "until": None})]),
    NodeUp("boot", FORMAT, ["10.0.0.1:5000"]),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: type(one).__name__)
def test_commands_come_out_as_they_went_in(command) -> None:
    assert unpack(pack("lab1", 5, 9, [command])) == Batch(FORMAT, "lab1", 5, 9, [command])


def test_a_node_that_leaves_is_understood_by_the_version_before_and_after() -> None:
    class Gone(msgspec.Struct, tag="gone", array_like=True): ...

    before, after = msgspec.msgpack.encode(Gone()), msgspec.msgpack.encode(NodeLeave("shutdown"))
    assert msgspec.msgpack.decode(before, type=NodeLeave) == NodeLeave(CloseReason.LOST)
    assert msgspec.msgpack.decode(after, type=Gone) == Gone()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_whatever_is_no_batch_is_ignored(data: bytes) -> None:
    try:
        assert unpack(data) is None
    except FormatTooNew:
        assert data[0] >> 4 == 0x9 or data[0] in (0xDC, 0xDD), "only an array has a format"


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_damaged_entry_never_raises(data: st.DataObject) -> None:
    entry = bytearray(pack("lab1", 5, 9, COMMANDS))
    entry[data.draw(st.integers(2, len(entry) - 1))] = data.draw(st.integers(0, 255))
    unpack(bytes(entry[: data.draw(st.integers(2, len(entry)))]))


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        b"{}",
        pack("a", 1, 1, []),
        msgspec.msgpack.encode([FORMAT, "a", 1, 1, [["unknown", 1]]]),
        msgspec.msgpack.encode([FORMAT, "a", 1, 1, [["operate", 1, False, {"type": "ban"}]]]),
        msgspec.msgpack.encode([FORMAT, "a", "1", 1, [["gone"]]]),
        b"\x91" * 5_000,
    ],
)
def test_what_is_no_batch(entry: bytes) -> None:
    assert unpack(entry) is None


def test_an_entry_of_a_later_version_is_told_whatever_is_in_it() -> None:
    for rest in (["a", 1, 1, [["unknown", 1]]], [], [{"all": "new"}]):
        with pytest.raises(FormatTooNew):
            unpack(msgspec.msgpack.encode([FORMAT + 1, *rest]))


@pytest.mark.parametrize(
    "command",
    [
        SayText(1, "ñ" * 8_192, "n" * 64),
        Post("h" * 64, "x" * 16_384),
        Operate(1, False, Kick(name="ana", reason="r" * 60_000)),
        Enter(2**40, Newcomer(Name("x" * 32, "x" * 32), "f" * 45, "t" * 32, True, True), "t", 1.0),
        Idle(1),
    ],
    ids=lambda one: type(one).__name__,
)
def test_the_size_is_never_too_small_and_never_much_too_large(command) -> None:
    size = len(pack("a", 1, 1, [command]))
    assert size - 20 <= size_of(command) <= size + 300
