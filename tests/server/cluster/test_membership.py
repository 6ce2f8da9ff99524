"""Who is up by the log alone: its time, its numbers, its incarnations."""

import pytest

from tertulia.server.cluster.commands import FORMAT, Batch, NodeUp, SignOfLife
from tertulia.server.cluster.membership import Nodes, Verdict

T = 1_795_000_000_000


def up(boot: str = "first") -> NodeUp:
    return NodeUp(boot, FORMAT, ["10.0.0.1:5000"])


def batch(number: int, incarnation: int = 1, node: str = "a") -> Batch:
    return Batch(FORMAT, node, incarnation, number, [SignOfLife(0, b"")])


@pytest.fixture
def nodes() -> Nodes:
    """One node, which came up at place 1."""
    nodes = Nodes()
    nodes.advance(T)
    assert nodes.note_up("a", 1, up())
    return nodes


def test_the_time_never_goes_back_and_stands_until_the_clock_has_caught_up(nodes: Nodes) -> None:
    times = []
    for time_ms in (T + 100, T - 60_000, T - 59_000, T + 50, T + 200):
        nodes.advance(time_ms)
        times.append(nodes.time_ms - T)
    assert times == [100, 100, 100, 100, 200]


def test_a_leader_whose_clock_is_behind_does_not_stop_the_time_of_silence(nodes: Nodes) -> None:
    nodes.advance(T - 60_000)
    for second in range(1, 12):
        nodes.advance(T - 60_000 + 1_000 * second)
    assert nodes.silent(10.0) == ["a"]


def test_a_pause_of_the_whole_log_is_nobodys_silence(nodes: Nodes) -> None:
    nodes.advance(T + 600_000)
    assert nodes.silent(10.0) == []
    assert nodes.time_ms == T + 600_000


def test_a_node_is_silent_after_ten_seconds_without_a_batch_of_its_own(nodes: Nodes) -> None:
    for second in range(1, 11):
        nodes.advance(T + 1_000 * second)
    assert nodes.silent(10.0) == [], "exactly ten seconds are not too long"
    nodes.advance(T + 10_001)
    assert nodes.silent(10.0) == ["a"]
    assert nodes.judge(batch(1)) is Verdict.COUNTS
    assert nodes.silent(10.0) == []


@pytest.mark.parametrize("number", [1, 3])
def test_a_batch_that_does_not_count_is_a_sign_of_life_too(nodes: Nodes, number: int) -> None:
    assert nodes.judge(batch(1)) is Verdict.COUNTS
    for second in range(1, 12):
        nodes.advance(T + 1_000 * second)
    assert nodes.judge(batch(number)) in (Verdict.AGAIN, Verdict.EARLY)
    assert nodes.silent(10.0) == []


def test_only_the_next_number_counts(nodes: Nodes) -> None:
    verdicts = [nodes.judge(batch(number)) for number in (2, 1, 1, 3, 2, 2, 3)]
    counts, again, early = Verdict.COUNTS, Verdict.AGAIN, Verdict.EARLY
    assert verdicts == [early, counts, again, early, counts, again, counts]


def test_a_new_incarnation_fences_the_one_before(nodes: Nodes) -> None:
    assert nodes.judge(batch(1)) is Verdict.COUNTS
    assert nodes.note_up("a", 9, up("second"))
    assert nodes.judge(batch(2)) is Verdict.FENCED
    assert nodes.judge(batch(1, incarnation=9)) is Verdict.COUNTS
    assert nodes.judge(batch(2, node="b")) is Verdict.FENCED


def test_a_node_that_has_ended_is_fenced_and_not_silent(nodes: Nodes) -> None:
    nodes.note_down("a")
    assert nodes.judge(batch(1)) is Verdict.FENCED
    assert nodes.judge(batch(1, incarnation=0)) is Verdict.FENCED
    for second in range(1, 30):
        nodes.advance(T + 1_000 * second)
    assert nodes.silent(10.0) == []
    assert nodes.up() == {}


def test_a_start_that_comes_again_counts_once_however_late(nodes: Nodes) -> None:
    assert not nodes.note_up("a", 2, up())
    nodes.note_down("a")
    assert not nodes.note_up("a", 3, up()), "it was sent again before it was applied"
    assert nodes.note_up("a", 4, up("second"))
    assert not nodes.note_up("a", 5, up())
    assert nodes.by_name["a"].incarnation == 4


def test_the_latest_starts_are_remembered(nodes: Nodes) -> None:
    for number in range(20):
        assert nodes.note_up("a", 10 + number, up(f"boot{number}"))
    assert len(nodes.by_name["a"].boots) == 8
    assert not nodes.note_up("a", 99, up("boot13"))
