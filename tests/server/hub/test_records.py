"""Which row of a table a change is about."""

from tertulia.server.hub.records import Ban, Mute, Removed, Visit, place_of

NOW = "2026-11-22T15:04:05.123Z"
MUTE = Mute(key="ana", name="Ana", operator="luis", time=NOW)


def test_a_row_and_its_removal_are_about_the_same_place() -> None:
    assert place_of(MUTE) == (Mute, "ana")
    assert place_of(Removed(Mute, "ana")) == (Mute, "ana")
    assert place_of(Removed(Visit, 7)) == (Visit, 7)


def test_rows_of_two_kinds_never_share_a_place() -> None:
    assert place_of(Ban(key="ana", operator="luis", time=NOW)) != place_of(MUTE)
