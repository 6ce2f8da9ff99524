"""What a node says of itself and of the others, and why it does not serve."""

from types import SimpleNamespace
from typing import Any

import pytest

from tertulia.problem_words import in_english
from tertulia.server.cluster import commands
from tertulia.server.cluster.collector import NodeCollector
from tertulia.server.cluster.commands import NodeUp, Nothing, SignOfLife
from tertulia.server.cluster.consumer import Counts
from tertulia.server.cluster.membership import Nodes, Verdict
from tertulia.server.cluster.proposer import MAX_QUEUED, Proposer, Ticket
from tertulia.server.config import Config
from tertulia.server.history.mail import GetRows

CONFIG = Config(port=0, cluster=("nats://a:4222",), node="lab2")


class Lab:
    """A node with the parts that count for real, and the rest as a test says."""

    def __init__(self) -> None:
        self.now = 100.0
        self.published: list[bytes] = []
        self.serves = True
        self.proposer = Proposer(
            *("lab2", lambda: ["10.0.0.2:5000"], self.published.append, lambda step: step()),
            lambda: self.now,
        )
        self.nodes = Nodes()
        self.replica = SimpleNamespace(
            place=7, nodes=self.nodes, ignored=dict.fromkeys(Verdict, 0), unreadable=1,
            digests_compared=5, diverged=0,
        )  # fmt: skip
        self.link = SimpleNamespace(is_connected=True, log_end=9, stats=Counts())
        self.hub = SimpleNamespace(
            serves=lambda _now: self.serves, is_stopping=False,
            directs=SimpleNamespace(on_the_way=4),
        )  # fmt: skip
        self.missing: list[GetRows] = []
        parts: Any = (
            SimpleNamespace(missing=self.missing), self.hub, self.link, self.proposer,
            SimpleNamespace(replica=self.replica, states_fetched=1),
            SimpleNamespace(states=2), SimpleNamespace(letters_sent=8, letters_received=6),
        )  # fmt: skip
        self.collector = NodeCollector(CONFIG, *parts, lambda: self.now)

    def come_up(self) -> None:
        self.proposer.tick()
        up = commands.unpack(self.published[-1])
        assert up is not None
        assert isinstance(up.commands[0], NodeUp)
        self.nodes.note_up("lab2", 3, up.commands[0])
        self.proposer.begin_incarnation(3)


@pytest.fixture
def lab() -> Lab:
    return Lab()


def test_commands_count_as_waiting_then_as_under_way_and_then_no_more(lab: Lab) -> None:
    lab.proposer.submit(Nothing())
    lab.proposer.submit(Nothing())
    assert (lab.collector.measure().queued, lab.collector.measure().commands) == (2, 0)
    lab.come_up()
    lab.proposer.send_queued()
    lab.proposer.submit(Nothing())
    seen = lab.collector.measure()
    assert (seen.queued, seen.under_way, seen.batches_under_way) == (0, 3, 2)
    lab.now += 1.0
    lab.proposer.tick()
    lab.proposer.came_back(1)
    seen = lab.collector.measure()
    assert (seen.under_way, seen.batches_under_way) == (1, 1)
    assert (seen.commands, seen.batches, seen.resent) == (3, 2, 2)
    owner: Any = None
    lab.proposer.submit(Nothing(), Ticket(owner, 0, None))
    assert len(lab.proposer.give_up_incarnation()) == 1
    seen = lab.collector.measure()
    assert (seen.under_way, seen.batches_under_way, seen.own_word_age_s) == (0, 0, None)


def test_the_age_of_the_own_word_is_that_of_the_batch_that_came_back_last(lab: Lab) -> None:
    assert lab.collector.measure().own_word_age_s is None
    lab.come_up()
    lab.now += 2.0
    assert lab.collector.measure().own_word_age_s == 2.0
    lab.proposer.submit(Nothing())
    lab.now += 0.5
    lab.proposer.came_back(1)
    assert lab.collector.measure().own_word_age_s == 0.5


def test_every_node_is_seen_with_its_last_sign_of_life_by_the_logs_time(lab: Lab) -> None:
    lab.nodes.advance(1_000)
    lab.nodes.note_up("lab3", 1, NodeUp("boot3", 1, ["10.0.0.3:5000"]))
    lab.nodes.note_up("lab1", 2, NodeUp("boot1", 1, ["10.0.0.1:5000"]))
    lab.nodes.advance(2_500)
    beat: list[Any] = [SignOfLife(0, b"")]
    lab.nodes.judge(commands.Batch(1, "lab3", 1, 1, beat))
    lab.nodes.note_down("lab1")
    lab.nodes.advance(2_700)
    first, second = lab.collector.measure().nodes
    assert (first.name, first.is_up, first.incarnation) == ("lab1", False, 0)
    assert (second.name, second.is_up, second.incarnation) == ("lab3", True, 1)
    assert second.silent_s == 0.2
    assert second.addresses == ["10.0.0.3:5000"]


def test_the_lag_is_what_the_log_has_more_than_was_applied(lab: Lab) -> None:
    assert lab.collector.measure().lag == 2
    lab.replica.place = 12  # what was known of the log's end is older
    assert (lab.collector.measure().lag, lab.collector.measure().log_end) == (0, 12)


def test_batches_that_did_not_count_and_all_other_counters_are_told(lab: Lab) -> None:
    lab.replica.ignored = {Verdict.AGAIN: 3, Verdict.EARLY: 1, Verdict.FENCED: 2}
    lab.link.stats.holes, lab.link.stats.connects = 4, 5
    lab.missing += [
        GetRows(of="messages", after=50, through=60),
        GetRows(of="messages", after=10, through=25),
        GetRows(of="visits", after=0, through=5),
    ]
    seen = lab.collector.measure()
    assert seen.ignored == {"again": 3, "early": 1, "fenced": 2}
    assert (seen.holes, seen.connects) == (4, 5)
    assert seen.missing == {"messages": 25, "visits": 5}
    assert (seen.snapshots_sent, seen.snapshots_fetched, seen.directs_on_the_way) == (2, 1, 4)
    assert (seen.letters_sent, seen.letters_received) == (8, 6)


def test_a_node_that_does_not_serve_says_why(lab: Lab) -> None:
    lab.come_up()
    assert lab.collector.problem() is None
    assert lab.collector.measure().serves
    lab.serves = False
    lab.now += 7.2

    def problem() -> str:
        found = lab.collector.problem()
        return "" if found is None else in_english(found)

    because = "this node does not serve: "
    assert problem() == (because + "what it sends has not come back from the nats-servers for 7 s")
    assert not lab.collector.measure().serves
    lab.link.is_connected = False
    assert problem() == because + "it reaches no nats-server"
    lab.link.is_connected = True
    lab.proposer.give_up_incarnation()
    assert problem().endswith("declared it dead, and its return is not confirmed yet")
    for _ in range(MAX_QUEUED):
        lab.proposer.submit(Nothing())
    assert problem() == because + "10000 commands wait for a place in the log"
    lab.hub.is_stopping = True
    assert problem() == because + "it is stopping"
