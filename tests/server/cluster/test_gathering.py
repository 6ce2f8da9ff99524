"""In which order, and under which receipts, a session that has moved gets its direct messages."""

import time
from typing import Any

from tertulia.protocol.messages import DirectMessage
from tertulia.server.cluster.gathering import Gathering
from tertulia.server.cluster.letters import HandedOver
from tertulia.server.hub.unconfirmed import Origin, Queue, Unconfirmed

SESSION: Any = object()


def entry(text: str, *origins: tuple[str, int], own_number: int = 0) -> Unconfirmed:
    message = DirectMessage(time="2026-11-22T15:00:00.000Z", sender="ana", to="luis", text=text)
    found = [Origin(node, number) for node, number in origins]
    return Unconfirmed(message, 0, None, [], found, own_number=own_number)


def gathering() -> Gathering:
    return Gathering(SESSION, 10.0, confirms=True)


def rows(queue: Queue) -> list[tuple[int, str]]:
    """Return what is in a queue, by receipts and texts."""
    return [(one.receipt, one.message.text) for one in queue.entries]


def test_the_order_and_the_receipts_are_those_of_the_earlier_node() -> None:
    moved = gathering()
    moved.add(entry("third", own_number=8))
    moved.add(entry("first", ("b", 5)))
    moved.add(entry("second", ("c", 5)))
    moved.put_in_order(HandedOver(7, 20, [(11, "b", 5), (12, "c", 5), (13, "a", 8)]), 12.0)
    queue = moved.finish("a")
    assert rows(queue) == [(11, "first"), (12, "second"), (13, "third")]
    assert queue.last_receipt == 20


def test_a_message_that_was_not_in_the_order_gets_a_higher_receipt_than_all() -> None:
    moved = gathering()
    moved.add(entry("new", ("c", 6)))
    moved.add(entry("newer", ("b", 6)))
    moved.add(entry("old", ("b", 5)))
    moved.put_in_order(HandedOver(7, 20, [(11, "b", 5)]), 12.0)
    assert rows(moved.finish("a")) == [(11, "old"), (21, "new"), (22, "newer")]


def test_the_receipt_that_came_with_a_message_counts_too() -> None:
    moved = gathering()
    moved.add(entry("second", ("b", 5)), receipt=12)
    moved.add(entry("first", ("b", 4)), receipt=9)
    moved.put_in_order(HandedOver(7, 12, [(11, "b", 5), (10, "b", 4)]), 12.0)
    assert rows(moved.finish("a")) == [(10, "first"), (12, "second")]


def test_a_message_from_another_node_has_no_number_on_this_one() -> None:
    moved = gathering()
    message = DirectMessage(time="", sender="ana", to="luis", text="from b")
    moved.add(Unconfirmed(message, 0, None, [], [Origin("b", 5)]))
    moved.put_in_order(HandedOver(7, 20, [(11, "a", 1)]), 12.0)
    assert rows(moved.finish("a")) == [(21, "from b")]


def test_no_two_messages_have_the_same_receipt() -> None:
    moved = gathering()
    moved.add(entry("one"), receipt=5)
    moved.add(entry("other"), receipt=5)
    moved.put_in_order(HandedOver(7, 3, []), 12.0)
    moved.add(entry("new"))
    assert rows(moved.finish("a")) == [(5, "one"), (6, "other"), (7, "new")]


def test_without_the_order_receipts_are_far_above_all_that_were_given_out() -> None:
    moved = gathering()
    moved.add(entry("new"))
    moved.add(entry("old"), receipt=5)
    before = time.time_ns() // 1_000
    (receipt, text), (late, new) = rows(moved.finish("a"))
    assert (receipt, text, new) == (5, "old", "new")
    assert before < late <= time.time_ns() // 1_000 + 1


def test_it_waits_longer_once_the_order_is_known_and_keeps_what_the_session_confirms() -> None:
    moved = gathering()
    assert moved.until == 10.0
    moved.put_in_order(HandedOver(7, 3, []), 12.0)
    assert moved.until == 12.0
    assert moved.finish("a").confirms
    assert not Gathering(SESSION, 10.0, confirms=False).finish("a").confirms
