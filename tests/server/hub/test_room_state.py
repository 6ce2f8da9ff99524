"""Going on from the state of another room, as if one had been there from the start."""

import threading
from typing import Any

import msgspec
import pytest

from tertulia.protocol.messages import (
    ChatMessage,
    CloseReason,
    ErrorCode,
    Status,
    StoredMessage,
)
from tertulia.protocol.names import parse_name
from tertulia.server.hub.eventlog import EventLog
from tertulia.server.hub.held_names import HeldNames
from tertulia.server.hub.moderation import Silence
from tertulia.server.hub.nonces import RecentNonces
from tertulia.server.hub.records import Ban, Hook, Mute, Removed, Visit
from tertulia.server.hub.room import Entered, Newcomer, Refused, Room
from tertulia.server.hub.room_state import RoomState
from tertulia.server.hub.session import Route, Session

TIME, LATER, MUCH_LATER = (f"2026-11-22T{time}:00.000Z" for time in ("15:04", "15:09", "16:30"))
HOOK = Hook(key="hash", name="backup", operator="ana", time=TIME)


class Chat:
    """A room with all that it can have, and shorthands."""

    def __init__(self, *, holds_names: bool = True) -> None:
        self.log = EventLog(threading.Lock(), 1_000_000)
        held = HeldNames(30.0, [], "1970-01-01T00:00:00.000Z") if holds_names else None
        nonces = RecentNonces[int](600, 100)
        self.room = Room(self.log, nonces, shared_addresses=False, max_users=50, held_names=held)
        self.entered = 0

    def register(
        self, spelling: str, address: str, time: str = TIME, **fields: Any
    ) -> Entered | Refused:
        name = parse_name(spelling)
        assert name is not None
        self.entered += 1
        newcomer = Newcomer(
            *(name, address, fields.pop("token", None), False, False),
            key_hash=fields.pop("key_hash", None),
        )
        route = Route(fields.pop("node", "lab1"), self.entered)
        outcome = self.room.register(newcomer, route, f"token-{spelling}", time, 5.0)
        assert isinstance(outcome, Entered | Refused)
        return outcome

    def enter(self, spelling: str, address: str, **fields: Any) -> Session:
        outcome = self.register(spelling, address, **fields)
        assert isinstance(outcome, Entered), outcome
        return outcome.session

    def find(self, name: str) -> Session:
        session = self.room.registry.find(name)
        assert session is not None
        return session

    def fresh(self) -> "Chat":
        """Return another room that goes on from the state of this one, as it travels."""
        packed = msgspec.msgpack.encode(self.room.state())
        other = Chat()
        other.log.begin_at(self.log.last_seq)
        other.visits = other.room.resume(msgspec.msgpack.decode(packed, type=RoomState))
        return other

    visits: list[Visit]


@pytest.fixture
def chat() -> Chat:
    chat = Chat()
    room, moderation = chat.room, chat.room.moderation
    ana = chat.enter("ana", "10.0.0.1", key_hash="of her key")
    moderation.promote(ana, TIME)
    chat.enter("Luis", "10.0.0.2", node="lab2")
    eva = chat.enter("eva", "10.0.0.3")
    room.release(chat.enter("gabi", "10.0.0.4"), CloseReason.QUIT, TIME)
    room.show_status(eva, Status.INACTIVO, "server", TIME)
    room.ban(Ban(key="name:mala", name="mala", address="10.0.0.9", operator="ana", time=TIME))
    mute = Mute(key="luis", name="Luis", until=LATER, operator="ana", time=TIME)
    moderation.mute(mute, TIME)
    moderation.lock("ana", TIME, on=True)
    said = room.say(ana, "hola", "n1", TIME, 100.0)
    assert isinstance(said, ChatMessage)
    pinned = StoredMessage(seq=said.seq, time=TIME, sender="ana", text="hola")
    moderation.pin_message(pinned, "ana", TIME)
    room.hooks.create(HOOK)
    room.post(HOOK, "hecho", TIME)
    return chat


def test_the_state_of_a_room_that_goes_on_is_the_same(chat: Chat) -> None:
    other = chat.fresh()
    assert other.room.state() == chat.room.state()
    assert other.room.pop_changes() == [], "nothing has changed"


def test_an_empty_room_has_an_empty_state() -> None:
    assert Chat(holds_names=False).room.state() == RoomState()


def test_users_are_as_they_were_and_where_they_were(chat: Chat) -> None:
    other = chat.fresh()
    luis, eva = other.find("luis"), other.find("eva")
    assert [one.name.shown for one in other.room.registry] == ["ana", "Luis", "eva"]
    assert luis.route == Route("lab2", 2)
    assert luis.is_here
    assert other.room.registry.at_address("10.0.0.2") is luis
    assert (eva.status, eva.chosen) == (Status.INACTIVO, Status.ACTIVO)
    assert (other.find("ana").is_operator, luis.is_operator) == (True, False)


def test_the_attendance_goes_on_with_the_rows_of_those_who_are_here(chat: Chat) -> None:
    other = chat.fresh()
    assert [(one.name, one.ended) for one in other.visits] == [
        *(("ana", None), ("Luis", None), ("eva", None))
    ]
    for room in (chat.room, other.room):
        room.pop_changes()
        luis = room.registry.find("luis")
        assert luis is not None
        room.release(luis, CloseReason.LOST, LATER)
    assert other.room.pop_changes() == chat.room.pop_changes()


def test_a_session_is_taken_over_with_the_token_that_it_had(chat: Chat) -> None:
    other = chat.fresh()
    outcome = other.register("eva", "10.0.0.33", LATER, token="token-eva", node="lab3")
    assert isinstance(outcome, Entered)
    assert outcome.replaced is not None
    assert outcome.session.status is Status.INACTIVO


def test_who_may_come_in_and_who_may_speak_is_known(chat: Chat) -> None:
    other = chat.fresh()
    moderation = other.room.moderation
    luis = other.find("luis")
    assert luis.is_silenced
    assert isinstance(moderation.silence_of(luis, TIME), Mute)
    assert moderation.silence_of(luis, LATER) is None, "the minutes are over"
    refused = {
        name: outcome.code
        for name, address in (("mala", "10.0.0.8"), ("otra", "10.0.0.9"), ("nadie", "10.0.0.10"))
        if isinstance(outcome := other.register(name, address, LATER), Refused)
    }
    assert refused == {
        "mala": ErrorCode.BANNED,
        "otra": ErrorCode.BANNED,
        "nadie": ErrorCode.LOCKED,
    }
    gabi = other.register("gabi", "10.0.0.4", LATER)
    assert isinstance(gabi, Entered), "she has just left the room"


def test_a_hush_holds_for_all_but_operators(chat: Chat) -> None:
    chat.room.moderation.hush("ana", TIME, on=True)
    other = chat.fresh()
    silences = {
        one.name.shown: other.room.moderation.silence_of(one, LATER) if one.is_silenced else None
        for one in other.room.registry
    }
    assert silences == {"ana": None, "Luis": Silence.HUSHED, "eva": Silence.HUSHED}


def test_names_are_held_for_their_keys(chat: Chat) -> None:
    other = chat.fresh()
    other.room.moderation.lock("ana", TIME, on=False)
    other.room.release(other.find("ana"), CloseReason.QUIT, TIME)
    refused = other.register("ana", "10.0.0.7", LATER)
    assert isinstance(refused, Refused)
    assert refused.code is ErrorCode.NAME_HELD
    assert isinstance(other.register("ana", "10.0.0.7", LATER, key_hash="of her key"), Entered)


def test_old_names_are_looked_for_at_the_same_moment(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tertulia.server.hub.held_names._MAX_HELD", 1)
    chat.room.moderation.lock("ana", TIME, on=False)
    chat.enter("zoe", "10.0.0.11", time=LATER, key_hash="of hers")  # looks for room, in vain
    other = chat.fresh()
    assert chat.room.state().held_names_looked_at == LATER
    assert other.room.state().held_names_looked_at == LATER


def test_the_nonces_can_be_left_out_of_the_state(chat: Chat) -> None:
    state = chat.room.state()
    assert len(state.nonces) == 1
    assert chat.room.state(with_nonces=False) == msgspec.structs.replace(state, nonces=[])


def test_names_of_a_single_server_are_held_too(chat: Chat) -> None:
    """The beginning of a log has rows, and no time of the last look."""
    other = Chat()
    other.room.resume(RoomState(rows=chat.room.state().rows))
    ana = parse_name("ana")
    assert ana is not None
    assert other.room.is_held(ana)


def test_hooks_and_the_pinned_message_are_known(chat: Chat) -> None:
    other = chat.fresh()
    assert other.room.hooks.find("hash") == HOOK
    assert other.room.hooks.used(HOOK) == TIME
    assert other.room.moderation.pinned == chat.room.moderation.pinned


def test_what_was_said_is_not_said_again(chat: Chat) -> None:
    other = chat.fresh()
    first = chat.room.say(chat.find("ana"), "hola", "n1", LATER, 200.0)
    assert isinstance(first, int)
    assert other.room.say(other.find("ana"), "hola", "n1", LATER, 200.0) == first
    assert isinstance(other.room.say(other.find("ana"), "hola", "n1", LATER, 701.0), ChatMessage)


def test_who_has_left_can_still_be_banned_with_the_address(chat: Chat) -> None:
    other = chat.fresh()
    departure = other.room.moderation.departure("gabi", LATER)
    assert departure is not None
    assert departure.address == "10.0.0.4"
    assert other.room.moderation.departure("gabi", MUCH_LATER) is None


def test_what_is_over_ends_at_the_same_moment(chat: Chat) -> None:
    other = chat.fresh()
    for room in (chat.room, other.room):
        room.pop_changes()
        room.moderation.expire(LATER)
        assert room.pop_changes() == [Removed(Mute, "luis")]


@pytest.mark.parametrize("first", ["anal", "ana1"])
def test_of_two_operators_who_look_alike_one_may_leave_without_leaving_the_other_alone(
    first: str,
) -> None:
    chat = Chat()
    for number, name in enumerate(("ana1", "anal")):
        chat.enter(name, f"10.0.0.{number}")
    second = {"anal": "ana1", "ana1": "anal"}[first]
    for name in (first, second):
        chat.room.moderation.promote(chat.find(name), TIME)
    for one in (chat.fresh(), chat):
        one.room.release(one.find(first), CloseReason.QUIT, TIME)
        refused = one.register("anaI", "10.0.0.9")
        assert isinstance(refused, Refused)
        assert (refused.code, refused.name) == (ErrorCode.NAME_TAKEN, second)
        one.room.release(one.find(second), CloseReason.QUIT, TIME)
        assert isinstance(one.register("anaI", "10.0.0.9"), Entered)
