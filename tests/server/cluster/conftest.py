"""Nodes with histories, for the tests of what they ask one another."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from history_peers import WAIT_S, Chat, Here

from tertulia.server.hub.records import Visit

NOW = "2026-11-22T15:00:00.000Z"


@pytest.fixture
def peers(tmp_path: Path) -> Iterator[Chat]:
    peers = Chat(tmp_path)
    yield peers
    for node in peers.nodes.values():
        if node.history is not None:
            assert node.history.stop(WAIT_S)


@pytest.fixture
def old(peers: Chat) -> Here:
    """A node that has everything up to 40, and a visit."""
    node = peers.node("old")
    node.put(range(1, 41))
    assert node.history is not None
    visit = Visit(key=3, name="ana", address="10.0.0.1", joined=NOW, ended=NOW, reason="quit")
    node.history.keep([visit])
    return node


@pytest.fixture
def fresh(peers: Chat, old: Here) -> Here:
    """A node that lacks everything up to 30."""
    node = peers.node("fresh", lacks_through=30)
    node.put(range(31, 41))
    return node
