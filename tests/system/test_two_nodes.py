"""What one server promises holds over two nodes of a chat: who is at one meets those at the other.

The rules themselves are tested with one server. What holds while something breaks is in
tests/cluster.
"""

from collections.abc import Callable, Iterator

import pytest
from cluster_nodes import Nodes, nodes_of
from histories import say_all, texts_of
from nats_servers import NatsServers
from operators import SECRET, error_of, refused
from peers import Peer, Server, fresh_address
from test_hooks import hook, post

Two = tuple[Server, Server]


@pytest.fixture(scope="module")
def nodes(
    one_nats: NatsServers, tmp_path_factory: pytest.TempPathFactory, threads: str
) -> Iterator[Nodes]:
    folder = tmp_path_factory.mktemp("two")
    secret = folder / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    with nodes_of(one_nats, f"two-{threads}", folder, threads) as nodes:
        for node in ("lab1", "lab2"):
            nodes.start(node, "--operator-secret", str(secret), "--challenge-timeout", "2.5")
        yield nodes


@pytest.fixture
def two(nodes: Nodes) -> Iterator[Two]:
    lab1, lab2 = nodes.servers["lab1"], nodes.servers["lab2"]
    yield lab1, lab2
    lab1.part()
    lab2.part()


def meet(*peers: Peer) -> None:
    """Let each know of the others: read up to what the first one says now."""
    seq = peers[0].ask("say", text="here I am")["seq"]
    for peer in peers:
        peer.until("message", seq=seq)


def operator_of(server: Server, name: str) -> Peer:
    peer = server.user(name)
    assert peer.ask("operator", secret=SECRET)["type"] == "ok"
    return peer


def events(peer: Peer, text: str) -> list[tuple[int, str]]:
    """Return the numbers and types of all events up to a message."""
    return [(m["seq"], m["type"]) for m in peer.until("message", text=text) if "seq" in m]


def test_all_see_one_order_with_the_same_numbers(two: Two, together: Callable[..., None]) -> None:
    lab1, lab2 = two
    ana, luis = lab1.user("ana1"), lab2.user("luis1")
    speakers = [server.user(f"{name}1") for server, name in zip(two * 2, "bcde", strict=True)]
    meet(ana, luis, *speakers)
    texts = [str(number) for number in range(100)]
    together(*(lambda peer=peer: say_all(peer, texts) for peer in speakers))
    ana.send("say", text="the end")
    seen = events(ana, "the end")
    assert seen == events(luis, "the end")
    assert sum(kind == "message" for _, kind in seen) == 401
    first = seen[0][0]
    assert [seq for seq, _ in seen] == list(range(first, first + len(seen)))


def test_a_name_and_an_address_belong_to_one_user_on_all_nodes(two: Two) -> None:
    lab1, lab2 = two
    luis, ana = lab2.user("luis2"), lab1.user("ana2")
    with ana.alive():  # It answers the challenge that comes from the other node.
        assert refused(lab2, "ANA2")["code"] == "name_taken"
        assert refused(lab2, "eva2", source=ana.source)["code"] == "address_taken"
    ana.send("quit")
    luis.until("left", name="ana2")
    lab2.user("ana2", source=ana.source)


def test_of_many_who_ask_for_one_name_everywhere_at_one_instant_one_gets_it(
    two: Two, together: Callable[..., None]
) -> None:
    answers: list[str] = []

    def ask(server: Server) -> None:
        peer = server.peer()
        peer.send("register", name="wanted3", id=1)
        answer = peer.next()
        assert answer is not None
        answers.append(answer.get("code", answer["type"]))

    together(*(lambda server=server: ask(server) for server in two * 20))
    assert sorted(answers) == ["name_taken"] * 39 + ["welcome"]


def test_statuses_and_the_list_are_the_same_on_all_nodes(two: Two) -> None:
    lab1, lab2 = two
    ana, luis = lab1.user("ana4"), lab2.user("luis4")
    meet(ana, luis)
    ana.ask("status", status="OCUPADO")
    luis.until("presence", name="ana4", status="OCUPADO")
    here, there = ana.ask("users"), luis.ask("users")
    while here["seq"] != there["seq"]:  # Somebody of the test before is just leaving.
        here, there = ana.ask("users"), luis.ask("users")
    assert here["users"] == there["users"]
    info = luis.ask("info", name="ana4")
    assert (info["address"], info["status"]) == (ana.source, "OCUPADO")


def test_a_direct_message_is_confirmed_from_node_to_node(two: Two) -> None:
    lab1, lab2 = two
    ana, luis = lab1.user("ana5"), lab2.user("luis5", receipts=True)
    meet(ana, luis)
    ana.send("direct", to="luis5", text="hola", id=3)
    luis.until("direct", receipt=1, text="hola", **{"from": "ana5"})
    assert not any(m["type"] == "ok" for m in ana.roundtrip()), "not before it is confirmed"
    luis.send("received", receipt=1)
    ana.until("ok", id=3)


def test_a_direct_message_that_was_not_confirmed_is_undelivered(two: Two) -> None:
    lab1, lab2 = two
    ana, luis = lab1.user("ana6"), lab2.user("luis6", receipts=True)
    meet(ana, luis)
    ana.send("direct", to="luis6", text="hola", id=3)
    luis.until("direct", receipt=1)
    luis.close()
    answer = next(m for m in ana.until_id(3) if m.get("id") == 3)
    assert (answer["type"], answer["code"]) == ("error", "undelivered")
    assert error_of(ana, "direct", to="luis6", text="hola") == "user_not_connected"


def test_a_message_that_is_said_again_at_another_node_is_there_once(two: Two) -> None:
    lab1, lab2 = two
    luis, ana = lab2.user("luis7"), lab1.user("ana7")
    meet(ana, luis)
    said = ana.ask("say", text="once", nonce="n7")
    again = lab2.peer()
    again.register("ana7", token=ana.token)
    assert again.ask("say", text="once", nonce="n7")["seq"] == said["seq"]
    luis.send("say", text="the end")
    seen = luis.until("message", text="the end")
    assert [m["text"] for m in seen if m["type"] == "message"] == ["once", "the end"]


def test_a_token_takes_a_session_over_to_another_node(two: Two) -> None:
    lab1, lab2 = two
    ana, luis = lab1.user("ana8"), lab2.user("luis8")
    meet(luis, ana)
    ana.ask("status", status="OCUPADO")
    successor = lab2.peer(ana.source)
    welcome = successor.register("ana8", token=ana.token)
    assert welcome["status"] == "OCUPADO"
    ana.wait_for_end()


def test_a_silent_session_gives_way_to_a_newcomer_at_another_node(two: Two) -> None:
    lab1, lab2 = two
    ana, luis = lab1.user("ana9"), lab2.user("luis9")
    meet(luis, ana)
    ana.answers_pings = False
    newcomer = lab2.user("ana9", source=ana.source)
    luis.until("left", name="ana9", reason="timeout")
    luis.until("joined", name="ana9")
    assert newcomer.name == "ana9"
    ana.wait_for_end()


def test_what_operators_decide_holds_on_all_nodes(two: Two) -> None:
    lab1, lab2 = two
    boss, luis, eva = operator_of(lab1, "boss10"), lab2.user("luis10"), lab2.user("eva10")
    meet(boss, luis, eva)
    seq = luis.ask("say", text="to be pinned")["seq"]
    boss.until("message", seq=seq)
    boss.ask("pin", seq=seq)
    luis.until("pinned")
    assert boss.ask("mute", name="luis10", seconds=600)["type"] == "ok"
    assert error_of(luis, "say", text="hola") == "muted"
    boss.ask("ban", name="eva10", seconds=600)
    eva.until("closing", reason="kicked", by="boss10")
    assert refused(lab2, "eva10")["code"] == "banned"
    assert refused(lab1, "eva10")["code"] == "banned"
    for node in (lab2, lab1):  # at once, also at a node that refuses without asking the others
        assert boss.ask("unban", name="eva10")["type"] == "ok"
        node.user("eva10")
        boss.ask("ban", name="eva10", seconds=600)
    names = {row["name"] for row in boss.ask("attendance")["sessions"]}
    assert {"boss10", "luis10", "eva10"} <= names


def test_history_and_search_are_the_same_on_all_nodes(nodes: Nodes, two: Two) -> None:
    lab1, lab2 = two
    ana, luis = lab1.user("ana11"), lab2.user("luis11")
    meet(ana, luis)
    say_all(ana, [f"apple {number}" for number in range(30)])
    say_all(luis, [f"pear {number}" for number in range(30)])
    ana.until("message", text="pear 29")
    wanted = [f"pear {number}" for number in range(30)]
    for peer in (ana, luis):
        assert texts_of(peer.ask("history", limit=30)) == wanted
        assert texts_of(peer.ask("search", text="apple 7")) == ["apple 7"]
    nodes.wait_until_same("lab1", "lab2")


def test_a_hook_speaks_through_every_node(two: Two) -> None:
    lab1, lab2 = two
    boss, luis = operator_of(lab1, "boss12"), lab2.user("luis12")
    meet(boss, luis)
    path = hook(boss, "build12")
    meet(boss, luis)
    status, _head, _text = post(lab2, path, b"built", source=fresh_address())
    assert status == 200
    for peer in (boss, luis):
        peer.until("message", text="built", hook=True)


def test_a_direct_message_that_was_at_a_node_that_died_follows_its_receiver(
    nodes: Nodes, two: Two
) -> None:
    lab3 = nodes.start("lab3")
    ana, luis = two[0].user("ana13"), lab3.user("luis13", receipts=True)
    meet(ana, luis)
    ana.send("direct", to="luis13", text="hola", id=3)
    receipt = luis.until("direct", text="hola")[-1]["receipt"]
    lab3.process.kill()  # before it can notice that anybody leaves
    nodes.kill("lab3")
    successor = two[1].peer(luis.source)
    successor.send("register", name="luis13", token=luis.token, receipts=True)
    # Under the same receipt, unless lab3 has died before it could tell ana's node.
    again = successor.until("direct", text="hola")[-1]["receipt"]
    assert again >= receipt
    successor.send("received", receipt=again)
    ana.until("ok", id=3)
