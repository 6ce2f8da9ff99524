"""What a node's own history lacks: it is fetched from the other nodes, and asked for meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster_nodes import Nodes, nodes_of
from histories import say_all, texts_of, whole_history
from nats_servers import NatsServers
from peers import Peer
from stored_messages import message

from tertulia.server.history.store import MessageStore

COMPLETE = "history complete messages=(\\d+)"


@pytest.fixture
def nodes(one_nats: NatsServers, chat: str, tmp_path: Path, threads: str) -> Iterator[Nodes]:
    with nodes_of(one_nats, f"rows-{chat}", tmp_path, threads) as nodes:
        yield nodes


def seed(path: Path, count: int) -> None:
    """Write the history of a server that has been alone."""
    store = MessageStore(path, block=count + 1)
    store.add([message(number, f"old {number}") for number in range(1, count + 1)])
    store.close()


def texts(peer: Peer) -> list[str]:
    return [message["text"] for message in whole_history(peer)]


def test_a_fresh_node_fetches_all_and_answers_rightly_meanwhile(nodes: Nodes) -> None:
    seed(nodes.history("a"), 5_000)
    ana = nodes.start("a").user("ana")
    say_all(ana, [f"new {number}" for number in range(300)])
    wanted = [f"old {number}" for number in range(1, 5_001)]
    wanted += [f"new {number}" for number in range(300)]

    b = nodes.start("b")
    berta = b.user("berta")
    looks = 0
    while "history complete" not in b.log() or not looks:
        assert texts(berta) == wanted
        assert texts_of(berta.ask("search", text="old 1")) == ["old 1"]
        assert texts_of(berta.ask("history", before=4_001, limit=1)) == ["old 4000"]
        looks += 1
    assert texts(berta) == wanted
    b.wait_for_log("history incomplete, asks the other nodes numbers=\\d+")
    b.wait_for_log("history complete messages=5300 visits=1 ")
    nodes.wait_until_same("a", "b")
