"""An ESC within a paste is dropped, however the input is cut by reading; all else passes."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.tui.terminal.pastes import PASTE_END as END
from tertulia.tui.terminal.pastes import PASTE_START as START
from tertulia.tui.terminal.pastes import PasteFilter


def filtered(*pieces: str) -> str:
    paste_filter = PasteFilter()
    return "".join(map(paste_filter.feed, pieces))


@pytest.mark.parametrize(
    ("typed", "passed"),
    [
        (f"a{START}uno\r\x1b[31mdos\x1b\r{END}b", f"a{START}uno\r[31mdos\r{END}b"),
        (f"{START}uno\x1b\x1b{END}", f"{START}uno{END}"),
        (f"{START}\x1b[200~{END}", f"{START}[200~{END}"),
        (f"{START}{END}\x1b[A", f"{START}{END}\x1b[A"),
        ("\x1b[A\x1b\r\x1b[1;5Cx\x1b[Z", "\x1b[A\x1b\r\x1b[1;5Cx\x1b[Z"),
        (END, END),
    ],
)
def test_only_an_escape_within_a_paste_is_dropped(typed: str, passed: str) -> None:
    assert filtered(typed) == passed


@given(st.lists(st.integers(0, 60)))
def test_however_the_input_is_cut_the_same_passes(cuts: list[int]) -> None:
    data = f"\x1b[Aa{START}uno\x1b[201dos\x1b{END}\x1b[B{START}\x1b[200~tres{END}\x1b[C"
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    assert filtered(*(data[start:end] for start, end in pairwise(places))) == filtered(data)


def test_keys_are_not_held_back() -> None:
    paste_filter = PasteFilter()
    assert paste_filter.feed("\x1b") == "\x1b"
    assert paste_filter.feed("[200") == "[200"
    assert paste_filter.feed("~a\x1b[2") == "~a"
