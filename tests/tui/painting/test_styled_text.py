"""A line in several styles is shortened as one text."""

import pytest

from tertulia.tui.painting.styled_text import Run, mark_runs, shorten_runs

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


def test_spans_of_a_line_get_another_style() -> None:
    runs = [("ab", "x"), ("cd", "y"), ("ef", "z")]
    assert mark_runs(runs, [(1, 3)], "m") == [
        ("a", "x"), ("b", "m"), ("c", "m"), ("d", "y"), ("ef", "z")
    ]  # fmt: skip
    assert mark_runs(runs, [(0, 1), (5, 6)], "m") == [
        ("a", "m"), ("b", "x"), ("cd", "y"), ("e", "z"), ("f", "m")
    ]  # fmt: skip
    assert mark_runs(runs, [], "m") == runs
