"""Graphemes stay whole, and no text makes one of them long."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from wcwidth import iter_graphemes

from tertulia.graphemes import (
    MAX_GRAPHEME_CHARS,
    columns,
    most_columns,
    nearest_boundary,
    next_boundary,
    previous_boundary,
    split,
)

FAMILY = "👩\u200d👩\u200d👧"
GRAPHEMES = ["a", " ", "日", "e\u0301", FAMILY, "👍🏽", "🇬🇹", "❤\ufe0f", "क्षि", "\u200b", "각"]
TEXTS = st.one_of(st.lists(st.sampled_from(GRAPHEMES), max_size=12).map("".join), st.text())


def boundaries(text: str) -> list[int]:
    ends = [0]
    for grapheme in iter_graphemes(text):
        ends.append(ends[-1] + len(grapheme))
    return ends


@given(TEXTS)
def test_a_text_is_split_where_unicode_splits_it(text: str) -> None:
    assert split(text) == list(iter_graphemes(text))


def test_a_line_break_of_two_characters_is_one_grapheme() -> None:
    assert split("a\r\nb") == ["a", "\r\n", "b"]


@given(TEXTS)
def test_steps_go_from_boundary_to_boundary(text: str) -> None:
    ends = boundaries(text)
    for before, after in pairwise(ends):
        assert next_boundary(text, before) == after
        assert previous_boundary(text, after) == before


@given(TEXTS)
@example("\r\n")
def test_a_position_inside_a_grapheme_moves_to_its_end(text: str) -> None:
    ends = boundaries(text)
    for position in range(len(text) + 1):
        assert nearest_boundary(text, position) == min(end for end in ends if end >= position)


@pytest.mark.parametrize("text", ["", "a", FAMILY])
def test_no_step_leads_out_of_the_text(text: str) -> None:
    assert previous_boundary(text, 0) == 0
    assert next_boundary(text, len(text)) == len(text)
    assert nearest_boundary(text, len(text)) == len(text)


def test_thousands_of_marks_are_many_graphemes() -> None:
    text = "e" + "\u0301" * 1_000
    assert "".join(split(text)) == text
    assert max(map(len, split(text))) == MAX_GRAPHEME_CHARS
    assert next_boundary(text, 0) == MAX_GRAPHEME_CHARS
    assert previous_boundary(text, 1_001) == 1_001 - MAX_GRAPHEME_CHARS
    assert nearest_boundary(text, 500) == 500


@pytest.mark.parametrize(
    ("grapheme", "most", "certain"),
    [
        ("a", 1, True),
        ("日", 2, True),
        ("e\u0301", 1, True),
        ("👩\u200d💻", 4, False),
        ("👍🏽", 4, False),
        ("❤\ufe0f", 2, False),
    ],
)
def test_a_grapheme_is_as_wide_as_in_the_terminal_that_uses_the_most(
    grapheme: str, most: int, certain: bool
) -> None:
    assert columns(grapheme) == (most, certain)


def test_a_text_is_as_wide_as_its_graphemes() -> None:
    assert most_columns("") == 0
    assert most_columns(f"e\u0301 日本 {FAMILY}") == 1 + 1 + 4 + 1 + 6
