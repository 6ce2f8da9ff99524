"""This node's commands: in order, in numbered batches, each with who waits for it."""

from collections.abc import Callable
from typing import Any

import pytest
from cluster_bench import Mail

from tertulia.protocol.messages import StoredMessage
from tertulia.protocol.moderation import PinMessage
from tertulia.server.cluster.commands import (
    MAX_BYTES,
    MAX_COMMANDS,
    Batch,
    Command,
    Idle,
    NodeUp,
    Operate,
    Post,
    SayText,
    unpack,
)
from tertulia.server.cluster.proposer import Proposer, Ticket
from tertulia.server.hub.session import Owner

_LARGEST_ENTRY = 1_000_000  # bytes that NATS takes, less what it adds


class Bench:
    """A proposer, a clock that stands, and what was published."""

    def __init__(self) -> None:
        self.now = 100.0
        self.addresses = ["10.0.0.1:5000"]
        self.sent: list[bytes] = []
        self.steps: list[Callable[[], None]] = []
        self.proposer = Proposer(
            *("a", lambda: self.addresses, self.sent.append, self.steps.append),
            lambda: self.now,
        )

    def submit(self, *commands: Command) -> None:
        for command in commands:
            self.proposer.submit(command)

    def turn(self) -> None:
        """Run the steps that are due on the link's thread."""
        steps, self.steps[:] = list(self.steps), []
        for step in steps:
            step()

    def come_up(self, incarnation: int = 5) -> None:
        self.proposer.tick()
        self.proposer.begin_incarnation(incarnation)
        self.proposer.send_queued()
        self.taken()

    def taken(self) -> list[Batch]:
        """Return what was published since the last time."""
        found = [unpack(data) for data in self.sent]
        self.sent.clear()
        assert all(found)
        return [one for one in found if one is not None]

    def numbers(self) -> list[int]:
        return [one.number for one in self.taken()]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def ticket(number: int) -> Ticket:
    owner: Any = Mail()
    return Ticket(owner, number, None)


def test_nothing_is_sent_before_the_node_is_up_and_all_in_order_then(bench: Bench) -> None:
    bench.submit(Idle(1), Idle(2))
    bench.turn()
    assert bench.sent == []
    bench.proposer.tick()
    (up,) = bench.taken()
    assert isinstance(up.commands[0], NodeUp)
    assert (up.incarnation, up.number) == (0, 0)
    bench.proposer.begin_incarnation(7)
    bench.proposer.send_queued()
    (batch,) = bench.taken()
    assert (batch.incarnation, batch.number, batch.commands) == (7, 1, [Idle(1), Idle(2)])


def test_one_step_is_due_for_all_that_gathers_before_it_runs(bench: Bench) -> None:
    bench.come_up()
    bench.submit(*(Idle(number) for number in range(5)))
    assert len(bench.steps) == 1
    bench.turn()
    (batch,) = bench.taken()
    assert [one.number for one in batch.commands if isinstance(one, Idle)] == list(range(5))


def test_eight_batches_are_under_way_at_most_and_the_rest_gathers(bench: Bench) -> None:
    bench.come_up()
    for number in range(12):
        bench.submit(Idle(number))
        bench.turn()
    assert bench.numbers() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert (bench.proposer.queued, len(bench.proposer)) == (4, 12)
    bench.proposer.came_back(1)
    bench.proposer.send_queued()
    (batch,) = bench.taken()
    assert (batch.number, len(batch.commands)) == (9, 4)


def test_a_batch_has_a_bounded_number_of_commands(bench: Bench) -> None:
    bench.come_up()
    bench.submit(*(Idle(number) for number in range(MAX_COMMANDS + 1)))
    bench.turn()
    assert [len(one.commands) for one in bench.taken()] == [MAX_COMMANDS, 1]


_LONG = "x" * 16_384
_PIN = StoredMessage(seq=1, time="2026-11-18T10:00:00.000Z", sender="ana", text=_LONG, hook=False)


@pytest.mark.parametrize(
    "command",
    [
        SayText(1, _LONG),
        SayText(1, "\N{GRINNING FACE}" * 4_096, "n" * 64),
        Post("h" * 64, _LONG),
        Operate(1, False, PinMessage(seq=1), _PIN),
    ],
)
def test_large_commands_make_several_batches_that_nats_takes(
    bench: Bench, command: Command
) -> None:
    bench.come_up()
    bench.submit(*([command] * 60))
    bench.turn()
    for number in range(1, 9):
        if bench.proposer.queued:
            bench.proposer.came_back(number)
            bench.proposer.send_queued()
    assert max(len(data) for data in bench.sent) < MAX_BYTES + 20_000 < _LARGEST_ENTRY
    assert sum(len(one.commands) for one in bench.taken()) == 60


def test_what_does_not_come_back_is_sent_again_with_the_same_numbers(bench: Bench) -> None:
    bench.come_up()
    for number in range(3):
        bench.submit(Idle(number))
        bench.turn()
    first = list(bench.sent)
    bench.sent.clear()
    bench.now += 0.4
    bench.proposer.tick()
    assert bench.sent == []
    bench.now += 0.1
    bench.proposer.tick()
    assert bench.sent == first
    assert bench.proposer.resent == 3
    bench.proposer.came_back(1)
    bench.sent.clear()
    bench.now += 0.5
    bench.proposer.tick()
    assert bench.numbers() == [2, 3]


def test_a_batch_is_as_fresh_as_its_first_sending(bench: Bench) -> None:
    bench.come_up()
    bench.submit(Idle(1))
    bench.turn()
    bench.now += 4.0
    bench.proposer.tick()
    bench.proposer.came_back(1)
    assert bench.proposer.synced_at == 100.0


def test_a_start_is_as_fresh_as_its_first_sending_and_is_sent_again(bench: Bench) -> None:
    bench.proposer.tick()
    bench.now += 0.4
    bench.proposer.tick()
    assert len(bench.sent) == 1
    bench.now += 3.0
    bench.proposer.tick()
    assert len(set(bench.sent)) == 1, "it is the same start"
    assert len(bench.sent) == 2
    bench.proposer.begin_incarnation(9)
    assert bench.proposer.synced_at == 100.0


def test_a_node_comes_up_with_the_addresses_of_that_moment(bench: Bench) -> None:
    bench.addresses = ["10.0.0.1:5000", "10.9.0.1:5000"]  # the network has come after the start
    bench.proposer.tick()
    assert came_up(bench) == bench.addresses
    bench.addresses = []  # the system does not tell them any more
    bench.now += 1.0
    bench.proposer.tick()
    assert came_up(bench) == ["10.0.0.1:5000", "10.9.0.1:5000"] == bench.proposer.addresses
    bench.proposer.begin_incarnation(5)
    bench.proposer.give_up_incarnation()
    bench.addresses = ["10.9.0.1:5000"]
    bench.proposer.tick()
    assert came_up(bench) == ["10.9.0.1:5000"]


def came_up(bench: Bench) -> list[str]:
    """Return the addresses in the NodeUp that was sent last."""
    [up] = bench.taken()[-1].commands
    assert isinstance(up, NodeUp)
    return up.addresses


def test_the_tickets_come_back_with_their_batch(bench: Bench) -> None:
    bench.come_up()
    tickets = [ticket(1), None, ticket(3)]
    for number, one in enumerate(tickets):
        bench.proposer.submit(Idle(number), one)
    bench.turn()
    assert bench.proposer.came_back(1) == tickets
    assert len(bench.proposer) == 0


def test_batches_come_back_in_order_or_it_is_a_fault(bench: Bench) -> None:
    bench.come_up()
    for number in range(2):
        bench.submit(Idle(number))
        bench.turn()
    with pytest.raises(AssertionError):
        bench.proposer.came_back(2)


def test_who_waits_in_vain_is_known_at_the_end_and_the_next_start_is_another(bench: Bench) -> None:
    bench.proposer.tick()
    (up,) = bench.taken()
    assert isinstance(up.commands[0], NodeUp)
    assert bench.proposer.is_own_boot(up.commands[0])
    bench.proposer.begin_incarnation(5)
    assert not bench.proposer.is_own_boot(up.commands[0]), "that is over"
    tickets = [ticket(number) for number in range(12)]
    for one in tickets:
        bench.proposer.submit(Idle(one.number), one)
        bench.turn()
    bench.taken()
    assert bench.proposer.give_up_incarnation() == tickets, (
        "those under way first, then those in the queue"
    )
    assert (len(bench.proposer), bench.proposer.incarnation) == (0, 0)
    assert bench.proposer.commands_under_way == 0
    bench.now += 2.0
    bench.proposer.tick()
    (again,) = bench.taken()
    assert isinstance(again.commands[0], NodeUp)
    assert again.commands[0].boot != up.commands[0].boot
    bench.proposer.begin_incarnation(50)
    assert bench.proposer.synced_at == 102.0
    bench.submit(Idle(1))
    bench.turn()
    assert [(one.incarnation, one.number) for one in bench.taken()] == [(50, 1)]


def test_owners_of_tickets_are_kept_as_they_are() -> None:
    owner: Owner = Mail()
    assert Ticket(owner, 1, None).owner is owner


def test_how_long_it_has_waited_is_counted_from_the_first_sending(bench: Bench) -> None:
    bench.come_up()
    assert bench.proposer.waits_since(bench.now) == bench.now
    bench.submit(Idle(1))
    bench.turn()
    bench.now += 0.7
    bench.proposer.tick()
    assert bench.numbers() == [1, 1], "sent again"
    assert bench.proposer.waits_since(bench.now) == bench.now - 0.7
    bench.proposer.came_back(1)
    assert bench.proposer.waits_since(bench.now) == bench.now
