"""What goes wrong in a cluster, one function for each: it breaks something while users talk.

Each takes a scene whose nodes run, breaks and mends, and returns its figures. Whoever calls it
checks afterwards what the users saw.
"""

import os
import re
import shutil
import signal
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from claims import Claims
from faults import allowed
from peers import Peer
from scene import SILENT_S, NodeProcess, Scene
from writers import Writer, letter_violations

Figures = dict[str, object]
Scenario = Callable[[Scene], Figures]

RATE = 20.0  # messages a second of each user
LONGER_S = SILENT_S + 6.0  # than a node may be silent
SHORTER_S = SILENT_S - 4.0


def _talk(scene: Scene, per_node: int = 2) -> None:
    scene.add_users(per_node, RATE)
    scene.wait_for_oks()


def _longest(scene: Scene) -> float:
    """Return the longest time for which some user got no ok."""
    return round(max(user.longest_without_ok() for user in scene.users), 2)


def _away(scene: Scene) -> float:
    """Return the longest time that some user was without a node."""
    return round(max(user.longest_away() for user in scene.users), 2)


def _pause(seconds: float) -> None:
    """Let time pass: how long something is broken is what a scenario is about."""
    time.sleep(seconds)


def _figures(scene: Scene, **more: object) -> Figures:
    return {"without ok (s)": _longest(scene), "away (s)": _away(scene), **more}


# --- nodes ---------------------------------------------------------------------------------------


def node_killed(scene: Scene) -> Figures:
    """SIGKILL of a node, which is started again at once; its users go on elsewhere."""
    _talk(scene)
    users = scene.users_at(1)
    scene.nodes[1].kill()
    scene.wait_for_oks()
    moved = all(user not in scene.users_at(1) for user in users)
    began = time.monotonic()
    scene.nodes[1].start()
    took = round(time.monotonic() - began, 2)
    scene.wait_for_oks()
    return _figures(scene, moved=moved, **{"node back (s)": took})


def node_killed_for_long(scene: Scene) -> Figures:
    """SIGKILL of a node; its users do not come back, so the others see them go after a while."""
    _talk(scene)
    stay = scene.add_users(1, 0.0, roams=False)
    killed = time.monotonic()
    scene.nodes[1].kill()
    gone = stay[1].seen.name
    scene.wait_for_left(gone)
    freed = round(time.monotonic() - killed, 2)
    scene.wait_for_oks()
    scene.nodes[1].start()
    scene.wait_for_oks()
    return _figures(scene, **{"names free (s)": freed})


def node_terminated(scene: Scene) -> Figures:
    """SIGTERM of a node, which is started again."""
    _talk(scene)
    scene.nodes[1].terminate()
    scene.wait_for_oks()
    scene.nodes[1].start()
    scene.wait_for_oks()
    return _figures(scene)


def _node_stopped(scene: Scene, seconds: float, patience_s: float) -> Figures:
    _talk(scene)
    for user in scene.users:
        user.patience_s = patience_s
    scene.nodes[1].signal(signal.SIGSTOP)
    _pause(seconds)
    scene.nodes[1].signal(signal.SIGCONT)
    scene.wait_for_oks(20)
    return _figures(scene)


def node_stopped_shortly(scene: Scene) -> Figures:
    """SIGSTOP of a node for less than the silence that the others bear."""
    return _node_stopped(scene, SHORTER_S, SHORTER_S + 10.0)


def node_stopped_for_long(scene: Scene) -> Figures:
    """SIGSTOP of a node for longer; its users' names are taken over elsewhere meanwhile."""
    return _node_stopped(scene, LONGER_S, 4.0)


def upgrade(scene: Scene) -> Figures:
    """Every node is stopped in order and started again, one after the other, under load."""
    _talk(scene)
    for node in scene.nodes:
        node.terminate()
        node.start()
        scene.wait_for_oks()
    return _figures(scene)


# --- nats-servers --------------------------------------------------------------------------------


def _nats_ended(scene: Scene, index: int, number: int) -> Figures:
    _talk(scene)
    scene.nats.kill(index, number)
    scene.wait_for_oks(30)
    scene.nats.start(index)
    scene.wait_for_oks()
    return _figures(scene)


def leader_killed(scene: Scene) -> Figures:
    """SIGKILL of the nats-server that leads the log."""
    return _nats_ended(scene, scene.leader, signal.SIGKILL)


def leader_terminated(scene: Scene) -> Figures:
    """SIGTERM of the nats-server that leads the log."""
    return _nats_ended(scene, scene.leader, signal.SIGTERM)


def follower_killed(scene: Scene) -> Figures:
    """SIGKILL of a nats-server that does not lead the log."""
    return _nats_ended(scene, scene.follower, signal.SIGKILL)


def follower_terminated(scene: Scene) -> Figures:
    """SIGTERM of a nats-server that does not lead the log."""
    return _nats_ended(scene, scene.follower, signal.SIGTERM)


def _nats_stopped(scene: Scene, indices: list[int], seconds: float) -> Figures:
    _talk(scene)
    for index in indices:
        scene.nats.pause(index)
    _pause(seconds)
    for index in indices:
        scene.nats.resume(index)
    scene.wait_for_oks(20)
    return _figures(scene, **{"sessions lost": sum(len(u.lost_at) for u in scene.users)})


def leader_stopped(scene: Scene) -> Figures:
    """SIGSTOP of the nats-server that leads the log."""
    return _nats_stopped(scene, [scene.leader], LONGER_S)


def follower_stopped(scene: Scene) -> Figures:
    """SIGSTOP of a nats-server that does not lead the log."""
    return _nats_stopped(scene, [scene.follower], LONGER_S)


def all_stopped(scene: Scene) -> Figures:
    """SIGSTOP of all nats-servers, for longer than a node may be silent: nobody is."""
    return _nats_stopped(scene, [0, 1, 2], LONGER_S)


def _all_ended(scene: Scene, number: int, seconds: float) -> Figures:
    _talk(scene)
    for index in range(scene.nats.count):
        scene.nats.kill(index, number)
    _pause(seconds)
    for index in range(scene.nats.count):
        scene.nats.launch(index)
    scene.nats.wait_ready()
    scene.wait_for_oks(20)
    return _figures(scene, **{"sessions lost": sum(len(u.lost_at) for u in scene.users)})


def all_killed(scene: Scene) -> Figures:
    """SIGKILL of all nats-servers, which are started again after 3 s."""
    return _all_ended(scene, signal.SIGKILL, 3.0)


def all_terminated(scene: Scene) -> Figures:
    """SIGTERM of all nats-servers, which are away for 40 s."""
    return _all_ended(scene, signal.SIGTERM, 40.0)


def power_lost(scene: Scene) -> Figures:
    """All nodes and nats-servers end at once, and each node's file loses the latest that it had."""
    _talk(scene)
    for node in scene.nodes:
        node.kill()
    for index in range(scene.nats.count):
        scene.nats.kill(index)
    lost = [_lose_latest(node) for node in scene.nodes]
    assert min(lost) > 0, lost
    for index in range(scene.nats.count):
        scene.nats.launch(index)
    scene.nats.wait_ready()
    scene.start()
    scene.wait_for_oks(20)
    return _figures(scene, **{"messages that files lost": lost})


def _lose_latest(node: NodeProcess) -> int:
    """Take from a history what was not forced to the disk; return how many messages that were."""
    before = after = len(node.stored().rows)
    wal = Path(f"{node.file}-wal")
    while after == before:  # little by little: where few spoke, half of it may hold the tables
        os.truncate(wal, wal.stat().st_size * 9 // 10)
        Path(f"{node.file}-shm").unlink()
        after = len(node.stored().rows)
    return before - after


# --- the log -------------------------------------------------------------------------------------

_PLACE = re.compile(r"this node has applied (\d+)")


def _begin_again(scene: Scene) -> Figures:
    """Wait until all nodes have stopped, then do what they say."""
    scene.epochs += 1
    began = time.monotonic()
    scene.wait_for_stops()
    stopped = round(time.monotonic() - began, 2)
    places = [int(_PLACE.findall(node.log())[-1]) for node in scene.nodes]
    first = places.index(max(places))
    assert all("--new-log" in node.log() for node in scene.nodes)
    kept = {row[0] for row in scene.nodes[first].stored().rows}
    scene.nodes[first].start("--new-log")
    for node in scene.nodes:
        if node.process is None:
            node.start()
    scene.wait_for_oks(20)
    assert kept <= {row[0] for row in scene.nodes[first].stored().rows}, "the history is kept"
    return _figures(scene, **{"stopped (s)": stopped})


def log_deleted(scene: Scene) -> Figures:
    """The stream is removed: all nodes stop, and one begins another log with the history."""
    _talk(scene)
    scene.delete_log()
    return _begin_again(scene)


def log_rolled_back(scene: Scene) -> Figures:
    """An old copy of what the nats-servers had stored comes back."""
    nats = scene.nats
    _talk(scene)
    for index in range(nats.count):
        nats.kill(index, signal.SIGTERM)
    for index in range(nats.count):
        shutil.copytree(nats.store(index), scene.root / f"old{index}")
        nats.launch(index)
    nats.wait_ready()
    scene.wait_for_oks(20)
    for index in range(nats.count):
        nats.kill(index)
    for index in range(nats.count):
        nats.forget(index)
        shutil.copytree(scene.root / f"old{index}", nats.store(index))
        nats.launch(index)
    nats.wait_ready()
    return _begin_again(scene)


def log_outrun(scene: Scene) -> Figures:
    """A node is away for longer than the log reaches back, and is told by another one."""
    _talk(scene)
    scene.nodes[1].kill()
    scene.wait_for_oks()
    scene.shorten_log(20)
    scene.wait_for_oks(40)
    began = time.monotonic()
    scene.nodes[1].start()
    took = round(time.monotonic() - began, 2)
    scene.wait_for_oks()
    return _figures(scene, **{"node back (s)": took})


def log_outrun_by_a_stopped_node(scene: Scene) -> Figures:
    """SIGSTOP of a node until the log does not reach back: it begins anew by itself."""
    _talk(scene)
    for user in scene.users_at(1):
        user.patience_s = 2.0
    scene.nodes[1].signal(signal.SIGSTOP)
    scene.shorten_log(20)
    scene.wait_for_oks(40)
    scene.nodes[1].signal(signal.SIGCONT)
    scene.wait_for_oks(40)
    assert not scene.nodes[1].has_ended
    return _figures(scene)


# --- names ---------------------------------------------------------------------------------------


def thousand_names(scene: Scene) -> Figures:
    """A thousand names are claimed at every node at once while the log's leader is killed."""
    scene.add_users(1, 2.0)
    leader = scene.leader
    names = [f"n{number}" for number in range(1_000)]
    with Claims(names, [node.address for node in scene.nodes]) as claims:
        claims.wait_for(100)
        scene.nats.kill(leader)
        claims.finish()
        scene.nats.start(leader)
        doubles = [name for name, owners in claims.owners.items() if len(owners) > 1]
        missing = [name for name in names if not claims.owners[name]]
        scene.wait_for_oks(5)
        scene.wait_for_lists(claims.owners)
    assert doubles == []
    assert missing == []
    return _figures(scene, **{"names of each node": claims.per_node()})


# --- one node alone ------------------------------------------------------------------------------


def slow_disk(scene: Scene) -> Figures:
    """Each write of a node to its disk takes 50 ms longer; a message needs several."""
    calls = "fsync,fdatasync,pwrite64"
    delay = f"inject={calls}:delay_enter=50000"
    within = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", delay)
    allowed(*within, "true")
    node = scene.nodes[1]
    node.terminate()
    node.within = within
    node.start()
    _talk(scene)
    scene.wait_for_oks(60)
    slow = [took for user in scene.users_at(1) for _, took in user.ok_times]
    fast = [took for user in scene.users_at(0) for _, took in user.ok_times]
    assert statistics.median(slow) > 0.1, "the disk is not slow"
    shown = {"p50 there (s)": statistics.median(slow), "p50 elsewhere (s)": statistics.median(fast)}
    return _figures(scene, **{what: round(value, 3) for what, value in shown.items()})


def cut_off(scene: Scene) -> Figures:
    """A node is cut off from the nats-servers alone for 40 s; its users still reach it.

    It answers their pings, and sends them away when it has not served for 30 s.
    """
    assert scene.namespace is not None
    _talk(scene)
    users = scene.users_at(1)
    assert users
    scene.namespace.cut()
    _pause(40.0)
    moved = [user.node for user in users]
    scene.namespace.mend()
    scene.wait_for_oks(20)
    assert scene.nodes[1].host not in " ".join(moved), "its users have gone on elsewhere"
    assert "node was declared dead" in scene.nodes[1].log()
    late = scene.add_users(1, RATE)
    scene.wait_for_oks(10, *late)
    return _figures(scene)


# --- sessions ------------------------------------------------------------------------------------


def said_again_elsewhere(scene: Scene) -> Figures:
    """A message is said again on the next node, with its nonce, whether it had an answer or not."""
    scene.add_users(1, RATE)
    token, last = {}, ""
    for turn in range(30):
        node = scene.nodes[turn % len(scene.nodes)]
        peer = Peer(*node.address, "127.0.9.9")
        welcome = peer.register("ana", **token)
        token = {"token": welcome["token"]}
        if last:
            peer.send("say", text=f"text {last}", nonce=last, id=1)
            again = peer.until_id(1)[-1]
            assert again["type"] == "ok"
        last = f"ana-{turn}"
        peer.send("say", text=f"text {last}", nonce=last, id=2)
        if turn % 2:
            assert peer.until_id(2)[-1]["seq"] > again["seq"]
        peer.reset()
    scene.wait_for_oks()
    said = [row[3] for row in scene.nodes[0].stored().rows if row[2] == "ana"]
    assert said == [f"text ana-{turn}" for turn in range(30)]
    return _figures(scene)


def taken_over_elsewhere(scene: Scene) -> Figures:
    """A session is taken over from node to node; the old connection ends."""
    scene.add_users(1, RATE)
    first = Peer(*scene.nodes[0].address, "127.0.9.9")
    token = first.register("ana")["token"]
    stranger = Peer(*scene.nodes[2].address, "127.0.9.8")
    stranger.send("register", name="Ana", id=1)
    assert stranger.expect("error", id=1)["code"] == "name_taken"
    stranger.close()
    second = Peer(*scene.nodes[1].address, "127.0.9.7")
    second.register("ana", token=token)
    first.wait_for_end()
    third = Peer(*scene.nodes[2].address, "127.0.9.6")
    third.send("register", name="ana", token=token, id=1)
    assert third.expect("error", id=1)["code"] == "name_taken", "the token is used up"
    for peer in (first, second, third):
        peer.close()
    return _figures(scene)


LETTERS = 10_000


def direct_messages(scene: Scene) -> Figures:
    """Users of all nodes write to each other while a node, and then the log's leader, is killed."""
    names = [f"w{number}" for number in range(9)]
    addresses = [node.address for node in scene.nodes]
    writers = [
        Writer(
            name, addresses, number % 3, [n for n in names if n != name], LETTERS // len(names) + 1
        )
        for number, name in enumerate(names)
    ]
    scene.add(writers)

    def wait_for_answers(count: int) -> None:
        done = lambda: sum(len(w.letters.confirmed | w.letters.undelivered) for w in writers)  # noqa: E731
        scene.wait_for(lambda: done() >= count, f"{count} direct messages have their answer")

    began = time.monotonic()
    wait_for_answers(LETTERS // 5)
    scene.nodes[1].kill()
    wait_for_answers(LETTERS * 2 // 5)
    scene.nodes[1].start()
    leader = scene.leader
    scene.nats.kill(leader)
    wait_for_answers(LETTERS * 3 // 5)
    scene.nats.start(leader)
    scene.nodes[2].terminate()
    wait_for_answers(LETTERS * 4 // 5)
    scene.nodes[2].start()
    scene.wait_for(lambda: all(writer.is_done for writer in writers), "all is written")
    took = time.monotonic() - began
    letters = {writer.seen.name: writer.letters for writer in writers}
    problems = list(letter_violations(letters))
    assert problems == [], problems[:10]
    sums = {
        "confirmed": sum(len(one.confirmed) for one in letters.values()),
        "undelivered": sum(len(one.undelivered) for one in letters.values()),
        "dropped copies": sum(one.repeated for one in letters.values()),
    }
    return {**sums, "a second": round(LETTERS / took)}


# --- starts that are refused ---------------------------------------------------------------------


def same_name(scene: Scene) -> Figures:
    """A second process with the name of a node that serves is refused in words."""
    _talk(scene)
    with scene.another("b") as second:
        second.launch()
        assert second.wait() != 0
        assert "another process is already node b of this chat" in second.log()
    scene.wait_for_oks()
    return _figures(scene)


def other_options(scene: Scene) -> Figures:
    """A node with other options than the chat's is refused in words."""
    _talk(scene)
    with scene.another("d") as other:
        other.launch("--shared-addresses")
        assert other.wait() != 0
        assert "the chat was begun with --shared-addresses" in other.log()
    scene.wait_for_oks()
    return _figures(scene)


def supervised_upgrade(scene: Scene) -> Figures:
    """SIGHUP of every supervised node, one after the other, under load."""
    for node in scene.nodes:
        node.terminate()
        node.is_supervised = True
        node.start("--supervise")
    _talk(scene)
    for node in scene.nodes:
        node.running.send_signal(signal.SIGHUP)
        scene.wait_for(lambda node=node: "serving again" in node.log(), "the next process serves")
        scene.wait_for_oks()
    return _figures(scene)


NAMESPACES: tuple[Scenario, ...] = (cut_off,)  # need a network of their own
QUICK: tuple[Scenario, ...] = (
    node_killed,
    upgrade,
    said_again_elsewhere,
    taken_over_elsewhere,
)
LONG: tuple[Scenario, ...] = (
    node_killed_for_long,
    node_terminated,
    node_stopped_shortly,
    node_stopped_for_long,
    leader_killed,
    leader_terminated,
    leader_stopped,
    follower_killed,
    follower_terminated,
    follower_stopped,
    all_killed,
    all_terminated,
    all_stopped,
    power_lost,
    log_deleted,
    log_rolled_back,
    log_outrun,
    log_outrun_by_a_stopped_node,
    thousand_names,
    slow_disk,
    direct_messages,
    cut_off,
    same_name,
    other_options,
    supervised_upgrade,
)
