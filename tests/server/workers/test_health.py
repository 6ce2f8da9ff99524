"""What is found not to be alive, from the times that the threads note."""

from math import inf
from types import SimpleNamespace

import pytest

from tertulia.problem_words import in_english
from tertulia.server.history.vitals import Vitals
from tertulia.server.workers.health import problem_of

NOW = 1_000.0


class Box(list):
    waiting_since = 0.0


def worker(*, busy_since=0.0, mail_since=None, next_check=inf):
    box = Box([] if mail_since is None else ["mail"])
    box.waiting_since = mail_since or 0.0
    observer = SimpleNamespace(busy_since=busy_since)
    return SimpleNamespace(name="worker-1", observer=observer, mailbox=box, next_check=next_check)


def history(**state):
    vitals = Vitals(None)
    for name, value in state.items():
        setattr(vitals, name, value)
    return SimpleNamespace(vitals=vitals)


@pytest.mark.parametrize(
    "one",
    [
        worker(),
        worker(busy_since=NOW - 4),
        worker(busy_since=NOW - 4, mail_since=NOW - 4, next_check=NOW - 4),
        worker(mail_since=NOW - 4, next_check=NOW + 1),
        worker(next_check=NOW - 4),
    ],
)
def test_a_worker_that_is_not_late_is_well(one):
    assert problem_of([one, one], history(busy_since=NOW - 9), NOW) is None
    assert problem_of([one], None, NOW) is None


def test_a_writer_that_has_nothing_to_do_is_well():
    assert problem_of([worker()], history(busy_since=0.0), NOW) is None


@pytest.mark.parametrize(
    ("one", "problem"),
    [
        (worker(busy_since=NOW - 6), "worker-1 has not finished a round for 6 s"),
        (worker(mail_since=NOW - 7), "worker-1 has not looked at its mail for 7 s"),
        (worker(next_check=NOW - 8), "worker-1 has not looked at its deadlines for 8 s"),
    ],
)
def test_a_worker_that_is_late_is_named(one, problem):
    found = problem_of([worker(), one], history(), NOW)
    assert in_english(found) == problem


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        ({"busy_since": NOW - 11}, "the history's writer has not finished for 11 s"),
        (
            {"problem": "database or disk\nis full"},
            "the history cannot be written: database or disk is full",
        ),
    ],
)
def test_a_history_that_is_not_written_is_told_in_one_line(state, problem):
    found = problem_of([worker()], history(**state), NOW)
    assert in_english(found) == problem
