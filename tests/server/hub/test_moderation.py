"""The rules that operators have set: who is told, who may come in and speak, and what is kept."""

import pytest
from hub_chat import Keeper, code
from moderated_chat import Room, restarted
from msgspec import UNSET

from tertulia.protocol.hooks import CreateHook
from tertulia.protocol.lines import encode
from tertulia.protocol.messages import (
    CloseReason,
    Direct,
    ErrorCode,
    ListUsers,
    StoredMessage,
)
from tertulia.protocol.moderation import (
    BecomeOperator,
    ImposeBan,
    ImposeMute,
    Kick,
    LiftBan,
    LiftMute,
    ListBans,
    PinMessage,
    ReleaseName,
    SetHush,
    SetLock,
)
from tertulia.server.hub.records import Ban, Insider, Mute, Removed
from tertulia.server.hub.room import Conflict
from tertulia.server.hub.wait import Wait


@pytest.fixture
def room() -> Room:
    return Room()


def prepared(keeper: Keeper | None = None) -> Room:
    """A room where each of the requests below has something to do."""
    room = Room(keeper, hold_names_days=30)
    room.join("Eva", "10.0.0.9", key="k" * 22)
    pepe = room.join("pepe", "10.0.0.10")
    room.done(ImposeMute(name="pepe"))
    room.hub.release(pepe, CloseReason.QUIT)
    room.done(ImposeBan(name="zoe"))
    return room


CHANGES = [
    ImposeBan(id=4, name="luis"),
    LiftBan(id=4, name="zoe"),
    ImposeMute(id=4, name="luis"),
    LiftMute(id=4, name="pepe"),
    SetHush(id=4, on=True),
    SetLock(id=4, on=True),
    PinMessage(id=4),
    ReleaseName(id=4, name="eva"),
]
OTHERS = [Kick(id=4, name="luis"), ImposeBan(id=4, name="luis", check=True), ListBans(id=4)]


def kind(request) -> str:
    return type(request).__name__ + (" as a check" if getattr(request, "check", False) else "")


# --- every request -------------------------------------------------------------------------------


@pytest.mark.parametrize("request_", CHANGES + OTHERS, ids=kind)
def test_a_request_of_an_operator_is_activity_and_its_answer_bears_its_number(request_):
    room = prepared()
    room.hub.idle(room.ana)
    room.clock.s += 5
    outcome = room.do(request_)
    assert getattr(outcome, "answer", outcome).id == 4
    assert (room.ana.last_active, room.ana.status) == (1_005.0, "ACTIVO")


@pytest.mark.parametrize("request_", [Kick(name="luis"), *CHANGES], ids=kind)
def test_a_request_without_a_number_gets_no_answer(request_):
    fields = {name: getattr(request_, name) for name in request_.__struct_fields__ if name != "id"}
    assert prepared().done(type(request_)(**fields)).answer is None


@pytest.mark.parametrize("request_", CHANGES, ids=kind)
def test_without_room_in_the_keepers_queue_nothing_is_done_and_it_is_no_activity(request_):
    room = prepared(keeper := Keeper())
    room.clock.s += 5
    keeper.room, kept, before = 0, len(keeper.kept), room.events()
    assert room.do(request_) is Wait.FOR_SPACE
    assert (room.events(), len(keeper.kept)) == (before, kept)
    assert room.ana.last_active == 1_000.0
    keeper.room = 1
    assert room.done(request_).answer is Wait.FOR_DISK
    assert keeper.kept[-1][1].request_id == 4


def test_becoming_an_operator_is_activity(room):
    room.clock.s += 5
    assert room.hub.moderator.promote(room.luis, BecomeOperator(secret="")) is None
    assert room.luis.last_active == 1_005.0


def test_a_session_that_has_ended_becomes_no_operator_and_pins_nothing(room):
    room.hub.release(room.ana, CloseReason.QUIT)
    before = room.events()
    room.hub.release(room.luis, CloseReason.SHUTDOWN)
    assert room.hub.moderator.promote(room.luis, BecomeOperator(id=1, secret="")) is None
    found = StoredMessage(seq=1, time="2026-11-21T10:00:00.000Z", sender="eva", text="hola")
    pinned = room.hub.moderator.pin_found(room.ana, PinMessage(seq=1), room.owner, found)
    assert pinned is None
    assert room.events() == before


# --- kick and ban --------------------------------------------------------------------------------


@pytest.mark.parametrize("request_", [Kick(name="eva"), ImposeBan(name="eva")], ids=kind)
def test_senders_learn_that_the_expelled_user_did_not_get_their_messages(room, request_):
    eva = room.join("eva", receipts=True)
    room.directs.accept(room.luis, Direct(id=8, to="eva", text="hola"))
    [expelled] = room.done(request_).expelled
    assert expelled.session is eva
    [reply] = expelled.replies
    assert (reply.route, reply.answer.id) == (room.luis.route, 8)
    assert code(reply.answer) == ErrorCode.UNDELIVERED


def test_the_visit_of_a_kicked_user_is_kept_at_once():
    room = Room(keeper := Keeper())
    room.done(Kick(name="luis"))
    assert (keeper.visits[-1].name, keeper.visits[-1].reason) == ("Luis", "kicked")


def test_a_user_whom_a_ban_fits_by_name_and_by_address_is_expelled_once(room):
    assert len(room.done(ImposeBan(name="luis")).expelled) == 1


def test_a_newcomer_whose_ban_has_just_ended_comes_in(room):
    room.done(ImposeBan(name="luis", minutes=1))
    room.clock.s += 60
    assert room.enter("luis", "10.0.0.7").name == "luis"


@pytest.mark.parametrize("lift", [LiftBan(name="eva"), LiftMute(name="luis")])
def test_a_ban_or_mute_that_is_over_cannot_be_lifted(room, lift):
    room.done(ImposeBan(name="eva", minutes=1))
    room.done(ImposeMute(name="luis", minutes=1))
    room.clock.s += 60
    assert code(room.do(lift)) == "not_found"


def test_listing_the_bans_removes_those_that_are_over_from_the_disk():
    room = Room(keeper := Keeper())
    room.done(ImposeBan(name="eva", minutes=1))
    room.clock.s += 60
    assert room.bans() == []
    assert keeper.kept[-1] == ([Removed(Ban, "name:eva")], None)


def test_the_list_of_bans_leaves_out_what_a_ban_does_not_have(room):
    room.done(ImposeBan(address="10.0.0.200"))
    row = encode(room.do(ListBans())).split(b"[", 1)[1]
    assert b"null" not in row
    assert [word in row for word in (b'"name"', b'"until"', b'"reason"')] == [False] * 3


@pytest.mark.parametrize("name", ["no name", ""])
def test_what_can_be_no_name_is_neither_banned_nor_unmuted(room, name):
    assert code(room.do(ImposeBan(name=name))) == "user_not_connected"
    assert code(room.do(LiftMute(name=name))) == "not_found"


def test_a_reason_with_control_characters_is_invalid_however_long_it_is(room):
    refusal = room.do(Kick(name="luis", reason="\x1b" * 201))
    assert code(refusal) == "text_invalid"


def test_only_where_addresses_are_shared_a_ban_leaves_those_of_proxies_free():
    room = Room()
    room.join("eva", "127.0.0.1")
    room.done(ImposeBan(name="eva"))
    assert room.bans()[0].address == "127.0.0.1"
    room = Room(shared_addresses=True)
    room.join("eva", "10.0.0.9")
    room.done(ImposeBan(name="eva"))
    assert room.bans()[0].address == "10.0.0.9"


def test_a_user_who_has_no_address_is_banned_by_name_alone():
    room = Room(shared_addresses=True)
    room.join("eva", "a socket")
    room.done(ImposeBan(name="eva"))
    assert str(room.bans()[0].address) == "UNSET"


# --- mute ----------------------------------------------------------------------------------------


def test_there_may_be_many_mutes_but_not_any_number(room, monkeypatch):
    monkeypatch.setattr("tertulia.server.hub.moderator._MAX_PENALTIES", 2)
    eva, _leo = room.join("eva"), room.join("leo")
    room.done(ImposeMute(name="luis"))
    room.done(ImposeMute(name="eva"))
    assert code(room.do(ImposeMute(name="leo"))) == "busy"
    room.done(ImposeMute(name="eva", minutes=1))
    assert code(room.say(eva)) == "muted"


def test_who_was_muted_can_be_muted_again_after_being_away_for_long(room):
    room.done(ImposeMute(name="luis"))
    room.hub.release(room.luis, CloseReason.QUIT)
    room.clock.s += 3_600
    room.done(ImposeMute(name="luis", minutes=5))
    assert code(room.say(room.join("leo", "10.0.0.7"))) == "muted"  # the address is still held
    assert code(room.do(ImposeMute(name="nobody"))) == "user_not_connected"


def test_a_mute_from_another_address_frees_the_first_one(room):
    room.done(ImposeMute(name="luis"))
    room.hub.release(room.luis, CloseReason.QUIT)
    room.join("luis", "10.0.0.70")
    pepe = room.join("pepe", "10.0.0.7")
    assert code(room.say(pepe)) == "muted"
    room.done(ImposeMute(name="luis"))
    assert room.say(pepe) is None


def test_the_list_of_users_tells_a_mute_from_a_hush(room):
    room.done(SetHush(on=True))
    assert not any(row.muted for row in room.hub.users(room.ana, ListUsers()).users)


def test_a_user_who_may_not_speak_takes_no_room_in_the_keepers_queue():
    room = Room(keeper := Keeper())
    room.done(ImposeMute(name="luis"))
    keeper.room = 5
    assert code(room.say(room.luis)) == "muted"
    assert keeper.room == 5


# --- lock ----------------------------------------------------------------------------------------


def test_locking_a_locked_room_tells_nobody(room):
    room.done(SetLock(on=True))
    before = room.events()
    room.done(SetLock(on=True))
    assert room.events() == before


def test_a_locked_room_does_not_tell_which_names_are_held():
    room = prepared()
    room.done(CreateHook(name="build"))
    room.hub.release(room.hub._registry.find("eva"), CloseReason.KICKED)
    room.done(SetLock(on=True))
    refusals = [room.enter(name, "10.0.0.90") for name in ("eva", "build", "nobody")]
    assert [code(refusal) for refusal in refusals] == ["locked"] * 3


def test_somebody_with_the_name_of_a_user_who_is_in_the_locked_room_learns_that_it_is_taken(room):
    room.done(SetLock(on=True))
    assert code(room.enter("luis", "10.0.0.90")) == "name_taken"


def insiders(keeper: Keeper) -> list[tuple[str, bool]]:
    rows = restarted(keeper).keeper.rows
    return [(row.key, row.ended is None) for row in rows if isinstance(row, Insider)]


def test_who_comes_back_into_the_locked_room_is_kept_as_somebody_who_is_here():
    room = Room(keeper := Keeper())
    room.done(SetLock(on=True))
    room.hub.release(room.luis, CloseReason.QUIT)
    assert sorted(insiders(keeper)) == [("ana", True), ("luis", False)]
    room.join("luis", "10.0.0.7")
    assert sorted(insiders(keeper)) == [("ana", True), ("luis", True)]
    room.hub.release(room.hub._registry.find("luis"), CloseReason.SHUTDOWN)
    assert sorted(insiders(keeper)) == [("ana", True), ("luis", True)]


def test_a_restart_gives_nobody_more_time_to_come_back_into_the_locked_room():
    room = Room(keeper := Keeper())
    room.done(SetLock(on=True))
    room.clock.s -= 599.0  # before the restart
    room.hub.release(room.luis, CloseReason.QUIT)
    again = restarted(keeper)
    again.clock.s += 2.0
    assert code(again.enter("luis", "10.0.0.7")) == "locked"
    assert again.enter("ana", "10.0.0.1").locked, "she was here until the restart"


def test_who_leaves_an_open_room_is_no_insider():
    room = Room(keeper := Keeper())
    room.hub.release(room.luis, CloseReason.QUIT)
    assert insiders(keeper) == []


@pytest.mark.parametrize(
    ("away_s", "kept"), [(600, [("ana", True), ("luis", False)]), (601, [("ana", True)])]
)
def test_nobody_is_kept_as_an_insider_who_left_too_long_before_the_room_was_locked(away_s, kept):
    room = Room(keeper := Keeper())
    room.hub.release(room.luis, CloseReason.QUIT)
    room.clock.s += away_s
    room.done(SetLock(on=True))
    rows = [row for row in keeper.kept[-1][0] if isinstance(row, Insider)]
    assert sorted((row.key, row.ended is None) for row in rows) == kept


# --- who has left --------------------------------------------------------------------------------


def test_whoever_is_here_again_has_not_left(room):
    moderation = room.hub.moderator._moderation
    room.hub.release(room.luis, CloseReason.QUIT)
    assert [gone.name.shown for gone in moderation.departures] == ["Luis"]
    luis = room.join("luis", "10.0.0.7")
    assert moderation.departures == []
    room.hub.release(luis, CloseReason.SHUTDOWN)
    assert moderation.departures == []


def test_only_the_last_ones_to_leave_are_remembered(room, monkeypatch):
    monkeypatch.setattr("tertulia.server.hub.moderation._MAX_RECENT", 2)
    for name in ("a", "b", "c"):
        room.hub.release(room.join(name), CloseReason.QUIT)
    departures = room.hub.moderator._moderation.departures
    assert [gone.name.shown for gone in departures] == ["b", "c"]


# --- operators and hooks -------------------------------------------------------------------------


def test_an_operator_who_was_taken_over_is_still_protected_against_doubles(room):
    token = room.ana.token
    assert room.enter("ana", "10.0.0.9", token=token).operator
    assert code(room.enter("ana.", "10.0.0.90")) == "name_taken"
    room.hub.release(room.hub._registry.find("ana"), CloseReason.QUIT)
    assert room.hub.moderator._moderation.operators == {}
    assert room.enter("ana.", "10.0.0.90").name == "ana."


def test_an_operator_who_comes_again_challenges_the_session_that_was_left(room):
    assert room.register("ana", "10.0.0.1", may_challenge=True) == Conflict(room.ana)
    assert code(room.register("ana", "10.0.0.90", may_challenge=True)) == "name_taken"


def test_a_message_to_be_pinned_is_looked_for_in_the_log_and_then_in_the_history():
    room = Room()
    room.say(room.luis, "a las 8")
    said = room.last()
    find = room.hub.moderator.find_message
    assert find(PinMessage(seq=said.seq)).text == "a las 8"
    assert code(find(PinMessage(id=4, seq=1))) == "not_found"
    assert Room(Keeper()).hub.moderator.find_message(PinMessage(seq=1)) is Wait.FOR_MESSAGE


# --- after a crash -------------------------------------------------------------------------------


def test_what_has_ended_while_the_server_was_down_is_removed_at_its_start():
    before = Room(Keeper())
    time = before.hub._time()
    over = Mute(key="luis", name="Luis", until=time, operator="ana", time=time)
    keeper = Keeper()
    keeper.rows = [over]
    room = Room(keeper)
    assert keeper.kept[0] == ([Removed(Mute, "luis")], None)
    assert room.say(room.luis) is Wait.FOR_DISK


@pytest.mark.parametrize(("away_s", "comes_in"), [(600, True), (601, False)])
def test_users_may_come_back_into_a_locked_room_for_ten_whole_minutes(room, away_s, comes_in):
    room.hub.release(room.luis, CloseReason.QUIT)
    room.clock.s += away_s
    room.done(SetLock(on=True))
    assert code(room.enter("luis", "10.0.0.7")) == (None if comes_in else "locked")


@pytest.mark.parametrize(("away_s", "address"), [(600, "10.0.0.7"), (601, UNSET)])
def test_the_address_of_a_user_who_has_left_is_known_for_ten_whole_minutes(room, away_s, address):
    room.hub.release(room.luis, CloseReason.QUIT)
    room.clock.s += away_s
    room.done(ImposeBan(name="luis"))
    assert room.bans()[0].address == address
