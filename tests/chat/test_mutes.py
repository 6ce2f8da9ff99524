"""Mutes that end by themselves; what events and lists do to them is in tests/vectors/order.json."""

import pytest

from tertulia.chat.mutes import MAX_MUTES, Mutes
from tertulia.protocol.messages import Status, User, UserList


def test_the_next_end_is_the_earliest_and_a_mute_without_an_end_has_none() -> None:
    mutes = Mutes()
    assert mutes.next_end is None
    mutes.add("luis", 1, "2026-11-22T15:18:00.000Z")
    mutes.add("eva", 2, "2026-11-22T15:10:00.000Z")
    mutes.add("zoe", 3, None)
    assert mutes.next_end == "2026-11-22T15:10:00.000Z"
    assert not mutes.end_those_until("2026-11-22T15:09:59.000Z")
    assert mutes.end_those_until("2026-11-22T15:10:00.000Z")
    assert ["luis" in mutes, "eva" in mutes, "zoe" in mutes] == [True, False, True]
    assert mutes.until("luis") == "2026-11-22T15:18:00.000Z"
    assert mutes.until("zoe") is mutes.until("eva") is None


def test_a_second_mute_takes_the_place_of_the_first() -> None:
    mutes = Mutes()
    mutes.add("luis", 1, "2026-11-22T15:18:00.000Z")
    mutes.add("luis", 2, None)
    assert mutes.next_end is None
    assert "luis" in mutes


def test_no_more_than_a_bound_are_remembered() -> None:
    mutes = Mutes()
    for number in range(MAX_MUTES + 1):
        mutes.add(f"u{number}", number, None)
    assert "u0" not in mutes
    assert "u1" in mutes


def test_a_user_who_is_muted_again_is_the_last_to_be_forgotten() -> None:
    mutes = Mutes()
    for number in range(MAX_MUTES):
        mutes.add(f"u{number}", number, None)
    mutes.add("u0", MAX_MUTES, None)
    assert "u1" in mutes
    mutes.add("luis", MAX_MUTES + 1, None)
    assert ["u0" in mutes, "u1" in mutes, "luis" in mutes] == [True, False, True]


@pytest.mark.parametrize(("list_seq", "is_muted"), [(4, True), (5, False), (6, False)])
def test_a_list_that_is_not_older_than_a_mute_shows_its_end(list_seq: int, is_muted: bool) -> None:
    mutes = Mutes()
    mutes.add("luis", 5, None)
    mutes.learn(UserList(seq=list_seq, users=[User(name="luis", status=Status.ACTIVO)]))
    assert ("luis" in mutes) is is_muted


@pytest.mark.parametrize(("seq", "is_muted"), [(4, True), (5, True), (6, False)])
def test_only_what_a_user_says_later_shows_the_end_of_a_mute(seq: int, is_muted: bool) -> None:
    mutes = Mutes()
    mutes.add("luis", 5, None)
    mutes.note_speaker("luis", seq)
    assert ("luis" in mutes) is is_muted
