"""Token buckets, and floods of refused requests."""

import pytest

from tertulia.server.config import Config
from tertulia.server.workers.rate_limit import RateLimit, RateLimits, TokenBucket


def test_a_burst_is_allowed_and_then_the_rate():
    limit = RateLimit(Config(port=0), now=0.0)
    assert [limit.spend(0.0) for _ in range(40)] == [0.0] * 40
    assert limit.spend(0.0) == pytest.approx(0.1)
    assert limit.spend(0.04) == pytest.approx(0.1)
    assert limit.spend(0.11) == 0.0


def test_who_keeps_the_interval_after_the_first_refusal_is_never_refused_again() -> None:
    limit = RateLimit(Config(port=0), now=0.0)
    now = 0.0
    while not (interval := limit.spend(now)):
        now += 0.017
    for _ in range(400):
        now += interval + 1e-9
        assert limit.spend(now) == 0.0


def test_refused_attempts_bring_the_next_token_no_sooner():
    bucket = TokenBucket(1.0, burst=1.0, now=0.0)
    assert bucket.spend(0.0) == 0.0
    assert all(bucket.spend(tenth / 10) for tenth in range(1, 10))
    assert bucket.spend(1.01) == 0.0


def test_tokens_do_not_add_up_beyond_the_burst():
    limit = RateLimit(Config(port=0), now=0.0)
    refused = [limit.spend(1_000.0) > 0 for _ in range(41)]
    assert refused == [False] * 40 + [True]


def test_a_rate_of_less_than_one_a_second_lets_one_through():
    limit = RateLimit(Config(port=0, rate_limit_per_s=0.1), now=0.0)
    assert limit.spend(0.0) == 0.0
    assert limit.spend(0.0) == pytest.approx(10.0)


def test_several_tokens_are_spent_together_or_not_at_all():
    bucket = TokenBucket(2.0, burst=10.0, now=0.0)
    assert bucket.spend(0.0, 8) == 0.0
    assert bucket.spend(0.0, 3) == pytest.approx(1.5)
    assert bucket.spend(0.0, 2) == 0.0


def test_the_hundredth_refusal_within_ten_seconds_is_a_flood():
    limit = RateLimit(Config(port=0), now=0.0)
    assert not limit.is_flood(0.0)
    for _ in range(99):
        limit.note_refused(0.0)
    assert not limit.is_flood(0.0)
    limit.note_refused(10.0)
    assert limit.is_flood(10.0)
    assert not limit.is_flood(10.1)


def test_the_time_of_a_flood_is_counted_from_its_first_refusal():
    limit = RateLimit(Config(port=0), now=0.0)
    limit.note_refused(0.0)
    for _ in range(99):
        limit.note_refused(5.0)
    assert limit.is_flood(10.0)
    assert not limit.is_flood(10.1)
    limit.note_refused(10.1)
    assert limit.is_flood(10.1), "there were another hundred since then"


def test_refusals_spread_over_more_than_ten_seconds_are_no_flood():
    limit = RateLimit(Config(port=0), now=0.0)
    for number in range(200):
        limit.note_refused(number * 0.11)
        assert not limit.is_flood(number * 0.11)


# --- over reconnections ---------------------------------------------------------------------------


def spend_all(limit: RateLimit, now: float) -> int:
    """Spend what there is; return how much it was."""
    count = 0
    while not limit.spend(now):
        count += 1
    return count


def test_a_name_that_comes_back_has_no_new_burst():
    limits = RateLimits(Config(port=0))
    assert spend_all(limits.acquire("ana", 0.0), 0.0) == 40
    limits.release("ana")
    assert spend_all(limits.acquire("ana", 1.0), 1.0) == 10
    assert spend_all(limits.acquire("luis", 1.0), 1.0) == 40


def test_a_session_that_takes_over_another_one_has_no_new_burst():
    limits = RateLimits(Config(port=0))
    old = limits.acquire("ana", 0.0)
    assert limits.acquire("ana", 0.0) is old
    limits.release("ana")
    assert limits.acquire("ana", 0.0) is old
    limits.release("ana")
    assert not limits._kept
    limits.release("ana")
    assert not limits._in_use, "nobody would ever forget it there"
    assert limits.acquire("ana", 0.0) is old


def test_refusals_count_over_reconnections():
    limits = RateLimits(Config(port=0))
    for number in range(100):
        limits.acquire("ana", number * 0.01).note_refused(number * 0.01)
        limits.release("ana")
    assert limits.acquire("ana", 1.0).is_flood(1.0)


def test_a_limit_is_forgotten_a_minute_after_its_last_request():
    limits = RateLimits(Config(port=0))
    old = limits.acquire("ana", 0.0)
    old.spend(5.0)
    limits.release("ana")
    limits.acquire("luis", 65.0)
    assert list(limits._kept) == ["ana"]
    limits.acquire("leo", 65.1)
    assert not limits._kept
    assert limits.acquire("ana", 65.1) is not old


def test_limits_are_forgotten_in_the_order_in_which_their_sessions_ended():
    limits = RateLimits(Config(port=0))
    for name in ("ana", "luis", "ana"):
        limits.acquire(name, 0.0).spend(0.0)
        limits.release(name)
    assert list(limits._kept) == ["luis", "ana"]


def test_an_address_may_register_so_often():
    limits = RateLimits(Config(port=0))
    for _ in range(100):
        assert limits.spend_registration("10.0.0.1", 0.0) == 0.0
    assert limits.spend_registration("10.0.0.1", 0.0) == pytest.approx(0.1)
    assert limits.spend_registration("10.0.0.2", 0.0) == 0.0
    assert limits.spend_registration("10.0.0.1", 0.1) == 0.0


@pytest.mark.parametrize("options", [{"shared_addresses": True}, {"rate_limit_per_s": None}])
def test_addresses_are_not_limited_where_that_is_switched_off(options):
    limits = RateLimits(Config(port=0, **options))
    assert not any(limits.spend_registration("10.0.0.1", 0.0) for _ in range(1_000))


def test_only_so_many_addresses_are_counted(monkeypatch):
    monkeypatch.setattr("tertulia.server.workers.rate_limit._MAX_ADDRESSES", 2)
    limits = RateLimits(Config(port=0))
    for address in ("a", "b", "a", "c"):
        limits.spend_registration(address, 0.0)
    assert list(limits._addresses) == ["a", "c"]
