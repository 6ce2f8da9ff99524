"""Which part of a line is drawn as selected, and that nothing else of the line changes."""

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tertulia.tui.painting.selected import span_in, with_selection

RED, LOOK = Style(color="red"), Style(reverse=True)
LINE = Strip([Segment("ana", RED), Segment(": "), Segment("hola", None)])
CLAP = "👏🏽"


def parts(strip: Strip) -> list[tuple[str, Style | None]]:
    return [(segment.text, segment.style) for segment in strip]


def test_a_selection_without_an_end_goes_to_the_end_of_the_text() -> None:
    assert span_in("hola", 1, -1) == (1, 4)
    assert span_in("hola", 1, 0) == (1, 0)
    assert span_in("hola", 1, 3) == (1, 3)


def test_a_part_of_a_character_selects_all_of_it() -> None:
    assert span_in(f"a{CLAP}b", 2, 3) == (1, 3)
    [before, selected, after] = parts(with_selection(Strip([Segment(f"a{CLAP}b")]), 2, 3, LOOK))
    assert (before[0], selected[0], after[0]) == ("a", CLAP, "b")


@pytest.mark.parametrize(
    ("start", "end", "painted"),
    [
        (1, 2, [("a", RED), ("n", RED + LOOK), ("a", RED), (": ", None), ("hola", None)]),
        (2, 6, [("an", RED), ("a", RED + LOOK), (": ", LOOK), ("h", LOOK), ("ola", None)]),
        (3, 5, [("ana", RED), (": ", LOOK), ("hola", None)]),
        (0, -1, [("ana", RED + LOOK), (": ", LOOK), ("hola", LOOK)]),
        (9, 20, [("ana", RED), (": ", None), ("hola", None)]),
        (4, 4, [("ana", RED), (":", None), (" ", None), ("hola", None)]),
    ],
)
def test_the_selection_goes_over_the_parts_of_a_line_and_keeps_their_colours(
    start: int, end: int, painted: list[tuple[str, Style | None]]
) -> None:
    assert parts(with_selection(LINE, start, end, LOOK)) == painted
