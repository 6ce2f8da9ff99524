"""A timeline: groups of one speaker, and the mark of what is new."""

from typing import Any

import pytest

from tertulia.protocol.messages import Joined, Status
from tertulia.tui.model import timeline as module
from tertulia.tui.model.timeline import Day, Delivery, New, Said, Timeline, Told, with_days


def at(minute: int, second: int = 0) -> str:
    return f"2025-01-10T12:{minute:02}:{second:02}.000Z"


def said(text: str, minute: int = 0, sender: str = "luis", **fields: Any) -> Said:
    return Said(**{"time": at(minute), "sender": sender, "text": text} | fields)


def filled(*entries: Said | Told) -> Timeline:
    timeline = Timeline()
    for entry in entries:
        timeline.add(entry)
    return timeline


def heads(timeline: Timeline) -> list[str]:
    """Return the texts that have a time and a name."""
    return [e.text for e in timeline.entries if isinstance(e, Said) and not e.continues]


def kinds(timeline: Timeline) -> list[object]:
    short = {Day: "day", New: "new"}
    return [e.text if isinstance(e, Said) else short.get(type(e), "…") for e in timeline.entries]


# --- groups ------------------------------------------------------------------------------------


def test_messages_of_one_speaker_are_a_group_until_five_minutes_have_passed() -> None:
    timeline = filled(said("a"), said("b", 2), said("c", 4), said("d", 5), said("e", 9))
    assert heads(timeline) == ["a", "d"]


@pytest.mark.parametrize(
    "between",
    [said("x", 1, "eva"), Told(at(1), str)],
    ids=["another speaker", "words of the program"],
)
def test_what_stands_between_two_messages_ends_a_group(between: Said | Told) -> None:
    timeline = filled(said("a"), between, said("b", 2))
    assert heads(timeline)[-1] == "b"


def test_comings_and_goings_end_a_group() -> None:
    timeline = filled(said("a"))
    timeline.fold(Joined(seq=1, time=at(1), name="eva", status=Status.ACTIVO))
    timeline.add(said("b", 1))
    assert heads(timeline) == ["a", "b"]


def test_a_day_ends_a_group() -> None:
    timeline = filled(
        said("a", time="2025-01-10T12:00:00Z"), said("b", time="2025-01-11T12:00:00Z")
    )
    assert heads(timeline) == ["a", "b"]


@pytest.mark.parametrize("time", ["soon", "", "2025-01-10T12:02:00"])
def test_a_time_that_is_none_ends_a_group(time: str) -> None:
    assert heads(filled(said("a"), said("b", time=time))) == ["a", "b"]


def test_a_message_from_before_its_group_begins_another() -> None:
    assert heads(filled(said("a", 3), said("b", 1))) == ["a", "b"]


def test_the_oldest_message_that_is_left_has_its_name_even_without_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_TRIMMED_AT_ONCE", 0)
    timeline = filled(*(said(text, time="soon") for text in ("a", "b", "c")))
    assert heads(timeline) == ["a"]
    timeline.forget_oldest(2)
    assert (kinds(timeline), heads(timeline)) == (["b", "c"], ["b"])


def test_only_entries_whose_group_has_changed_are_painted_again() -> None:
    mine = said("mine", 0, "ana", delivery=Delivery.SENDING)
    timeline = filled(mine, said("a", 1), said("b", 1), said("c", 9))
    timeline.watched = True
    timeline.set_time(mine, at(0, 30))
    assert timeline.pop_changed() == [mine]


def test_words_of_the_program_are_a_group() -> None:
    first, second = Told(at(0), str), Told(at(1), str)
    filled(first, second)
    assert (first.continues, second.continues) == (False, True)


def test_the_oldest_message_that_is_left_has_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TRIMMED_AT_ONCE", 0)
    timeline = filled(*(said(str(number)) for number in range(5)))
    timeline.watched = True
    timeline.forget_oldest(3)
    assert kinds(timeline) == ["day", "2", "3", "4"]
    assert heads(timeline) == ["2"]
    assert timeline.pop_changed() == [timeline.entries[1]]


def test_a_group_goes_on_over_a_page_of_older_messages() -> None:
    timeline = filled(said("c", 2), said("d", 3))
    timeline.watched = True
    timeline.add_older([said("a", 0), said("b", 1)])
    assert heads(timeline) == ["a"]
    assert [e.text for e in timeline.pop_changed() if isinstance(e, Said)] == ["c"]


def test_a_message_that_moves_leaves_and_joins_groups() -> None:
    mine = said("mine", 0, "ana")
    timeline = filled(mine, said("a", 1), said("b", 2))
    timeline.set_time(mine, at(3))
    assert heads(timeline) == ["a", "mine"]
    timeline.add(said("also mine", 4, "ana"))
    assert heads(timeline) == ["a", "mine"]


# --- what is new -------------------------------------------------------------------------------


def test_the_mark_stands_before_the_next_message_and_ends_a_group() -> None:
    timeline = filled(said("a"))
    timeline.mark_new()
    timeline.add(said("b"))
    assert kinds(timeline) == ["day", "a", "new", "b"]
    assert heads(timeline) == ["a", "b"]


def test_without_anything_older_nothing_is_marked() -> None:
    timeline = filled(Told(at(0), str))
    timeline.mark_new()
    assert timeline.new_mark is None


def test_there_is_one_mark_and_it_can_be_dropped() -> None:
    timeline = filled(said("a"))
    timeline.mark_new()
    timeline.add(said("b"))
    timeline.mark_new()
    timeline.add(said("c"))
    assert kinds(timeline) == ["day", "a", "b", "new", "c"]
    assert heads(timeline) == ["a", "c"]
    timeline.drop_new()
    assert kinds(timeline) == ["day", "a", "b", "c"]
    assert heads(timeline) == ["a"]
    assert timeline.pop_reordered()
    timeline.drop_new()
    assert not timeline.pop_reordered()


@pytest.mark.parametrize(("bound", "left"), [(4, "0 1 2 3"), (5, "a 0 1 2 3")])
def test_a_mark_with_nothing_left_above_it_goes(
    bound: int, left: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TRIMMED_AT_ONCE", 0)
    timeline = filled(said("a"))
    timeline.mark_new()
    for number in range(4):
        timeline.add(said(str(number)))
    timeline.forget_oldest(bound)
    assert kinds(timeline) == ["day", *left.split()]
    assert timeline.new_mark is None


def test_a_message_can_be_placed_behind_the_mark() -> None:
    mine = said("mine", 0, "ana")
    timeline = filled(said("a"), mine)
    timeline.mark_new()
    timeline.add(said("b", 1))
    timeline.set_time(mine, at(2))
    assert kinds(timeline) == ["day", "a", "new", "b", "mine"]


def test_a_message_is_not_placed_behind_one_that_is_still_on_its_way() -> None:
    first = said("first", 0, "ana", delivery=Delivery.SENDING)
    second = said("second", 1, "ana", delivery=Delivery.SENDING)  # by the clock here
    timeline = filled(first, second)
    timeline.set_time(first, at(2))
    assert kinds(timeline) == ["day", "first", "second"]
    second.delivery = Delivery.DELIVERED
    timeline.set_time(first, at(3))
    assert kinds(timeline) == ["day", "second", "first"]


def test_a_message_that_arrives_after_midnight_begins_the_day_for_those_after_it() -> None:
    mine = said("mine", time="2025-01-10T12:00:00Z", sender="ana")
    timeline = filled(said("a", time="2025-01-10T11:00:00Z"), mine)
    timeline.set_time(mine, "2025-01-11T12:00:00Z")
    assert timeline.pop_reordered()
    timeline.add(said("b", time="2025-01-11T12:01:00Z"))
    assert kinds(timeline) == ["day", "a", "day", "mine", "b"]


# --- messages from anywhere ----------------------------------------------------------------------


def test_each_day_stands_before_its_first_message() -> None:
    times = ["2025-01-10T12:00:00Z", "2025-01-10T12:01:00Z", "soon", "2025-01-12T12:00:00Z"]
    entries = with_days([said(str(number), time=time) for number, time in enumerate(times)])
    assert [e.text if isinstance(e, Said) else "day" for e in entries] == [
        "day", "0", "1", "2", "day", "3"
    ]  # fmt: skip
    assert not any(isinstance(e, Said) and e.continues for e in entries)


def test_a_program_and_a_person_of_the_same_name_are_no_group() -> None:
    notices = filled(said("a", hook=True), said("b", hook=True), said("c"))
    assert heads(notices) == ["a", "c"]


# --- older messages ------------------------------------------------------------------------------


def test_after_older_messages_the_newest_day_is_still_the_one_below() -> None:
    timeline = filled(said("today"))
    timeline.add_older([said("before", time="2025-01-08T12:00:00Z")])
    timeline.add(said("now", 1))
    assert kinds(timeline) == ["day", "before", "day", "today", "now"]
    empty = Timeline()
    empty.add_older([said("before")])
    empty.add(said("now", 1))
    assert kinds(empty) == ["day", "before", "now"]
