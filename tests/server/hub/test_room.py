"""The rules of the chat: who may enter, and which events the verbs append. All values are given."""

import threading

import pytest

from tertulia.protocol.messages import (
    ChatMessage,
    CloseReason,
    ErrorCode,
    Joined,
    Left,
    NumberedEvent,
    Presence,
    Status,
)
from tertulia.protocol.names import Name, parse_name
from tertulia.server.hub.eventlog import EventLog
from tertulia.server.hub.nonces import RecentNonces
from tertulia.server.hub.records import Visit
from tertulia.server.hub.room import Conflict, Entered, Newcomer, Refused, Room
from tertulia.server.hub.session import Route, Session

TIME, LATER = "2026-11-22T15:04:05.123Z", "2026-11-22T15:04:06.123Z"


class Chat:
    """A room, the events that were appended to it, and shorthands."""

    def __init__(
        self,
        *,
        shared_addresses: bool = False,
        max_users: int = 100,
        keeps_visits: bool = True,
    ) -> None:
        self.events: list[NumberedEvent] = []
        log = EventLog(threading.Lock(), 1_000_000)
        append = log.append

        def note(event: NumberedEvent) -> None:
            self.events.append(event)
            append(event)

        log.append = note  # type: ignore[method-assign]
        nonces = RecentNonces(600, 100)
        self.room = Room(
            log,
            nonces,
            shared_addresses=shared_addresses,
            max_users=max_users,
            keeps_visits=keeps_visits,
        )
        self.entered = 0

    def register(
        self,
        spelling: str,
        address: str = "10.0.0.1",
        *,
        token: str | None = None,
        may_challenge: bool = False,
        messages_only: bool = False,
    ) -> Entered | Conflict | Refused:
        name = parse_name(spelling)
        assert isinstance(name, Name)
        self.entered += 1
        newcomer = Newcomer(name, address, token, may_challenge, messages_only)
        route = Route("", self.entered)
        return self.room.register(newcomer, route, f"token-{self.entered}", TIME, 1_000.0)

    def enter(self, spelling: str, address: str | None = None, **options: bool) -> Session:
        outcome = self.register(spelling, address or f"10.0.1.{self.entered}", **options)
        assert isinstance(outcome, Entered), outcome
        return outcome.session

    def say(self, session: Session, nonce: str = "n", now: float = 1_000.0) -> ChatMessage | int:
        return self.room.say(session, "hola", nonce, LATER, now)


@pytest.fixture
def chat() -> Chat:
    return Chat()


# --- register ------------------------------------------------------------------------------------


def test_a_newcomer_gets_what_the_journal_has_decided_and_everyone_is_told(chat):
    outcome = chat.register("Ana", "10.0.0.7")
    assert isinstance(outcome, Entered)
    session = outcome.session
    assert (session.name.shown, session.address, session.token) == ("Ana", "10.0.0.7", "token-1")
    assert (session.route, session.since, session.last_active) == (Route("", 1), TIME, 1_000.0)
    assert session.status is session.chosen is Status.ACTIVO
    assert session.is_here
    assert (outcome.seq, outcome.replaced) == (0, None)
    assert chat.events == [Joined(seq=1, time=TIME, name="Ana", status=Status.ACTIVO)]


def test_the_same_verbs_give_the_same_events_in_another_room(chat):
    other = Chat()
    for one in (chat, other):
        ana = one.enter("ana", "10.0.0.1")
        one.say(ana)
        one.room.show_status(ana, Status.OCUPADO, "user", TIME)
        one.register("ana", "10.0.0.2", token="token-1")
    assert chat.events == other.events
    assert len(chat.events) == 5


@pytest.mark.parametrize("twin", ["ana", "Ana", "ＡＮＡ"])
def test_another_spelling_of_a_name_is_the_same_name(chat, twin):
    chat.enter("ana")
    assert chat.register(twin, "10.0.0.2") == Refused(ErrorCode.NAME_TAKEN, "ana")


def test_an_address_is_taken_by_one_user(chat):
    chat.enter("ana", "10.0.0.1")
    assert chat.register("luis", "10.0.0.1") == Refused(ErrorCode.ADDRESS_TAKEN)


def test_if_name_and_address_are_taken_by_two_users_it_is_the_name_that_counts(chat):
    chat.enter("ana", "10.0.0.1")
    chat.enter("luis", "10.0.0.2")
    refused = Refused(ErrorCode.NAME_TAKEN, "ana")
    assert chat.register("ana", "10.0.0.2", may_challenge=True) == refused


def test_shared_addresses_lift_the_rule_for_addresses_alone():
    chat = Chat(shared_addresses=True)
    chat.enter("ana", "10.0.0.1")
    chat.enter("luis", "10.0.0.1")
    assert chat.register("ana", "10.0.0.1") == Refused(ErrorCode.NAME_TAKEN, "ana")


def test_a_full_room_refuses_but_lets_a_session_be_taken_over():
    chat = Chat(max_users=2)
    ana = chat.enter("ana")
    chat.enter("luis")
    assert chat.register("bea") == Refused(ErrorCode.SERVER_FULL)
    assert isinstance(chat.register("ana", token=ana.token), Entered)
    assert len(chat.room.registry) == 2


def test_a_session_at_the_newcomers_own_address_has_to_be_challenged_first(chat):
    ana = chat.enter("ana", "10.0.0.1")
    assert chat.register("ana", "10.0.0.1", may_challenge=True) == Conflict(ana)
    assert chat.register("luis", "10.0.0.1", may_challenge=True) == Conflict(ana)
    refused = Refused(ErrorCode.NAME_TAKEN, "ana")
    assert chat.register("ana", "10.0.0.2", may_challenge=True) == refused
    assert len(chat.events) == 1


def test_after_the_challenge_the_newcomer_is_refused(chat):
    chat.enter("ana", "10.0.0.1")
    assert chat.register("ana", "10.0.0.1") == Refused(ErrorCode.NAME_TAKEN, "ana")
    assert chat.register("luis", "10.0.0.1") == Refused(ErrorCode.ADDRESS_TAKEN)


def test_with_shared_addresses_only_a_namesake_is_challenged():
    chat = Chat(shared_addresses=True)
    ana = chat.enter("ana", "10.0.0.1")
    assert chat.register("ana", "10.0.0.1", may_challenge=True) == Conflict(ana)
    assert isinstance(chat.register("luis", "10.0.0.1", may_challenge=True), Entered)


# --- taking a session over -----------------------------------------------------------------------


def test_the_right_token_takes_a_session_over_and_keeps_the_chosen_status(chat):
    old = chat.enter("ana", "10.0.0.1")
    chat.room.show_status(old, Status.OCUPADO, "user", TIME)
    outcome = chat.register("Ana", "10.0.0.2", token=old.token, may_challenge=True)
    assert isinstance(outcome, Entered)
    assert outcome.replaced is old
    assert not old.is_here
    assert outcome.session.status is outcome.session.chosen is Status.OCUPADO
    assert chat.events[-2:] == [
        Left(seq=3, time=TIME, name="ana", reason=CloseReason.REPLACED),
        Joined(seq=4, time=TIME, name="Ana", status=Status.OCUPADO),
    ]
    assert outcome.seq == 3
    assert not chat.room.release(old, CloseReason.LOST, TIME)
    assert chat.room.registry.find("ana") is outcome.session
    chat.enter("luis", "10.0.0.1")  # the old address is free


def test_a_session_can_be_taken_over_from_its_own_address(chat):
    old = chat.enter("ana", "10.0.0.1")
    outcome = chat.register("ana", "10.0.0.1", token=old.token, may_challenge=True)
    assert isinstance(outcome, Entered)
    assert outcome.replaced is old


def test_an_idle_session_is_taken_over_as_it_is(chat):
    old = chat.enter("ana")
    chat.room.show_status(old, Status.INACTIVO, "server", TIME)
    outcome = chat.register("ana", token=old.token)
    assert isinstance(outcome, Entered)
    new = outcome.session
    assert (new.status, new.chosen) == (Status.INACTIVO, Status.ACTIVO)
    assert new.last_active == old.last_active
    assert new.is_catching_up


def test_a_take_over_is_no_activity(chat):
    old = chat.enter("ana")
    old.last_active = 400.0
    outcome = chat.register("ana", token=old.token)
    assert outcome.session.last_active == 400.0


@pytest.mark.parametrize("token", ["", "x", "ñ", "token-1x"])
def test_a_wrong_token_is_as_good_as_none(chat, token):
    chat.enter("ana", "10.0.0.1")
    assert chat.register("ana", "10.0.0.2", token=token) == Refused(ErrorCode.NAME_TAKEN, "ana")


def test_a_token_does_not_open_an_address_that_somebody_else_has(chat):
    old = chat.enter("ana", "10.0.0.1")
    chat.enter("luis", "10.0.0.2")
    outcome = chat.register("ana", "10.0.0.2", token=old.token, may_challenge=True)
    assert outcome == Refused(ErrorCode.ADDRESS_TAKEN)
    assert old.is_here


def test_the_token_of_a_session_that_has_ended_opens_nothing(chat):
    old = chat.enter("ana")
    chat.room.release(old, CloseReason.QUIT, TIME)
    chat.enter("ANA", "10.0.0.9")
    outcome = chat.register("ana", "10.0.0.8", token=old.token)
    assert outcome == Refused(ErrorCode.NAME_TAKEN, "ANA")


# --- release -------------------------------------------------------------------------------------


def test_a_released_name_and_address_are_free_at_once(chat):
    ana = chat.enter("ana", "10.0.0.1")
    assert chat.room.release(ana, CloseReason.LOST, LATER)
    assert chat.events[-1] == Left(seq=2, time=LATER, name="ana", reason=CloseReason.LOST)
    chat.enter("ana", "10.0.0.1")


def test_releasing_twice_tells_nobody_twice(chat):
    ana = chat.enter("ana")
    chat.room.release(ana, CloseReason.QUIT, TIME)
    assert not chat.room.release(ana, CloseReason.LOST, TIME)
    assert len(chat.events) == 2


def test_at_the_servers_end_nobody_is_told_who_left(chat):
    ana = chat.enter("ana")
    assert chat.room.release(ana, CloseReason.SHUTDOWN, TIME)
    assert not ana.is_here
    assert len(chat.events) == 1


# --- say -----------------------------------------------------------------------------------------


def test_a_message_is_published_with_its_number_time_and_nonce(chat):
    ana = chat.enter("Ana")
    expected = ChatMessage(seq=2, time=LATER, sender="Ana", text="hola", nonce="n")
    assert chat.say(ana) == expected
    assert chat.events[-1] == expected


def test_a_repeated_nonce_is_the_number_it_had_for_as_long_as_it_is_remembered(chat):
    ana = chat.enter("ana")
    chat.say(ana, now=1_000.0)
    assert chat.say(ana, now=1_600.0) == 2
    assert len(chat.events) == 2
    assert isinstance(chat.say(ana, now=1_600.1), ChatMessage)


def test_a_nonce_belongs_to_a_name_and_outlives_the_session(chat):
    ana, luis = chat.enter("ana", "10.0.0.1"), chat.enter("luis", "10.0.0.2")
    chat.say(ana)
    assert isinstance(chat.say(luis), ChatMessage)
    chat.room.release(ana, CloseReason.LOST, TIME)
    assert chat.say(chat.enter("ANA", "10.0.0.1")) == 3


# --- status --------------------------------------------------------------------------------------


def test_a_status_is_changed_once_and_everyone_is_told_once(chat):
    ana = chat.enter("ana")
    for _ in range(2):
        chat.room.show_status(ana, Status.OCUPADO, "user", LATER)
    assert chat.events[1:] == [
        Presence(seq=2, time=LATER, name="ana", status=Status.OCUPADO, by="user")
    ]
    assert ana.status is ana.chosen is Status.OCUPADO


def test_what_the_server_shows_is_not_what_the_user_has_chosen(chat):
    ana = chat.enter("ana")
    chat.room.show_status(ana, Status.INACTIVO, "server", TIME)
    assert (ana.status, ana.chosen) == (Status.INACTIVO, Status.ACTIVO)
    # The user now chooses what is shown already: nobody has to be told, but it is kept.
    chat.room.show_status(ana, Status.INACTIVO, "user", TIME)
    assert (ana.status, ana.chosen) == (Status.INACTIVO, Status.INACTIVO)
    assert len(chat.events) == 2


def test_a_session_for_messages_alone_collects_its_own_status_changes_and_no_others(chat):
    bot, ana = chat.enter("bot", messages_only=True), chat.enter("ana")
    assert bot.own_presence == ()
    assert ana.own_presence is None
    chat.room.show_status(ana, Status.OCUPADO, "user", TIME)
    chat.room.show_status(bot, Status.OCUPADO, "user", TIME)
    assert bot.own_presence == [chat.events[-1]]
    chat.room.show_status(bot, Status.ACTIVO, "user", TIME)
    assert bot.own_presence == chat.events[-2:]
    assert ana.own_presence is None


# --- what has to be stored -----------------------------------------------------------------------


@pytest.mark.parametrize(("keeps_visits", "ends"), [(True, [None, LATER]), (False, [])])
def test_sessions_are_among_the_changes_if_they_are_kept(keeps_visits, ends):
    chat = Chat(keeps_visits=keeps_visits)
    ana = chat.enter("ana")
    assert chat.room.release(ana, CloseReason.QUIT, LATER)
    visits = chat.room.pop_changes()
    assert [visit.ended for visit in visits if isinstance(visit, Visit)] == ends
    assert len(visits) == len(ends)
    assert chat.room.changes == []


def test_attendance_can_have_another_reason_than_everyone_is_told():
    chat = Chat()
    ana = chat.enter("ana")
    chat.room.release(ana, CloseReason.LOST, TIME, recorded=CloseReason.SHUTDOWN)
    *_others, left = chat.events
    assert isinstance(left, Left)
    assert left.reason == CloseReason.LOST
    *_others, visit = chat.room.pop_changes()
    assert isinstance(visit, Visit)
    assert visit.reason == "shutdown"
