"""Whether a node carries out requests, and whom it tells when it does so again."""

from datetime import datetime, timedelta

import pytest
from cluster_bench import Bench, BenchNode

from tertulia.protocol.attendance import MarkSeen
from tertulia.protocol.messages import CloseReason
from tertulia.server.cluster.commands import Leave, Nothing, unpack
from tertulia.server.cluster.letters import SeenThrough
from tertulia.server.cluster.proposer import MAX_QUEUED


@pytest.fixture
def node() -> BenchNode:
    node = Bench("a")["a"]
    node.hub.serve_until(node.clock.s + 5.0)
    return node


def test_whoever_is_refused_is_told_once_that_the_node_serves_again(node: BenchNode) -> None:
    hub, clock = node.hub, node.clock
    assert hub.serves(clock.s)
    assert not hub.serves_again(clock.s), "nobody waits"
    clock.s += 5.0
    assert not hub.serves(clock.s)
    assert not hub.serves_again(clock.s)
    hub.serve_until(clock.s + 5.0)
    assert hub.serves_again(clock.s)
    assert not hub.serves_again(clock.s)


def test_a_worker_that_looked_late_is_told_although_the_link_never_saw_a_pause(
    node: BenchNode,
) -> None:
    hub, clock = node.hub, node.clock
    assert not hub.serves(clock.s + 5.0)
    hub.serve_until(clock.s + 6.0)
    assert hub.serves_again(clock.s + 5.0)


def test_with_a_full_queue_requests_wait_until_half_of_it_is_free(node: BenchNode) -> None:
    hub, clock = node.hub, node.clock
    incarnation, node.proposer.incarnation = node.proposer.incarnation, 0  # nothing is sent
    for _ in range(MAX_QUEUED - 1):
        node.proposer.submit(Nothing())
    assert hub.serves(clock.s)
    node.proposer.submit(Nothing())
    assert not hub.serves(clock.s)
    node.proposer.incarnation = incarnation
    node.proposer.send_queued()
    assert not hub.serves_again(clock.s), "8 batches of 512 have gone"
    node.settle()
    assert hub.serves_again(clock.s)
    assert hub.serves(clock.s)


def test_the_clock_of_direct_messages_goes_on_between_two_entries_of_the_log(
    node: BenchNode,
) -> None:
    time = node.hub.direct_messages.stamps.now
    node.hub.applied_at = node.clock.monotonic()
    before = datetime.fromisoformat(time())
    node.clock.s += 0.5
    assert datetime.fromisoformat(time()) - before == timedelta(seconds=0.5)


def test_a_standstill_begins_once(node: BenchNode) -> None:
    hub, clock = node.hub, node.clock
    assert not hub.stands_still(clock.s)
    assert hub.note_stillness(stands_still=True)
    assert hub.stands_still(clock.s)
    assert not hub.note_stillness(stands_still=True)
    assert not hub.note_stillness(stands_still=False)
    assert not hub.stands_still(clock.s)
    assert hub.note_stillness(stands_still=True)


def leaves(node: BenchNode) -> list[Leave]:
    """Return the ends of sessions in the air."""
    batches = [unpack(data) for data in node.air]
    return [one for batch in batches if batch for one in batch.commands if isinstance(one, Leave)]


def test_the_end_of_a_session_is_proposed_once(node: BenchNode) -> None:
    ana = node.join("ana")
    assert node.hub.release(ana, CloseReason.QUIT) == []
    assert node.hub.release(ana, CloseReason.LOST) is None
    assert leaves(node) == [Leave(ana.route.number, CloseReason.QUIT)]
    node.settle()
    assert node.hub.release(ana, CloseReason.LOST) is None
    assert node.hub._ending == set()


def test_a_user_who_is_sent_away_is_lost_to_the_others_unless_the_node_stops(
    node: BenchNode,
) -> None:
    ana, luis = node.join("ana"), node.join("luis")
    node.hub.release(ana, CloseReason.SHUTDOWN)
    assert leaves(node) == [Leave(ana.route.number, CloseReason.LOST)]
    node.settle()
    assert node.events()[-1].reason == CloseReason.LOST
    node.hub.is_stopping = True
    assert node.hub.release(luis, CloseReason.SHUTDOWN) == []
    assert leaves(node) == [], "luis may take his session to another node"


def test_only_what_counts_of_the_reports_of_a_user_is_told_to_the_other_nodes(
    node: BenchNode,
) -> None:
    ana = node.join("ana")
    for _ in range(3):
        node.say(ana)
    node.settle()
    last = node.hub.events.last_seq
    assert node.hub.seen.note(ana, MarkSeen(seq=last - 1), node.clock.s)
    assert not node.hub.seen.note(ana, MarkSeen(seq=last), node.clock.s)
    assert node.letters == [("", SeenThrough(ana.route.number, last - 1))]


def test_a_user_who_is_shown_as_idle_is_not_proposed_to_be_so_again(node: BenchNode) -> None:
    ana = node.join("ana")
    node.hub.idle(ana)
    assert len(node.air) == 1
    node.clock.s += 1_000.0
    node.settle()
    assert ana.status == "INACTIVO"
    node.hub.idle(ana)
    assert node.air == []
