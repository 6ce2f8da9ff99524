"""From a selection of drawn lines back to the text as it was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.safetext import visible
from tertulia.tui.painting.copying import Span, written
from tertulia.tui.painting.wrap import wrap

LONG = "one two three four five six seven eight nine ten"


def copied(text: str, width: int, first: Span, last: Span) -> str:
    """Select from (line, column) to (line, column)."""
    lines = wrap(visible(text), width)
    spans = {}
    for number in range(first[0], last[0] + 1):
        start = first[1] if number == first[0] else 0
        end = last[1] if number == last[0] else len(lines[number])
        spans[number] = (start, end)
    return written(text, lines, spans)


def test_line_breaks_of_the_drawing_are_not_copied() -> None:
    lines = wrap(LONG, 12)
    assert len(lines) > 3
    assert copied(LONG, 12, (0, 0), (len(lines) - 1, 99)) == LONG
    assert copied(LONG, 12, (0, 4), (2, 4)) == "two three four five"


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n\treturn 1\n\n\n\n# end  \n",
        "  indented\n      more",
        "tab\there and a line that is long enough to be wrapped\tonce",
        "一二三四五六七八九十一二三四五六七八九十",
        "👏🏽👏🏽👏🏽👏🏽👏🏽👏🏽👏🏽👏🏽👏🏽👏🏽👏🏽👏🏽 ❤️ family 👩‍👩‍👧",
        "\u200fשלום עולם זה טקסט ארוך מספיק",
        "a   lot   of      blanks   between   the  words   of   this",
        "x" * 60,
        "",
    ],
)
@pytest.mark.parametrize("width", [5, 12, 30])
def test_a_whole_text_is_copied_as_it_was_written(text: str, width: int) -> None:
    last = len(wrap(visible(text), width)) - 1
    assert copied(text, width, (0, 0), (last, 99)) == text


def test_a_tab_that_is_selected_in_part_is_copied_as_a_tab() -> None:
    assert copied("a\tb", 20, (0, 2), (0, 6)) == "\tb"
    assert copied("\tcode", 20, (0, 4), (0, 8)) == "code"


def test_nothing_is_copied_of_lines_that_are_not_selected() -> None:
    lines = wrap(LONG, 12)
    assert written(LONG, lines, {}) == ""
    assert written(LONG, lines, {0: (0, 0), 7: (0, 3), -1: (0, 3)}) == ""


@given(st.text("ab \t\n日é👍🏽\u200f", max_size=60), st.integers(4, 20), st.data())
def test_every_part_that_is_copied_is_a_part_of_the_text(
    text: str, width: int, data: st.DataObject
) -> None:
    lines = wrap(visible(text), width)
    places = st.tuples(st.integers(0, len(lines) - 1), st.integers(0, width))
    first, last = sorted([data.draw(places), data.draw(places)])
    assert copied(text, width, first, last) in text
    assert copied(text, width, (0, 0), (len(lines) - 1, width * 4)) in (text, "")
