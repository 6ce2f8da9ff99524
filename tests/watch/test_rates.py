"""Totals become rates; what was not seen twice is not known."""

from typing import Any

import msgspec
from measured import clustered
from seen import taken

from tertulia.protocol.measures import DoorMeasures
from tertulia.watch.figures import Waiting
from tertulia.watch.procfs import Process, Thread
from tertulia.watch.rates import Rates

COUNTS = ("connections", "requests", "deliveries", "rounds", "queue")


def no_parent(_pid):
    return None


def test_the_second_look_shows_what_happened_in_a_second():
    rates = Rates(5_000, no_parent)
    first = rates.figures(taken(at=100.0, total=10))
    assert first.path.events is None
    assert first.threads[1].cpu is None
    assert first.processes[0].cpu is None
    assert first.room.slow == 1
    now = rates.figures(taken(at=100.5, total=20))
    assert (now.path.accepted, now.path.requests, now.path.events) == (20.0, 40.0, 60.0)
    assert (now.path.deliveries, now.path.sent_bytes, now.path.stored) == (80.0, 100.0, 120.0)
    assert (now.path.history_queue, now.path.commit_age_s) == (1, 0.5)
    worker = now.threads[1]
    assert (worker.name, worker.kind, worker.waiting) == ("worker-1", "worker", Waiting.EPOLL)
    assert round(worker.cpu or 0, 6) == 0.2
    assert (worker.voluntary, worker.involuntary) == (400.0, 20.0)
    assert (worker.requests, worker.events, worker.connections, worker.queue) == (20, 140, 7, 3)
    assert (now.threads[0].name, now.threads[0].queue) == ("main", None)
    assert [(one.role, one.cpu) for one in now.processes] == [("server", 0.4)]
    assert (now.room.doors, now.room.unregistered) == ({"native": 6, "entrance": 1, "tls": 2}, 1)


def test_a_restarted_server_a_new_thread_and_a_clock_set_back_begin_anew():
    rates = Rates(5_000, no_parent)
    rates.figures(taken(at=100.0, total=10))
    assert rates.figures(taken(at=100.5, total=20, worker=9)).threads[1].cpu is None
    assert rates.figures(taken(at=101.0, total=1, pid=9)).path.events is None
    assert rates.figures(taken(at=101.5, total=2, pid=9)).path.events == 6.0
    assert rates.figures(taken(at=50.0, total=3, pid=9)).path.events is None
    assert rates.figures(taken(at=50.0, total=4, pid=9)).path.events is None
    assert rates.figures(taken(at=51.0, total=5, pid=9)).path.events == 3.0


def test_a_total_that_goes_back_is_no_negative_rate():
    rates = Rates(5_000, no_parent)
    rates.figures(taken(at=100.0, total=10))
    assert rates.figures(taken(at=101.0, total=9)).path.events == 0.0


def test_only_connections_without_a_session_that_may_still_get_one_are_unregistered():
    picture = taken()
    doors = [
        DoorMeasures(door="native", state=state, connections=number)
        for number, state in enumerate(["unregistered", "registered", "finishing", "draining"], 1)
    ]
    measures = msgspec.structs.replace(picture.measures, doors=doors)
    room = Rates(5_000, no_parent).figures(msgspec.structs.replace(picture, measures=measures)).room
    assert (room.unregistered, room.doors["native"]) == (1, 10)


def test_parent_and_child_are_shown_together():
    looks = iter([Process(1.0, 20_000_000, 1, 60.0), Process(1.1, 20_000_000, 1, 61.0), None])
    rates = Rates(5_000, lambda pid: next(looks))
    rates.figures(taken(at=100.0, total=1, parent_pid=7))
    parent, child = rates.figures(taken(at=101.0, total=2, parent_pid=7)).processes
    assert (parent.role, parent.pid, parent.restarts, parent.uptime_s) == ("parent", 7, 2, 61.0)
    assert round(parent.cpu or 0, 6) == 0.1
    assert (child.role, child.restarts) == ("child", None)
    gone = rates.figures(taken(at=102.0, total=3, parent_pid=7)).processes[0]
    assert (gone.cpu, gone.memory_bytes, gone.uptime_s) == (None, None, None)


def test_the_thread_that_gets_the_turn_counts_on():
    def look(total: int, leader: int) -> Any:
        seen = taken(at=100.0 + total, total=total)
        worker = seen.measures.threads[1]
        threads = [
            msgspec.structs.replace(
                worker, tid=number, name=f"worker-{number}",
                **({} if number == leader else dict.fromkeys(COUNTS)),
            )
            for number in (1, 2)
        ]  # fmt: skip
        measures = msgspec.structs.replace(seen.measures, threads=threads)
        return msgspec.structs.replace(seen, measures=measures)

    rates = Rates(5_000, no_parent)
    for total, leader in ((1, 1), (3, 2)):
        now = rates.figures(look(total, leader))
    assert [(one.requests, one.events) for one in now.threads] == [(None, None), (1.0, 7.0)]


def test_of_several_that_serve_none_is_the_one_before_a_thread_that_begins_to():
    def look(total: int, serving: int) -> Any:
        seen = taken(at=100.0 + total, total=total)
        worker = seen.measures.threads[1]
        threads = [
            msgspec.structs.replace(
                worker, tid=number, name=f"worker-{number}",
                **({} if number <= serving else dict.fromkeys(COUNTS)),
            )
            for number in (1, 2, 3)
        ]  # fmt: skip
        measures = msgspec.structs.replace(seen.measures, threads=threads)
        return msgspec.structs.replace(seen, measures=measures)

    rates = Rates(5_000, no_parent)
    rates.figures(look(1, 2))
    now = rates.figures(look(3, 3))
    assert [one.requests for one in now.threads] == [1.0, 1.0, None]


def test_without_history_nothing_is_stored():
    rates = Rates(5_000, no_parent)
    rates.figures(taken(total=1, history=False))
    now = rates.figures(taken(at=101.0, total=2, history=False))
    assert (now.path.stored, now.path.history_queue, now.room.has_history) == (None, None, False)


def test_what_the_server_has_not_looked_at_is_read_from_the_system():
    def unseen(**options):
        seen = taken(**options)
        worker = msgspec.structs.replace(
            seen.measures.threads[1],
            voluntary_switches=None, involuntary_switches=None, waits_for="", role="console",
        )  # fmt: skip
        measures = msgspec.structs.replace(
            seen.measures, threads=[seen.measures.threads[0], worker]
        )
        return msgspec.structs.replace(seen, measures=measures)

    looks = iter([Thread(10, 1, "epoll"), Thread(30, 2, "lock"), None])
    rates = Rates(5_000, no_parent, lambda pid, tid: next(looks))
    rates.figures(unseen(at=100.0, total=1))
    second = rates.figures(unseen(at=101.0, total=3))
    worker = second.threads[1]
    assert (worker.voluntary, worker.involuntary, worker.waiting) == (20.0, 1.0, Waiting.LOCK)
    assert round(second.look_cost_s, 6) == 0.02
    gone = rates.figures(unseen(at=102.0, total=4)).threads[1]
    assert (gone.voluntary, gone.waiting) == (None, Waiting.UNKNOWN)


def test_a_node_has_rates_of_its_log_and_a_server_alone_has_none():
    rates = Rates(5_000, no_parent)

    def look(at, **more):
        seen = taken(at=at)
        return rates.figures(
            msgspec.structs.replace(seen, measures=clustered(seen.measures, **more))
        ).cluster

    first = look(100.0, place=100, commands=10)
    assert first is not None
    assert (first.entries, first.commands) == (None, None)
    now = look(100.5, place=150, commands=20)
    assert now is not None
    assert (now.entries, now.commands, now.now.node) == (100.0, 20.0, "lab2")
    assert rates.figures(taken(at=101.0)).cluster is None
    again = look(101.5, place=150, commands=20)
    assert again is not None
    assert again.entries is None
