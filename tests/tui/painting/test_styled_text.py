"""A line in several styles is shortened as one text."""

import pytest

from tertulia.tui.painting.styled_text import Run, shorten_runs

FAMILY = "👨‍👩‍👧"


@pytest.mark.parametrize(
    ("runs", "width", "shown"),
    [
        ([("ab", "x"), ("cd", "y")], 4, [("ab", "x"), ("cd", "y")]),
        ([("ab", "x"), ("cd", "y")], 3, [("ab", "x"), ("…", "y")]),
        ([("ab", "x"), ("cd", "y")], 2, [("a…", "x")]),
        ([("ab", "x"), ("日本", "y")], 5, [("ab", "x"), ("日…", "y")]),
        ([(f"a{FAMILY}{FAMILY}", "x")], 4, [(f"a{FAMILY}…", "x")]),
        ([(f"a{FAMILY}{FAMILY}", "x")], 3, [("a…", "x")]),
        ([("ab", "x")], 1, [("…", "x")]),
        ([("ab", "x")], 0, []),
    ],
)
def test_a_line_that_is_too_long_is_cut_between_graphemes(
    runs: list[Run], width: int, shown: list[Run]
) -> None:
    assert shorten_runs(runs, width) == shown
