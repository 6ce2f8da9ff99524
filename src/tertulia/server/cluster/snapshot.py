"""The common state at a place in the log, as bytes with which a node can begin. Pure."""

import hashlib

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tertulia.server.cluster.commands import FORMAT, UNREADABLE, Rules
from tertulia.server.cluster.membership import Nodes
from tertulia.server.hub.room_state import RoomState


class Snapshot(Struct, array_like=True):
    """Everything that is the same on all nodes after the entry at `place`."""

    format: int
    place: int
    epoch: str
    seq: int  # of the last event
    rules: Rules
    nodes: Nodes
    room: RoomState
    digest_slot: int  # the period of the log's time in which the last digest was taken


_decoder = msgspec.msgpack.Decoder(Snapshot)


def pack(snapshot: Snapshot, *, with_nonces: bool = True) -> bytes:
    """Return a snapshot as bytes, without nonces if the node finds them in its history."""
    if not with_nonces:
        snapshot = replace(snapshot, room=replace(snapshot.room, nonces=[]))
    return msgspec.msgpack.encode(snapshot)


def unpack(data: bytes) -> Snapshot | None:
    """Return the snapshot; None if the bytes are not one, or are of another version."""
    try:
        snapshot = _decoder.decode(data)
    except UNREADABLE:
        return None
    return snapshot if snapshot.format == FORMAT else None


def digest(snapshot: Snapshot) -> bytes:
    """Return a digest of a snapshot, which is equal for equal states.

    It leaves out the nonces: nodes do not forget expired ones at the same moment.
    """
    data = pack(snapshot, with_nonces=False)
    return hashlib.blake2b(data, digest_size=16).digest()
