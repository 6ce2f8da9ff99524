"""The Hub's verbs for statuses, activity and lists."""

import pytest
from hub_chat import Chat, code
from standing_clock import START_TIME

from tertulia.protocol.messages import (
    ChatMessage,
    Direct,
    ErrorCode,
    GetInfo,
    ListUsers,
    Ok,
    Presence,
    SetStatus,
    Status,
    User,
    UserInfo,
    UserList,
)


@pytest.fixture
def chat() -> Chat:
    return Chat()


def presences(chat: Chat) -> list[tuple[Status, str]]:
    return [(event.status, event.by) for event in chat.events() if isinstance(event, Presence)]


def test_a_status_is_changed_once_and_everyone_is_told_once(chat):
    ana = chat.join("ana")
    assert chat.hub.set_status(ana, SetStatus(id=1, status="OCUPADO")) == Ok(id=1)
    assert chat.hub.set_status(ana, SetStatus(id=2, status="OCUPADO")) == Ok(id=2)
    assert chat.hub.set_status(ana, SetStatus(status="OCUPADO")) is None
    assert presences(chat) == [("OCUPADO", "user")]


@pytest.mark.parametrize("status", ["", "activo", "AUSENTE"])
def test_an_unknown_status_is_refused(chat, status):
    refusal = chat.hub.set_status(chat.join("ana"), SetStatus(id=1, status=status))
    assert (code(refusal), refusal.id) == (ErrorCode.STATUS_INVALID, 1)


@pytest.mark.parametrize("chosen", [Status.ACTIVO, Status.OCUPADO])
def test_an_idle_user_gets_the_chosen_status_back_at_the_next_request(chat, chosen):
    ana = chat.join("ana")
    chat.hub.set_status(ana, SetStatus(status=chosen))
    chat.hub.idle(ana)
    assert presences(chat)[-1] == ("INACTIVO", "server")
    chat.say(ana)
    back, message = chat.events()[-2:]
    assert (type(back), back.status, back.by) == (Presence, chosen, "server")
    assert type(message) is ChatMessage


@pytest.mark.parametrize("verb", ["users", "info", "direct", "note_reading"])
def test_every_request_that_is_not_refused_is_activity(chat, verb):
    ana = chat.join("ana")
    chat.hub.idle(ana)
    chat.clock.s += 5
    match verb:
        case "users":
            chat.hub.users(ana, ListUsers())
        case "info":
            chat.hub.info(ana, GetInfo(name="ana"))
        case "direct":
            chat.directs.accept(ana, Direct(to="ana", text="x"))
        case _:
            chat.hub.note_reading(ana)
    assert presences(chat)[-1] == ("ACTIVO", "server")
    assert ana.last_active == 1_005.0


def test_choosing_a_status_is_activity(chat):
    ana = chat.join("ana")
    chat.clock.s += 5
    chat.hub.set_status(ana, SetStatus(status="ACTIVO"))
    assert ana.last_active == 1_005.0


def test_a_refused_request_is_no_activity(chat):
    ana = chat.join("ana")
    chat.hub.idle(ana)
    chat.clock.s += 5
    chat.say(ana, "")
    chat.directs.accept(ana, Direct(to="nadie", text="x"))
    chat.hub.info(ana, GetInfo(name="nadie"))
    chat.hub.set_status(ana, SetStatus(status="x"))
    assert presences(chat)[-1] == ("INACTIVO", "server")
    assert ana.last_active == 1_000.0


def test_a_user_who_chose_inactive_stays_so(chat):
    ana = chat.join("ana")
    chat.hub.set_status(ana, SetStatus(status="INACTIVO"))
    chat.hub.idle(ana)
    chat.say(ana)
    assert presences(chat) == [("INACTIVO", "user")]


def test_choosing_inactive_while_idle_is_kept_and_told_to_nobody(chat):
    ana = chat.join("ana")
    chat.hub.idle(ana)
    chat.hub.idle(ana)
    assert chat.hub.set_status(ana, SetStatus(id=1, status="INACTIVO")) == Ok(id=1)
    chat.say(ana)
    assert presences(chat) == [("INACTIVO", "server")]


def test_an_idle_user_who_asks_for_a_status_goes_straight_to_it(chat):
    ana = chat.join("ana")
    chat.hub.idle(ana)
    chat.hub.set_status(ana, SetStatus(status="OCUPADO"))
    assert presences(chat) == [("INACTIVO", "server"), ("OCUPADO", "user")]


def test_a_session_that_asked_for_messages_alone_has_its_own_presence_put_aside(chat):
    bot, ana = chat.join("bot", events="messages"), chat.join("ana", events="all")
    chat.hub.set_status(ana, SetStatus(status="OCUPADO"))
    assert (bot.own_presence, ana.own_presence) == ((), None)
    chat.hub.set_status(bot, SetStatus(status="OCUPADO"))
    assert bot.own_presence == [chat.events()[-1]]


def test_the_list_says_at_which_point_it_is_true(chat):
    ana = chat.join("ana")
    chat.join("luis")
    chat.hub.set_status(ana, SetStatus(status="OCUPADO"))
    rows = [User(name="ana", status=Status.OCUPADO), User(name="luis", status=Status.ACTIVO)]
    assert chat.hub.users(ana, ListUsers(id=9)) == UserList(id=9, seq=3, users=rows)


def test_the_list_shows_an_idle_user_who_asks_for_it_as_active(chat):
    ana = chat.join("ana")
    chat.hub.idle(ana)
    rows = [User(name="ana", status=Status.ACTIVO)]
    assert chat.hub.users(ana, ListUsers()) == UserList(seq=3, users=rows)


def test_the_people_are_those_of_one_moment(chat):
    ana = chat.join("ana")
    people = chat.hub.people()
    chat.join("luis")
    assert people == [ana]


def test_info_tells_address_status_since_and_idleness(chat):
    ana = chat.join("ana", "10.0.0.1")
    chat.clock.s += 60
    luis = chat.join("luis", "10.0.0.2")
    chat.clock.s += 12.7
    assert chat.hub.info(luis, GetInfo(id=4, name="ANA")) == UserInfo(
        id=4,
        name="ana",
        address="10.0.0.1",
        status=Status.ACTIVO,
        since=START_TIME,
        idle=72,
    )
    chat.hub.idle(ana)
    assert chat.hub.info(luis, GetInfo(name="ana")).status is Status.INACTIVO, "what all see"
    own = chat.hub.info(ana, GetInfo(name="ana"))
    assert isinstance(own, UserInfo)
    assert own.idle == 0


# --- a newcomer who was idle before ---------------------------------------------------------------


def test_a_status_that_a_newcomer_asks_for_is_shown_from_the_start(chat):
    ana = chat.join("ana", status="OCUPADO")
    assert (ana.status, ana.chosen) == (Status.OCUPADO, Status.OCUPADO)
    refusal = chat.register("luis", "10.0.0.9", status="AUSENTE")
    assert (code(refusal), refusal.id) == (ErrorCode.STATUS_INVALID, 1)


@pytest.mark.parametrize(
    ("idle_s", "idle_after_s", "status"),
    [(119.5, 120, "OCUPADO"), (120, 120, "INACTIVO"), (1_000_000, None, "OCUPADO")],
)
def test_a_newcomer_who_has_done_nothing_for_long_enough_begins_inactive(
    idle_s, idle_after_s, status
):
    chat = Chat(idle_after_s=idle_after_s)
    ana = chat.join("ana", status="OCUPADO", idle=idle_s)
    assert (ana.status, ana.chosen) == (status, "OCUPADO")
    assert ana.last_active == 1_000.0 - idle_s


@pytest.mark.parametrize("verb", ["say", "set_status"])
def test_a_newcomer_who_began_inactive_comes_to_life_by_acting_and_not_by_catching_up(chat, verb):
    ana = chat.join("ana", idle=500)
    chat.hub.users(ana, ListUsers())
    chat.hub.note_reading(ana)
    assert (ana.status, ana.last_active) == ("INACTIVO", 500.0)
    if verb == "say":
        chat.say(ana)
    else:
        chat.hub.set_status(ana, SetStatus(status="ACTIVO"))
    assert (ana.status, ana.last_active) == ("ACTIVO", 1_000.0)
    chat.clock.s += 200
    chat.hub.idle(ana)
    chat.hub.users(ana, ListUsers())
    assert (ana.status, ana.last_active) == ("ACTIVO", 1_200.0)
