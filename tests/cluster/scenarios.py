"""What goes wrong in a cluster, one function for each: it breaks something while users talk.

Each takes a scene whose nodes run, breaks and mends, and returns its figures. Whoever calls it
checks afterwards what the users saw.
"""

import signal
import time
from collections.abc import Callable

from scene import SILENT_S, Scene

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


QUICK: tuple[Scenario, ...] = (node_killed, upgrade)
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
)
