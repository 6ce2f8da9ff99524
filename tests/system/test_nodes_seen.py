"""What two nodes of a chat show of themselves and of each other: metrics, health and the view."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster_nodes import Nodes, nodes_of
from nats_servers import NatsServers, nats_servers
from peers import wait_for
from test_metrics import get, measured


@pytest.fixture
def nodes(one_nats: NatsServers, chat: str, tmp_path: Path, threads: str) -> Iterator[Nodes]:
    with nodes_of(one_nats, f"seen-{chat}", tmp_path, threads) as nodes:
        yield nodes


def test_two_nodes_show_themselves_and_each_other(nodes, run):
    lab1, lab2 = nodes.start("lab1", "--name", "lab.example"), nodes.start("lab2")

    def now(server, *key):
        name, *labels = key
        return measured(server)[f"tertulia_cluster_{name}", *sorted(labels)]

    chat = nodes.chat
    assert now(lab1, "info", chat, "lab1") == now(lab2, "info", chat, "lab2") == 1
    for server in (lab1, lab2):
        assert get(server, "/healthz") == (200, "ok\n")
        assert now(server, "serves") == now(server, "connected") == 1
        wait_for(lambda server=server: now(server, "node_up", chat, "lab2") == 1, "lab2 is seen")
        assert now(server, "node_up", chat, "lab1") == 1
        assert now(server, "own_word_age_seconds") < 5.0
        assert now(server, "digests_diverged_total") == 0
    assert now(lab1, "snapshots_sent_total") == now(lab2, "snapshots_fetched_total") == 1
    ana, luis, eva = lab1.user("ana"), lab2.user("luis", receipts=True), lab2.peer()
    own, other, named = (
        f"127.0.0.1:{lab2.port}",
        f"127.0.0.1:{lab1.port}",
        f"lab.example:{lab1.port}",
    )
    welcome = eva.register("eva", nodes=True)
    assert (welcome["nodes"], welcome["per_node"]) == ([own, named, other], [1, 2])
    assert ana.ask("say", text="hola")["type"] == "ok"
    luis.until("message", text="hola")
    ana.send("direct", to="luis", text="oye")
    receipt = luis.until("direct", text="oye")[-1]["receipt"]
    assert now(lab1, "direct_messages_on_the_way") == 1
    luis.send("received", receipt=receipt)
    wait_for(
        lambda: now(lab1, "direct_messages_on_the_way") == 0, "the direct message is confirmed"
    )
    assert now(lab1, "commands_total") >= 2
    assert now(lab1, "batches_total") <= now(lab1, "commands_total")
    assert now(lab1, "letters_sent_total") >= 1 <= now(lab2, "letters_received_total")
    for server in (lab1, lab2):
        wait_for(lambda server=server: now(server, "lag_entries") == 0, "all is applied")
    assert measured(lab1)["tertulia_threads", "link"] == 1

    seen = json.loads(run(lab1.port, "--watch", "--json").stdout)["cluster"]
    assert (seen["node"], [node["name"] for node in seen["nodes"]]) == ("lab1", ["lab1", "lab2"])
    line = run(lab1.port, "--status", "--lang", "en")
    assert (line.returncode, line.stderr) == (0, b"")
    assert b"node lab1 serves; 2 of 2 nodes of the chat" in line.stdout

    nodes.stop("lab2")
    wait_for(lambda: now(lab1, "node_up", chat, "lab2") == 0, "lab2 has gone")
    assert b"1 of 2 nodes of the chat" in run(lab1.port, "--status", "--lang", "en").stdout


@pytest.mark.alone("it is about a server that is no node")
def test_a_server_alone_shows_nothing_of_nodes(start_server, run):
    server = start_server()
    assert "cluster" not in get(server)[1]
    assert "cluster" not in json.loads(run(server.port, "--watch", "--json").stdout)


@pytest.mark.long
def test_a_node_whose_own_word_does_not_come_back_is_not_well(chat, tmp_path, threads, run):
    with nats_servers(tmp_path) as nats:
        with nodes_of(nats, chat, tmp_path, threads) as nodes:
            server = nodes.start("lab1")
            nats.pause(0)
            wait_for(lambda: get(server, "/healthz")[0] == 503, "it does not serve")
            text = get(server, "/healthz")[1]
            assert text.startswith("this node does not serve: it")
            found = measured(server)
            assert found["tertulia_healthy",] == found["tertulia_cluster_serves",] == 0
            line = run(server.port, "--status", "--lang", "en")
            assert line.returncode == 1
            assert b"PROBLEM: this node does not serve" in line.stdout
            nats.resume(0)
            wait_for(lambda: get(server, "/healthz") == (200, "ok\n"), "it serves again")
            assert measured(server)["tertulia_cluster_connects_total",] >= 1
            wait_for(lambda: "node serves again node=lab1 pause=" in server.log(), "it is logged")
            nodes.stop("lab1")
        nats.kill(0, signal.SIGTERM)
