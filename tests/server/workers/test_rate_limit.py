"""Token buckets, and floods of refused requests."""

import pytest

from tertulia.server.config import Config
from tertulia.server.workers.rate_limit import RateLimit


def test_a_burst_is_allowed_and_then_the_rate():
    limit = RateLimit(Config(port=0), now=0.0)
    assert [limit.spend(0.0) for _ in range(40)] == [0.0] * 40
    assert limit.spend(0.0) == pytest.approx(0.1)
    assert limit.spend(0.04) == pytest.approx(0.06)
    assert limit.spend(0.11) == 0.0


def test_tokens_do_not_add_up_beyond_the_burst():
    limit = RateLimit(Config(port=0), now=0.0)
    refused = [limit.spend(1_000.0) > 0 for _ in range(41)]
    assert refused == [False] * 40 + [True]


def test_a_rate_of_less_than_one_a_second_lets_one_through():
    limit = RateLimit(Config(port=0, rate_limit_per_s=0.1), now=0.0)
    assert limit.spend(0.0) == 0.0
    assert limit.spend(0.0) == pytest.approx(10.0)


def test_without_a_rate_limit_nothing_is_refused():
    limit = RateLimit(Config(port=0, rate_limit_per_s=None), now=0.0)
    assert not any(limit.spend(0.0) for _ in range(10_000))


def test_the_hundredth_refusal_within_ten_seconds_is_a_flood():
    limit = RateLimit(Config(port=0), now=0.0)
    assert not limit.is_flood(0.0)
    for _ in range(99):
        limit.note_refused(0.0)
    assert not limit.is_flood(0.0)
    limit.note_refused(10.0)
    assert limit.is_flood(10.0)
    assert not limit.is_flood(10.1)


def test_refusals_spread_over_more_than_ten_seconds_are_no_flood():
    limit = RateLimit(Config(port=0), now=0.0)
    for number in range(200):
        limit.note_refused(number * 0.11)
        assert not limit.is_flood(number * 0.11)
