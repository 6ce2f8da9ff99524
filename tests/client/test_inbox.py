"""The queue between the connection and the program: its order, its bounds, its end."""

import threading
from typing import Any

from tertulia.client.inbox import Dropped, Inbox, Incoming
from tertulia.protocol.lines import encode
from tertulia.protocol.messages import ChatMessage, Closing, DirectMessage, Gap, Ok, ServerMessage
from tertulia.protocol.moderation import Hushed, Locked, Pinned

TIME = "2026-11-22T15:04:05.123Z"
ONE_MESSAGE_BYTES = 700  # in the count of the inbox: a line and what is around it


def message(seq: int) -> ChatMessage:
    return ChatMessage(seq=seq, time=TIME, sender="luis", text="hola")


def direct(text: str) -> DirectMessage:
    return DirectMessage(time=TIME, sender="luis", to="ana", text=text)


def put(inbox: Inbox, *messages: ServerMessage) -> None:
    for one in messages:
        inbox.put(Incoming(one, encode(one)[:-1]))


def take_all(inbox: Inbox) -> list[Any]:
    taken = []
    while (incoming := inbox.get(0)) is not None:
        taken.append(incoming.message)
        assert len(taken) < 1_000, "there is no end to it"
    return taken


def test_what_was_put_comes_out_in_its_order() -> None:
    inbox = Inbox()
    events = [message(1), direct("a"), message(2), Ok(id=3), Closing(reason="x", retry_after=1.0)]
    put(inbox, *events)
    assert take_all(inbox) == events


def test_at_the_bound_the_oldest_numbered_events_become_one_gap_in_their_place() -> None:
    inbox = Inbox(max_numbered_bytes=2 * ONE_MESSAGE_BYTES)
    put(inbox, direct("first"), message(5), direct("second"), message(7), message(8), message(9))
    gap = Gap(after=4, through=7)
    expected = [direct("first"), gap, direct("second"), message(8), message(9)]
    assert take_all(inbox) == expected


def test_a_message_that_is_longer_than_the_bound_is_kept_until_the_next_one() -> None:
    inbox = Inbox(max_numbered_bytes=1)
    put(inbox, message(5))
    assert take_all(inbox) == [message(5)]
    put(inbox, message(6), message(7))
    assert take_all(inbox) == [Gap(after=5, through=6), message(7)]


def test_the_line_of_a_gap_is_one_that_a_server_could_have_sent() -> None:
    inbox = Inbox(max_numbered_bytes=ONE_MESSAGE_BYTES)
    put(inbox, message(5), message(6))
    incoming = inbox.get(0)
    assert incoming is not None
    assert incoming.line == b'{"type":"gap","after":4,"through":5}'


def test_a_gap_of_the_server_that_is_dropped_is_joined_with_the_inboxes_own() -> None:
    inbox = Inbox(max_numbered_bytes=ONE_MESSAGE_BYTES)
    put(inbox, message(5), Gap(after=5, through=900), message(901), message(902))
    assert take_all(inbox) == [Gap(after=4, through=901), message(902)]


def test_direct_messages_stay_whatever_is_said_in_the_general_chat() -> None:
    inbox = Inbox(max_numbered_bytes=ONE_MESSAGE_BYTES)
    put(inbox, direct("stays"), *(message(seq) for seq in range(1, 1001)))
    assert take_all(inbox) == [direct("stays"), Gap(after=0, through=999), message(1000)]


def test_too_many_direct_messages_are_dropped_and_counted() -> None:
    inbox = Inbox(max_other_bytes=2 * ONE_MESSAGE_BYTES)
    put(inbox, direct("1"), message(1), direct("2"), direct("3"), direct("4"))
    assert take_all(inbox) == [Dropped(2), message(1), direct("3"), direct("4")]


def test_there_is_room_for_many_more_while_at_most_half_of_the_bound_is_used() -> None:
    used = len(encode(direct("1"))) - 1 + 512  # the line, and an estimate of what is around it
    for bound, has_room in [(2 * used, True), (2 * used - 2, False)]:
        inbox = Inbox(max_other_bytes=bound)
        put(inbox, direct("1"), *(message(seq) for seq in range(1, 100)))
        assert inbox.has_room is has_room
        assert inbox.get(0) is not None
        assert inbox.has_room


def test_what_still_holds_is_kept_between_two_gaps() -> None:
    inbox = Inbox(max_numbered_bytes=ONE_MESSAGE_BYTES)
    hushes = [Hushed(seq=seq, time=TIME, on=seq == 7, by="ana") for seq in (2, 4, 7)]
    pinned = Pinned(seq=8, time=TIME, by="ana")
    put(inbox, message(1), *hushes, pinned, message(9), message(10))
    kept = [Gap(after=0, through=6), hushes[-1], pinned, Gap(after=8, through=9), message(10)]
    assert take_all(inbox) == kept
    put(inbox, Locked(seq=11, time=TIME, on=True, by="ana"), message(12))
    assert [type(taken) for taken in take_all(inbox)] == [Locked, ChatMessage]


def test_what_still_holds_comes_in_the_order_of_its_numbers() -> None:
    inbox = Inbox(max_numbered_bytes=ONE_MESSAGE_BYTES)
    hushes = [Hushed(seq=seq, time=TIME, on=seq == 7, by="ana") for seq in (5, 7)]
    pinned = Pinned(seq=6, time=TIME, by="ana")
    put(inbox, hushes[0], pinned, hushes[1], message(8))
    assert take_all(inbox) == [Gap(after=4, through=5), pinned, hushes[1], message(8)]


def test_a_second_gap_begins_after_the_first_was_taken() -> None:
    inbox = Inbox(max_numbered_bytes=ONE_MESSAGE_BYTES)
    put(inbox, message(1), message(2))
    first = inbox.get(0)
    put(inbox, message(3))
    assert first is not None
    assert first.message == Gap(after=0, through=1)
    assert take_all(inbox) == [Gap(after=1, through=2), message(3)]


def test_what_is_there_can_be_taken_after_the_end() -> None:
    inbox = Inbox()
    put(inbox, message(1))
    inbox.close()
    assert inbox.get(None) is not None
    assert inbox.get(None) is None


def test_who_waits_is_woken_by_an_arrival_and_by_the_end() -> None:
    inbox = Inbox()
    taken: list[Incoming | None] = []

    def consume() -> None:
        while (incoming := inbox.get(None)) is not None:
            taken.append(incoming)

    consumer = threading.Thread(target=consume, daemon=True)
    consumer.start()
    put(inbox, message(1), message(2))
    inbox.close()
    consumer.join(20)
    assert not consumer.is_alive()
    assert [incoming.message for incoming in taken if incoming] == [message(1), message(2)]
