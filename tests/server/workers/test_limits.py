"""Token buckets, floods and the counting of connections."""

import pytest

from tertulia.server.config import Config
from tertulia.server.workers.limits import Admission, RateLimit


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
    while limit.spend(0.0) == 0:
        pass
    for _ in range(99):
        limit.note_refused(0.0)
    assert not limit.is_flood(0.0)
    limit.note_refused(0.0)
    assert limit.is_flood(0.0)


def test_refusals_spread_over_more_than_ten_seconds_are_no_flood():
    limit = RateLimit(Config(port=0, rate_limit_per_s=0.001), now=0.0)
    limit.spend(0.0)
    for i in range(200):
        assert limit.spend(i * 0.11) > 0
        limit.note_refused(i * 0.11)
        assert not limit.is_flood(i * 0.11)


def admission(**options: object) -> Admission:
    return Admission(Config(port=0, **options))  # type: ignore[arg-type]


def test_one_address_has_only_so_many_unregistered_connections():
    limits = admission(max_unregistered_per_address=2)
    assert [limits.admit("1.1.1.1") for _ in range(3)] == [True, True, False]
    assert limits.admit("2.2.2.2")
    limits.count_registered("1.1.1.1")
    assert limits.admit("1.1.1.1")
    limits.count_closed("1.1.1.1", is_registered=False)
    assert limits.admit("1.1.1.1")


def test_who_has_ended_a_session_and_stays_connected_counts_as_unregistered():
    limits = admission(max_unregistered_per_address=2)
    for _ in range(2):
        assert limits.admit("1.1.1.1")
        limits.count_registered("1.1.1.1")
        limits.count_released("1.1.1.1")
    assert not limits.admit("1.1.1.1")
    limits.count_closed("1.1.1.1", is_registered=False)
    assert limits.admit("1.1.1.1")


def test_shared_addresses_lift_the_limit_of_an_address():
    limits = admission(max_unregistered_per_address=2, shared_addresses=True)
    assert all(limits.admit("1.1.1.1") for _ in range(100))


def test_connections_are_bounded_in_all():
    limits = admission(max_users=2, max_unregistered=1)
    assert [limits.admit(f"1.1.1.{i}") for i in range(4)] == [True, True, True, False]
    limits.count_registered("1.1.1.0")
    assert not limits.admit("1.1.1.9")
    limits.count_closed("1.1.1.0", is_registered=True)
    assert limits.admit("1.1.1.9")
