"""Transfers a node's state to another node that has just started, in pieces that NATS can carry.

`StateSender.answer` runs on the link's thread; `fetch` blocks the main thread of the starting node.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

import msgspec
from msgspec import Struct

from tertulia.server.cluster.commands import UNREADABLE

_PIECE_BYTES = 512 * 1024
_KEEP_S = 30.0  # for a state that another node fetches
_MAX_STATES = 4  # kept at a time, for nodes that start together
_TIMEOUT_S = 1.5  # for one question; there may be no other node
_ATTEMPTS = 3  # for one piece

# Asks a node (any node if its name is ""), and returns the answer, or None.
Ask = Callable[[str, bytes, float], bytes | None]


class _Wanted(Struct, array_like=True):
    state: str = ""  # the name of a state; "": the present one
    offset: int = 0


class _Piece(Struct, array_like=True):
    node: str
    state: str
    total: int
    data: bytes


class StateSender:
    """Sends this node's state in pieces. `snapshot` returns the present one, or None."""

    def __init__(self, node: str, snapshot: Callable[[], bytes | None]) -> None:
        self._node = node
        self._snapshot = snapshot
        # The states by name, with the time when each was taken; the oldest is first.
        self._taken: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self.states = 0  # number of states that others have begun to fetch

    def answer(self, question: bytes) -> bytes | None:
        """Return the piece in question; None if there is none."""
        try:
            wanted = msgspec.msgpack.decode(question, type=_Wanted)
        except UNREADABLE:
            return None
        name = wanted.state
        if not name:
            data = self._snapshot()
            if data is None:
                return None
            name = secrets.token_hex(8)
            self._taken[name] = time.monotonic(), data
            self.states += 1
            if len(self._taken) > _MAX_STATES:
                self._taken.popitem(last=False)
        elif name not in self._taken:
            return None
        _, data = self._taken[name]
        piece = data[wanted.offset : wanted.offset + _PIECE_BYTES]
        return msgspec.msgpack.encode(_Piece(self._node, name, len(data), piece))

    def tidy(self) -> None:
        """Forget states that nobody fetches any more."""
        forget_before = time.monotonic() - _KEEP_S
        while self._taken and next(iter(self._taken.values()))[0] < forget_before:
            self._taken.popitem(last=False)


def fetch(ask: Ask) -> bytes | None:
    """Return the state of any node that answers; None if no node does.

    If the answer cannot be read, for example that of a later version, the state is b"".
    """
    try:
        first = _piece(ask, "", _Wanted())
        if first is None:
            return None
        data = bytearray(first.data)
        while len(data) < first.total:
            piece = _piece(ask, first.node, _Wanted(first.state, len(data)))
            if piece is None or not piece.data:
                return None
            data += piece.data
    except UNREADABLE:
        return b""
    return bytes(data)


def _piece(ask: Ask, node: str, wanted: _Wanted) -> _Piece | None:
    question = msgspec.msgpack.encode(wanted)
    for _ in range(_ATTEMPTS if node else 1):
        answer = ask(node, question, _TIMEOUT_S)
        if answer:
            return msgspec.msgpack.decode(answer, type=_Piece)
    return None
