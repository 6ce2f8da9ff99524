"""The verbs of the chat: no socket, no thread but where two have to race, a clock that stands."""

import threading
from datetime import UTC, datetime

import msgspec
import pytest

from tertulia.protocol.messages import (
    CloseReason,
    Direct,
    Error,
    ErrorCode,
    Gap,
    GetInfo,
    ListUsers,
    Ok,
    Register,
    Say,
    SetStatus,
    Status,
    UserInfo,
    UserList,
)
from tertulia.server.config import Config
from tertulia.server.hub.hub import Handover, Hub, InTheWay, Registered
from tertulia.server.hub.session import Session


class Clock:
    def __init__(self) -> None:
        self.s = 1_000.0

    def monotonic(self) -> float:
        return self.s

    def wall(self) -> float:
        return datetime(2026, 11, 22, 15, 4, 5, 123_456, UTC).timestamp() + self.s - 1_000


class Nowhere:
    """A home that keeps what it is asked to do."""

    def hand_over(self, session, line, reply): ...
    def challenge(self, session, reply): ...
    def evict(self, session): ...


class Room:
    """A hub with a clock of its own, and shorthands."""

    def __init__(self, **options):
        self.clock = Clock()
        self.joined = 0
        self.hub = Hub(
            Config(port=0, **options), monotonic=self.clock.monotonic, wall=self.clock.wall
        )

    def register(self, name, address="10.0.0.1", may_challenge=False, **fields):
        request = Register(id=1, name=name, **fields)
        return self.hub.register(request, address, Nowhere(), may_challenge=may_challenge)

    def join(self, name, address=None, **fields) -> Session:
        self.joined += 1
        address = address or f"10.0.1.{self.joined}"
        outcome = self.register(name, address, **fields)
        assert isinstance(outcome, Registered), outcome
        return outcome.session

    def events(self, after: int = 0, *, messages_only: bool = False):
        stretch = self.hub.events.take(after, 10_000_000, messages_only=messages_only)
        assert not isinstance(stretch, Gap)
        return [msgspec.json.decode(line) for line in stretch.data.splitlines()] if stretch else []

    def last_event(self):
        return self.events()[-1]


@pytest.fixture
def room() -> Room:
    return Room()


def code(outcome) -> str | None:
    return outcome.code if isinstance(outcome, Error) else None


# --- registration --------------------------------------------------------------------------------


def test_a_newcomer_is_welcomed_and_everyone_is_told(room):
    outcome = room.register("ana", "10.0.0.7")
    welcome = outcome.welcome
    assert (welcome.id, welcome.name, welcome.address) == (1, "ana", "10.0.0.7")
    assert (welcome.status, welcome.seq, welcome.idle_after) == (Status.ACTIVO, 0, 120)
    assert room.events() == [
        {
            "type": "joined",
            "seq": 1,
            "time": "2026-11-22T15:04:05.123Z",
            "name": "ana",
            "status": "ACTIVO",
        }
    ]


def test_tokens_differ_and_the_epoch_does_not(room):
    first, second = (room.register(name, name).welcome for name in ("ana", "luis"))
    assert first.token != second.token
    assert first.epoch == second.epoch != Room().register("ana").welcome.epoch


@pytest.mark.parametrize("twin", ["ana", "ＡＮＡ"])
def test_another_spelling_of_a_name_is_the_same_name(room, twin):
    room.join("ana", "10.0.0.1")
    refusal = room.register(twin, "10.0.0.2")
    assert code(refusal) == ErrorCode.NAME_TAKEN
    assert refusal.name == "ana"


def test_an_address_is_taken_by_one_user(room):
    room.join("ana", "10.0.0.1")
    assert code(room.register("luis", "10.0.0.1")) == ErrorCode.ADDRESS_TAKEN


def test_when_both_are_taken_it_is_the_name(room):
    room.join("ana", "10.0.0.1")
    room.join("luis", "10.0.0.2")
    assert code(room.register("ana", "10.0.0.2", may_challenge=True)) == ErrorCode.NAME_TAKEN


def test_shared_addresses_lift_the_rule():
    room = Room(shared_addresses=True)
    room.join("ana", "10.0.0.1")
    room.join("luis", "10.0.0.1")
    assert code(room.register("ana", "10.0.0.1")) == ErrorCode.NAME_TAKEN


def test_what_cannot_be_a_name_is_refused(room):
    assert code(room.register("ana maría")) == ErrorCode.NAME_INVALID


def test_another_protocol_is_refused(room):
    assert code(room.register("ana", protocol=2)) == ErrorCode.PROTOCOL_UNSUPPORTED
    assert isinstance(room.register("ana", protocol=1), Registered)


def test_a_full_server_refuses(room):
    room = Room(max_users=1)
    room.join("ana")
    assert code(room.register("luis")) == ErrorCode.SERVER_FULL


def test_who_came_from_the_newcomers_own_address_is_challenged_first(room):
    ana = room.join("ana", "10.0.0.1")
    assert room.register("ana", "10.0.0.1", may_challenge=True) == InTheWay(ana)
    assert room.register("luis", "10.0.0.1", may_challenge=True) == InTheWay(ana)
    assert code(room.register("ana", "10.0.0.2", may_challenge=True)) == ErrorCode.NAME_TAKEN


def test_with_shared_addresses_a_namesake_at_the_same_address_is_challenged():
    room = Room(shared_addresses=True)
    ana = room.join("ana", "10.0.0.1")
    assert room.register("ana", "10.0.0.1", may_challenge=True) == InTheWay(ana)
    assert isinstance(room.register("luis", "10.0.0.1", may_challenge=True), Registered)


def test_the_right_token_takes_a_hanging_session_over_and_keeps_the_chosen_status(room):
    old = room.join("ana", "10.0.0.1")
    room.hub.set_status(old, SetStatus(status="OCUPADO"))
    outcome = room.register("ana", "10.0.0.2", may_challenge=True, token=old.token)
    assert outcome.replaced is old
    assert outcome.welcome.status is Status.OCUPADO
    left, joined = room.events()[-2:]
    assert (left["type"], left["reason"]) == ("left", "replaced")
    assert (joined["type"], joined["status"]) == ("joined", "OCUPADO")
    assert outcome.welcome.seq == left["seq"]
    assert room.hub.release(old, CloseReason.LOST) is False
    assert isinstance(room.register("luis", "10.0.0.1"), Registered)  # the old address is free


def test_a_session_that_the_server_had_set_to_inactive_is_taken_over_as_chosen(room):
    old = room.join("ana")
    room.hub.idle(old)
    assert room.register("ana", token=old.token).welcome.status is Status.ACTIVO


def test_a_wrong_token_is_as_good_as_none(room):
    old = room.join("ana", "10.0.0.1")
    for token in ("", "x", "ñ", old.token + "x"):
        assert code(room.register("ana", "10.0.0.2", token=token)) == ErrorCode.NAME_TAKEN


def test_a_token_does_not_open_an_address_that_somebody_else_has(room):
    old = room.join("ana", "10.0.0.1")
    room.join("luis", "10.0.0.2")
    refusal = room.register("ana", "10.0.0.2", may_challenge=True, token=old.token)
    assert code(refusal) == ErrorCode.ADDRESS_TAKEN


def test_the_token_of_a_session_that_has_ended_opens_nothing(room):
    old = room.join("ana")
    room.hub.release(old, CloseReason.QUIT)
    room.join("ANA", "10.0.0.9")
    assert code(room.register("ana", "10.0.0.8", token=old.token)) == ErrorCode.NAME_TAKEN


def test_of_many_who_ask_for_one_name_at_one_instant_exactly_one_gets_it(room):
    barrier = threading.Barrier(50)
    outcomes = []

    def ask(number: int) -> None:
        barrier.wait(10)
        outcomes.append(room.register("ana", f"10.0.2.{number}"))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sum(isinstance(outcome, Registered) for outcome in outcomes) == 1
    assert [code(outcome) for outcome in outcomes].count(ErrorCode.NAME_TAKEN) == 49


# --- release -------------------------------------------------------------------------------------


def test_a_released_name_and_address_are_free_at_once(room):
    ana = room.join("ana", "10.0.0.1")
    assert room.hub.release(ana, CloseReason.LOST)
    assert room.last_event()["type"] == "left"
    assert room.last_event()["reason"] == "lost"
    room.join("ana", "10.0.0.1")


def test_releasing_twice_tells_nobody_twice(room):
    ana = room.join("ana")
    room.hub.release(ana, CloseReason.QUIT)
    before = len(room.events())
    assert not room.hub.release(ana, CloseReason.LOST)
    assert len(room.events()) == before


def test_a_released_session_can_do_nothing_more(room):
    ana = room.join("ana")
    room.join("luis")
    room.hub.release(ana, CloseReason.QUIT)
    before = room.events()
    assert room.hub.say(ana, Say(text="hola")) is None
    assert room.hub.direct(ana, Direct(to="luis", text="hola")) is None
    assert room.hub.set_status(ana, SetStatus(status="OCUPADO")) is None
    room.hub.idle(ana)
    assert room.events() == before


def test_at_the_servers_end_nobody_is_told_who_left(room):
    ana = room.join("ana")
    assert room.hub.release(ana, CloseReason.SHUTDOWN)
    assert room.last_event()["type"] == "joined"


# --- talking -------------------------------------------------------------------------------------


def test_a_message_is_encoded_once_for_both_audiences(room):
    ana = room.join("ana")
    assert room.hub.say(ana, Say(id=3, text="hola")) == Ok(id=3, seq=2)
    assert room.last_event() == {
        "type": "message",
        "seq": 2,
        "time": "2026-11-22T15:04:05.123Z",
        "from": "ana",
        "text": "hola",
    }
    log = room.hub.events
    everything, messages = log.take(1, 1_000), log.take(0, 1_000, messages_only=True)
    assert everything is not None
    assert messages is not None
    assert everything.data is messages.data


def test_a_repeated_nonce_is_the_same_message_also_with_another_text(room):
    ana = room.join("ana")
    first = room.hub.say(ana, Say(id=1, text="hola", nonce="n"))
    again = room.hub.say(ana, Say(id=2, text="adiós", nonce="n"))
    assert (first, again) == (Ok(id=1, seq=2), Ok(id=2, seq=2))
    assert room.last_event()["nonce"] == "n"
    assert len(room.events()) == 2


def test_a_nonce_belongs_to_a_name_and_outlives_the_session(room):
    ana = room.join("ana", "10.0.0.1")
    luis = room.join("luis", "10.0.0.2")
    room.hub.say(ana, Say(text="hola", nonce="n"))
    assert room.hub.say(luis, Say(id=1, text="hola", nonce="n")) == Ok(id=1, seq=4)
    room.hub.release(ana, CloseReason.LOST)
    ana = room.join("ana", "10.0.0.1")
    assert room.hub.say(ana, Say(id=2, text="hola", nonce="n")) == Ok(id=2, seq=3)


def test_a_refused_message_uses_up_no_nonce(room):
    ana = room.join("ana")
    assert code(room.hub.say(ana, Say(text=" ", nonce="n"))) == ErrorCode.TEXT_INVALID
    assert room.hub.say(ana, Say(id=1, text="hola", nonce="n")) == Ok(id=1, seq=2)


def test_a_direct_message_is_handed_over_and_nobody_else_sees_it(room):
    ana, luis = room.join("ana"), room.join("luis")
    outcome = room.hub.direct(ana, Direct(to="LUIS", text="hola", nonce="n"))
    assert isinstance(outcome, Handover)
    assert outcome.session is luis
    assert msgspec.json.decode(outcome.line) == {
        "type": "direct",
        "time": "2026-11-22T15:04:05.123Z",
        "from": "ana",
        "to": "luis",
        "text": "hola",
        "nonce": "n",
    }
    assert [event["type"] for event in room.events()] == ["joined", "joined"]


def test_a_direct_message_to_oneself_is_allowed(room):
    ana = room.join("ana")
    outcome = room.hub.direct(ana, Direct(to="ana", text="nota"))
    assert isinstance(outcome, Handover)
    assert outcome.session is ana


def test_a_direct_message_counts_as_said_once_it_is_delivered(room):
    ana = room.join("ana")
    room.join("luis")
    request = Direct(id=1, to="luis", text="hola", nonce="n")
    assert isinstance(room.hub.direct(ana, request), Handover)
    again = room.hub.direct(ana, request)  # while another worker has the first
    assert (code(again), again.id) == (ErrorCode.RATE_LIMITED, 1)
    room.hub.direct_done(ana, request, delivered=False)
    assert isinstance(room.hub.direct(ana, request), Handover)
    room.hub.direct_done(ana, request, delivered=True)
    assert room.hub.direct(ana, request) == Ok(id=1)


@pytest.mark.parametrize("name", ["nadie", "no es un nombre"])
def test_who_is_not_here_cannot_be_written_to_or_looked_up(room, name):
    ana = room.join("ana")
    for outcome in (
        room.hub.direct(ana, Direct(id=5, to=name, text="hola")),
        room.hub.info(ana, GetInfo(id=5, name=name)),
    ):
        assert code(outcome) == ErrorCode.USER_NOT_CONNECTED
        assert (outcome.id, outcome.name) == (5, name)


@pytest.mark.parametrize("verb", ["say", "direct"])
def test_bad_texts_are_refused(room, verb):
    ana = room.join("ana")

    def send(text):
        if verb == "say":
            return room.hub.say(ana, Say(text=text))
        return room.hub.direct(ana, Direct(to="ana", text=text))

    assert code(send("")) == ErrorCode.TEXT_INVALID
    assert code(send("a\x1b[31m")) == ErrorCode.TEXT_INVALID
    assert code(send("ñ" * 8_193)) == ErrorCode.TEXT_TOO_LONG
    assert code(send("ñ" * 8_192)) is None


# --- status --------------------------------------------------------------------------------------


def test_a_status_is_changed_once_and_everyone_is_told_once(room):
    ana = room.join("ana")
    assert room.hub.set_status(ana, SetStatus(id=1, status="OCUPADO")) == Ok(id=1)
    assert room.hub.set_status(ana, SetStatus(id=2, status="OCUPADO")) == Ok(id=2)
    presences = [event for event in room.events() if event["type"] == "presence"]
    assert [(p["name"], p["status"], p["by"]) for p in presences] == [("ana", "OCUPADO", "user")]


@pytest.mark.parametrize("status", ["", "activo"])
def test_an_unknown_status_is_refused(room, status):
    ana = room.join("ana")
    refusal = room.hub.set_status(ana, SetStatus(status=status))
    assert code(refusal) == ErrorCode.STATUS_INVALID


@pytest.mark.parametrize("chosen", [Status.ACTIVO, Status.OCUPADO])
def test_an_idle_user_gets_the_chosen_status_back_at_the_next_request(room, chosen):
    ana = room.join("ana")
    room.hub.set_status(ana, SetStatus(status=chosen))
    room.hub.idle(ana)
    assert (room.last_event()["status"], room.last_event()["by"]) == ("INACTIVO", "server")
    room.hub.say(ana, Say(text="hola"))
    back, message = room.events()[-2:]
    assert (back["type"], back["status"], back["by"]) == ("presence", chosen, "server")
    assert message["type"] == "message"


@pytest.mark.parametrize("verb", ["users", "info", "direct"])
def test_every_request_that_is_not_refused_is_activity(room, verb):
    ana = room.join("ana")
    room.hub.idle(ana)
    if verb == "users":
        room.hub.users(ana, ListUsers())
    elif verb == "info":
        room.hub.info(ana, GetInfo(name="ana"))
    else:
        room.hub.direct(ana, Direct(to="ana", text="x"))
    assert room.last_event()["status"] == "ACTIVO"


def test_a_refused_request_is_no_activity(room):
    ana = room.join("ana")
    room.hub.idle(ana)
    room.hub.say(ana, Say(text=""))
    room.hub.direct(ana, Direct(to="nadie", text="x"))
    room.hub.info(ana, GetInfo(name="nadie"))
    room.hub.set_status(ana, SetStatus(status="x"))
    assert room.last_event()["status"] == "INACTIVO"


def test_who_chose_inactive_stays_so(room):
    ana = room.join("ana")
    room.hub.set_status(ana, SetStatus(status="INACTIVO"))
    room.hub.idle(ana)
    room.hub.say(ana, Say(text="hola"))
    assert ana.status is Status.INACTIVO


def test_choosing_inactive_while_idle_is_kept_without_another_push(room):
    ana = room.join("ana")
    room.hub.idle(ana)
    before = len(room.events())
    assert room.hub.set_status(ana, SetStatus(id=1, status="INACTIVO")) == Ok(id=1)
    room.hub.say(ana, Say(text="hola"))
    assert len(room.events()) == before + 1
    assert ana.status is Status.INACTIVO


def test_an_idle_user_who_asks_for_a_status_goes_straight_to_it(room):
    ana = room.join("ana")
    room.hub.idle(ana)
    room.hub.set_status(ana, SetStatus(status="OCUPADO"))
    presences = [event for event in room.events() if event["type"] == "presence"]
    assert [(p["status"], p["by"]) for p in presences] == [
        ("INACTIVO", "server"),
        ("OCUPADO", "user"),
    ]


def test_who_asked_for_messages_alone_gets_the_own_presence_privately(room):
    bot = room.join("bot", events="messages")
    ana = room.join("ana")
    room.hub.set_status(ana, SetStatus(status="OCUPADO"))
    assert bot.own_events == []
    room.hub.set_status(bot, SetStatus(status="OCUPADO"))
    assert [msgspec.json.decode(line)["name"] for _, line in bot.own_events] == ["bot"]
    assert room.events(messages_only=True) == []


# --- lists ---------------------------------------------------------------------------------------


def test_the_list_says_at_which_point_it_is_true(room):
    ana = room.join("ana")
    room.join("luis")
    room.hub.set_status(ana, SetStatus(status="OCUPADO"))
    users = room.hub.users(ana, ListUsers(id=9))
    assert isinstance(users, UserList)
    assert (users.id, users.seq) == (9, 3)
    assert [(user.name, user.status) for user in users.users] == [
        ("ana", "OCUPADO"),
        ("luis", "ACTIVO"),
    ]


def test_info_tells_address_status_since_and_idleness(room):
    ana = room.join("ana", "10.0.0.1")
    room.clock.s += 60
    luis = room.join("luis", "10.0.0.2")
    room.clock.s += 12.7
    assert room.hub.info(luis, GetInfo(id=4, name="ANA")) == UserInfo(
        id=4,
        name="ana",
        address="10.0.0.1",
        status=Status.ACTIVO,
        since="2026-11-22T15:04:05.123Z",
        idle=72,
    )
    own = room.hub.info(ana, GetInfo(name="ana"))
    assert isinstance(own, UserInfo)
    assert own.idle == 0
