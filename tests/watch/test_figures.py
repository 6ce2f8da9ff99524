"""What follows from the figures of one moment."""

import pytest
from measured import cluster_of_three
from seen import figures, thread

from tertulia.watch.figures import ClusterFigures, Waiting, total


def test_a_server_alone_serves():
    assert figures(cluster=None).serves


@pytest.mark.parametrize("serves", [True, False])
def test_a_node_serves_when_it_says_so(serves):
    assert figures(cluster=ClusterFigures(cluster_of_three(serves=serves))).serves is serves


def test_cpu_and_context_switches_are_those_of_all_threads():
    threads = [
        thread("main", "main", 1, Waiting.SIGNAL, cpu=0.25, voluntary=2.0, involuntary=1.0),
        thread("log", "log", 2, Waiting.QUEUE, cpu=0.5, voluntary=4.0, involuntary=None),
    ]
    seen = figures(threads=threads)
    assert (seen.cpu, seen.switches) == (0.75, 7.0)


def test_where_nothing_is_known_cpu_and_context_switches_are_unknown():
    nothing = {"cpu": None, "voluntary": None, "involuntary": None}
    seen = figures(threads=[thread("main", "main", 1, Waiting.SIGNAL, **nothing)])
    assert (seen.cpu, seen.switches) == (None, None)


def test_a_total_adds_what_is_known_and_zero_is_known():
    assert total([]) is None
    assert total([None, None]) is None
    assert total([None, 0.0]) == 0.0
    assert total([None, 1.5, 2.0]) == 3.5
