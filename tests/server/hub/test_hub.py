"""The verbs of the chat: no socket, no thread but where two have to race, a clock that stands."""

import threading

import pytest
from hub_chat import Chat, Keeper, code
from standing_clock import START_TIME

from tertulia.protocol.lines import encode
from tertulia.protocol.messages import (
    ChatMessage,
    CloseReason,
    Direct,
    DirectMessage,
    ErrorCode,
    GetInfo,
    Joined,
    ListUsers,
    Ok,
    SetStatus,
    Status,
)
from tertulia.protocol.texts import MAX_TEXT_BYTES
from tertulia.server.hub.directs import Delivery, Handover
from tertulia.server.hub.hub import Registered
from tertulia.server.hub.room import Conflict
from tertulia.server.hub.session import Receipt, Route
from tertulia.server.hub.wait import Wait


@pytest.fixture
def chat() -> Chat:
    return Chat()


# --- registration --------------------------------------------------------------------------------


def test_a_newcomer_is_welcomed_and_everyone_is_told(chat):
    outcome = chat.register("ana", "10.0.0.7")
    assert isinstance(outcome, Registered)
    welcome = outcome.welcome
    assert (welcome.id, welcome.name, welcome.address) == (1, "ana", "10.0.0.7")
    assert (welcome.status, welcome.seq, welcome.idle_after) == (Status.ACTIVO, 0, 120)
    assert (welcome.protocol, welcome.max_text) == (1, MAX_TEXT_BYTES)
    assert welcome.token == outcome.session.token
    assert outcome.replaced is None
    assert (outcome.session.route, outcome.session.last_active) == (Route("", 1), 1_000.0)
    assert chat.events() == [Joined(seq=1, time=START_TIME, name="ana", status=Status.ACTIVO)]


def test_only_where_several_nodes_are_one_chat_the_welcome_names_them(chat):
    assert b"nodes" not in encode(chat.register("ana", "10.0.0.7").welcome)
    chat.hub.nodes = lambda: ["10.0.0.1:5000", "[fd00::2]:5000"]
    welcome = chat.register("luis", "10.0.0.8").welcome
    assert welcome.nodes == ["10.0.0.1:5000", "[fd00::2]:5000"]
    assert b'"nodes":["10.0.0.1:5000","[fd00::2]:5000"]' in encode(welcome)
    assert b"per_node" not in encode(welcome)
    chat.hub.per_node = lambda: [2]
    assert chat.register("eva", "10.0.0.9").welcome.per_node == [2]


def test_where_nobody_becomes_idle_the_welcome_says_zero():
    welcome = Chat(idle_after_s=None).register("ana").welcome
    assert welcome.idle_after == 0


def test_tokens_differ_and_the_epoch_does_not(chat):
    first, second = (chat.register(name, name).welcome for name in ("ana", "luis"))
    assert first.token != second.token
    assert first.epoch == second.epoch != Chat().register("ana").welcome.epoch


def test_a_text_that_cannot_be_a_name_is_refused(chat):
    outcome = chat.register("ana maría")
    assert (code(outcome), outcome.id) == (ErrorCode.NAME_INVALID, 1)


def test_another_protocol_is_refused(chat):
    assert code(chat.register("ana", protocol=2)) == ErrorCode.PROTOCOL_UNSUPPORTED
    assert isinstance(chat.register("ana", protocol=1), Registered)


def test_what_the_room_refuses_is_explained(chat):
    chat.join("Ana", "10.0.0.1")
    refusal = chat.register("ANA", "10.0.0.2")
    assert (code(refusal), refusal.id, refusal.name) == (ErrorCode.NAME_TAKEN, 1, "Ana")
    refusal = chat.register("luis", "10.0.0.1")
    assert (code(refusal), refusal.id) == (ErrorCode.ADDRESS_TAKEN, 1)
    assert "10.0.0.1" in refusal.message


def test_the_options_for_users_and_addresses_are_the_rooms():
    full = Chat(max_users=1)
    full.join("ana")
    refusal = full.register("luis")
    assert (code(refusal), refusal.id) == (ErrorCode.SERVER_FULL, 1)
    shared = Chat(shared_addresses=True)
    shared.join("ana", "10.0.0.1")
    shared.join("luis", "10.0.0.1")


def test_a_session_in_the_way_is_challenged_if_it_may_be(chat):
    ana = chat.join("ana", "10.0.0.1")
    assert chat.register("ana", "10.0.0.1", may_challenge=True) == Conflict(ana)
    assert code(chat.register("ana", "10.0.0.1")) == ErrorCode.NAME_TAKEN


def test_the_right_token_takes_a_session_over(chat):
    old = chat.join("ana", "10.0.0.1")
    chat.hub.set_status(old, SetStatus(status="OCUPADO"))
    outcome = chat.register("ana", "10.0.0.2", may_challenge=True, token=old.token)
    assert isinstance(outcome, Registered)
    assert outcome.replaced is old
    assert (outcome.welcome.status, outcome.welcome.seq) == (Status.OCUPADO, 3)
    assert not chat.hub.release(old, CloseReason.LOST)


def test_of_many_that_ask_for_one_name_at_one_instant_exactly_one_gets_it(chat):
    barrier = threading.Barrier(50)
    outcomes = []

    def ask(number: int) -> None:
        barrier.wait(10)
        outcomes.append(chat.register("ana", f"10.0.2.{number}"))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sum(isinstance(outcome, Registered) for outcome in outcomes) == 1
    assert [code(outcome) for outcome in outcomes].count(ErrorCode.NAME_TAKEN) == 49


def test_a_released_session_can_do_nothing_more(chat):
    ana, luis = chat.join("ana"), chat.join("luis")
    assert chat.hub.release(ana, CloseReason.QUIT) == []
    assert chat.hub.release(ana, CloseReason.LOST) is None
    before = chat.events()
    assert chat.say(ana, id=1) is None
    assert chat.directs.accept(ana, Direct(id=1, to="luis", text="hola")) is None
    assert chat.hub.set_status(ana, SetStatus(id=1, status="OCUPADO")) is None
    chat.hub.idle(ana)
    chat.hub.note_reading(ana)
    assert chat.events() == before
    assert (
        code(chat.directs.accept(luis, Direct(to="ana", text="x"))) == ErrorCode.USER_NOT_CONNECTED
    )


def test_a_released_session_that_was_idle_does_not_come_to_life(chat):
    ana = chat.join("ana")
    chat.hub.idle(ana)
    chat.hub.release(ana, CloseReason.QUIT)
    before = chat.events()
    chat.hub.users(ana, ListUsers())
    assert chat.events() == before


# --- the general chat ----------------------------------------------------------------------------


def test_without_a_keeper_a_message_is_acknowledged_at_once_if_it_has_an_id(chat):
    ana = chat.join("ana")
    assert chat.say(ana, id=3) == Ok(id=3, seq=2)
    assert chat.say(ana) is None
    assert chat.events()[1:] == [
        ChatMessage(seq=seq, time=START_TIME, sender="ana", text="hola") for seq in (2, 3)
    ]


def test_a_repeated_nonce_is_the_same_message_also_with_another_text(chat):
    ana = chat.join("ana")
    first = chat.say(ana, id=1, nonce="n")
    again = chat.say(ana, "adiós", id=2, nonce="n")
    assert (first, again) == (Ok(id=1, seq=2), Ok(id=2, seq=2))
    assert len(chat.events()) == 2


def test_a_refused_message_uses_up_no_nonce(chat):
    ana = chat.join("ana")
    assert code(chat.say(ana, " ", nonce="n")) == ErrorCode.TEXT_INVALID
    assert chat.say(ana, id=1, nonce="n") == Ok(id=1, seq=2)


def test_with_a_keeper_numbers_and_epoch_go_on_and_are_reserved():
    chat = Chat(Keeper())
    welcome = chat.register("ana").welcome
    assert (welcome.epoch, welcome.seq) == ("epoch", 5_000)
    assert chat.keeper.reserved == [5_002]


def test_with_a_keeper_a_message_is_written_and_its_receipt_names_who_waits():
    chat = Chat(Keeper())
    ana = chat.join("ana")
    assert chat.say(ana, id=7) is Wait.FOR_DISK
    assert chat.keeper.written == [(chat.events()[-1], Receipt(chat.owner, 1, 7, 5_002))]


def test_a_repeated_message_is_confirmed_and_not_written_twice():
    chat = Chat(Keeper())
    ana = chat.join("ana")
    chat.say(ana, id=7, nonce="n")
    assert chat.say(ana, id=8, nonce="n") is Wait.FOR_DISK
    assert chat.say(ana, id=9, nonce="kept") is Wait.FOR_DISK  # from before the start
    assert len(chat.keeper.written) == 1
    assert chat.keeper.confirmed == [
        Receipt(chat.owner, 1, 8, 5_002),
        Receipt(chat.owner, 1, 9, 4_900),
    ]
    assert chat.keeper.room == 97


def test_without_room_nothing_is_said_and_it_is_no_activity():
    chat = Chat(Keeper())
    ana = chat.join("ana")
    chat.hub.idle(ana)
    chat.keeper.room = 0
    before = chat.events()
    assert chat.say(ana, id=7) is Wait.FOR_SPACE
    assert chat.events() == before
    assert chat.keeper.written == []


def test_a_session_that_has_ended_takes_no_room():
    chat = Chat(Keeper())
    ana = chat.join("ana")
    chat.hub.release(ana, CloseReason.QUIT)
    chat.say(ana)
    assert chat.keeper.room == 100


# --- direct messages -----------------------------------------------------------------------------


def test_a_direct_message_is_returned_with_its_route_and_nobody_else_sees_it(chat):
    ana, luis = chat.join("ana"), chat.join("luis")
    outcome = chat.directs.accept(ana, Direct(to="LUIS", text="hola", nonce="n"))
    message = DirectMessage(time=START_TIME, sender="ana", to="luis", text="hola", nonce="n")
    assert outcome == Delivery(luis, message)
    assert [type(event) for event in chat.events()] == [Joined, Joined]


def test_a_direct_message_to_oneself_is_allowed(chat):
    ana = chat.join("ana")
    outcome = chat.directs.accept(ana, Direct(to="ana", text="nota"))
    assert isinstance(outcome, Delivery)
    assert outcome.receiver is ana


def test_a_direct_message_counts_as_said_once_it_is_delivered(chat):
    ana = chat.join("ana")
    chat.join("luis")
    request = Direct(id=1, to="luis", text="hola", nonce="n")
    delivery = chat.directs.accept(ana, request)
    again = chat.directs.accept(ana, request)  # while another worker has the first
    assert (code(again), again.id, again.retry_after) == (ErrorCode.RATE_LIMITED, 1, 0.1)
    refusal = chat.directs.end_delivery(ana, request, delivery, Handover.GONE)
    assert (code(refusal), refusal.id, refusal.name) == (ErrorCode.USER_NOT_CONNECTED, 1, "luis")
    acknowledged = chat.hand_over(ana, request)
    assert acknowledged == Ok(id=1, time=delivery.message.time)
    assert chat.directs.accept(ana, request) == acknowledged


def test_a_direct_message_that_finds_its_receiver_busy_can_be_sent_again(chat):
    ana = chat.join("ana")
    chat.join("luis")
    request = Direct(id=1, to="luis", text="hola", nonce="n")
    refusal = chat.hand_over(ana, request, Handover.BUSY)
    assert (code(refusal), refusal.id, refusal.name) == (ErrorCode.BUSY, 1, "luis")
    assert refusal.retry_after > 0
    assert isinstance(chat.directs.accept(ana, request), Delivery)


def test_repeating_a_delivered_message_is_activity(chat):
    ana = chat.join("ana")
    request = Direct(to="ana", text="hola", nonce="n")
    chat.hand_over(ana, request)
    chat.hub.idle(ana)
    assert chat.directs.accept(ana, request) is None
    assert ana.status is Status.ACTIVO


def test_a_direct_message_without_a_nonce_is_never_a_repetition(chat):
    ana = chat.join("ana")
    request = Direct(to="ana", text="hola")
    assert chat.hand_over(ana, request) is None
    assert code(chat.hand_over(ana, request, Handover.GONE)) == ErrorCode.USER_NOT_CONNECTED
    assert chat.hand_over(ana, request) is None


def test_a_nonce_of_the_general_chat_is_none_of_a_direct_message(chat):
    ana = chat.join("ana")
    chat.say(ana, nonce="n")
    assert isinstance(chat.directs.accept(ana, Direct(to="ana", text="x", nonce="n")), Delivery)


@pytest.mark.parametrize("name", ["nadie", "no es un nombre", ""])
def test_somebody_who_is_not_here_cannot_be_written_to_or_looked_up(chat, name):
    ana = chat.join("ana")
    for outcome in (
        chat.directs.accept(ana, Direct(id=5, to=name, text="hola", nonce="n")),
        chat.hub.info(ana, GetInfo(id=5, name=name)),
    ):
        assert code(outcome) == ErrorCode.USER_NOT_CONNECTED
        assert (outcome.id, outcome.name) == (5, name)
    retried = chat.directs.accept(ana, Direct(to="ana", text="hola", nonce="n"))
    assert isinstance(retried, Delivery)


@pytest.mark.parametrize("verb", ["say", "direct"])
def test_bad_texts_are_refused(chat, verb):
    ana = chat.join("ana")

    def send(text):
        if verb == "say":
            return chat.say(ana, text, id=1)
        return chat.directs.accept(ana, Direct(id=1, to="ana", text=text))

    assert code(send("")) == ErrorCode.TEXT_INVALID
    assert code(send("a\x1b[31m")) == ErrorCode.TEXT_INVALID
    assert code(send("ñ" * 8_193)) == ErrorCode.TEXT_TOO_LONG
    assert code(send("ñ" * 8_192)) is None
    assert send("").id == 1


# --- the console ---------------------------------------------------------------------------------


def test_the_console_is_told_that_it_has_no_name_to_speak_under(chat):
    chat.join("ana")
    console = chat.hub.moderator.open_console(Route("", 99))
    answers = [
        chat.say(console, id=1),
        chat.hub.set_status(console, SetStatus(id=1, status="OCUPADO")),
        chat.directs.accept(console, Direct(id=1, to="ana", text="hola")),
    ]
    assert [(code(answer), answer.id) for answer in answers] == [(ErrorCode.NOT_REGISTERED, 1)] * 3
    assert len(chat.events()) == 1
