"""What a node's own history lacks: it is fetched from the other nodes, and asked for meanwhile."""

import os
import re
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster_nodes import Nodes, nodes_of
from faults import allowed
from histories import say_all, texts_of
from nats_servers import NatsServers, nats_servers
from operators import SECRET, error_of, operator, refused
from peers import Message, Peer, Server, fresh_address, wait_for
from stored_messages import message
from suspended import suspend

from tertulia.server.history.store import MessageStore

LOG_BYTES = 256 * 1024
FILLING = [f"without b {number} " + 4_000 * "x" for number in range(100)]


@pytest.fixture
def nodes(one_nats: NatsServers, chat: str, tmp_path: Path, threads: str) -> Iterator[Nodes]:
    with nodes_of(one_nats, f"rows-{chat}", tmp_path, threads) as nodes:
        yield nodes


def seed(path: Path, count: int) -> None:
    """Write the history of a server that has been alone."""
    store = MessageStore(path, block=count + 1)
    store.add([message(number, f"old {number}") for number in range(1, count + 1)])
    store.close()


def patient(peer: Peer, kind: str, **fields: Any) -> Message:
    """Ask again while nobody has answered in time, as clients do: the machine may be busy."""
    answers: list[Message] = []

    def is_answered() -> bool:
        answers.append(peer.ask(kind, **fields))
        return answers[-1].get("code") != "unavailable"

    wait_for(is_answered, f"an answer to {kind}")
    return answers[-1]


def texts(peer: Peer) -> list[str]:
    """Return the texts of the whole history, read page by page."""
    page = patient(peer, "history", limit=200, after=0)
    messages = page["messages"]
    while page["more"]:
        page = patient(peer, "history", limit=200, after=messages[-1]["seq"])
        messages += page["messages"]
    return [message["text"] for message in messages]


def fill_log(peer: Peer) -> None:
    """Say more than the log holds, a little at a time: who says it has to read it from the log."""
    for start in range(0, len(FILLING), 5):
        say_all(peer, FILLING[start : start + 5])


def attendance(peer: Peer) -> list[Message]:
    """Return what an operator sees of it."""
    assert peer.ask("operator", secret=SECRET)["type"] == "ok"
    page = patient(peer, "attendance")
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
    assert patient(berta, "pin", seq=4_000)["type"] == "ok"
    ana.until("pinned")
    assert patient(berta, "seen_by", seq=3_999)["unknown"] == ["berta"]
    looks = 0
    while "history complete" not in b.log() or not looks:
        assert texts(berta) == wanted
        assert texts_of(patient(berta, "search", text="old 1")) == ["old 1"]
        assert texts_of(patient(berta, "history", before=4_001, limit=1)) == ["old 4000"]
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
    last_said = patient(ana, "history", limit=2)["messages"][0]["time"]
    assert sessions[0]["left"] == sessions[1]["left"] == last_said, "the last time that was known"


def test_a_node_away_for_longer_than_the_log_reaches_catches_up_with_another(
    nodes: Nodes, secret_file: Path
) -> None:
    nodes.make_log(LOG_BYTES)
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
    fill_log(ana)
    eva.close()
    ana.until("left", name="eva")

    b = nodes.start("b", *options)
    assert "entries=1-" not in b.log(), "the log is shorter"
    berta = b.user("berta")
    b.wait_for_log("history complete messages=101 ")
    wanted = [
        *(f"both {number}" for number in range(30)),
        *("once", "to be pinned"),
        *FILLING,
    ]
    assert texts(berta) == wanted
    found = patient(berta, "search", text="without", limit=200)["messages"]
    assert [each["text"] for each in found] == FILLING[-len(found) :]
    ana.close()
    berta.until("left", name="ana")
    ana = b.peer(ana.source)
    assert ana.register("ana")["pinned"]["seq"] == pinned
    assert ana.ask("say", text="once", nonce="n1")["seq"] == told["seq"], "it was said before"
    nodes.wait_until_same("a", "b")
    names = [row["name"] for row in attendance(berta)]
    assert names == ["ana", "berta", "eva", "berta", "ana"]


@pytest.mark.parametrize(
    "options", [(), pytest.param(("--supervise",), marks=pytest.mark.long)], ids=["", "supervised"]
)
def test_a_node_that_has_fallen_behind_begins_anew_by_itself(
    chat: str, tmp_path: Path, threads: str, options: tuple[str, ...]
) -> None:
    with nats_servers(tmp_path) as nats, nodes_of(nats, chat, tmp_path, threads) as nodes:
        nodes.make_log(LOG_BYTES)
        a, b = nodes.start("a"), nodes.start("b", *options)
        server = child_of(b) if options else b.process.pid
        ana, berta = a.user("ana"), b.user("berta")
        ana.until("joined", name="berta")
        suspend(server)
        nats.kill(0)  # or what was sent meanwhile would still be in the sockets
        nats.start(0)
        fill_log(ana)
        os.kill(server, signal.SIGCONT)
        closing = berta.until("closing")[-1]
        assert (closing["reason"], closing["cause"]) == ("shutdown", "cut_off")
        berta.wait_for_end()
        wait_for(lambda: b.log().count("node serves node=b others=a") == 2, "it serves again")
        assert "node fell behind, begins anew node=b" in b.log()
        berta = b.user("berta")
        assert texts(berta) == FILLING
        said = berta.ask("say", text="hola")["seq"]
        ana.until("message", seq=said, text="hola")
        b.wait_for_log("history complete messages=")
        nodes.wait_until_same("a", "b")
        assert (nodes.stop("b").log().count("Traceback"), b.process.returncode) == (0, 0)


def child_of(server: Server) -> int:
    """Return the process that serves, of a parent."""
    pid = server.process.pid
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def right_or_refused(peer: Peer, wanted: list[str]) -> bool:
    """Read pages from both ends; return whether one was refused. None may be wrong."""
    is_refused = False
    for number in (1, len(wanted) // 3, len(wanted) // 2, len(wanted) - 30):
        page = peer.ask("history", after=number, limit=20)
        if page["type"] == "error":
            assert page["code"] == "unavailable", page
            is_refused = True
        else:
            assert texts_of(page) == wanted[number : number + 20]
            assert page["more"]
    return is_refused


@pytest.mark.long
def test_a_node_whose_peer_is_killed_gives_no_wrong_page_and_gets_the_rest_later(
    nodes: Nodes,
) -> None:
    count = 30_000
    seed(nodes.history("a"), count)
    wanted = [f"old {number}" for number in range(1, count + 1)]
    nodes.start("a")
    fresh = ("b", "c")
    for node in fresh:
        nodes.start(node)
    users = [nodes.servers[node].user(f"user-{node}") for node in fresh]
    wait_for(lambda: any(len(nodes.rows(node)["message"]) > 3_000 for node in fresh))
    nodes.kill("a")
    stored = [len(nodes.rows(node)["message"]) for node in fresh]
    looks = [right_or_refused(user, wanted) for user in users]
    if max(stored) < count:  # else a slow machine has killed it too late
        assert all(looks), "nobody has the latest of them"
    nodes.kill("c")
    users[1] = nodes.start("c").user("carla")
    right_or_refused(users[1], wanted)
    say_all(users[0], ["without a"])
    users[1].until("message", text="without a")

    nodes.start("a")
    for node, user in zip(fresh, users, strict=True):
        while "history complete" not in nodes.servers[node].log():
            right_or_refused(user, wanted)
        assert texts(user) == [*wanted, "without a"]
        assert len(patient(user, "search", text="without")["messages"]) == 1
        assert texts_of(patient(user, "search", text="old 17777")) == ["old 17777"]
    nodes.wait_until_same("a", "b", "c")


@pytest.mark.long
def test_a_node_that_was_killed_learns_how_its_sessions_have_ended(
    nodes: Nodes, secret_file: Path
) -> None:
    nodes.make_log(LOG_BYTES)
    options = ("--operator-secret", str(secret_file))
    a, b = (nodes.start(node, *options) for node in ("a", "b"))
    ana, berta = a.user("ana"), b.user("berta")
    say_all(berta, [f"both {number}" for number in range(30)])
    ana.until("message", text="both 29")
    nodes.kill("b")
    ana.until("left", name="berta")
    fill_log(ana)
    b = nodes.start("b", *options)
    b.wait_for_log("history complete")
    nodes.wait_until_same("a", "b")
    eva = b.user("eva")
    assert attendance(eva) == attendance(ana)
    assert texts(eva) == texts(ana)


@pytest.mark.long
def test_a_busy_chat_goes_on_while_two_nodes_fetch_and_all_have_the_same_in_the_end(
    nodes: Nodes,
) -> None:
    seed(nodes.history("a"), 20_000)
    ana = nodes.start("a").user("ana")
    for node in ("b", "c"):
        nodes.start(node)
    berta, carla = nodes.servers["b"].user("berta"), nodes.servers["c"].user("carla")
    for number in range(20):
        for peer in (ana, berta, carla):
            say_all(peer, [f"{peer.name} {number} {part}" for part in range(100)])
    for node in ("b", "c"):
        nodes.servers[node].wait_for_log("history complete")
    nodes.wait_until_same("a", "b", "c")
    assert len(nodes.rows("c")["message"]) == 26_000
    assert texts(berta) == texts(carla) == texts(ana)


@pytest.mark.long
def test_users_at_a_node_without_a_history_read_that_of_another_one(
    nodes: Nodes, secret_file: Path
) -> None:
    options = ("--operator-secret", str(secret_file))
    c = nodes.start("c", "--history", "off", *options)
    carla = c.user("carla")
    assert error_of(carla, "history") == "history_off"
    nodes.start("a", *options)
    ana = nodes.servers["a"].user("ana")
    seqs = say_all(ana, ["one", "two", "three"])
    carla.until("message", text="three")
    assert texts(carla) == ["one", "two", "three"]
    assert texts_of(patient(carla, "search", text="two")) == ["two"]
    assert [row["name"] for row in attendance(carla)] == ["carla", "ana"]
    nodes.stop("c")
    carla = nodes.start("c", "--history", "off", *options).user("carla")
    assert carla.ask("operator", secret=SECRET)["type"] == "ok"
    assert patient(carla, "pin", seq=seqs[1])["type"] == "ok"
    assert ana.until("pinned")[-1]["message"]["text"] == "two"
    assert patient(carla, "seen_by", seq=seqs[0])["unknown"] == ["carla"]
    assert patient(carla, "pin", seq=seqs[0] - 1)["code"] == "not_found"


class FullDisk:
    """Lets the files of a node grow no more, perhaps since its start `within` this command."""

    within = ("prlimit", "--fsize=16384:unlimited")

    def __init__(self, server: Server) -> None:
        self._pid = server.process.pid
        resource.prlimit(self._pid, resource.RLIMIT_FSIZE, (16_384, -1))

    def make_room(self) -> None:
        resource.prlimit(self._pid, resource.RLIMIT_FSIZE, (-1, -1))


@pytest.mark.long
def test_what_a_full_disk_has_not_taken_is_kept_by_the_others_and_comes_from_them(
    nodes: Nodes, secret_file: Path
) -> None:
    options = ("--operator-secret", str(secret_file))
    ana = nodes.start("a", *options).user("ana")
    b = nodes.start("b", *options)
    berta = operator(b, "berta")
    say_all(ana, ["before"])
    berta.until("message", text="before")
    disk = FullDisk(b)
    seq = say_all(berta, ["unwritten here"])[0]
    told = [berta.ask("say", text="nor this", nonce="n") for _ in range(2)]
    assert [(one["type"], one["seq"]) for one in told] == [("ok", seq + 1)] * 2
    assert berta.ask("ban", address="10.9.9.9")["type"] == "ok"
    assert say_all(ana, ["written there"])[0] == seq + 2
    berta.until("message", text="written there")
    said = ["before", "unwritten here", "nor this", "written there"]
    assert texts(berta) == said, "they come from a"
    b.wait_for_log("history not written")

    disk.make_room()
    say_all(berta, ["after"])
    b.wait_for_log("history complete messages=")
    nodes.wait_until_same("a", "b")
    assert texts(berta) == [*said, "after"]


@pytest.mark.long
def test_a_node_that_starts_on_a_full_disk_knows_what_was_said_before(nodes: Nodes) -> None:
    allowed(*FullDisk.within, "true")
    ana = nodes.start("a").user("ana")
    b = nodes.start("b")
    berta = b.user("berta")
    said = [berta.ask("say", text=f"early {n}", nonce=f"n{n}")["seq"] for n in range(3)]
    b.wait_for_log("history complete")
    nodes.stop("b")
    ana.until("left", name="berta")

    b = nodes.start("b", within=FullDisk.within)
    disk = FullDisk(b)
    berta = b.user("berta")
    wanted = ["early 0", "early 1", "early 2"]
    assert berta.ask("say", text="early 2", nonce="n2")["seq"] == said[2], "it was said before"
    assert texts(berta) == wanted, "they come from a"
    seq = say_all(berta, ["unwritten here"])[0]
    assert ana.until("message", seq=seq)[-1]["text"] == "unwritten here"
    b.wait_for_log("history not written")
    disk.make_room()
    say_all(berta, ["after"])
    b.wait_for_log("history complete messages=")
    nodes.wait_until_same("a", "b")
    assert texts(berta) == texts(ana) == [*wanted, "unwritten here", "after"]


@pytest.mark.long
@pytest.mark.parametrize("room", [16_384, 40_960], ids=["to open nothing", "to open it"])
def test_a_history_begins_the_chat_of_several_once_its_disk_has_room(
    nodes: Nodes, run: Callable[..., Any], room: int
) -> None:
    within = ("prlimit", f"--fsize={room}:unlimited")
    allowed(*within, "true")
    alone = nodes.alone("a")
    ana = alone.peer()
    epoch = ana.register("ana")["epoch"]
    said = [f"alone {number}" for number in range(3)]
    say_all(ana, said)
    nodes.stop("a")
    cluster = ("--cluster", ",".join(nodes.nats.urls), "--chat", nodes.chat, "--node", "a")
    history = ("--history", nodes.history("a"))
    refused = run(0, "--lang", "en", *cluster, *history, within=within)
    assert refused.returncode == 1
    words = " ".join(refused.stderr.decode().split())
    assert re.search(
        r"cannot open the history \S+: (database or disk is full|disk I/O error)", words
    )

    ana = nodes.start("a").peer()
    assert ana.register("ana")["epoch"] == epoch
    say_all(ana, ["together"])
    assert texts(ana) == [*said, "together"]


@pytest.mark.long
def test_what_the_disk_of_no_node_takes_counts_as_not_stored(nodes: Nodes) -> None:
    a, b = nodes.start("a"), nodes.start("b")
    ana, berta = a.user("ana"), b.user("berta")
    disks = [FullDisk(node) for node in (a, b)]
    for peer, other in ((ana, berta), (berta, ana)):
        told = peer.ask("say", text=f"{peer.name} in vain")
        assert (told["type"], told["code"]) == ("error", "unavailable")
        assert other.until("message", text=f"{peer.name} in vain")[-1]["seq"] == told["seq"]
    disks[0].make_room()
    say_all(ana, ["written here"])
    say_all(berta, ["written there"])


@pytest.mark.long
def test_after_the_loss_of_the_log_all_get_the_history_of_the_node_that_begins_again(
    nodes: Nodes, secret_file: Path
) -> None:
    options = ("--operator-secret", str(secret_file))
    a, b = (nodes.start(node, *options) for node in ("a", "b"))
    ana, berta = a.user("ana"), b.peer()
    epoch = berta.register("berta")["epoch"]
    said = [f"both {number}" for number in range(300)]
    say_all(berta, said)
    ana.until("message", text=said[-1])
    nodes.kill("b")
    say_all(ana, ["without b"])
    eva = a.user("eva")
    eva.close()
    ana.until("left", name="eva")
    say_all(ana, ["last"])
    nodes.kill("a")
    nodes.lose_log()

    a = nodes.start("a", "--new-log", *options)
    b, _c = (nodes.start(node, *options) for node in ("b", "c"))
    berta = b.peer()
    assert berta.register("berta")["epoch"] != epoch
    say_all(berta, ["again"])
    for node in ("b", "c"):
        nodes.servers[node].wait_for_log("history complete")
    nodes.wait_until_same("a", "b", "c")
    assert texts(berta) == [*said, "without b", "last", "again"]
    rows = [(row["name"], row.get("reason")) for row in attendance(berta)]
    assert rows == [("ana", "lost"), ("berta", "lost"), ("eva", "quit"), ("berta", None)]
