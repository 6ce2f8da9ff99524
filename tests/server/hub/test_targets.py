"""Whom or what a ban or mute is for, and which one is meant when it is lifted."""

import pytest
from hub_chat import code
from moderated_chat import Room

from tertulia.protocol.moderation import (
    ImposeBan,
    ImposeMute,
    Kick,
    LiftBan,
    LiftMute,
)


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.mark.parametrize("name", ["nobody", "", "no name", "\0", "x" * 60_000])
def test_who_is_not_here_cannot_be_kicked_or_muted(room, name):
    for request in (Kick(name=name), ImposeMute(name=name)):
        assert code(room.do(request)) == "user_not_connected"


@pytest.mark.parametrize(
    ("reason", "problem"),
    [
        ("", "text_invalid"),
        (" ", "text_invalid"),
        ("\x1b[2J", "text_invalid"),
        ("x" * 201, "text_too_long"),
        ("ñ" * 60_000, "text_too_long"),
        ("ñ" * 200, None),
    ],
    ids=lambda value: str(value)[:4],
)
def test_a_reason_is_a_short_text(room, reason, problem):
    assert code(room.do(ImposeBan(name="luis", reason=reason))) == problem
    assert code(room.do(Kick(name="luis", reason=reason))) == (problem or "user_not_connected")


@pytest.mark.parametrize("address", ["", "luis", "10.0.0.300", "10.0.0.0/99", "x" * 60_000])
def test_what_is_no_address_is_refused(room, address):
    assert code(room.do(ImposeBan(address=address))) == "address_invalid"
    assert code(room.do(LiftBan(address=address))) == "address_invalid"


def test_a_name_that_looks_like_an_address_is_another_ban(room):
    room.join("10.0.0.7", "10.0.0.20")
    room.done(ImposeBan(name="10.0.0.7"))
    room.done(ImposeBan(address="10.0.0.7"))
    assert [row.address for row in room.bans()] == ["10.0.0.20", "10.0.0.7"]
    room.done(LiftBan(name="10.0.0.7"))
    assert [row.address for row in room.bans()] == ["10.0.0.7"]


def test_who_has_just_left_is_banned_with_the_address(room):
    room.hub.release(room.luis, "quit")
    room.done(ImposeBan(name="luis"))
    assert room.bans()[0].address == "10.0.0.7"


def test_who_was_never_here_is_banned_by_name_alone_and_a_second_ban_keeps_the_address(room):
    room.done(ImposeBan(name="Profesora"))
    assert code(room.enter("profesora", "10.0.0.30")) == "banned"
    room.done(ImposeBan(name="luis"))
    room.clock.s += 3_600
    room.done(ImposeBan(name="luis", minutes=5))
    assert [str(row.address) for row in room.bans()] == ["UNSET", "10.0.0.7"]


def test_an_address_that_others_share_is_not_held():
    room = Room(shared_addresses=True)
    eva = room.join("eva", "10.0.0.7")
    assert [each.session for each in room.done(ImposeBan(name="luis")).expelled] == [room.luis]
    assert room.enter("leo", "10.0.0.7").name == "leo"
    room.done(ImposeMute(name="eva"))
    assert code(room.say(eva)) == "muted"
    assert room.say(room.join("pepe", "10.0.0.7")) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_address_of_a_proxy_on_the_machine_is_not_held_where_addresses_are_shared(address):
    room = Room(shared_addresses=True)
    room.join("eva", address)
    room.done(ImposeBan(name="eva"))
    assert room.enter("leo", address).name == "leo"


def test_bans_are_lifted_by_name_or_by_address(room):
    room.join("eva", "10.0.0.8")
    room.done(ImposeBan(name="eva"))
    room.done(ImposeBan(address="10.0.0.8"))
    room.done(LiftBan(address="::ffff:10.0.0.8"))
    assert room.bans() == []
    room.done(ImposeBan(address="10.0.0.64/28"))
    refusal = room.do(LiftBan(address="10.0.0.65"))
    assert code(refusal) == "not_found"
    assert "10.0.0.64/28" in refusal.message
    for request in (LiftBan(name="nobody"), LiftBan(name="no name"), LiftBan(address="::1")):
        assert code(room.do(request)) == "not_found"


def test_a_mute_holds_for_the_name_and_for_the_address(room):
    room.done(ImposeMute(name="luis"))
    room.hub.release(room.luis, "quit")
    assert code(room.say(room.join("pepe", "10.0.0.7"))) == "muted"
    assert code(room.say(room.join("luis", "10.0.0.70"))) == "muted"
    room.done(LiftMute(name="pepe"))  # who has the mute of luis
    assert room.last().name == "Luis"
    assert code(room.do(LiftMute(name="luis"))) == "not_found"


def test_who_has_just_left_can_be_muted(room):
    room.hub.release(room.luis, "quit")
    room.done(ImposeMute(name="luis"))
    assert code(room.say(room.join("luis", "10.0.0.7"))) == "muted"


def test_a_second_mute_of_somebody_who_is_away_for_long_keeps_the_address(room):
    room.done(ImposeMute(name="luis"))
    room.hub.release(room.luis, "quit")
    room.clock.s += 3_600
    room.done(ImposeMute(name="luis", minutes=5))
    assert code(room.say(room.join("leo", "10.0.0.7"))) == "muted"
