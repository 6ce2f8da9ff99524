"""One row of a terminal turned into another, tested on a terminal in memory."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.plain.row import Row, cell, cells, transition

# Letters, wide ones, a mark, joined emoji, a skin tone, a flag, what is shown as a mark itself.
TEXTS = st.text(alphabet="abñ日本\u0301👩\u200d💻👍🏽🇬🇹\u202e ", max_size=12)


def row(text: str, cursor: int | None = None) -> Row:
    row_cells = cells(text)
    return Row(row_cells, len(row_cells) if cursor is None else cursor)


EMPTY = Row((), 0)


@pytest.mark.parametrize(
    ("old", "new", "written"),
    [
        (EMPTY, row("> "), "> "),
        (row("> "), row("> a"), "a"),
        (row("> "), row("> 日"), "日"),
        (row("> ab"), row("> a"), "\b \b"),
        (row("> 日"), row("> "), "\b\b  \b\b"),
        (row("> ab"), row("> ab", 3), "\b"),
        (row("> ab", 3), row("> ab"), "b"),
        (row("> ab", 2), row("> xab", 3), "xab\b\b"),
        (row("> ab"), EMPTY, "\r    \b\b\b\b"),
        (row("> ab"), row("> ab"), ""),
    ],
)
def test_no_more_is_written_than_has_changed(old: Row, new: Row, written: str) -> None:
    assert transition(old, new) == written


@given(st.lists(st.tuples(TEXTS, st.integers(0, 12)), max_size=6), st.booleans())
def test_the_screen_shows_the_new_row_and_the_cursor_where_it_belongs(
    new_screen: Callable[..., Any], rows: list[tuple[str, int]], joins: bool
) -> None:
    screen = new_screen(joins=joins)
    old = EMPTY
    for text, cursor in rows:
        new = row(text, min(cursor, len(cells(text))))
        screen.write(transition(old, new))
        old = new
        fresh = new_screen(joins=joins)
        fresh.write(new.text())
        assert screen.text == fresh.text
        up_to_cursor = new_screen(joins=joins)
        up_to_cursor.write(new.text(0, new.cursor))
        assert screen.cursor == up_to_cursor.cursor


def test_appending_writes_only_what_is_new_even_if_terminals_disagree_on_it() -> None:
    assert transition(row("> a"), row("> a👍🏽")) == "👍🏽"


def test_what_nobody_would_see_is_shown_as_a_mark() -> None:
    assert cell("\u200b").text == "<U+200B>"
    assert cell("\u202e").text == "<U+202E>"
    assert cell("\u0301").text == "<U+0301>"


def test_only_text_spaces_cr_and_bs_are_written() -> None:
    written = transition(row("> 👩\u200d💻 x", 3), row("> \x1b[2J", 4))
    assert not re.search(r"[^\r\b\x20-\U0010ffff]", written)
