"""The state of the history's writer: what it counts, and what it remembers of a failure."""

import sqlite3
import time

from tertulia.server.history.vitals import Vitals


def test_a_new_history_has_no_problem_and_no_commit():
    vitals = Vitals(None)
    assert (vitals.problem, vitals.last_commit_at) == ("", None)
    assert (vitals.stored, vitals.failed_commits, vitals.busy_since) == (0, 0, 0.0)


def test_a_history_whose_file_is_not_open_begins_with_the_reason():
    assert Vitals(OSError(28, "No space left")).problem == "[Errno 28] No space left"


def test_a_commit_is_timed_and_its_messages_are_counted(monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 100.5)
    vitals = Vitals(None)
    vitals.on_stored(3, 100.0)
    vitals.on_stored(4, 100.25)
    assert (vitals.stored, vitals.last_commit_at) == (7, 100.5)
    assert (sum(vitals.commits.counts), vitals.commits.sum_s) == (2, 0.75)


def test_a_failure_is_a_problem_until_the_next_commit_that_succeeds():
    vitals = Vitals(None)
    vitals.on_failed(sqlite3.OperationalError("disk on fire"))
    vitals.on_failed(sqlite3.OperationalError("disk is full"))
    assert (vitals.failed_commits, vitals.problem) == (2, "disk is full")
    assert (vitals.stored, vitals.last_commit_at) == (0, None)
    vitals.on_stored(0, time.monotonic())
    assert (vitals.failed_commits, vitals.problem) == (2, "")
