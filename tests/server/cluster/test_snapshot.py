"""The common state as bytes."""

import pytest
from msgspec.structs import replace

from tertulia.server.cluster.commands import FORMAT
from tertulia.server.cluster.genesis import rules_of
from tertulia.server.cluster.membership import Nodes
from tertulia.server.cluster.snapshot import Snapshot, digest, pack, unpack
from tertulia.server.config import Config
from tertulia.server.hub.room_state import RoomState

ROOM = RoomState(nonces=[("ana", "n1", 1_795_000_000.25, 5)])
STATE = Snapshot(FORMAT, 80, "epoch", 7, rules_of(Config(port=0)), Nodes(), ROOM, 3)


def test_a_state_comes_back_whole() -> None:
    assert unpack(pack(STATE)) == STATE


def test_nonces_are_left_out_on_request() -> None:
    assert unpack(pack(STATE, with_nonces=False)) == replace(STATE, room=RoomState())
    assert STATE.room.nonces, "the state itself keeps them"


@pytest.mark.parametrize("data", [b"", b"\xc1", b"{}", pack(STATE)[:-1]])
def test_other_bytes_are_no_state(data: bytes) -> None:
    assert unpack(data) is None


@pytest.mark.parametrize("other", [FORMAT - 1, FORMAT + 1])
def test_a_state_of_another_version_cannot_be_read(other: int) -> None:
    assert unpack(pack(replace(STATE, format=other))) is None


def test_equal_states_have_the_same_digest_whatever_nonces_are_left() -> None:
    assert digest(STATE) == digest(replace(STATE, room=RoomState()))
    assert len(digest(STATE)) == 16


def test_states_that_differ_have_different_digests() -> None:
    assert digest(STATE) != digest(replace(STATE, seq=8))
