"""The rules of editing a line: words, input history and completion."""

import pytest

from tertulia.chat.editing import (
    MAX_HISTORY_LINES,
    CompletionCycle,
    InputHistory,
    word_end,
    word_start,
)


@pytest.mark.parametrize(
    ("before", "word", "after"),
    [
        ("", "", ""),
        ("", "hola", ""),
        ("un ", "café", " más"),
        ("un ", "cafe\u0301", ""),
        ("un ", "👩\u200d💻日本", " "),
        ("/msg ", "@ana:", " x"),
        ("a\xa0", "b", "\u3000c"),
    ],
)
def test_a_word_is_what_stands_between_white_space(before: str, word: str, after: str) -> None:
    text = before + word + after
    assert word_start(text, len(before + word)) == len(before)
    assert word_end(text, len(before)) == len(before + word)


def test_white_space_next_to_the_cursor_belongs_to_the_word() -> None:
    assert word_start("hola mundo  ", 12) == 5
    assert word_start("   ", 3) == 0
    assert word_end("  hola mundo", 0) == 6
    assert word_end("hola   ", 4) == 7


def test_a_word_never_begins_or_ends_inside_of_a_grapheme() -> None:
    text = "a \u0301b \u0301c"  # a mark on a space
    assert word_start(text, 4) == 3
    assert word_end(text, 0) == 1
    assert word_end(text, 3) == 4


def entered(*lines: str) -> InputHistory:
    history = InputHistory()
    for line in lines:
        history.add(line)
    return history


def recalled(history: InputHistory) -> list[str]:
    """Go back to the oldest line; return the lines on the way."""
    lines: list[str] = []
    while (line := history.older(lines[-1] if lines else "")) is not None:
        lines.append(line)
    return lines


def test_the_history_goes_back_to_the_oldest_line_and_forward_to_the_one_being_typed() -> None:
    history = entered("one", "two")
    assert history.newer("draft") is None
    assert [history.older("draft"), history.older("two"), history.older("one")] == [
        "two", "one", None
    ]  # fmt: skip
    assert [history.newer("one"), history.newer("two"), history.newer("draft")] == [
        "two", "draft", None
    ]  # fmt: skip


def test_an_empty_history_recalls_nothing() -> None:
    assert InputHistory().older("draft") is None
    assert InputHistory().newer("draft") is None


def test_a_line_that_is_blank_or_repeats_the_last_one_is_not_remembered() -> None:
    history = entered("one", "two", "two", "", " \n")
    assert [history.older(""), history.older("two"), history.older("one")] == ["two", "one", None]


def test_a_line_that_comes_again_later_is_remembered_again() -> None:
    history = entered("one", "two", "one")
    assert [history.older(""), history.older("one"), history.older("two")] == ["one", "two", "one"]


def test_the_oldest_line_is_forgotten() -> None:
    history = entered(*map(str, range(MAX_HISTORY_LINES + 1)))
    recalled = [history.older("") for _ in range(MAX_HISTORY_LINES)]
    assert recalled[-1] == "1"
    assert history.older("1") is None


def test_a_changed_line_stays_changed_until_another_one_is_entered() -> None:
    history = entered("one", "two")
    assert history.older("") == "two"
    assert history.older("two!") == "one"
    assert history.newer("one") == "two!"
    assert history.older("two!") == "one"
    history.add("one?")
    assert recalled(history) == ["one?", "two!", "two", "one"]


def test_a_half_typed_line_that_was_left_is_remembered_when_another_one_is_entered() -> None:
    history = entered("one", "two")
    assert history.older("half") == "two"
    history.add("two")
    assert recalled(history) == ["two", "half", "two", "one"]


def test_a_half_typed_line_that_was_finished_later_is_remembered_only_as_a_whole() -> None:
    history = entered("one")
    assert history.older("half") == "one"
    assert history.newer("one") == "half"
    history.add("half and more")
    assert recalled(history) == ["half and more", "one"]


def test_starting_over_keeps_the_lines_and_all_that_was_left_elsewhere() -> None:
    history = entered("one", "two")
    history.older("draft")
    history.older("two!")
    history.start_over()
    assert history.newer("") is None
    assert recalled(history) == ["draft", "two!", "two", "one"]


def test_what_was_left_unchanged_or_blank_is_not_remembered_again() -> None:
    history = entered("one", "two")
    history.older(" ")
    history.older("two")
    history.start_over()
    assert recalled(history) == ["two", "one"]


def test_a_blank_line_starts_over_too() -> None:
    history = entered("one", "two")
    history.older("")
    history.older("two")
    history.add("")
    assert history.older("") == "two"


def test_candidates_go_in_a_circle_both_ways() -> None:
    cycle = CompletionCycle(3, ["a", "b", "c"])
    assert [cycle.choose() for _ in range(4)] == ["a", "b", "c", "a"]
    assert [cycle.choose(-1) for _ in range(2)] == ["c", "b"]
    assert (cycle.start, cycle.chosen) == (3, 1)
    assert not cycle.is_done


def test_going_back_at_first_chooses_the_last_candidate() -> None:
    assert CompletionCycle(0, ["a", "b", "c"]).choose(-1) == "c"


def test_a_single_candidate_is_the_end_of_its_cycle() -> None:
    assert CompletionCycle(0, ["a"]).is_done
