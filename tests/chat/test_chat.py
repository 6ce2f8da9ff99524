"""What a chat shows on any face; more of it is tested with the plain one, in tests/plain."""

from typing import Any

import pytest
from chat_table import LOST, PickyClient, Table, user_list
from plain_table import TIME, Clock, page, said

from tertulia.chat import chat as module
from tertulia.chat.exit_status import EXIT_FINE, EXIT_LOST, EXIT_REFUSED
from tertulia.chat.jobs import CONFIRMED_WITHIN_S, SAID_WITHIN_S
from tertulia.client.activity import Resumption
from tertulia.client.errors import (
    ConnectFailure,
    ConnectionLost,
    End,
    EndReason,
    NoConnection,
    RegistrationRefused,
)
from tertulia.client.inbox import Dropped
from tertulia.i18n import set_language
from tertulia.protocol.messages import (
    MAX_PAGE,
    ChatMessage,
    Direct,
    DirectMessage,
    Error,
    Gap,
    GetHistory,
    Joined,
    ListUsers,
    Ok,
    Ping,
    Presence,
    Quit,
    Request,
    Say,
    SetStatus,
    Status,
)
from tertulia.protocol.moderation import Hushed


@pytest.fixture
def newcomer(clock: Clock) -> Table:
    return Table(clock)


@pytest.fixture
def desk(newcomer: Table) -> Table:
    newcomer.enter()
    return newcomer


# --- entering ----------------------------------------------------------------------------------


def test_on_entering_the_face_greets_then_shows_what_was_said_then_finishes(
    newcomer: Table,
) -> None:
    before = [said(9, "nine"), said(10, "ten")]
    newcomer.turn(said(11, "eleven"))
    newcomer.turn(user_list(1, "ana", "José", "luis"))
    newcomer.turn(page(2, *before))
    assert newcomer.face.shown == [
        ("greet", 3),
        ("show_message", before[0]),
        ("show_message", before[1]),
        ("show_message", said(11, "eleven")),
        ("finish_entering",),
    ]


def test_catching_up_is_told_of_on_entering_and_not_after_a_gap(desk: Table) -> None:
    desk.turn(Gap(after=10, through=12))
    desk.turn(page(1, said(11, "eleven"), said(12, "twelve")))
    desk.turn(user_list(2, "ana", seq=12))
    assert desk.client.sent == [GetHistory(after=10, before=13, limit=MAX_PAGE), ListUsers()]
    assert desk.face.shown == [
        ("show_message", said(11, "eleven")),
        ("show_message", said(12, "twelve")),
    ]


def test_what_holds_is_known_at_once_after_gaps_and_shown_in_its_place(desk: Table) -> None:
    hushed = Hushed(seq=12, time=TIME, on=True, by="eva")
    desk.turn(Gap(after=10, through=11), hushed, Gap(after=12, through=13))
    assert not desk.chat.state.may_speak
    desk.turn(page(1))  # of what was asked before the second gap
    desk.turn(user_list(2, "ana", seq=13))
    desk.turn(page(3, said(11, "eleven"), said(13, "thirteen")))
    assert desk.client.sent[2] == GetHistory(after=10, before=14, limit=MAX_PAGE)
    shown = [call[1] for call in desk.face.shown if call[0] == "show_message"]
    assert shown == [said(11, "eleven"), hushed, said(13, "thirteen")]


@pytest.mark.parametrize("code", ["history_off", "unavailable"])
def test_a_page_that_does_not_come_ends_the_catching_up_too(newcomer: Table, code: str) -> None:
    newcomer.turn()
    newcomer.turn(user_list(1, "ana"))
    newcomer.turn(Error(id=2, code=code, message=""))
    assert newcomer.face.shown[-1] == ("finish_entering",)


def test_a_list_of_users_that_is_refused_is_asked_for_once_on_a_connection(
    newcomer: Table,
) -> None:
    newcomer.turn()
    refusal = Error(id=1, code="unavailable", message="no list")
    newcomer.turn(refusal)
    newcomer.turn(page(2))
    assert newcomer.client.sent.count(ListUsers()) == 1
    assert ("show_answer", ListUsers(), refusal) in newcomer.face.shown
    newcomer.lose()
    newcomer.attempt(PickyClient())
    assert newcomer.client.sent.count(ListUsers()) == 1


def test_without_a_first_page_there_is_nothing_to_catch_up_with(clock: Clock) -> None:
    table = Table(clock, first_page=0)
    table.turn()
    table.turn(user_list(1, "ana"))
    assert table.client.sent == [ListUsers()]
    assert ("finish_entering",) not in table.face.shown


def test_before_entering_the_oldest_number_is_the_next_and_then_that_of_the_page(
    newcomer: Table,
) -> None:
    newcomer.turn()
    assert newcomer.chat.oldest_seq == 11
    newcomer.turn(user_list(1, "ana"))
    newcomer.turn(page(2, said(4, "four"), said(9, "nine")))
    assert newcomer.chat.oldest_seq == 4


# --- what comes --------------------------------------------------------------------------------


def test_everything_is_told_as_it_came_but_only_what_happened_is_shown(desk: Table) -> None:
    desk.face.arrived.clear()
    messages = [None, Ping(id=1), said(11, "hola")]
    desk.turn(*messages)
    assert desk.face.arrived == messages
    assert desk.face.shown == [("show_message", messages[2])]


def test_so_much_is_taken_at_once_and_no_more(desk: Table) -> None:
    for seq in range(11, 16):
        desk.client.arrive(said(seq, "hola"))
    assert desk.chat.receive(at_most=3)
    assert len(desk.face.shown) == 3
    assert not desk.chat.receive(at_most=3)
    assert len(desk.face.shown) == 5
    assert not desk.chat.receive()


def test_however_much_comes_at_once_the_keyboard_has_its_turn(
    desk: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seq in range(11, 11 + module.MAX_ARRIVALS_AT_ONCE + 1):
        desk.client.arrive(said(seq, "hola"))
    assert desk.chat.receive()
    assert len(desk.face.shown) == module.MAX_ARRIVALS_AT_ONCE


def test_all_that_came_just_before_the_end_counts(desk: Table) -> None:
    count = module.MAX_ARRIVALS_AT_ONCE + 1
    for seq in range(11, 11 + count):
        desk.client.arrive(said(seq, "hola"))
    desk.client.end = LOST
    desk.chat.advance()
    shown = [rest[0] for kind, *rest in desk.face.shown if kind == "show_message"]
    assert len(shown) == count
    assert [kind for kind, *_ in desk.face.shown][count:] == ["show_notice", "show_notice"]


def test_words_are_made_anew_in_the_language_of_now(desk: Table) -> None:
    desk.turn(Dropped(2))
    [words] = desk.face.words
    english = words()
    assert "2" in english
    set_language("es")
    assert words() != english
    assert "2" in words()


# --- asking ------------------------------------------------------------------------------------


def test_what_waits_is_counted_and_what_is_unsaid_is_listed(desk: Table) -> None:
    assert desk.chat.idle
    direct = Direct(to="José", text="two", nonce="m")
    for request in (ListUsers(), Say(text="one", nonce="n"), direct):
        desk.chat.enqueue(request)
    assert (desk.chat.waiting_jobs, desk.chat.idle) == (3, False)
    desk.chat.advance()
    assert (desk.chat.waiting_jobs, desk.chat.idle) == (2, False)
    assert desk.chat.unsent == [Say(text="one", nonce="n"), direct]
    desk.turn(user_list(1, "ana"))
    assert desk.chat.unsent == [direct]
    desk.turn(Ok(id=2, seq=11))
    assert (desk.chat.unsent, desk.chat.idle) == ([], False)
    desk.turn(Ok(id=3))
    assert desk.chat.idle


def test_what_cannot_be_sent_is_answered_and_the_next_has_its_turn(desk: Table) -> None:
    desk.chat.enqueue(Say(text="\x00", nonce="n"))
    desk.chat.enqueue(ListUsers())
    desk.chat.advance()
    assert desk.face.shown == [
        ("show_answer", Say(text="\x00", nonce="n"), Error(code="text_invalid", message="not sent"))
    ]
    assert desk.client.sent == [ListUsers()]


def test_history_without_a_beginning_goes_on_from_the_oldest_number(desk: Table) -> None:
    desk.chat.enqueue(GetHistory(limit=3))
    desk.turn()
    answer = page(1, said(7, "seven"), more=True)
    desk.turn(answer)
    assert desk.client.sent == [GetHistory(before=11, limit=3)]
    assert desk.face.shown == [("show_answer", GetHistory(before=11, limit=3), answer)]
    assert desk.chat.oldest_seq == 7
    desk.chat.enqueue(GetHistory(before=3, limit=3))
    desk.turn()
    assert desk.client.sent[1:] == [GetHistory(before=3, limit=3)]


def test_ok_to_a_new_status_is_not_told_and_to_the_same_one_is(desk: Table) -> None:
    desk.chat.enqueue(SetStatus(status="OCUPADO"))
    desk.turn()
    assert desk.chat.state.asked_status is Status.OCUPADO
    desk.turn(Ok(id=1))
    assert desk.face.shown == []
    assert desk.chat.state.status is Status.OCUPADO
    desk.chat.enqueue(SetStatus(status="OCUPADO"))
    desk.turn()
    desk.turn(Ok(id=2))
    assert desk.face.shown == [("show_answer", SetStatus(status="OCUPADO"), Ok(id=2))]


def test_a_delivered_message_is_told_with_its_request_and_the_registered_name(
    desk: Table,
) -> None:
    request = Direct(to="JOSÉ", text="hola", nonce="n")
    desk.chat.enqueue(request)
    desk.turn()
    desk.turn(Ok(id=1))
    assert desk.face.shown == [("show_delivery", request, "José", "hola")]
    assert desk.chat.state.said == 1
    refusal = Error(id=2, code="user_not_connected", message="")
    desk.chat.enqueue(request)
    desk.turn()
    desk.turn(refusal)
    assert desk.face.shown[1:] == [("show_answer", request, refusal)]


def test_a_direct_message_has_the_servers_time(desk: Table) -> None:
    times = []
    desk.face.show_delivery = lambda _request, message: times.append(message.time)  # type: ignore[method-assign]
    desk.turn(Joined(seq=11, time="2030-01-02T03:04:05.000Z", name="eva", status=Status.ACTIVO))
    for answer in (Ok(id=1, time="2031-01-01T00:00:00.000Z"), Ok(id=2)):
        desk.chat.enqueue(Direct(to="José", text="hola"))
        desk.turn()
        desk.turn(answer)
    assert times[0] == "2031-01-01T00:00:00.000Z"
    assert times[1].startswith("2030-01-02T03:04:0")  # an older server does not tell it


def test_a_direct_message_that_takes_long_is_told_and_the_next_request_has_its_turn(
    desk: Table,
) -> None:
    request = Direct(to="José", text="hola", nonce="n")
    for asked in (request, ListUsers()):
        desk.chat.enqueue(asked)
    desk.turn()
    assert desk.client.sent == [request]
    desk.clock.now += CONFIRMED_WITHIN_S
    desk.turn()
    assert desk.face.shown == [("show_on_its_way", request)]
    assert desk.client.sent == [request, ListUsers()]
    desk.turn(user_list(2, "ana", "José"))
    assert (desk.chat.idle, desk.chat.settled, desk.chat.on_their_way) == (True, False, 1)
    desk.turn(Ok(id=1))
    assert desk.chat.settled
    assert desk.face.shown[-1] == ("show_delivery", request, "José", "hola")


def test_a_message_to_everyone_that_is_on_the_screen_is_not_told_to_be_on_its_way(
    desk: Table,
) -> None:
    desk.chat.enqueue(Say(text="hola", nonce="n"))
    event = said(11, "hola", "ana", nonce="n")
    desk.turn()
    desk.turn(event)
    desk.clock.now += SAID_WITHIN_S
    desk.turn()
    assert desk.face.shown == [("show_message", event)]


def test_a_message_to_everyone_that_takes_long_is_told_once(desk: Table) -> None:
    request = Say(text="hola", nonce="n")
    desk.chat.enqueue(request)
    desk.turn()
    for _ in range(2):
        desk.clock.now += SAID_WITHIN_S
        desk.turn()
    assert desk.face.shown == [("show_on_its_way", request)]


def test_a_direct_message_that_comes_again_is_shown_once(desk: Table) -> None:
    message = DirectMessage(time="t", sender="José", to="ana", text="hola", receipt=1)
    desk.turn(message, message)
    assert desk.face.shown == [("show_message", message)]
    assert desk.face.arrived.count(message) == 1


# --- the connection ----------------------------------------------------------------------------


def test_it_is_known_whether_there_is_a_connection_and_when_the_next_is_tried(
    desk: Table,
) -> None:
    assert desk.chat.connected
    assert desk.chat.wake_at is None
    desk.lose()
    assert not desk.chat.connected
    at = desk.chat.next_attempt_at
    assert at is not None
    assert desk.chat.wake_at == at > desk.clock.now
    desk.attempt(NoConnection(ConnectFailure.REFUSED))
    assert desk.chat.next_attempt_at is not None
    assert desk.chat.next_attempt_at > at
    desk.attempt(PickyClient())
    assert desk.chat.connected
    assert (desk.chat.exit_status, desk.chat.over) == (EXIT_FINE, False)


def test_who_gives_up_in_the_end_is_woken_up_for_that(clock: Clock) -> None:
    desk = Table(clock, gives_up_after_s=0.125)
    desk.enter()
    desk.lose()
    assert desk.chat.wake_at == clock.now + 0.125
    clock.now += 0.125
    desk.chat.advance()
    assert desk.chat.over
    assert desk.chat.exit_status == EXIT_LOST


def test_what_a_connection_has_brought_before_it_ends_at_once_counts_too(desk: Table) -> None:
    desk.lose()
    short = PickyClient()
    direct = DirectMessage(time="", sender="luis", to="ana", text="psst")
    short.arrive(direct)
    short.end = LOST
    desk.attempt(short)
    assert ("show_message", direct) in desk.face.shown
    assert not desk.chat.connected
    desk.attempt(PickyClient())
    assert desk.chat.connected


def test_the_answer_to_a_status_that_was_asked_for_again_is_not_shown(desk: Table) -> None:
    desk.chat.enqueue(SetStatus(status="OCUPADO"))
    desk.turn()
    desk.turn(Ok(id=1))
    desk.lose()
    desk.attempt(PickyClient())
    assert desk.client.sent == [SetStatus(status="OCUPADO")]
    busy = Presence(seq=11, time="", name="ana", status=Status.OCUPADO, by="user")
    desk.turn(Error(id=1, code="rate_limited", message="", retry_after=1.0), busy)
    desk.turn(user_list(1, "ana"))
    desk.clock.now += 1.2
    desk.turn()
    assert desk.client.sent[1:] == [SetStatus(status="OCUPADO")]
    desk.face.shown.clear()
    desk.turn(Ok(id=2))
    assert desk.face.shown == []


def test_a_user_who_is_inactive_after_coming_back_is_left_so(desk: Table) -> None:
    desk.chat.enqueue(SetStatus(status="OCUPADO"))
    desk.turn()
    desk.turn(Ok(id=1))
    desk.lose()
    desk.attempt(PickyClient(status=Status.INACTIVO))
    desk.turn(user_list(1, "ana"))
    assert desk.client.sent == [ListUsers()]
    assert desk.chat.idle


def test_the_clock_of_the_server_is_learned_anew_on_each_connection(desk: Table) -> None:
    desk.turn(Joined(seq=11, time="2126-01-01T00:00:00.000Z", name="eva", status=Status.ACTIVO))
    assert desk.chat.clock.now() > "2126"
    desk.lose()
    desk.attempt(PickyClient())
    assert desk.chat.clock.now() < "2126"


def test_a_refused_registration_ends_the_chat(desk: Table) -> None:
    desk.lose()
    desk.attempt(RegistrationRefused(Error(code="name_taken", message="")))
    assert desk.chat.over
    assert desk.chat.exit_status == EXIT_REFUSED
    assert desk.face.shown[-1][0] == "show_failure"
    desk.chat.quit()  # too late to be the reason
    assert desk.chat.exit_status == EXIT_REFUSED


def test_leaving_waits_for_what_was_asked_before_and_without_a_connection_for_nothing(
    desk: Table,
) -> None:
    desk.chat.enqueue(Say(text="hola", nonce="n"))
    desk.chat.quit()
    desk.chat.advance()
    assert not desk.chat.over
    desk.turn(Ok(id=1, seq=11))
    assert desk.chat.over
    assert desk.chat.exit_status == EXIT_FINE
    assert Quit() not in desk.client.sent  # the connection's end says it


def test_who_is_about_to_leave_when_the_connection_is_lost_leaves_at_once(desk: Table) -> None:
    desk.chat.enqueue(Say(text="hola", nonce="n"))
    desk.chat.quit()
    desk.turn()
    assert not desk.chat.over
    desk.lose()
    assert desk.chat.over
    assert desk.chat.exit_status == EXIT_FINE


def test_without_a_connection_one_leaves_at_once(desk: Table) -> None:
    desk.lose()
    desk.chat.enqueue(Say(text="hola", nonce="n"))
    desk.chat.quit()
    assert desk.chat.over
    assert desk.chat.exit_status == EXIT_FINE


def test_goodbye_takes_in_the_last_messages_and_names_what_was_not_sent(desk: Table) -> None:
    desk.lose()
    desk.chat.enqueue(Say(text="hola", nonce="n"))
    desk.chat.enqueue(Direct(to="José", text="psst"))
    desk.chat.enqueue(ListUsers())
    desk.client.arrive(said(11, "last"))
    desk.clock.now += 125
    assert desk.chat.farewell().lines == [
        "Not sent: hola",
        "Not sent: psst",
        "You were here for 2 min 5 s. Messages: 0 sent, 1 received.",
    ]
    assert [rest[0].text for kind, *rest in desk.face.shown if kind == "show_message"] == ["last"]


def test_closing_ends_the_session_and_again_nothing_happens(desk: Table) -> None:
    desk.chat.close()
    desk.chat.close()
    assert desk.client.ended == End(EndReason.CLOSED)


def test_a_message_of_the_general_chat_is_in_the_state_once_it_is_shown(newcomer: Table) -> None:
    newcomer.turn(ChatMessage(seq=11, time="", sender="José", text="hola"))
    assert newcomer.chat.state.heard == 0  # what came before it is awaited
    newcomer.turn(user_list(1, "ana", "José"))
    newcomer.turn(page(2))
    assert newcomer.chat.state.heard == 1


# --- activity ----------------------------------------------------------------------------------


class IdleClient(PickyClient):
    """A client that has sent nothing that shows activity for an hour."""

    def resumption(self, _now: float) -> Resumption:
        return Resumption("t", Status.ACTIVO, 3_600.0)


@pytest.mark.parametrize("request_", [ListUsers(), GetHistory()], ids=["users", "history"])
def test_what_is_typed_is_activity_and_what_is_requested_automatically_is_not(
    clock: Clock, request_: Request
) -> None:
    table = Table(clock, IdleClient())
    table.enter()
    table.lose()
    table.attempt(NoConnection(ConnectFailure.REFUSED))
    assert table.resumption.idle_s == 3_600.0
    typed_at = clock.now
    table.chat.enqueue(request_)
    table.attempt(PickyClient(20))
    assert table.resumption.idle_s == clock.now - typed_at


@pytest.mark.parametrize(
    ("other", "is_renumbered"),
    [({"seq": 20}, False), ({"seq": 20, "epoch": "other"}, True), ({"seq": 3}, True)],
)
def test_the_face_forgets_the_numbers_of_another_history(
    desk: Table, other: dict[str, Any], is_renumbered: bool
) -> None:
    desk.lose()
    desk.attempt(PickyClient(**other))
    assert (("forget_numbers",) in desk.face.shown) is is_renumbered


def test_what_is_to_be_sent_at_the_moment_of_a_loss_is_sent_on_the_next_connection(
    desk: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(_request: Request) -> int:
        desk.client.end = LOST
        raise ConnectionLost(LOST)

    request = Say(text="hola", nonce="n")
    desk.chat.enqueue(request)
    monkeypatch.setattr(desk.client, "send", lose)
    desk.turn()
    assert desk.chat.unsent == [request]
    desk.turn()
    desk.attempt(PickyClient())
    desk.turn(user_list(1, "ana"))
    assert request in desk.client.sent


def test_between_two_missing_pages_one_request_of_the_person_is_sent(desk: Table) -> None:
    desk.turn(Gap(after=10, through=400))
    request = Say(text="hola", nonce="n")
    desk.chat.enqueue(request)
    desk.turn(page(1, said(11, "eleven"), more=True))
    desk.turn(user_list(2, "ana", seq=400))
    desk.turn(page(3, said(12, "twelve"), more=True))
    desk.turn(Ok(id=4, seq=401))
    kinds = [type(sent) for sent in desk.client.sent]
    assert kinds == [GetHistory, ListUsers, GetHistory, Say, GetHistory]
