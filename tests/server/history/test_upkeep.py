"""When the writer indexes and deletes, and how long it sleeps, even if a part fails."""

import sqlite3
from types import SimpleNamespace

import pytest
from standing_clock import StandingClock

from tertulia.server.history import upkeep as upkeep_module
from tertulia.server.history.cleanup import LOOK_EVERY_S
from tertulia.server.history.upkeep import Upkeep


class FakeStore:
    """A file with so many messages to index and parts of an old index; it notes what is done."""

    def __init__(self) -> None:
        self.unindexed = 0
        self.old_parts = 0
        self.fails = False
        self.done: list[str] = []

    def _note(self, what: str) -> None:
        self.done.append(what)
        if self.fails:
            raise sqlite3.OperationalError("disk on fire")

    def index(self, count: int) -> bool:
        self._note("index")
        had_some = self.unindexed > 0
        self.unindexed = max(0, self.unindexed - count)
        return had_some

    def replace_old_index(self, _count: int) -> bool:
        self._note("old index")
        self.old_parts = max(0, self.old_parts - 1)
        return self.old_parts > 0

    def newest_time(self) -> str | None:
        self._note("newest")
        return None


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> StandingClock:
    clock = StandingClock()
    monkeypatch.setattr(upkeep_module, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


def new_upkeep(store: FakeStore, path, keep_days: float | None = None) -> Upkeep:
    return Upkeep(store, path, keep_days)  # type: ignore[arg-type]  # it is like one


def run_idle(upkeep: Upkeep, *, is_writable: bool = True) -> float:
    """Do what is due while it is quiet; return the seconds until the next part."""
    for _part in range(100):
        upkeep.index(is_idle=True, is_asked=False, is_writable=is_writable)
        upkeep.forget(is_writable=is_writable)
        wait_s = upkeep.wait_s(is_idle=True, is_writable=is_writable)
        if wait_s:
            return wait_s
    pytest.fail("it never sleeps")


@pytest.mark.parametrize(
    ("is_writable", "fails", "keep_days"),
    [(True, False, None), (True, True, None), (True, True, 30), (False, False, 30)],
)
def test_when_all_is_done_or_nothing_can_be_done_the_writer_sleeps_for_an_hour(
    clock, store, path, is_writable, fails, keep_days
):
    store.unindexed, store.old_parts, store.fails = 5_000, 3, fails
    upkeep = new_upkeep(store, path, keep_days)
    assert run_idle(upkeep, is_writable=is_writable) == LOOK_EVERY_S


def test_in_a_busy_room_indexing_waits_until_it_is_quiet_or_too_much_is_not_indexed(
    clock, store, path
):
    upkeep = new_upkeep(store, path)
    run_idle(upkeep)
    store.done.clear()
    upkeep.unindexed = 200_000
    upkeep.index(is_idle=False, is_asked=False, is_writable=True)
    assert store.done == []
    assert upkeep.wait_s(is_idle=False, is_writable=True) == 0.5
    upkeep.index(is_idle=False, is_asked=True, is_writable=True)
    assert store.done == ["index"], "a search waits for it"
    upkeep.unindexed = 200_001
    upkeep.index(is_idle=False, is_asked=False, is_writable=True)
    assert store.done == ["index", "index"]


def test_searches_do_not_wait_for_the_index_of_a_file_that_cannot_be_written(clock, store, path):
    upkeep = new_upkeep(store, path)
    upkeep.unindexed = 10
    upkeep.index(is_idle=False, is_asked=True, is_writable=False)
    assert upkeep.unindexed == 0
    assert store.done == []
