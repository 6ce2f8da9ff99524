"""The picture of a running server, taken while it serves."""

import json
import platform
import re
import socket
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from msgspec import UNSET
from worker_bench import FakeSocket

from tertulia.problem_words import in_english
from tertulia.protocol.measures import DoorMeasures, Measures, Problem, ProblemKind
from tertulia.protocol.messages import ListUsers
from tertulia.server.config import Config
from tertulia.server.doors.console import ConsoleDoor
from tertulia.server.doors.entrance import OpenEntrance
from tertulia.server.doors.hooks import HookDoor
from tertulia.server.doors.native import NativeDoor
from tertulia.server.doors.websocket import WebSocketDoor
from tertulia.server.observer import Observer
from tertulia.server.server import Server
from tertulia.server.workers import collector as collector_module
from tertulia.server.workers import health
from tertulia.server.workers.collector import DOORS, Collector, role_of
from tertulia.server.workers.connection import Connection

WAIT_S = 20.0


class User:
    """A connection to the server."""

    def __init__(self, server: Server) -> None:
        self.sock = socket.create_connection(("127.0.0.1", server.port), WAIT_S)
        self.lines = self.sock.makefile("rb")

    def ask(self, answer: str, **request: object) -> dict:
        self.sock.sendall(json.dumps(request).encode() + b"\n")
        while True:
            message = json.loads(self.lines.readline())
            if message["type"] == answer:
                return message

    def close(self) -> None:
        self.lines.close()
        self.sock.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    path = tmp_path_factory.mktemp("history") / "history.db"
    config = Config(
        port=0, host="127.0.0.1", threads=2, shared_addresses=True, tls="off", history=str(path)
    )
    server = Server(config, lambda: 7)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def picture(server: Server) -> Iterator[Measures]:
    """The picture after two users have talked, and one of them has left."""
    ana, luis = User(server), User(server)
    ana.ask("welcome", type="register", name="ana")
    luis.ask("welcome", type="register", name="luis")
    ana.ask("ok", type="say", text="hola", id=1)
    ana.ask("error", type="say", text="", id=2)
    ana.ask("ok", type="direct", to="luis", text="oye", id=3)
    luis.ask("message", type="ping")
    luis.ask("ok", type="status", status="OCUPADO", id=4)
    ana.ask("presence", type="ping")
    luis.ask("error", type="quit2")
    newcomer = User(server)
    newcomer.ask("pong", type="ping")
    give_up_at = time.monotonic() + WAIT_S
    own = threading.get_native_id()
    while True:  # until the threads have come to rest, which the last answer does not say
        picture = server.measure(shows_waits=True)
        if all(one.waits_for != "running" or one.tid == own for one in picture.threads):
            break
        assert time.monotonic() < give_up_at
    yield picture
    for user in (ana, luis, newcomer):
        user.close()


def test_what_was_said_sent_and_refused_is_counted(picture):
    traffic = picture.traffic
    assert (traffic.connections, traffic.sessions) == (3, 2)
    assert (traffic.messages, traffic.directs) == (1, 1)
    assert traffic.events == 4  # joined twice, a message, a status
    # ana hears all but her own coming, which the welcome says; luis what comes after his.
    assert 5 <= traffic.deliveries <= 8
    assert traffic.refused_requests == {"text_invalid": 1, "unknown_type": 1}
    assert traffic.requests == 9
    assert 300 < traffic.received_bytes < 600
    assert 500 < traffic.sent_bytes < 4_000
    assert (traffic.gaps, traffic.faults, traffic.left, traffic.rate_limited) == (0, 0, {}, {})


def test_who_is_here_and_by_which_door(picture):
    assert picture.users == {"ACTIVO": 1, "OCUPADO": 1, "INACTIVO": 0}
    assert (picture.sessions, picture.workers) == (2, 2)
    open_ones = [door for door in picture.doors if door.connections]
    assert open_ones == [
        DoorMeasures(door="native", state="unregistered", connections=1),
        DoorMeasures(door="native", state="registered", connections=2),
    ]
    assert (picture.tls_connections, picture.slow_consumers, picture.turned_away) == (0, 0, 0)


def test_the_threads_have_names_roles_and_figures(picture):
    ours = {thread.name: thread for thread in picture.threads}
    roles = ["worker", "worker", "acceptor", "history-writer", "history-reader"]
    names = ["worker-1", "worker-2", "acceptor", "history-writer", "history-reader"]
    assert [ours[name].role for name in names] == roles
    workers = [ours["worker-1"], ours["worker-2"]]
    assert sum(worker.connections or 0 for worker in workers) == 3
    assert sum(worker.requests or 0 for worker in workers) == picture.traffic.requests
    assert all(worker.voluntary_switches for worker in workers)
    assert all(worker.cpu_s > 0 for worker in workers)
    assert sum(worker.rounds or 0 for worker in workers) > 9
    # One of them has the turn.
    assert {worker.waits_for for worker in workers} == {"epoll", "turn"}
    assert [worker.waits_for for worker in workers if worker.rounds] == ["epoll"]
    assert ours["acceptor"].waits_for == "poll"
    assert ours["history-reader"].waits_for == "queue"
    assert ours["history-writer"].queue == 0
    [own] = [one for one in picture.threads if one.tid == threading.get_native_id()]
    assert own.waits_for == "running"


def test_the_history_and_the_latencies(picture):
    history = picture.history
    assert history is not None
    assert (history.stored, history.queue, history.questions) == (1, 0, 0)
    assert history.commits == sum(picture.commit.counts) >= 1
    assert history.file_bytes > 4_096
    assert history.last_commit_age_s is not None
    assert 0 <= history.last_commit_age_s < time.monotonic()
    assert (history.failed_commits, history.problem) == (0, "")
    assert sum(picture.say_to_last_send.counts) >= 4
    assert picture.say_to_last_send.sum_s > 0
    assert picture.log.events == picture.traffic.events
    assert 0 < picture.log.bytes < picture.log.max_bytes


def test_the_process_and_what_waits(picture):
    process = picture.process
    assert process.python == platform.python_version()
    assert process.open_files > 8
    assert process.threads >= 5
    assert 0 < process.uptime_s < time.time()
    assert process.cpu_s > 0
    assert (process.restarts, process.parent_pid) == (0, None)
    assert (picture.mailboxes, picture.longest_mailbox, picture.log_lines) == (0, 0, 7)
    assert picture.problem == ""


def test_a_picture_travels_as_json(picture):
    assert msgspec.json.decode(msgspec.json.encode(picture), type=Measures) == picture


def test_it_is_taken_while_every_lock_is_held(server, picture):
    pool, hub, history = server._pool, server.hub, server.history
    locks = [pool._lock, hub._lock, history._lock, server._admission._lock]
    locks += [worker.mailbox._lock for worker in pool.workers]
    for lock in locks:
        assert lock.acquire(timeout=WAIT_S)
    done: list[Measures] = []
    thread = threading.Thread(target=lambda: done.append(server.measure()), daemon=True)
    thread.start()
    thread.join(WAIT_S)
    for lock in locks:
        lock.release()
    assert done


def test_a_worker_that_is_stuck_in_a_round_is_named(server, picture, monkeypatch):
    monkeypatch.setattr(health, "_MAX_ROUND_S", 0.0)
    is_stuck, goes_on = threading.Event(), threading.Event()
    users = server.hub.users

    def stuck(*arguments):
        is_stuck.set()
        assert goes_on.wait(WAIT_S)
        return users(*arguments)

    [worker] = server._pool.workers
    monkeypatch.setitem(worker._input._handler._hub_verbs, ListUsers, stuck)
    user = User(server)
    user.ask("welcome", type="register", name="eva")
    user.sock.sendall(b'{"type":"users","id":1}\n')
    assert is_stuck.wait(WAIT_S)
    problem = server.measure().problem
    goes_on.set()
    assert re.fullmatch(r"worker-[12] has not finished a round for 0 s", problem)
    user.ask("pong", type="ping")
    user.close()


def test_roles_are_few():
    names = ["MainThread", "worker-1", "worker-900", "log", "announcer", "Thread-3"]
    assert [role_of(name) for name in names] == [
        "main", "worker", "worker", "log", "announcer", "other"
    ]  # fmt: skip


def test_every_door_is_one_of_those_that_are_counted():
    kinds = {door.kind for door in (OpenEntrance, NativeDoor, WebSocketDoor, HookDoor, ConsoleDoor)}
    assert kinds | {"console"} == set(DOORS)


def test_the_figures_of_roles_add_up_to_those_of_the_process_and_never_fall(server, picture):
    def ended_thread():
        thread = threading.Thread(target=lambda: sum(range(300_000)), name="handout")
        thread.start()
        thread.join()

    before = server.measure(each_worker=False)
    for _ in range(3):
        ended_thread()
        after = server.measure(each_worker=False)
        was = {role.role: role for role in before.roles}
        for role in after.roles:
            assert role.cpu_s >= was[role.role].cpu_s, role.role
            assert role.voluntary_switches >= was[role.role].voluntary_switches, role.role
        total = sum(role.cpu_s for role in after.roles)
        assert total == pytest.approx(after.process.cpu_s, abs=0.05)
        before = after
    assert {role.role: role.threads for role in after.roles}["worker"] == 2


# --- the parts, without waiting for a server to do something -------------------------------------


def collector_of(server: Server, *, history: Any = None, node: Any = None, **options: Any):
    config = Config(port=0, **options)
    lines = (lambda: 7) if history is not None else None
    return Collector(config, server._pool, server.hub, history, lambda: 0, lines, node=node)


class FakeNode:
    """A node with a problem, and with nothing to measure."""

    def measure(self) -> Any:
        return UNSET

    def problem(self) -> Problem:
        return Problem(ProblemKind.NO_NATS)


@pytest.mark.parametrize(("threads", "are_many"), [(None, True), (64, False), (65, True)])
def test_more_than_64_workers_are_listed_only_if_each_one_is_asked_for(server, threads, are_many):
    collector = collector_of(server, threads=threads)
    for each_worker in (True, False):
        measures = collector.measure(each_worker=each_worker)
        listed = sum(thread.role == "worker" for thread in measures.threads)
        assert listed == (2 if each_worker or not are_many else 0)
        assert {role.role: role.threads for role in measures.roles}["worker"] == 2


def test_workers_beyond_the_bound_have_only_the_figures_that_cost_little(server, monkeypatch):
    monkeypatch.setattr(collector_module, "_MAX_WORKERS", 1)
    monkeypatch.setattr(collector_module.procfs, "thread_waits_for", lambda _tid: "epoll")
    collector = collector_of(server, threads=2)
    workers = [one for one in collector.measure().threads if one.role == "worker"]
    assert [bool(one.waits_for) for one in workers] == [False]
    first, second = (
        one for one in collector.measure(shows_waits=True).threads if one.role == "worker"
    )
    assert (bool(first.waits_for), first.voluntary_switches is None) == (True, False)
    assert (second.waits_for, second.voluntary_switches, second.involuntary_switches) == (
        *("", None, None),
    )


def test_the_figures_of_a_role_are_those_of_its_threads(server):
    measures = server.measure()
    for role in measures.roles:
        own = [thread for thread in measures.threads if thread.role == role.role]
        if role.role != "other":
            assert role.voluntary_switches == sum(one.voluntary_switches or 0 for one in own)
            assert role.involuntary_switches == sum(one.involuntary_switches or 0 for one in own)
            assert role.threads == len(own)


def test_what_no_listed_thread_has_used_is_that_of_the_others_and_never_falls(server):
    collector = collector_of(server, threads=2)
    threads: Any = [
        SimpleNamespace(role="main", cpu_s=1.0, voluntary_switches=2, involuntary_switches=None),
        SimpleNamespace(role="worker", cpu_s=4.0, voluntary_switches=5, involuntary_switches=7),
        SimpleNamespace(role="worker", cpu_s=8.0, voluntary_switches=None, involuntary_switches=1),
    ]

    def others(cpu_s: float, voluntary: int, involuntary: int) -> tuple[float, int, int]:
        process: Any = SimpleNamespace(
            cpu_s=cpu_s, voluntary_switches=voluntary, involuntary_switches=involuntary
        )
        roles = {one.role: one for one in collector._roles(process, threads, 2)}
        worker, other = roles["worker"], roles["other"]
        assert (worker.cpu_s, worker.voluntary_switches, worker.involuntary_switches) == (12, 5, 8)
        return other.cpu_s, other.voluntary_switches, other.involuntary_switches

    assert others(113.0, 27, 38) == (100.0, 20, 30)
    assert others(112.0, 28, 39) == (100.0, 21, 31)
    assert others(114.0, 27, 38) == (101.0, 21, 31)
    assert others(114.0, 29, 40) == (101.0, 22, 32)


def test_only_a_node_has_threads_for_its_link(server):
    assert "link" not in {role.role for role in server.measure().roles}
    node = collector_of(server, node=FakeNode())
    assert "link" in {role.role for role in node.measure().roles}


def test_a_problem_of_the_server_itself_comes_before_that_of_its_node(server, monkeypatch):
    assert collector_of(server).problem() == ""
    assert collector_of(server, node=FakeNode()).problem() == in_english(FakeNode().problem())
    own = Problem(ProblemKind.MAIL, thread="worker-1", seconds=7.0)
    monkeypatch.setattr(collector_module, "problem_of", lambda *_: own)
    assert collector_of(server).problem() == in_english(own)
    assert collector_of(server, node=FakeNode()).problem() == in_english(own)


@pytest.mark.parametrize(
    ("role", "queue", "without_history"),
    [
        ("log", 7, None),
        ("history-writer", 3, None),
        ("history-reader", 5, None),
        ("acceptor", None, None),
    ],
)
def test_threads_with_a_queue_say_how_long_it_is(server, role, queue, without_history):
    history = SimpleNamespace(queued=(3, 5))
    assert collector_of(server, history=history)._queue_of(role) == queue
    assert collector_of(server)._queue_of(role) == without_history


@pytest.mark.parametrize(
    ("role", "has_turn", "waits_for"),
    [
        ("worker", True, "lock"),
        ("worker", False, "turn"),
        ("main", False, "queue"),
        ("log", False, "queue"),
        ("history-reader", False, "queue"),
        ("acceptor", False, "lock"),
    ],
)
def test_waiting_for_a_queue_or_a_turn_is_told_from_waiting_for_a_lock(
    monkeypatch, role, has_turn, waits_for
):
    monkeypatch.setattr(collector_module.procfs, "thread_waits_for", lambda _tid: "lock")
    assert collector_module._waits_for(0, role, has_turn=has_turn) == waits_for
    monkeypatch.setattr(collector_module.procfs, "thread_waits_for", lambda _tid: "epoll")
    assert collector_module._waits_for(0, role, has_turn=has_turn) == "epoll"


def test_connections_with_tls_and_blocked_ones_are_counted():
    sock: Any = FakeSocket()
    connections = [Connection(sock, "10.0.0.1", NativeDoor(), 0.0) for _ in range(4)]
    connections[0].tls = connections[1].tls = connections[2].tls = object()  # type: ignore[assignment]
    connections[2].blocked = connections[3].blocked = True
    workers: Any = (SimpleNamespace(connections=connections[:1]), SimpleNamespace(connections=()))
    assert collector_module._connections_of(workers)[1:] == (1, 0)
    workers = (*workers, SimpleNamespace(connections=connections[1:]))
    assert collector_module._connections_of(workers)[1:] == (3, 2)


def test_events_from_before_the_start_are_not_counted_as_traffic(server):
    events = SimpleNamespace(first_seq=4, last_seq=10, messages=2)
    hub: Any = SimpleNamespace(events=events, direct_messages=SimpleNamespace(accepted=1))
    collector = Collector(Config(port=0), server._pool, hub, None, lambda: 0)
    assert collector._traffic(Observer()).events == 6


def test_a_file_that_is_not_there_has_no_size(tmp_path):
    assert collector_module._size(tmp_path / "none") == 0
