"""Direct messages to a session with receipts, at the Hub."""

import pytest
from hub_chat import Chat, code
from msgspec import UNSET

from tertulia.protocol.messages import (
    CloseReason,
    Direct,
    DirectMessage,
    ErrorCode,
    Ok,
    Received,
)
from tertulia.server.hub.directs import Delivery, Handover, Queued, Reply
from tertulia.server.hub.unconfirmed import Queue


@pytest.fixture
def chat() -> Chat:
    return Chat(private_bytes=2_000)


def request(number=1, **fields) -> Direct:
    return Direct(id=number, to="luis", text="hola", **fields)


def test_a_message_is_sent_once_and_answered_when_it_is_confirmed(chat):
    ana, luis = chat.join("ana"), chat.join("luis", receipts=True)
    assert chat.directs.accept(ana, request()) == Queued(luis.route)
    [message], replies = chat.directs.pop_unsent(luis)
    assert (message.receipt, replies) == (1, [])
    assert chat.directs.pop_unsent(luis) == ([], [])
    answer = Ok(id=1, time=message.time)
    assert chat.directs.confirm(luis, Received(receipt=1)) == [Reply(ana.route, answer)]
    assert chat.directs.confirm(luis, Received(receipt=1)) is None


def test_what_was_not_sent_yet_cannot_be_confirmed(chat):
    ana, luis = chat.join("ana"), chat.join("luis", receipts=True)
    chat.directs.accept(ana, request())
    assert chat.directs.confirm(luis, Received(receipt=1)) is None
    [message], _ = chat.directs.pop_unsent(luis)
    assert message.receipt == 1


def test_what_was_not_sent_comes_back_as_well(chat):
    ana, luis = chat.join("ana"), chat.join("luis", receipts=True)
    chat.directs.accept(ana, request(1))
    chat.directs.pop_unsent(luis)
    chat.directs.accept(ana, request(2))
    replies = chat.hub.release(luis, CloseReason.LOST)
    assert [(reply.answer.id, code(reply.answer)) for reply in replies] == [
        (1, ErrorCode.UNDELIVERED),
        (2, ErrorCode.UNDELIVERED),
    ]
    assert chat.directs.confirm(luis, Received(receipt=2)) is None


def test_what_came_back_can_be_sent_anew_with_its_nonce(chat):
    ana, luis = chat.join("ana"), chat.join("luis", receipts=True)
    chat.directs.accept(ana, request(nonce="n"))
    chat.hub.release(luis, CloseReason.LOST)
    luis = chat.join("luis", receipts=True)
    assert chat.directs.accept(ana, request(nonce="n")) == Queued(luis.route)


def test_a_replaced_session_has_nothing_to_confirm_or_to_send(chat):
    ana, luis = chat.join("ana"), chat.join("luis", receipts=True)
    chat.directs.accept(ana, request())
    chat.directs.pop_unsent(luis)
    successor = chat.join("luis", token=luis.token, receipts=True)
    assert chat.directs.confirm(luis, Received(receipt=1)) is None
    assert chat.directs.pop_unsent(luis) == ([], [])
    assert chat.hub.release(luis, CloseReason.LOST) is None
    chat.directs.accept(ana, request(2))
    messages, _ = chat.directs.pop_unsent(successor)
    assert [message.receipt for message in messages] == [1, 2]


def test_a_session_without_receipts_that_takes_over_has_them_no_longer(chat):
    ana, luis = chat.join("ana"), chat.join("luis", receipts=True)
    chat.directs.accept(ana, request())
    successor = chat.join("luis", token=luis.token)
    chat.directs.accept(ana, request(2))  # behind the one that waits
    messages, replies = chat.directs.pop_unsent(successor)
    assert [message.receipt for message in messages] == [1, 2]
    assert [reply.answer.id for reply in replies] == [1, 2]
    assert isinstance(chat.directs.accept(ana, request(3)), Delivery)


def test_only_a_few_requests_may_wait_for_one_confirmation(chat):
    ana = chat.join("ana")
    chat.join("luis", receipts=True)
    answers = [chat.directs.accept(ana, request(number, nonce="n")) for number in range(20)]
    assert [code(answer) for answer in answers[8:]] == [ErrorCode.RATE_LIMITED] * 12
    assert answers[8].retry_after == 1.0
    assert [type(answer) for answer in answers[:8]] == [Queued] * 8


def test_sessions_of_the_sender_that_have_ended_do_not_wait_any_more(chat):
    luis = chat.join("luis", receipts=True)
    for _ in range(10):
        ana = chat.join("ana")
        assert isinstance(chat.directs.accept(ana, request(nonce="n")), Queued)
        chat.hub.release(ana, CloseReason.LOST)
    ana = chat.join("ana")
    chat.directs.accept(ana, request(nonce="n"))
    chat.directs.pop_unsent(luis)
    [reply] = chat.directs.confirm(luis, Received(receipt=1))
    assert reply.route == ana.route


def test_the_bound_counts_what_waits_and_not_what_was_confirmed(chat):
    ana, luis = chat.join("ana"), chat.join("luis", receipts=True)
    for _round in range(3):
        count = 0
        while not code(outcome := chat.directs.accept(ana, request(count))):
            count += 1
        assert code(outcome) == ErrorCode.BUSY
        assert count == 8  # of 132 bytes
        messages, _ = chat.directs.pop_unsent(luis)
        assert len(messages) == count
        assert len(chat.directs.confirm(luis, Received(receipt=messages[-1].receipt))) == count


def test_the_queue_that_has_exactly_half_of_the_bound_takes_no_more():
    chat = Chat(private_bytes=2 * 3 * 132)
    ana = chat.join("ana")
    chat.join("luis", receipts=True)
    answers = [code(chat.directs.accept(ana, request(number))) for number in range(4)]
    assert answers == [None, None, None, ErrorCode.BUSY]


def test_the_bound_counts_what_json_makes_longer():
    chat = Chat(private_bytes=20_000)
    ana = chat.join("ana")
    chat.join("luis", receipts=True)

    def count(text, nonce=""):
        number = 0
        while True:
            more = {"nonce": f"{number:02}" + nonce} if nonce else {}
            if code(chat.directs.accept(ana, Direct(id=number, to="luis", text=text, **more))):
                return number
            number += 1

    assert count('"' * 1_000) == 5  # of 2,128 bytes
    chat = Chat(private_bytes=20_000)
    ana = chat.join("ana")
    chat.join("luis", receipts=True)
    assert count("x", "\x01" * 62) == 20  # of 513 bytes


def test_at_the_servers_end_nobody_is_told_that_a_message_was_not_delivered(chat):
    ana, luis = chat.join("ana"), chat.join("luis", receipts=True)
    chat.directs.accept(ana, request())
    assert chat.hub.release(luis, CloseReason.SHUTDOWN) == []


# --- taken over while a message is under way -----------------------------------------------------


def test_a_message_that_finds_its_receiver_replaced_goes_to_the_last_successor(chat):
    ana, luis = chat.join("ana"), chat.join("luis")
    sent = request(nonce="n")
    delivery = chat.directs.accept(ana, sent)
    second = chat.join("luis", token=luis.token)
    third = chat.join("luis", token=second.token)
    passed_on = chat.directs.end_delivery(ana, sent, delivery, Handover.GONE)
    assert passed_on == Delivery(third, delivery.message)
    answer = chat.directs.end_delivery(ana, sent, passed_on, Handover.DONE)
    assert answer == Ok(id=1, time=delivery.message.time)
    assert chat.directs.accept(ana, sent) == answer, "it has arrived, and is not sent again"


def test_a_message_passed_on_to_a_successor_with_receipts_waits_for_its_confirmation(chat):
    ana, luis = chat.join("ana"), chat.join("luis")
    sent = request(nonce="n")
    delivery = chat.directs.accept(ana, sent)
    successor = chat.join("luis", token=luis.token, receipts=True)
    queued = Queued(successor.route)
    assert chat.directs.end_delivery(ana, sent, delivery, Handover.GONE) == queued
    assert chat.directs.accept(ana, request(2, nonce="n")) == Queued(None), "it is still waiting"
    [message], _ = chat.directs.pop_unsent(successor)
    replies = chat.directs.confirm(successor, Received(receipt=1))
    assert replies == [Reply(ana.route, Ok(id=number, time=message.time)) for number in (1, 2)]
    assert chat.directs.accept(ana, request(3, nonce="n")) == Ok(id=3, time=message.time)


def test_a_message_that_arrived_or_found_its_receiver_busy_is_not_passed_on(chat):
    ana, luis = chat.join("ana"), chat.join("luis")
    arrived, refused = request(1, nonce="n"), request(2)
    deliveries = [chat.directs.accept(ana, sent) for sent in (arrived, refused)]
    chat.join("luis", token=luis.token)
    answer = chat.directs.end_delivery(ana, arrived, deliveries[0], Handover.DONE)
    assert answer == Ok(id=1, time=deliveries[0].message.time), "a second copy would be wrong"
    busy = chat.directs.end_delivery(ana, refused, deliveries[1], Handover.BUSY)
    assert code(busy) == ErrorCode.BUSY


def test_a_message_is_not_passed_on_to_a_successor_who_has_left(chat):
    ana, luis = chat.join("ana"), chat.join("luis")
    delivery = chat.directs.accept(ana, request())
    successor = chat.join("luis", token=luis.token)
    chat.hub.release(successor, CloseReason.QUIT)
    outcome = chat.directs.end_delivery(ana, request(), delivery, Handover.GONE)
    assert code(outcome) == ErrorCode.USER_NOT_CONNECTED


def test_nothing_is_passed_on_for_a_sender_who_has_left(chat):
    ana, luis = chat.join("ana"), chat.join("luis")
    delivery = chat.directs.accept(ana, request())
    successor = chat.join("luis", token=luis.token, receipts=True)
    chat.hub.release(ana, CloseReason.QUIT)
    outcome = chat.directs.end_delivery(ana, request(), delivery, Handover.GONE)
    assert code(outcome) == ErrorCode.USER_NOT_CONNECTED
    assert chat.directs.pop_unsent(successor) == ([], [])


def test_the_sender_who_was_taken_over_learns_what_was_not_delivered_and_gets_no_strange_ok(chat):
    ana, luis = chat.join("ana"), chat.join("luis", receipts=True)
    chat.directs.accept(ana, request(1))
    chat.directs.accept(ana, request(2, nonce="n"))
    successor = chat.join("ana", token=ana.token)
    chat.directs.pop_unsent(luis)
    assert chat.directs.confirm(luis, Received(receipt=1)) == []
    [reply] = chat.hub.release(luis, CloseReason.LOST)
    assert reply.route == successor.route
    assert (reply.answer.id, reply.answer.nonce) == (UNSET, "n")


def test_after_a_take_over_what_was_sent_comes_again_before_the_rest_and_in_order(chat):
    ana, luis = chat.join("ana"), chat.join("luis", receipts=True)
    for number in (1, 2):
        chat.directs.accept(ana, request(number))
    chat.directs.pop_unsent(luis)
    for number in (3, 4):
        chat.directs.accept(ana, request(number))
    successor = chat.join("luis", token=luis.token, receipts=True)
    messages, _ = chat.directs.pop_unsent(successor)
    assert [message.receipt for message in messages] == [1, 2, 3, 4]


def test_a_message_that_was_refused_as_too_many_counts_as_no_message_and_is_no_activity(chat):
    ana = chat.join("ana")
    chat.join("luis", receipts=True)
    while not code(chat.directs.accept(ana, request())):
        pass
    accepted, active = chat.directs.accepted, ana.last_active
    chat.clock.s += 5
    assert code(chat.directs.accept(ana, request())) == ErrorCode.BUSY
    assert (chat.directs.accepted, ana.last_active) == (accepted, active)


def test_an_undelivered_message_can_be_sent_again_with_its_nonce(chat):
    ana, luis = chat.join("ana"), chat.join("luis", receipts=True)
    chat.directs.accept(ana, request(nonce="n"))
    chat.hub.release(luis, CloseReason.LOST)
    again = chat.join("luis", receipts=True)
    assert chat.directs.accept(ana, request(nonce="n")) == Queued(again.route)


@pytest.mark.parametrize("is_sent", [True, False])
def test_a_message_that_is_removed_from_the_queue_weighs_nothing_any_more(is_sent):
    queue = Queue()
    message = DirectMessage(time="", sender="ana", to="luis", text="hola")
    entry, other = queue.add(message, None), queue.add(message, None)
    if is_sent:
        queue.pop_unsent()
    assert queue.bytes == 2 * 132
    queue.remove(entry)
    assert (queue.entries, queue.bytes) == ([other], 132)


def test_each_message_that_is_accepted_is_counted_once(chat):
    ana, luis = chat.join("ana"), chat.join("luis", receipts=True)
    eva = chat.join("eva")
    chat.directs.accept(ana, request(1, nonce="n"))
    chat.directs.accept(ana, request(2, nonce="n"))
    chat.directs.accept(luis, Direct(id=3, to="eva", text="hola"))
    assert code(chat.directs.accept(eva, Direct(id=4, to="nobody", text="hola"))) == (
        ErrorCode.USER_NOT_CONNECTED
    )
    assert chat.directs.accepted == 2
