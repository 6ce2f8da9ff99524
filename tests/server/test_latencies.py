"""The histograms of latencies."""

import pytest

from tertulia.protocol.measures import BUCKETS_S
from tertulia.server.latencies import Histogram


def test_what_took_exactly_as_long_as_a_bound_belongs_to_its_bucket():
    histogram = Histogram()
    for bound in BUCKETS_S:
        histogram.note(bound)
    histogram.note(BUCKETS_S[-1] + 1)
    assert histogram.latencies.counts == [1] * (len(BUCKETS_S) + 1)
    assert histogram.latencies.sum_s == pytest.approx(sum(BUCKETS_S) + BUCKETS_S[-1] + 1)


def test_several_things_at_once_count_as_often():
    histogram = Histogram()
    histogram.note(0.0, 3)
    histogram.note(0.3, 2)
    assert sum(histogram.latencies.counts) == 5
    assert histogram.latencies.sum_s == pytest.approx(0.6)


def test_histograms_are_added_up_and_stay_as_they_were():
    total, first, second = Histogram(), Histogram(), Histogram()
    first.note(0.3)
    second.note(0.3, 4)
    total.add([first, second])
    assert sum(total.latencies.counts) == 5
    assert total.latencies.sum_s == pytest.approx(1.5)
    assert sum(first.latencies.counts) == 1
    total.add([])
    assert sum(total.latencies.counts) == 5
