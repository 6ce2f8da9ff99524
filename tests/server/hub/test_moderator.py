"""The requests of operators: what each does, to whom, and what is kept of it."""

import pytest
from hub_chat import Keeper, code
from moderated_chat import Room, restarted

from tertulia.protocol.lines import encode
from tertulia.protocol.messages import (
    ChatMessage,
    CloseReason,
    Closing,
    Joined,
    Left,
    ListUsers,
    Ok,
    Say,
    StoredMessage,
    UserList,
)
from tertulia.protocol.moderation import (
    BecomeOperator,
    Hushed,
    ImposeBan,
    ImposeMute,
    Kick,
    LiftBan,
    LiftMute,
    ListBans,
    Locked,
    Muted,
    PinMessage,
    Pinned,
    ReleaseName,
    Role,
    SetHush,
    SetLock,
    Unmuted,
)
from tertulia.server.hub.hub import Registered
from tertulia.server.hub.moderated import Moderated
from tertulia.server.hub.records import Ban, HeldName, Insider, Mute, Pin, Removed, Switch
from tertulia.server.hub.wait import Wait


@pytest.fixture
def room() -> Room:
    return Room()


# --- becoming an operator ------------------------------------------------------------------------


def test_an_operator_is_marked_for_all_and_told_once(room):
    assert room.events()[1] == Role(seq=2, time=room.events()[1].time, name="ana", operator=True)
    assert room.hub.moderator.promote(room.ana, BecomeOperator(id=3, secret="")) == Ok(id=3)
    assert [type(event) for event in room.events()].count(Role) == 1
    rows = room.hub.users(room.luis, ListUsers()).users
    assert [(row.name, row.operator) for row in rows] == [("ana", True), ("Luis", False)]


def test_a_take_over_keeps_the_operator(room):
    welcome = room.enter("ana", "10.0.0.9", token=room.ana.token)
    assert welcome.operator
    assert isinstance(room.last(), Joined)
    assert room.last().operator
    assert not room.enter("eva", "10.0.0.8").operator


@pytest.mark.parametrize(
    "request_",
    [
        Kick(name="ana"),
        ImposeBan(name="ana"),
        LiftBan(name="ana"),
        ListBans(),
        ImposeMute(name="ana"),
        LiftMute(name="ana"),
        SetHush(on=True),
        SetLock(on=True),
        PinMessage(),
    ],
    ids=lambda request: type(request).__name__,
)
def test_others_may_do_nothing_of_it(room, request_):
    before = room.events()
    assert code(room.do(request_, room.luis)) == "not_operator"
    assert room.events() == before


def test_an_operator_whose_session_has_ended_does_nothing_more(room):
    eva = room.join("eva")
    room.hub.moderator.promote(eva, BecomeOperator(secret=""))
    room.done(Kick(name="ana"), eva)
    assert room.do(SetHush(on=True), room.ana) is None
    assert not room.hub.say(room.luis, Say(text="hola"), room.owner)


# --- kick ----------------------------------------------------------------------------------------


def test_a_kick_ends_the_session_and_tells_all_who_did_it_and_why(room):
    done = room.done(Kick(id=5, name="lUIS", reason="spam"))
    assert done.answer == Ok(id=5)
    assert [each.session for each in done.expelled] == [room.luis]
    assert done.expelled[0].closing == Closing(reason="kicked", by="ana", text="spam")
    left = room.last()
    assert isinstance(left, Left)
    assert (left.name, left.reason, left.by, left.text) == ("Luis", "kicked", "ana", "spam")
    assert room.hub.release(room.luis, "lost") is None
    assert room.enter("luis", "10.0.0.7").name == "luis"


def test_a_kick_after_a_take_over_ends_the_session_that_is_here(room):
    outcome = room.register("luis", "10.0.0.7", token=room.luis.token)
    assert isinstance(outcome, Registered)
    assert [each.session for each in room.done(Kick(name="luis")).expelled] == [outcome.session]


def test_a_kicked_session_cannot_be_taken_over(room):
    room.done(Kick(name="luis"))
    outcome = room.register("luis", "10.0.0.7", token=room.luis.token)
    assert isinstance(outcome, Registered)
    assert outcome.replaced is None


# --- ban -----------------------------------------------------------------------------------------


def test_a_ban_by_name_holds_the_address_too_and_kicks(room):
    done = room.done(ImposeBan(name="luis", minutes=30, reason="spam"))
    assert done.expelled[0].closing == Closing(
        reason="kicked", retry_after=1_800.0, by="ana", text="spam"
    )
    for name, address in (("LUÍS", "10.0.0.99"), ("leo", "10.0.0.7"), ("leo", "::ffff:10.0.0.7")):
        refusal = room.enter(name, address)
        assert (code(refusal), refusal.retry_after, refusal.text) == ("banned", 1_800.0, "spam")
    assert room.enter("leo", "10.0.0.8").name == "leo"
    row = room.bans()[0]
    assert (row.name, row.address, row.by, row.reason) == ("Luis", "10.0.0.7", "ana", "spam")
    assert row.until == "2026-11-22T15:34:05.123Z"


def test_everyone_learns_by_whom_and_why_somebody_was_banned(room):
    room.done(ImposeBan(name="luis", reason="insultos"))
    left = room.last()
    assert (left.reason, left.by, left.text) == (CloseReason.KICKED, "ana", "insultos")


def test_a_ban_that_is_over_is_stored_no_longer_even_if_another_one_refuses_the_newcomer():
    room = Room(keeper := Keeper())
    room.done(ImposeBan(name="eva", minutes=1))
    room.done(ImposeBan(name="luis"))
    [over] = [row for row in room.hub.moderator._moderation.bans if row.name == "eva"]
    room.clock.s += 61
    assert code(room.enter("luis", "10.0.0.7")) == "banned"
    assert keeper.kept[-1] == ([Removed(Ban, over.key)], None)


def test_a_ban_ends_by_itself(room):
    room.done(ImposeBan(name="luis", minutes=1))
    room.clock.s += 59.9
    refusal = room.enter("luis", "10.0.0.7")
    assert 0 < refusal.retry_after < 0.2
    room.clock.s += 0.2
    assert room.bans() == []
    assert room.enter("luis", "10.0.0.7").name == "luis"


def test_a_ban_without_minutes_holds_until_it_is_lifted(room):
    room.done(ImposeBan(name="luis"))
    room.clock.s += 1e8
    refusal = room.enter("luis", "10.0.0.7")
    assert (code(refusal), str(refusal.retry_after)) == ("banned", "UNSET")
    room.done(LiftBan(name="LUIS"))
    assert room.enter("leo", "10.0.0.7").name == "leo"


def test_a_ban_of_a_network_kicks_all_in_it(room):
    eva = room.join("eva", "10.0.0.15")
    room.join("leo", "10.0.0.16")
    done = room.done(ImposeBan(address="10.0.0.8/29"))
    assert [each.session for each in done.expelled] == [eva]
    assert code(room.enter("eva", "10.0.0.9")) == "banned"
    assert room.bans()[0].address == "10.0.0.8/29"


def test_a_check_says_whom_a_ban_fits_and_does_nothing(room):
    answer = room.do(ImposeBan(id=4, address="10.0.0.0/24", check=True))
    assert isinstance(answer, UserList)
    assert [row.name for row in answer.users] == ["ana", "Luis"]
    assert room.bans() == []
    assert room.luis.is_here


@pytest.mark.parametrize(
    "ban",
    [
        ImposeBan(name="ANA"),
        ImposeBan(address="10.0.0.1"),
        ImposeBan(address="::ffff:10.0.0.1"),
        ImposeBan(address="10.0.0.0/28"),
        ImposeBan(address="0.0.0.0/0"),
    ],
)
def test_operators_cannot_ban_themselves(room, ban):
    assert code(room.do(ban)) == "address_invalid"
    assert room.bans() == []
    assert room.ana.is_here
    assert room.luis.is_here


def test_a_take_over_from_a_banned_address_is_refused(room):
    room.done(ImposeBan(address="10.0.0.20"))
    assert code(room.enter("luis", "10.0.0.20", token=room.luis.token)) == "banned"
    assert room.luis.is_here


def test_there_may_be_many_bans_but_not_any_number(room, monkeypatch):
    monkeypatch.setattr("tertulia.server.hub.moderator._MAX_PENALTIES", 2)
    room.done(ImposeBan(name="a"))
    room.done(ImposeBan(name="b"))
    assert code(room.do(ImposeBan(name="c"))) == "busy"
    assert isinstance(room.do(ImposeBan(name="a")), Moderated)


# --- mute ----------------------------------------------------------------------------------------


def test_a_muted_user_cannot_say_anything_and_all_know_it(room):
    room.done(ImposeMute(name="luis", minutes=10))
    event = room.last()
    assert isinstance(event, Muted)
    assert (event.name, event.until, event.by) == ("Luis", "2026-11-22T15:14:05.123Z", "ana")
    refusal = room.say(room.luis)
    assert (code(refusal), refusal.retry_after) == ("muted", 600.0)
    assert room.last() is event
    rows = {row.name: row.muted for row in room.hub.users(room.ana, ListUsers()).users}
    assert rows == {"ana": False, "Luis": True}
    room.clock.s += 600.1
    assert not any(row.muted for row in room.hub.users(room.ana, ListUsers()).users)
    assert room.say(room.luis) is None
    assert isinstance(room.last(), ChatMessage)


def test_a_refused_message_is_no_activity_and_uses_up_no_nonce(room):
    room.done(ImposeMute(name="luis"))
    active = room.luis.last_active
    room.clock.s += 5
    assert code(room.say(room.luis, nonce="n")) == "muted"
    assert room.luis.last_active == active
    room.done(LiftMute(name="luis"))
    assert isinstance(room.last(), Unmuted)
    room.say(room.luis, nonce="n")
    assert isinstance(room.last(), ChatMessage)


def test_what_was_said_before_a_mute_is_confirmed_when_it_is_sent_again(room):
    seq = room.say(room.luis, id=1, nonce="n").seq
    room.done(ImposeMute(name="luis"))
    assert room.say(room.luis, id=2, nonce="n") == Ok(id=2, seq=seq)
    assert code(room.say(room.luis, nonce="other")) == "muted"


# --- hush, lock, pin -----------------------------------------------------------------------------


def test_in_a_hushed_room_only_operators_speak(room):
    room.done(SetHush(on=True))
    assert (type(room.last()), room.last().on, room.last().by) == (Hushed, True, "ana")
    assert code(room.say(room.luis)) == "hushed"
    eva = room.join("eva")
    assert code(room.say(eva)) == "hushed"
    assert room.enter("leo", "10.0.0.40").hushed
    room.hub.moderator.promote(eva, BecomeOperator(secret=""))
    assert room.say(eva) is None
    assert room.say(room.ana) is None
    count = len(room.events())
    room.done(SetHush(on=True))
    assert len(room.events()) == count
    room.done(SetHush(on=False))
    assert room.say(room.luis) is None


def test_a_muted_user_stays_muted_after_a_hush(room):
    room.done(ImposeMute(name="luis"))
    room.done(SetHush(on=True))
    room.done(SetHush(on=False))
    assert code(room.say(room.luis)) == "muted"


def test_a_locked_room_lets_in_those_who_were_just_here(room):
    room.join("early", "10.0.0.50")
    room.hub.release(room.hub._registry.find("early"), "quit")
    room.clock.s += 601
    gone = room.join("gone", "10.0.0.51")
    room.hub.release(gone, "lost")
    room.done(SetLock(on=True))
    assert (type(room.last()), room.last().on) == (Locked, True)
    assert code(room.enter("new", "10.0.0.52")) == "locked"
    assert code(room.enter("early", "10.0.0.50")) == "locked"
    assert room.enter("gone", "10.0.0.53").locked
    assert room.enter("luis", "10.0.0.54", token=room.luis.token).locked
    luis = room.hub._registry.find("luis")
    room.hub.release(luis, "quit")
    room.clock.s += 599
    assert room.enter("luis", "10.0.0.7").locked
    room.hub.release(room.hub._registry.find("luis"), "quit")
    room.clock.s += 601
    assert code(room.enter("luis", "10.0.0.7")) == "locked"
    room.done(SetLock(on=False))
    assert not room.enter("new", "10.0.0.52").locked


def test_who_is_kicked_does_not_come_back_into_a_locked_room(room):
    room.done(SetLock(on=True))
    room.done(Kick(name="luis"))
    assert code(room.enter("luis", "10.0.0.7")) == "locked"
    room.done(SetLock(on=False))
    room.done(SetLock(on=True))
    assert code(room.enter("luis", "10.0.0.7")) == "locked"


def test_a_locked_room_does_not_tell_who_is_here(room):
    room.done(SetLock(on=True))
    codes = {code(room.enter(name, "10.0.0.60")) for name in ("nobody", "somebody")}
    assert codes == {"locked"}


def test_a_message_is_pinned_for_all_or_none(room):
    room.say(room.luis, "a las 8")
    said = room.last()
    room.done(PinMessage(seq=said.seq))
    message = StoredMessage(seq=said.seq, time=said.time, sender="Luis", text="a las 8")
    assert room.last() == Pinned(seq=said.seq + 1, time=room.last().time, by="ana", message=message)
    assert room.enter("eva", "10.0.0.8").pinned == message
    room.done(PinMessage())
    assert str(room.last().message) == "UNSET"
    count = len(room.events())
    room.done(PinMessage())
    assert len(room.events()) == count
    assert b"pinned" not in encode(room.enter("leo", "10.0.0.9"))


@pytest.mark.parametrize("seq", [0, 1, 2, 77, 2**53 - 1])
def test_only_a_message_can_be_pinned(room, seq):
    assert code(room.do(PinMessage(seq=seq))) == "not_found"


def test_an_older_message_is_looked_for_in_the_history():
    room = Room(Keeper())
    request = PinMessage(id=4, seq=17)
    assert room.do(request) is Wait.FOR_MESSAGE
    found = StoredMessage(seq=17, time="2026-11-21T10:00:00.000Z", sender="eva", text="hola")
    outcome = room.hub.moderator.pin_found(room.ana, request, room.owner, found)
    assert outcome == Moderated(Wait.FOR_DISK)
    assert room.last().message == found
    nothing = room.hub.moderator.pin_found(room.ana, request, room.owner, None)
    assert code(nothing) == "not_found"


def test_a_pinned_message_of_a_hook_keeps_its_mark_also_after_a_crash():
    keeper = Keeper()
    room = Room(keeper)
    fields = {"time": "2026-11-21T10:00:00.000Z", "sender": "build", "text": "ok"}
    for hook in (True, False, True):
        request, found = PinMessage(seq=17), StoredMessage(seq=17, **fields, hook=hook)
        room.hub.moderator.pin_found(room.ana, request, room.owner, found)
        assert room.last().message == found
        assert restarted(keeper).enter("eva", "10.0.0.8").pinned == found
    room.done(PinMessage())
    assert restarted(keeper).keeper.rows == []


# --- what is kept --------------------------------------------------------------------------------


def test_what_is_decided_is_acknowledged_once_it_is_kept():
    keeper = Keeper()
    room = Room(keeper)
    assert room.do(ImposeBan(id=9, name="luis")).answer is Wait.FOR_DISK
    (changes, receipt) = keeper.kept[-1]
    assert [type(change) for change in changes] == [Ban]
    assert (receipt.session_number, receipt.request_id, str(receipt.seq)) == (1, 9, "UNSET")
    keeper.room = 0
    before = len(room.events())
    for request in (ImposeBan(name="eva"), SetHush(on=True), SetLock(on=True), PinMessage()):
        assert room.do(request) is Wait.FOR_SPACE
    assert len(room.events()) == before
    assert len(room.bans()) == 1


def test_everything_that_holds_is_there_after_a_crash():
    keeper = Keeper()
    room = Room(keeper)
    room.say(room.ana, "hola")
    room.done(PinMessage(seq=room.last().seq))
    room.done(ImposeMute(name="luis", minutes=10))
    room.done(ImposeBan(name="eva", minutes=10))
    room.done(SetHush(on=True))
    room.done(SetLock(on=True))
    again = restarted(keeper)
    assert {type(row) for row in again.keeper.rows} == {Pin, Mute, Ban, Switch, Insider}
    again.ana = again.join("ana", "10.0.0.1")
    assert not again.ana.is_operator
    assert code(again.enter("eva", "10.0.0.8")) == "banned"
    assert code(again.enter("new", "10.0.0.9")) == "locked"
    welcome = again.enter("luis", "10.0.0.7")
    assert (welcome.hushed, welcome.locked, welcome.pinned.text) == (True, True, "hola")
    assert code(again.say(again.hub._registry.find("luis"))) == "muted"
    assert code(again.say(again.ana)) == "hushed"


def test_what_is_over_or_lifted_is_not_kept_any_longer():
    keeper = Keeper()
    room = Room(keeper)
    room.done(ImposeBan(name="eva", minutes=1))
    room.done(ImposeMute(name="luis", minutes=1))
    room.done(SetHush(on=True))
    room.done(SetHush(on=False))
    room.done(SetLock(on=True))
    room.done(SetLock(on=False))
    room.clock.s += 61
    assert room.say(room.luis) is Wait.FOR_DISK
    assert restarted(keeper).keeper.rows == []


def test_what_is_in_force_is_kept_under_keys_that_later_versions_know():
    room = Room(keeper := Keeper())
    found = StoredMessage(
        seq=17, time="2026-11-21T10:00:00.000Z", sender="build", text="ok", hook=True
    )
    room.done(SetHush(on=True))
    room.done(SetLock(on=True))
    room.hub.moderator.pin_found(room.ana, PinMessage(seq=17), room.owner, found)
    rows = [row for changes, _receipt in keeper.kept for row in changes]
    keys = [row.key for row in rows if isinstance(row, Switch)]
    assert keys == ["hushed", "locked", "pinned_hook"]


def test_a_lifted_ban_or_mute_is_lifted_on_the_disk_too():
    room = Room(keeper := Keeper())
    room.done(ImposeBan(name="eva"))
    room.done(ImposeMute(name="luis"))
    room.done(LiftBan(name="eva"))
    assert keeper.kept[-1][0] == [Removed(Ban, "name:eva")]
    room.done(LiftMute(name="luis"))
    assert keeper.kept[-1][0] == [Removed(Mute, "luis")]
    assert restarted(keeper).keeper.rows == []


def test_after_a_crash_those_who_were_in_the_locked_room_have_ten_minutes():
    keeper = Keeper()
    room = Room(keeper)
    room.done(SetLock(on=True))
    again = restarted(keeper)
    again.clock.s += 599
    assert again.enter("luis", "10.0.0.7").locked
    again.clock.s += 2
    assert code(again.enter("ana", "10.0.0.1")) == "locked"


# --- held names ----------------------------------------------------------------------------------


def test_a_name_that_an_operator_frees_is_for_the_next_one():
    keeper = Keeper()
    room = Room(keeper, hold_names_days=30)
    eva = room.join("Eva", key="k" * 22)
    done = room.done(ReleaseName(id=7, name="ÉVA"))
    assert done.answer is Wait.FOR_DISK
    assert keeper.kept[-1][0] == [Removed(HeldName, "eva")]
    assert eva.is_here
    room.hub.release(eva, CloseReason.QUIT)
    assert isinstance(room.register("eva", "10.0.0.9", key="o" * 22), Registered)


@pytest.mark.parametrize("name", ["luis", "nobody", "no name"])
def test_a_name_that_is_not_held_cannot_be_freed(name):
    assert code(Room(hold_names_days=30).do(ReleaseName(name=name))) == "not_found"
    assert code(Room().do(ReleaseName(name=name))) == "not_found"


def test_only_an_operator_frees_names():
    room = Room(hold_names_days=30)
    room.join("eva", key="k" * 22)
    assert code(room.do(ReleaseName(name="eva"), room.luis)) == "not_operator"
