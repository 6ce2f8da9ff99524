"""Deadlines: looked at when they are due, and not once for each connection that has one."""

from types import SimpleNamespace
from typing import Any

from tertulia.server.config import Config
from tertulia.server.workers.watchdog import Watchdog


def connection(deadline: float) -> Any:
    return SimpleNamespace(deadline=deadline, state=None)


def watchdog(now: float) -> tuple[Watchdog, Any]:
    worker: Any = SimpleNamespace(now=now, guarded=lambda step, connection: None)
    hub: Any = None
    return Watchdog(worker, hub, Config(port=0)), worker


def test_the_next_check_is_at_the_earliest_deadline() -> None:
    dog, _ = watchdog(now=100.0)
    first, second = connection(float("inf")), connection(float("inf"))
    dog.look_at(first, 130.0)
    dog.look_at(second, 120.0)
    dog.look_at(second, 125.0)
    assert dog.next_check == 120.0
    dog.check([first, second])
    assert dog.next_check == 120.0
    assert (first.deadline, second.deadline) == (130.0, 120.0)


def test_however_many_come_in_all_are_looked_at_only_now_and_then() -> None:
    dog, worker = watchdog(now=100.0)
    dog.check([])
    for number in range(1_000):
        worker.now = 100.0 + number * 1e-5
        dog.look_at(connection(float("inf")), worker.now)
        assert dog.next_check == 100.1
