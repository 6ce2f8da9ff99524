"""When direct messages on their way to other nodes are sent, or asked for, again."""

from typing import Any

import pytest

from tertulia.protocol.messages import DirectMessage
from tertulia.server.cluster.on_the_way import OnTheWay, Sent
from tertulia.server.hub.session import Route
from tertulia.server.hub.unconfirmed import Unconfirmed


class Receiver:
    """A session of another node, as far as it matters here."""

    def __init__(self, node: str) -> None:
        self.route = Route(node, 1)


LUIS: Any = Receiver("b")
EVA: Any = Receiver("c")


def entry() -> Unconfirmed:
    message = DirectMessage(time="2026-11-22T15:00:00.000Z", sender="ana", to="luis", text="hola")
    return Unconfirmed(message, 0, None, [])


@pytest.fixture
def way() -> OnTheWay:
    return OnTheWay()


def add(way: OnTheWay, session: Any = LUIS, *, sent_at: float | None = None) -> Sent:
    sent = way.add(entry(), session, "ana")
    if sent_at is not None:
        way.note_sent(sent, sent_at)
    return sent


def test_every_message_has_a_number_of_its_own_and_is_found_until_it_is_removed(
    way: OnTheWay,
) -> None:
    first, second = add(way), add(way)
    assert second.number == first.number + 1
    assert len(way) == 2
    assert way.numbered(first.number) is first
    assert way.find(first.entry) is first
    assert way.remove(first.entry) is first
    assert way.remove(first.entry) is None
    assert way.numbered(first.number) is None
    assert way.find(first.entry) is None
    assert len(way) == 1


def test_a_message_is_sent_again_after_1_2_4_and_then_always_8_s(way: OnTheWay) -> None:
    sent = add(way, sent_at=0.0)
    now = 0.0
    for wait_s in (1.0, 2.0, 4.0, 8.0, 8.0):
        assert way.waits(sent)
        assert way.to_send_again(now + wait_s - 0.25) == []
        now += wait_s
        assert way.to_send_again(now) == [sent]
        way.note_sent(sent, now)


def test_an_accepted_message_is_asked_for_every_5_s_and_not_sent_again(way: OnTheWay) -> None:
    luis, eva, second = add(way, sent_at=0.0), add(way, EVA, sent_at=0.0), add(way, sent_at=0.0)
    for sent in (luis, eva, second):
        way.note_accepted(sent, 10.0)
    assert not way.waits(luis)
    assert way.to_send_again(60.0) == []
    assert way.to_ask_for(14.75) == {}
    assert way.to_ask_for(15.0) == {"b": [luis.number, second.number], "c": [eva.number]}
    assert way.to_ask_for(19.75) == {}
    way.remove(luis.entry)
    assert way.to_ask_for(20.0) == {"c": [eva.number], "b": [second.number]}


def test_only_a_message_that_waits_to_be_accepted_can_be(way: OnTheWay) -> None:
    sent = add(way, sent_at=0.0)
    way.note_accepted(sent, 1.0)
    way.note_accepted(sent, 5.0)
    assert way.to_ask_for(6.0) == {"b": [sent.number]}, "since it was accepted first"


def test_a_message_that_is_sent_again_after_all_is_not_asked_for(way: OnTheWay) -> None:
    sent = add(way, sent_at=0.0)
    way.note_sent(sent, 1.0)
    way.note_accepted(sent, 10.0)
    way.note_sent(sent, 11.0)
    assert way.to_ask_for(60.0) == {}
    assert way.to_send_again(11.75) == []
    assert way.to_send_again(12.0) == [sent], "the wait began again"


def test_a_removed_message_is_neither_sent_again_nor_asked_for(way: OnTheWay) -> None:
    unaccepted, accepted = add(way, sent_at=0.0), add(way, EVA, sent_at=0.0)
    way.note_accepted(accepted, 0.0)
    way.remove(unaccepted.entry)
    way.remove(accepted.entry)
    assert not way.waits(unaccepted)
    assert way.to_send_again(60.0) == []
    assert way.to_ask_for(60.0) == {}


# --- the order of messages for one session -------------------------------------------------------


def sent_twice(way: OnTheWay, session: Any = LUIS) -> Sent:
    """Return a message that was sent twice in vain, for the second time at 1.0."""
    sent = add(way, session, sent_at=0.0)
    way.note_sent(sent, 1.0)
    return sent


def test_a_message_waits_for_the_one_before_it_if_that_was_sent_twice(way: OnTheWay) -> None:
    assert not way.waits(add(way)), "there is none before it"
    once = add(way, EVA, sent_at=0.0)
    assert not way.waits(add(way, EVA)), "the caller sends it at once"
    assert way.waits(once)
    before = sent_twice(way)
    sent = add(way)
    assert way.waits(sent)
    assert not way.waits(add(way, EVA)), "it is for another session"
    assert way.to_send_again(2.75) == [once]
    assert way.to_send_again(3.0) == [before, sent]
    way.note_sent(sent, 3.0)
    assert way.to_send_again(6.75) == []
    assert way.to_send_again(7.0) == [sent], "as long as the one before it"


def test_a_message_that_is_gone_keeps_no_other_one_waiting(way: OnTheWay) -> None:
    before = sent_twice(way)
    way.remove(before.entry)
    assert not way.waits(add(way))


def test_the_last_message_counts_although_an_earlier_one_is_gone(way: OnTheWay) -> None:
    earlier = add(way, sent_at=0.0)
    sent_twice(way)
    way.remove(earlier.entry)
    assert way.waits(add(way))


def test_an_accepted_message_keeps_no_other_one_waiting(way: OnTheWay) -> None:
    way.note_accepted(sent_twice(way), 2.0)
    assert not way.waits(add(way))


# --- other receivers, and nodes that can be reached again ----------------------------------------


def test_a_message_goes_to_another_session_from_the_beginning(way: OnTheWay) -> None:
    sent = sent_twice(way)
    way.redirect(sent, EVA)
    way.note_sent(sent, 2.5)
    assert way.to_send_again(3.25) == []
    assert way.to_send_again(3.5) == [sent]
    way.note_sent(sent, 3.5)
    assert way.waits(add(way, EVA)), "it is the last one for eva"
    assert not way.waits(add(way)), "it is no more on its way to luis"
    way.note_accepted(sent, 4.0)
    assert way.to_ask_for(9.0) == {"c": [sent.number]}


def test_all_unaccepted_messages_are_due_at_once_in_their_order(way: OnTheWay) -> None:
    late, early = sent_twice(way), add(way, EVA, sent_at=0.0)
    accepted = add(way, sent_at=0.0)
    way.note_accepted(accepted, 0.0)
    way.hurry(2.0)
    assert way.to_send_again(1.75) == []
    assert way.to_send_again(2.0) == [late, early]
    way.note_sent(late, 2.0)
    assert way.to_send_again(3.0) == [late], "the wait began again"


# --- bounds --------------------------------------------------------------------------------------


def test_200_messages_are_sent_again_at_once_and_the_others_then(way: OnTheWay) -> None:
    sent = [add(way, sent_at=0.0) for _ in range(201)]
    assert way.to_send_again(1.0) == sent[:200]
    assert way.to_send_again(1.0) == sent[200:]


def test_200_messages_are_asked_for_at_once_and_the_others_then(way: OnTheWay) -> None:
    for _ in range(201):
        way.note_accepted(add(way, sent_at=0.0), 0.0)
    assert len(way.to_ask_for(5.0)["b"]) == 200
    assert len(way.to_ask_for(5.0)["b"]) == 1
