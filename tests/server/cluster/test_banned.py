"""Newcomers whom a ban fits take no place in the log, and are never wrongly refused."""

from typing import Any

import pytest
from cluster_bench import Bench, BenchNode

from tertulia.protocol.messages import Error, ErrorCode
from tertulia.protocol.moderation import BecomeOperator, ImposeBan, LiftBan
from tertulia.server.cluster.commands import Enter, SignOfLife, unpack
from tertulia.server.hub.hub import Registered
from tertulia.server.hub.session import Session

THERE = "10.6.6.6"


class Pair(Bench):
    """Two nodes, and an operator at the second one."""

    def __init__(self) -> None:
        super().__init__("a", "b")
        self.here, self.there = self["a"], self["b"]
        self.boss = self.there.join("boss")
        self.settle()
        self.boss = self.there.find("boss")
        self.there.hub.moderator.promote(self.boss, BecomeOperator(secret="s"))
        self.settle()
        self.order(ImposeBan(address=THERE, minutes=10.0))
        self.pass_time()
        self.entries = len(self.log.entries)

    def order(self, request: Any) -> None:
        """Have all carry out what the operator asks for."""
        self.there.operate(self.boss, request)
        self.settle()

    def pass_time(self, seconds: float = 1.0) -> None:
        for node in self.nodes.values():
            node.pass_time(seconds)

    def live(self, node: BenchNode) -> None:
        """Give a sign of life, which comes back."""
        node.give_life()
        self.settle(after_ms=1_000)

    def commands(self) -> list[Any]:
        """Return what has come into the log since the ban."""
        batches = [unpack(entry.data) for entry in self.log.entries[self.entries :]]
        return [command for batch in batches if batch for command in batch.commands]


@pytest.fixture
def pair() -> Pair:
    return Pair()


def codes(node: BenchNode) -> list[str]:
    return [one.code for one in node.mail.outcomes() if isinstance(one, Error)]


def test_a_flood_of_registrations_from_a_banned_address_costs_the_log_nothing(pair: Pair) -> None:
    here = pair.here
    for number in range(500):
        here.register(f"spam{number}", THERE)
    assert here.air == []
    pair.pass_time()
    pair.live(here)
    (error, *_) = refusals = here.mail.outcomes()
    assert len(refusals) == 500
    assert {one.code for one in refusals} == {ErrorCode.BANNED}
    assert 0 < error.retry_after <= 600
    assert error.id == 1
    assert [type(one) for one in pair.commands()] == [SignOfLife]
    pair.check_alike()


def test_a_ban_that_was_lifted_elsewhere_before_keeps_nobody_out(pair: Pair) -> None:
    here, there = pair.here, pair.there
    there.operate(pair.boss, LiftBan(address=THERE))
    there.land()
    there.follow()  # it holds there, and the operator is told; nothing of it has come here yet
    here.register("ana", THERE)
    pair.pass_time()
    pair.live(here)
    pair.settle()
    outcomes = here.mail.outcomes()
    assert [type(one) for one in outcomes] == [Registered], outcomes
    assert there.users() == ["boss", "ana"]
    pair.check_alike()


def test_what_was_sent_before_a_newcomer_came_decides_nothing(pair: Pair) -> None:
    here = pair.here
    here.give_life()
    pair.pass_time(0.1)
    here.register("ana", THERE)
    pair.settle()
    assert here.mail.outcomes() == []
    pair.pass_time(0.9)
    pair.live(here)
    assert codes(here) == ["banned"]


def test_a_ban_by_name_and_one_that_is_over(pair: Pair) -> None:
    here = pair.here
    pair.order(ImposeBan(name="eva", minutes=0.1))
    pair.entries = len(pair.log.entries)
    here.register("Eva", "10.0.0.9")
    pair.pass_time()
    pair.live(here)
    assert codes(here) == ["banned"]
    here.register("eva", "10.0.0.9")
    pair.pass_time(7.0)
    for _ in range(7):
        pair.live(pair.there)
    pair.live(here)
    outcomes = here.mail.outcomes()
    assert [type(one) for one in outcomes] == [Registered], outcomes
    assert [type(one) for one in pair.commands()].count(Enter) == 1
    pair.check_alike()


def test_others_register_as_ever(pair: Pair) -> None:
    session: Session = pair.here.join("ana", "10.0.0.9")
    assert session.is_here
    pair.settle()
    pair.check_alike()


def test_those_who_wait_are_refused_also_after_the_node_was_taken_for_dead(pair: Pair) -> None:
    here, there = pair.here, pair.there
    here.register("ana", THERE)
    for _ in range(11):
        there.give_life()
        there.land(after_ms=1_000)
        there.follow()
    assert here.follow() == []
    pair.pass_time()
    pair.settle()
    assert codes(here) == ["banned"]
