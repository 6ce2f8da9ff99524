"""Direct messages between nodes: whatever gets lost or moves, each is answered, and seen once."""

from typing import Any

import pytest
from cluster_bench import Bench
from letters_bench import Room
from msgspec import UNSET

from tertulia.protocol.messages import CloseReason, Direct, Error, ErrorCode, Ok
from tertulia.server.cluster import letters
from tertulia.server.hub.directs import Delivery, Handover, Queued
from tertulia.server.workers.mail import DirectsWaiting


@pytest.fixture
def room() -> Room:
    return Room("a", "b", "c")


def test_a_message_is_sent_to_the_receivers_node_and_answered_when_it_is_confirmed(
    room: Room,
) -> None:
    ana, luis = room.join("a", "ana"), room.join("b", "luis")
    assert room.tell("a", ana) == Queued(None)
    room.carry()
    assert DirectsWaiting(luis.route.number) in room["b"].mail.collect()
    assert room.take("b", luis) == [("hola", 1)]
    assert room.answers("a") == []
    room.confirm("b", luis, 1)
    room.carry()
    (answer,) = room.answers("a")
    assert isinstance(answer, Ok)
    room.pass_time(60.0)
    assert room.carry() == [], "nothing is on the way any more"


@pytest.mark.parametrize("lost", [letters.Forward, letters.Accepted, letters.Confirmed])
def test_whichever_letter_gets_lost_the_message_is_seen_once_and_answered(
    room: Room, lost: type
) -> None:
    ana, luis = room.join("a", "ana"), room.join("b", "luis")
    room.tell("a", ana)
    losses = room.lose(lost)
    room.pass_time(1.0)
    losses += room.lose(letters.Confirmed)
    assert room.take("b", luis) == [("hola", 1)]
    room.confirm("b", luis, 1)
    losses += room.lose(lost)
    for _ in range(6):
        room.pass_time(1.0)
        room.carry()
    assert losses == 1
    assert [type(answer) for answer in room.answers("a")] == [Ok]
    assert room.take("b", luis) == []


def forwards(room: Room) -> list[str]:
    """Return the texts of the messages that are in the air, and lose them."""
    found = [letters.unpack(data) for _, data in room.air]
    room.air.clear()
    sent = [one for envelope in found if envelope for one in envelope.letters]
    return [one.message.text for one in sent if isinstance(one, letters.Forward)]


def test_a_message_that_nobody_accepts_is_sent_again_less_and_less_often(room: Room) -> None:
    ana, luis = room.join("a", "ana"), room.join("b", "luis")
    room.tell("a", ana)
    times = []
    for half_seconds in range(81):
        times += [half_seconds / 2 for _ in forwards(room)]
        room.pass_time(0.5)
    assert times == [0.0, 1.0, 3.0, 7.0, 15.0, 23.0, 31.0, 39.0]
    room.pass_time(8.0)
    room.carry()
    assert room.take("b", luis) == [("hola", 1)]
    room.confirm("b", luis, 1)
    room.carry()
    assert [type(answer) for answer in room.answers("a")] == [Ok]


def test_later_messages_wait_behind_one_that_nobody_accepts(room: Room) -> None:
    ana, luis, eva = room.join("a", "ana"), room.join("b", "luis"), room.join("b", "eva")
    room.tell("a", ana, "uno")
    for _ in range(2):
        assert forwards(room) == ["uno"]
        room.pass_time(1.0)
    assert forwards(room) == []
    room.tell("a", ana, "dos", id=2)
    room.tell("a", ana, "tres", id=3)
    assert forwards(room) == []
    room.tell("a", ana, "aparte", id=4, to="eva")
    room.carry()
    assert room.take("b", eva) == [("aparte", 1)]
    room.pass_time(1.0)
    assert forwards(room) == ["uno", "dos", "tres"]
    room.pass_time(3.0)
    assert forwards(room) == []
    room.pass_time(1.0)
    room.carry()
    assert room.take("b", luis) == [("uno", 1), ("dos", 2), ("tres", 3)]
    room.tell("a", ana, "cuatro", id=5)
    assert forwards(room) == ["cuatro"], "they are accepted again"
    room.pass_time(1.0)
    assert forwards(room) == ["cuatro"]


def test_all_are_sent_at_once_when_the_node_serves_again(room: Room) -> None:
    ana = room.join("a", "ana")
    luis = room.join("b", "luis")
    for number in range(3):
        room.tell("a", ana, str(number), id=number)
    for _ in range(10):
        forwards(room)
        room.pass_time(1.0)
    forwards(room)
    room["a"].hub.hurry_directs()
    room.tell("a", ana, "3", id=9)
    room.carry()
    assert [text for text, _ in room.take("b", luis)] == ["0", "1", "2", "3"]
    room["a"].hub.hurry_directs()
    assert forwards(room) == []


def test_messages_that_wait_for_long_are_asked_for_and_not_sent_again(room: Room) -> None:
    ana = room.join("a", "ana")
    room.join("b", "luis")
    for text in ("uno", "dos"):
        room.tell("a", ana, text)
    room.carry()
    room.pass_time(5.0)
    (question,) = room.carry()
    assert isinstance(question, letters.AskArrived)
    assert len(question.numbers) == 2
    room.pass_time(1.0)
    assert room.carry() == []


def test_a_message_that_a_node_knows_nothing_of_is_sent_again(room: Room) -> None:
    ana, luis = room.join("a", "ana"), room.join("b", "luis")
    room.tell("a", ana)
    (forward,) = [letters.unpack(data) for _, data in room.air]
    room.air.clear()
    assert forward is not None
    letter = forward.letters[0]
    assert isinstance(letter, letters.Forward)
    room["a"].hub.directs.on_accepted(letters.Accepted(letter.number, 0))
    room.pass_time(5.0)
    assert letters.NotHere(letter.number) in room.carry()
    assert room.take("b", luis) == [("hola", 1)]


def test_only_so_many_messages_are_sent_again_in_one_look(room: Room) -> None:
    ana = room.join("a", "ana")
    for number in range(1, 5):
        room.join("b", f"luis{number}")
        for text in range(60):
            room.tell("a", ana, str(text), to=f"luis{number}")
    room.air.clear()
    room.pass_time(1.0)
    assert len([one for one in room.carry() if isinstance(one, letters.Forward)]) == 200
    room.pass_time(0.1)
    assert len([one for one in room.carry() if isinstance(one, letters.Forward)]) == 40


def test_a_receiver_without_receipts_of_another_node_confirms_by_getting_it(room: Room) -> None:
    ana, luis = room.join("a", "ana"), room.join("b", "luis", receipts=False)
    room.tell("a", ana)
    room.carry()
    assert room.take("b", luis) == [("hola", UNSET)]
    room.carry()
    assert [type(answer) for answer in room.answers("a")] == [Ok]


# --- messages that are known ----------------------------------------------------------------------


def kinds(carried: list[Any], kind: type) -> list[Any]:
    return [one for one in carried if type(one) is kind]


def test_each_other_node_hears_once_that_a_message_with_a_nonce_has_arrived(room: Room) -> None:
    ana, luis = room.join("a", "ana"), room.join("b", "luis")
    room.tell("a", ana, nonce="n")
    room.carry()
    room.take("b", luis)
    room.confirm("b", luis, 1)
    known = kinds(room.carry(), letters.Known)
    assert [(one.sender_key, one.nonce) for one in known] == [("ana", "n")] * 2
    ana = room.move("c", "ana", "a")
    assert isinstance(room.tell("c", ana, nonce="n"), Ok)


def test_no_node_hears_of_a_message_that_did_not_arrive(room: Room) -> None:
    ana = room.join("a", "ana")
    room.join("a", "luis", receipts=False)
    request = Direct(id=1, to="luis", text="hola", nonce="n")
    delivery = room["a"].hub.direct_messages.accept(ana, request)
    assert isinstance(delivery, Delivery)
    room["a"].hub.direct_messages.end_delivery(ana, request, delivery, Handover.BUSY)
    assert room.carry() == []


def test_a_message_of_which_only_the_confirmation_was_lost_is_waited_for(room: Room) -> None:
    ana, luis = room.join("a", "ana"), room.join("b", "luis")
    room.tell("a", ana, nonce="n")
    room.carry()
    room.take("b", luis)
    room.confirm("b", luis, 1)
    (confirmed,) = kinds(room.carry(without=letters.Confirmed), letters.Confirmed)
    assert room.tell("a", ana, nonce="n", id=2) == Queued(None)
    room["a"].switchboard.send(room["a"].hub.directs.on_confirmed(confirmed))
    assert [answer.id for answer in room.answers("a")] == [1, 2]


def test_a_message_that_came_over_two_nodes_is_known_by_the_numbers_of_both(room: Room) -> None:
    ana, luis = room.join("a", "ana"), room.join("b", "luis")
    room.tell("a", ana, nonce="n")
    room.carry()
    ana = room.move("c", "ana", "a")
    assert room.tell("c", ana, nonce="n", id=2) == Queued(None)
    room.carry()
    room.pass_time(5.0)
    carried = room.carry()
    assert len(kinds(carried, letters.AskArrived)) == 2
    assert kinds(carried, letters.NotHere) == []
    assert room.take("b", luis) == [("hola", 1)]


def test_a_message_that_was_recognised_once_is_not_new_when_its_nonce_is_forgotten(
    room: Room,
) -> None:
    ana, luis = room.join("a", "ana"), room.join("b", "luis")
    room.tell("a", ana, nonce="n")
    room.carry()
    assert room.take("b", luis) == [("hola", 1)]
    room.confirm("b", luis, 1)
    room.lose(letters.Known)
    ana = room.move("c", "ana", "a")
    assert room.tell("c", ana, nonce="n", id=2) == Queued(None)
    assert room.lose(letters.Confirmed) == 1
    room.pass_time(room["b"].config.nonce_keep_s + 1.0)
    room.carry()
    assert room.take("b", luis) == []
    assert [answer.id for answer in room.answers("c")] == [2]


def test_only_the_latest_confirmed_messages_are_remembered(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tertulia.server.cluster.directs._MAX_REMEMBERED", 2)
    ana, luis = room.join("a", "ana"), room.join("b", "luis")
    numbers = []
    for receipt, text in enumerate(("uno", "dos", "tres"), start=1):
        room.tell("a", ana, text)
        numbers += [one.number for one in kinds(room.carry(), letters.Forward)]
        room.take("b", luis)
        room.confirm("b", luis, receipt)
        room.carry()
    room["b"].hub.directs.on_ask_arrived("a", letters.AskArrived(numbers))
    answers = [(type(one), one.number) for one in room.carry()]
    assert answers == [
        (letters.NotHere, numbers[0]),
        (letters.Confirmed, numbers[1]),
        (letters.Confirmed, numbers[2]),
    ]


# --- sessions that move --------------------------------------------------------------------------


@pytest.mark.parametrize("nonce", [{}, {"nonce": "n"}])
def test_a_receiver_who_moves_to_and_fro_gets_the_message_in_the_end(
    room: Room, nonce: dict[str, str]
) -> None:
    ana, luis = room.join("a", "ana"), room.join("b", "luis")
    room.tell("a", ana, **nonce)
    room.carry()
    assert room.take("b", luis) == [("hola", 1)]
    for to, from_ in (("c", "b"), ("b", "c"), ("c", "b"), ("b", "c")):
        luis = room.move(to, "luis", from_)
        room.carry()
        room.pass_time(1.0)
        room.carry()
        assert room.take(to, luis) == [("hola", 1)], "under the receipt of before"
    room.confirm("b", luis, 1)
    room.carry()
    assert [type(answer) for answer in room.answers("a")] == [Ok]


def test_new_messages_come_after_all_receipts_that_were_ever_given_out(room: Room) -> None:
    ana, luis = room.join("a", "ana"), room.join("b", "luis")
    for text in ("uno", "dos", "tres"):
        room.tell("a", ana, text)
    room.carry()
    room.take("b", luis)
    room.confirm("b", luis, 3)
    room.carry()
    luis = room.move("c", "luis", "b")
    room.tell("a", ana, "cuatro")
    room.carry()
    room.pass_time(1.0)
    assert room.take("c", luis) == [("cuatro", 4)]


def test_a_message_of_the_same_node_keeps_its_receipt_when_its_receiver_moves_away(
    room: Room,
) -> None:
    ana, luis = room.join("a", "ana"), room.join("a", "luis")
    room.tell("a", ana)
    assert room.take("a", luis) == [("hola", 1)]
    luis = room.move("b", "luis", "a")
    room.carry()
    room.pass_time(1.0)
    assert room.take("b", luis) == [("hola", 1)], "its client knows that it has it already"


def test_a_message_keeps_its_receipt_when_its_receiver_moves_to_the_node_of_the_sender(
    room: Room,
) -> None:
    ana, luis = room.join("c", "ana"), room.join("b", "luis")
    room.tell("c", ana)
    assert room.lose(letters.Accepted) == 1
    assert room.take("b", luis) == [("hola", 1)]
    luis = room.move("c", "luis", "b")
    room.carry()
    room.pass_time(1.0)
    assert room.take("c", luis) == [("hola", 1)]


def test_once_the_order_of_before_is_known_the_messages_come_within_a_moment(room: Room) -> None:
    ana, luis = room.join("a", "ana"), room.join("b", "luis")
    room.tell("a", ana)
    room.carry()
    room.take("b", luis)
    luis = room.move("c", "luis", "b")
    room.carry()
    room.pass_time(0.125)
    assert room.take("c", luis) == []
    room.pass_time(0.125)
    assert room.take("c", luis) == [("hola", 1)]


def test_without_the_order_of_before_new_messages_get_receipts_far_above(room: Room) -> None:
    ana, luis = room.join("a", "ana"), room.join("b", "luis")
    for text in ("uno", "dos"):
        room.tell("a", ana, text)
    room.carry()
    room.take("b", luis)
    room.confirm("b", luis, 1)
    room.carry()
    luis = room.move("c", "luis", "b")
    room.tell("a", ana, "tres")
    assert room.lose(letters.HandedOver) == 1
    room.pass_time(1.0)
    (dos, tres) = room.take("c", luis)
    assert dos == ("dos", 2), "its sender's node knows its receipt"
    assert tres[0] == "tres"
    assert tres[1] > 1_000_000


def test_a_message_of_the_same_node_waits_while_the_others_are_gathered(room: Room) -> None:
    ana, eva, luis = room.join("a", "ana"), room.join("c", "eva"), room.join("b", "luis")
    room.tell("a", ana, "uno")
    room.carry()
    room.take("b", luis)
    luis = room.move("c", "luis", "b")
    assert room.tell("c", eva, "dos", nonce="n") == Queued(None)
    assert room.tell("c", eva, "dos", nonce="n", id=2) == Queued(None)
    room.carry()
    room.pass_time(1.0)
    assert room.take("c", luis) == [("uno", 1), ("dos", 2)]
    room.confirm("c", luis, 2)
    room.carry()
    assert [answer.id for answer in room.answers("c")] == [1, 2]


def test_a_message_in_hand_for_one_who_moves_away_goes_to_the_node_where_that_user_is(
    room: Room,
) -> None:
    ana, luis = room.join("a", "ana"), room.join("a", "luis", receipts=False)
    request = Direct(id=1, to="luis", text="hola", nonce="n")
    delivery = room["a"].hub.direct_messages.accept(ana, request)
    assert isinstance(delivery, Delivery)
    moved = room.move("b", "luis", "a")
    outcome = room["a"].hub.direct_messages.end_delivery(ana, request, delivery, Handover.GONE)
    assert outcome == Queued(None), "no worker of this node may look for its number here"
    room.carry()
    room.pass_time(1.0)
    assert [text for text, _ in room.take("b", moved)] == ["hola"]
    assert luis.route.number != moved.route.number


def test_the_same_message_from_another_node_is_known_where_its_receiver_has_no_receipts(
    room: Room,
) -> None:
    ana = room.join("a", "ana")
    room.join("a", "luis", receipts=False)
    request = Direct(id=1, to="luis", text="hola", nonce="n")
    delivery = room["a"].hub.direct_messages.accept(ana, request)
    assert isinstance(delivery, Delivery)
    room["a"].hub.direct_messages.end_delivery(ana, request, delivery, Handover.DONE)
    ana = room.move("b", "ana", "a")
    room.carry()
    assert isinstance(room.tell("b", ana, nonce="n"), Ok)


def test_a_message_that_was_sent_on_is_confirmed_to_each_node_once(room: Room) -> None:
    ana, luis = room.join("b", "ana"), room.join("b", "luis")
    room.tell("b", ana, nonce="n")
    ana = room.move("c", "ana", "b")
    assert room.tell("c", ana, nonce="n", id=2) == Queued(None)
    room.carry()
    assert room.take("b", luis) == [("hola", 1)]
    luis = room.move("a", "luis", "b")
    room.carry()
    room.pass_time(1.0)
    room.carry()
    assert room.take("a", luis) == [("hola", 1)]
    room.confirm("a", luis, 1)
    assert len(kinds(room.carry(), letters.Confirmed)) == 2
    assert [answer.id for answer in room.answers("c")] == [2]


def test_a_receiver_who_ends_while_moving_leaves_nobody_waiting(room: Room) -> None:
    ana, eva, luis = room.join("a", "ana"), room.join("c", "eva"), room.join("b", "luis")
    room.tell("a", ana)
    room.carry()
    luis = room.move("c", "luis", "b")
    room.tell("c", eva)
    room.carry()
    room["c"].hub.release(luis, CloseReason.LOST)
    room.settle()
    room.carry()
    for node in "ac":
        (answer,) = room.answers(node)
        assert isinstance(answer, Error)
        assert answer.code == ErrorCode.UNDELIVERED
    room.pass_time(60.0)
    assert room.carry() == []


# --- wrong letters -------------------------------------------------------------------------------


def test_the_numbers_of_sessions_differ_from_run_to_run(room: Room) -> None:
    """A letter that is late must not reach somebody who came after the node's restart."""
    first, second = Bench("a"), Bench("a")
    assert first["a"].join("ana").route != second["a"].join("eva").route


def test_letters_for_sessions_that_do_not_come_are_forgotten(room: Room) -> None:
    ana = room.join("a", "ana")
    room.join("b", "luis")
    room.tell("a", ana)
    early = room.peers["b"]
    ((_, data),) = room.air
    envelope = letters.unpack(data)
    assert envelope is not None
    letter = envelope.letters[0]
    assert isinstance(letter, letters.Forward)
    letter.to += 1_000
    early.receive(letters.pack(envelope))
    room.join("b", "eva")
    room.pass_time(1.9)
    assert len(room["b"].hub.directs._early) == 1, "it is for somebody else"
    room.pass_time(0.1)
    assert not room["b"].hub.directs._early


def test_a_fault_in_reading_a_letter_costs_this_letter_alone(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    ana, luis = room.join("a", "ana"), room.join("b", "luis")
    room.tell("a", ana)
    ((_, data),) = room.air
    envelope = letters.unpack(data)
    assert envelope is not None
    forward = envelope.letters[0]
    assert isinstance(forward, letters.Forward)
    wrong: Any = letters.Answer(luis.route.number, Error(code=ErrorCode.BUSY, message=""))
    envelope.letters[:] = [wrong, forward]
    room["b"].switchboard.mailbox_of(luis.route).post = _fail  # type: ignore[union-attr, method-assign]
    room.peers["b"].receive(letters.pack(envelope))
    assert "fault in a letter" in caplog.text
    assert room.take("b", luis) == [("hola", 1)]


def _fail(_mail: Any) -> bool:
    raise RuntimeError("out of order")
