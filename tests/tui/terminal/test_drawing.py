"""What is drawn stays in its cells, whatever a terminal thinks about the width of characters."""

from collections.abc import Callable

import pytest
from emulator import TABLES, Emulator
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tertulia.tui.painting.wrap import cut
from tertulia.tui.terminal.abilities import Abilities
from tertulia.tui.terminal.drawing import Pen
from tertulia.tui.terminal.widths import mend_richs_widths, parts

mend_richs_widths()
PEN = Pen()

CLAP, HEART, FAMILY, KEYCAP, FLAG = "👏🏽", "❤️", "👨‍👩‍👧", "1️⃣", "🇪🇸"
PIECES = [
    *"ab é日.│", "  ", CLAP, HEART, FAMILY, KEYCAP, FLAG, "🏳️‍🌈", "🏽", "🇪", "क्षि", "हि", "நி", "ශ්‍රී",
    "กี่", "e\u0301", "\u0301", "\u200d", "\ufe0f", "\u200b", "\u20e3", "\u3164", "\u1160", "🫠",
    "⌚", "\u1112\u1161", "a\u200db", "\U0001faff", "\ue0b0", "ﷺ", "\U00013000",
    "a" + "\u0301" * 40, "क" + "ि" * 9,
]  # fmt: skip
CONSOLE = Console(color_system="truecolor", force_terminal=True)
WIDTH, FROM, END = 40, 6, 30
FILLED = "#" * WIDTH

texts = st.lists(st.one_of(st.sampled_from(PIECES), st.characters()), max_size=30).map("".join)


def strip_of(*texts: str) -> Strip:
    styles = [Style(color="red"), None, Style(bgcolor="blue", bold=True)]
    return Strip([Segment(text, styles[i % 3]) for i, text in enumerate(texts) if text])


def drawn_in(width_of: Callable[[str], int], strip: Strip) -> Emulator:
    """Draw into a terminal that is full of signs already."""
    terminal = Emulator(WIDTH, 3, width_of)
    for row in (1, 2, 3):
        terminal.write(f"\x1b[{row};1H{FILLED}")
    terminal.write(PEN.draw(strip, FROM, 1, END, CONSOLE))
    return terminal


@pytest.mark.parametrize("width_of", TABLES)
@given(first=texts, second=texts)
def test_nothing_reaches_beyond_its_cells_and_none_of_them_is_left(
    width_of: Callable[[str], int], first: str, second: str
) -> None:
    first, second = (
        "".join(c for c in text if c.isprintable() or c in "\u200b\u200d")
        for text in (first, second)
    )
    terminal = drawn_in(width_of, strip_of(first, second))
    assert "".join(terminal.cells(0)) == FILLED
    assert "".join(terminal.cells(2)) == FILLED
    row = terminal.cells(1)
    assert "".join(row[:FROM]) == FILLED[:FROM]
    assert "".join(row[END:]) == FILLED[END:]
    assert not {"#"} & set(row[FROM:END]) - set(first + second)


@pytest.mark.parametrize("width_of", TABLES)
@pytest.mark.parametrize("before", [CLAP * 3, HEART * 3, FAMILY, KEYCAP, FLAG, "हिन्दी", "a\u200db"])
def test_what_follows_stands_in_its_own_cell(width_of: Callable[[str], int], before: str) -> None:
    strip = strip_of(before, "luis")
    row = drawn_in(width_of, strip).cells(1)
    start = END - (END - FROM - strip.cell_length) - len("luis")
    assert "".join(row[start : start + 4]) == "luis"
    assert "".join(row[start + 4 : END]).strip() == ""


def test_at_the_end_of_its_cells_a_cluster_is_drawn_without_what_could_reach_out() -> None:
    room = END - FROM
    strip = strip_of("x" * (room - 2) + CLAP)
    written = PEN.draw(strip, FROM, 1, END, CONSOLE)
    assert CLAP[0] in written
    assert CLAP[1] not in written
    assert CLAP in PEN.draw(strip_of("x" * (room - 4) + CLAP), FROM, 1, END, CONSOLE)


def test_text_that_all_terminals_agree_about_is_written_as_it_is() -> None:
    text = "¿Qué tal, Ñandú? 日本語 Ελλάδα Привет → ● │"
    assert list(parts(text)) == [text]
    strip = strip_of(text).adjust_cell_length(60)
    assert PEN.draw(strip, 0, 0, 60, CONSOLE) == "\x1b[1;1H" + strip.render(CONSOLE)


@pytest.mark.parametrize("width", [0, 1, 2, 3, 5])
def test_a_strip_of_another_length_fills_its_cells_too(width: int) -> None:
    strip = strip_of(cut(CLAP * 3, width))
    terminal = Emulator(12, 1)
    terminal.write("#" * 12 + PEN.draw(strip, 2, 0, 8, CONSOLE))
    row = terminal.cells(0)
    assert "".join(row[:2] + row[8:]) == "######"
    assert "#" not in row[2:8]


@given(texts)
def test_in_tmux_what_only_some_terminals_join_is_not_drawn(text: str) -> None:
    written = Pen(Abilities(is_relayed=True)).draw(strip_of(text), FROM, 1, END, CONSOLE)
    assert not set(written) & set("\ufe0f\u200d\u20e3🏽")
    assert (
        Pen(Abilities(is_relayed=True)).draw(strip_of(FLAG + "हि"), 0, 0, 4, CONSOLE).count("ि")
        == 1
    )


def linked(*texts: str) -> Strip:
    """Return a strip of links to one target, as Textual makes each of them another style."""
    return Strip([Segment(text, Style(link="https://example.org/")) for text in texts])


def test_all_parts_of_a_link_have_one_number_and_the_target() -> None:
    written = PEN.draw(linked("exa", "mple", CLAP), 0, 0, 9, CONSOLE)
    starts = [part.partition("\x1b\\")[0] for part in written.split("\x1b]8;")[1::2]]
    assert len(starts) == 3
    assert len(set(starts)) == 1
    assert starts[0].endswith(";https://example.org/")
    assert written.count("\x1b]8;;\x1b\\") == 3


def test_a_terminal_without_links_gets_none() -> None:
    pen = Pen(Abilities(has_links=False))
    assert "\x1b]" not in pen.draw(linked("exa", "mple"), 0, 0, 7, CONSOLE)
