"""Who may post to a hook, and how often."""

import pytest
from hook_chat import HookChat

from tertulia.protocol.hooks import RemoveHook
from tertulia.protocol.messages import Error
from tertulia.server.config import Config
from tertulia.server.workers.hook_access import HookAccess

HOME, AWAY = "10.0.0.1", "10.0.0.2"


class Bench:
    """A chat with a hook, whose secret is known."""

    def __init__(self, **options) -> None:
        self.chat = HookChat()
        self.secret = self.chat.create_hook()
        self.access = HookAccess(Config(port=0, **options), self.chat.hub.notices)

    def check(
        self, secret: str | None = None, address: str = HOME, now: float = 0.0
    ) -> Error | None:
        return self.access.check(self.secret if secret is None else secret, address, now)

    def code(self, *arguments, **more) -> str | None:
        refused = self.check(*arguments, **more)
        return None if refused is None else refused.code


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_secret_that_no_hook_has_is_refused(bench):
    assert bench.code() is None
    assert bench.code("wrong") == "not_found"


def test_after_five_wrong_secrets_not_even_the_right_one_is_looked_at(bench):
    assert [bench.code("wrong", now=now) for now in range(5)] == ["not_found"] * 5
    refused = bench.check(now=10.0)
    assert (refused.code, refused.retry_after) == ("rate_limited", 290.0)
    assert bench.code(address=AWAY, now=10.0) is None
    assert bench.code(now=300.0) is None


def test_twenty_notices_come_at_once_through_a_hook_and_then_one_a_second(bench):
    assert [bench.code(now=100.0) for _time in range(20)] == [None] * 20
    refused = bench.check(now=100.0)
    assert (refused.code, refused.retry_after) == ("rate_limited", 1.0)
    assert bench.code(now=100.9) == "rate_limited"
    assert bench.code(now=101.0) is None
    assert bench.code(now=101.9) == "rate_limited"


def test_a_hooks_limit_is_for_all_addresses_and_for_no_other_hook(bench):
    for _time in range(20):
        bench.check()
    assert bench.code(address=AWAY) == "rate_limited"
    assert bench.code(bench.chat.create_hook("other")) is None


def test_without_a_rate_limit_only_the_secret_counts():
    bench = Bench(rate_limit_per_s=None)
    assert [bench.code() for _time in range(50)] == [None] * 50
    assert bench.code("wrong") == "not_found"


def test_of_a_thousand_hooks_the_limits_are_known_and_the_longest_unused_one_is_forgotten(bench):
    second = bench.chat.create_hook("second")
    for _time in range(20):
        bench.check()
    for _time in range(20):
        bench.check(second)
    for number in range(998):
        bench.check(bench.chat.create_hook(f"h{number}"))
    assert bench.code() == "rate_limited"  # so it is the latest
    bench.chat.ask(RemoveHook(name="h7"))
    bench.check(bench.chat.create_hook("newest"))
    assert bench.code() == "rate_limited"
    assert bench.code(second) is None
