"""The queue of a session that confirms its direct messages: order, receipts and size."""

import pytest
from msgspec import UNSET

from tertulia.protocol.messages import DirectMessage
from tertulia.server.hub.unconfirmed import Queue, Unconfirmed


def add(queue: Queue, text: str = "hola") -> Unconfirmed:
    message = DirectMessage(time="", sender="ana", to="luis", text=text, nonce=UNSET)
    return queue.add(message, None)


def texts(entries: list[Unconfirmed]) -> list[str]:
    return [entry.message.text for entry in entries]


@pytest.fixture
def queue() -> Queue:
    return Queue()


def test_each_message_gets_the_next_receipt(queue):
    assert [add(queue).receipt for _ in range(3)] == [1, 2, 3]
    assert [entry.message.receipt for entry in queue.entries] == [1, 2, 3]


def test_what_was_sent_is_confirmed_up_to_a_receipt_and_the_rest_is_not(queue):
    for text in ("uno", "dos", "tres"):
        add(queue, text)
    assert queue.confirm(3) == []
    assert texts(queue.pop_unsent()) == ["uno", "dos", "tres"]
    add(queue, "cuatro")
    assert texts(queue.confirm(2)) == ["uno", "dos"]
    assert texts(queue.confirm(9)) == ["tres"]
    assert texts(queue.entries) == ["cuatro"]


def test_what_is_not_confirmed_is_sent_again_in_its_order_before_what_is_new(queue):
    for text in ("uno", "dos"):
        add(queue, text)
    queue.pop_unsent()
    add(queue, "tres")
    queue.send_again()
    assert texts(queue.entries) == ["uno", "dos", "tres"]
    assert texts(queue.pop_unsent()) == ["uno", "dos", "tres"]
    assert queue.pop_unsent() == []
    assert texts(queue.confirm(3)) == ["uno", "dos", "tres"]
    assert (queue.entries, queue.bytes) == ([], 0)


def test_its_size_is_that_of_what_waits_sent_or_not(queue):
    first, second, third = (add(queue, "x" * size) for size in (10, 100, 1_000))
    queue.pop_unsent()
    last = add(queue)
    size = queue.bytes
    queue.confirm(first.receipt)
    assert queue.bytes < size
    for entry in (second, last, third):
        queue.remove(entry)
    assert (queue.entries, queue.bytes) == ([], 0)
