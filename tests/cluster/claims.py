"""Many names that are claimed at all nodes at once; who got one keeps the connection open.

One thread for each node. A claim without an answer is made again, as a client would.
"""

import contextlib
import json
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from peers import fresh_address
from roamer import Address

_ANSWER_S = 15.0
_UNDER_WAY = 20  # claims of one node
_AGAIN = ("unavailable", "rate_limited", "server_full")


class Claims:
    """Claims of the same names at several nodes. `owners`: the nodes that gave each name away."""

    def __init__(self, names: Sequence[str], nodes: Sequence[Address]) -> None:
        self.owners: defaultdict[str, list[str]] = defaultdict(list)
        self._names = names
        self._kept: list[socket.socket] = []
        self._changed = threading.Condition()
        self._failures: list[str] = []
        self._threads = [
            threading.Thread(target=self._claim_all, args=(address,), daemon=True)
            for address in nodes
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: object, traceback: TracebackType | None
    ) -> None:
        for thread in self._threads:
            thread.join(_ANSWER_S * 4)
        for kept in self._kept:
            kept.close()

    def wait_for(self, count: int) -> None:
        """Wait until some names have an owner."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.owners) >= count, 60)

    def finish(self) -> None:
        """Wait until every claim has its answer."""
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive(), "claims without an answer"
        assert self._failures == []

    def per_node(self) -> list[int]:
        """Return how many names each node gave away."""
        given = [node for owners in self.owners.values() for node in owners]
        return [given.count(node) for node in sorted(set(given))]

    def _claim_all(self, address: Address) -> None:
        for first in range(0, len(self._names), _UNDER_WAY):
            names = self._names[first : first + _UNDER_WAY]
            tries = [(name, self._claim(name, address)) for name in names]
            for name, connection in tries:
                self._take(name, connection, address)

    def _claim(self, name: str, address: Address) -> socket.socket:
        connection = socket.socket()
        connection.settimeout(_ANSWER_S)
        connection.bind((fresh_address(), 0))
        connection.connect(address)
        request = {"type": "register", "name": name, "events": "messages"}
        connection.sendall(json.dumps(request).encode() + b"\n")
        return connection

    def _take(self, name: str, connection: socket.socket, address: Address) -> None:
        while True:
            answer = _answer(connection)
            if answer.get("type") == "welcome":
                with self._changed:
                    self._kept.append(connection)
                    self.owners[name].append(f"{address[0]}:{address[1]}")
                    self._changed.notify_all()
                return
            connection.close()
            if answer.get("code") == "name_taken":
                return
            if answer and answer.get("code") not in _AGAIN:
                self._failures.append(f"{name}: {answer}")
                return
            time.sleep(0.05)
            connection = self._claim(name, address)


def _answer(connection: socket.socket) -> dict[str, object]:
    """Return the first line of a node; nothing if none comes."""
    data = b""
    with contextlib.suppress(OSError):
        while b"\n" not in data:
            piece = connection.recv(65_536)
            if not piece:
                return {}
            data += piece
        answer: dict[str, object] = json.loads(data.split(b"\n")[0])
        return answer
    return {}
