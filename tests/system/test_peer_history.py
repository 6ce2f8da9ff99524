"""What a node's own history lacks: it is fetched from the other nodes, and asked for meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster_nodes import Nodes, nodes_of
from histories import say_all, texts_of, whole_history
from nats_servers import NatsServers
from operators import SECRET, error_of, operator, refused
from peers import Message, Peer, fresh_address
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


def attendance(peer: Peer) -> list[Message]:
    """Return what an operator sees of it."""
    assert peer.ask("operator", secret=SECRET)["type"] == "ok"
    page = peer.ask("attendance")
    assert page["type"] == "attendance", page
    sessions: list[Message] = page["sessions"]
    return sessions


def test_a_fresh_node_fetches_all_and_answers_rightly_meanwhile(
    nodes: Nodes, secret_file: Path
) -> None:
    seed(nodes.history("a"), 5_000)
    options = ("--operator-secret", str(secret_file))
    ana = nodes.start("a", *options).user("ana")
    say_all(ana, [f"new {number}" for number in range(300)])
    wanted = [f"old {number}" for number in range(1, 5_001)]
    wanted += [f"new {number}" for number in range(300)]

    b = nodes.start("b", *options)
    berta = b.user("berta")
    assert berta.ask("operator", secret=SECRET)["type"] == "ok"
    assert berta.ask("pin", seq=4_000)["type"] == "ok"
    ana.until("pinned")
    assert berta.ask("seen_by", seq=3_999)["unknown"] == ["berta"]
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


def test_a_history_of_one_server_begins_the_chat_of_several(
    nodes: Nodes, secret_file: Path
) -> None:
    options = ("--operator-secret", str(secret_file))
    alone = nodes.alone("a", *options)
    ana, eva, banned = operator(alone), alone.user("eva"), fresh_address()
    berta = alone.user("berta", banned)
    seqs = say_all(ana, [f"alone {number}" for number in range(1_300)])
    assert ana.ask("pin", seq=seqs[0])["type"] == "ok"
    assert ana.ask("hook", name="build")["type"] == "hook"
    assert ana.ask("mute", name="eva", minutes=60)["type"] == "ok"
    assert ana.ask("ban", name="berta", reason="spam")["type"] == "ok"
    berta.wait_for_end()
    luis = alone.peer()
    epoch = luis.register("luis")["epoch"]
    luis.close()
    ana.until("left", name="luis")
    seqs += say_all(ana, ["last"])  # All before it is on the disk, too.
    ana_address, eva_address = ana.socket.getsockname()[0], eva.socket.getsockname()[0]
    nodes.kill("a")  # ana and eva are still there

    for node in ("a", "b"):
        nodes.start(node, *options)
    b = nodes.servers["b"]
    assert refused(b, "berta", banned)["code"] == "banned"
    eva = b.peer(eva_address)
    welcome = eva.register("eva")
    assert welcome["epoch"] == epoch
    assert welcome["pinned"]["text"] == "alone 0"
    assert error_of(eva, "say", text="hello") == "muted"
    ana = nodes.servers["a"].peer(ana_address)
    assert ana.register("ana")["epoch"] == epoch
    (seq,) = say_all(ana, ["together"])
    assert seq > seqs[-1]
    eva.until("message", text="together")
    b.wait_for_log("history complete")
    wanted = [*(f"alone {number}" for number in range(1_300)), "last", "together"]
    assert texts(eva) == texts(ana) == wanted
    nodes.wait_until_same("a", "b")
    sessions = attendance(ana)
    assert sessions == attendance(eva)
    rows = [(row["name"], row.get("reason")) for row in sessions]
    before = [("ana", "lost"), ("eva", "lost"), ("berta", "kicked"), ("luis", "quit")]
    assert rows == [*before, ("eva", None), ("ana", None)]
    last_said = whole_history(ana)[-2]["time"]
    assert sessions[0]["left"] == sessions[1]["left"] == last_said, "the last time that was known"


def test_a_node_away_for_longer_than_the_log_reaches_catches_up_with_another(
    nodes: Nodes, secret_file: Path
) -> None:
    nodes.make_log(256 * 1024)
    options = ("--operator-secret", str(secret_file))
    a, b = (nodes.start(node, *options) for node in ("a", "b"))
    ana, berta = a.user("ana"), b.user("berta")
    say_all(berta, [f"both {number}" for number in range(30)])
    told = ana.ask("say", text="once", nonce="n1")
    berta.until("message", text="once")
    berta.close()
    nodes.stop("b")

    eva = a.user("eva")
    assert ana.ask("operator", secret=SECRET)["type"] == "ok"
    (pinned,) = say_all(ana, ["to be pinned"])
    assert ana.ask("pin", seq=pinned)["type"] == "ok"
    assert ana.ask("mute", name="eva")["type"] == "ok"
    say_all(ana, [f"without b {number} " + 1_000 * "x" for number in range(400)])
    eva.close()
    ana.until("left", name="eva")

    b = nodes.start("b", *options)
    assert "place=1 " not in b.log()
    berta = b.user("berta")
    b.wait_for_log("history complete messages=401 ")
    wanted = [
        *(f"both {number}" for number in range(30)),
        *("once", "to be pinned"),
        *(f"without b {number} " + 1_000 * "x" for number in range(400)),
    ]
    assert texts(berta) == wanted
    assert len(berta.ask("search", text="without", limit=200)["messages"]) == 200
    ana.close()
    berta.until("left", name="ana")
    ana = b.peer(ana.source)
    assert ana.register("ana")["pinned"]["seq"] == pinned
    assert ana.ask("say", text="once", nonce="n1")["seq"] == told["seq"], "it was said before"
    nodes.wait_until_same("a", "b")
    names = [row["name"] for row in attendance(berta)]
    assert names == ["ana", "berta", "eva", "berta", "ana"]
