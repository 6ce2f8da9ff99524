"""Deleting old messages: all of them, only them, and not because of a clock that is wrong."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from stored_messages import index_all, message

from tertulia.protocol.times import rfc3339
from tertulia.server.history.cleanup import LOOK_EVERY_S, Cleanup
from tertulia.server.history.store import MessageStore

NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)
DAY_S = 86_400.0


class Clocks:
    """A wall clock, which can be set, and a monotonic one."""

    def __init__(self) -> None:
        self.now, self.monotonic_s = NOW, 1_000.0

    def go_on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.monotonic_s += seconds


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def clean_up(cleanup: Cleanup, clocks: Clocks) -> None:
    """Do all steps until the next look is due, and let the time until then go by."""
    while not (wait_s := cleanup.step(clocks.now, clocks.monotonic_s)):
        pass
    assert wait_s == LOOK_EVERY_S
    clocks.go_on(wait_s)


def add(store: MessageStore, seq: int, age_days: float, text: str = "hola") -> None:
    store.add([message(seq, text, rfc3339(NOW - timedelta(days=age_days)))])


def seqs_in(store: MessageStore) -> list[int]:
    return [seq for (seq,) in store._db.execute("SELECT seq FROM message ORDER BY seq")]


def test_what_is_too_old_is_deleted_and_logged_once(store, clocks, caplog):
    caplog.set_level(logging.INFO)
    for seq in range(1, 6):
        add(store, seq, age_days=10 - 2 * seq + 0.5)
    cleanup = Cleanup(store, keep_days=3.0)
    clean_up(cleanup, clocks)
    assert seqs_in(store) == [4, 5]
    clean_up(cleanup, clocks)
    assert [r.message for r in caplog.records] == [
        f"history shortened deleted=3 before={rfc3339(NOW - timedelta(days=3))}"
    ]


def test_messages_said_in_the_future_do_not_stop_it(store, clocks, monkeypatch):
    monkeypatch.setattr("tertulia.server.history.cleanup._STEP", 2)
    add(store, 1, age_days=40)
    for seq in range(2, 9):
        add(store, seq, age_days=-400)
    for seq in range(9, 14):
        add(store, seq, age_days=40)
    add(store, 14, age_days=0)
    clean_up(Cleanup(store, keep_days=30.0), clocks)
    assert seqs_in(store) == [*range(2, 9), 14]


def test_a_clock_that_is_far_ahead_at_the_start_waits_for_a_second_look(store, clocks, caplog):
    add(store, 1, age_days=0)
    clocks.now += timedelta(days=400)
    cleanup = Cleanup(store, keep_days=30.0)
    store.add([message(2, time=rfc3339(clocks.now))])  # said with the wrong clock
    clean_up(cleanup, clocks)
    assert seqs_in(store) == [1, 2]
    assert "clock has jumped ahead" in caplog.text
    clocks.now -= timedelta(days=400)  # somebody sets it right
    clean_up(cleanup, clocks)
    clean_up(cleanup, clocks)
    assert seqs_in(store) == [1, 2]


def test_after_a_long_pause_old_messages_are_deleted_at_the_second_look(store, clocks):
    add(store, 1, age_days=400)
    cleanup = Cleanup(store, keep_days=30.0)
    clean_up(cleanup, clocks)
    assert seqs_in(store) == [1]
    clean_up(cleanup, clocks)
    assert seqs_in(store) == []


def test_a_clock_that_jumps_while_the_server_runs_waits_for_a_second_look(store, clocks):
    add(store, 1, age_days=0)
    cleanup = Cleanup(store, keep_days=30.0)
    clean_up(cleanup, clocks)
    clocks.now += timedelta(days=400)
    clean_up(cleanup, clocks)
    assert seqs_in(store) == [1]
    clean_up(cleanup, clocks)
    assert seqs_in(store) == []


def test_what_was_deleted_is_gone_from_all_files(store, path, clocks):
    for seq in range(1, 200):
        add(store, seq, age_days=5, text=f"secretword{seq} " + "otherword " * 50)
    index_all(store)
    add(store, 200, age_days=0, text="kept")
    index_all(store)
    clean_up(Cleanup(store, keep_days=1.0), clocks)
    assert seqs_in(store) == [200]
    left = b"".join(Path(f"{path}{suffix}").read_bytes() for suffix in ("", "-wal"))
    assert b"kept" in left
    assert b"secretword" not in left
    assert b"otherword" not in left


def test_deleted_words_between_many_that_are_kept_go_in_several_steps(
    store, path, clocks, monkeypatch
):
    monkeypatch.setattr("tertulia.server.history.index._MERGE_PAGES", 1)
    for name, first, age_days in [("secretword", 1, 5), ("kept", 101, 0)]:
        for seq in range(first, first + 49):
            add(store, seq, age_days, " ".join(f"{name}{seq}x{i}" for i in range(60)))
        while store.index(100):
            pass
    clean_up(Cleanup(store, keep_days=1.0), clocks)
    assert seqs_in(store) == list(range(101, 150))
    left = b"".join(Path(f"{path}{suffix}").read_bytes() for suffix in ("", "-wal"))
    assert b"kept" in left
    assert b"secretword" not in left
