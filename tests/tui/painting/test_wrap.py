"""Text in the cells of a terminal: no line too wide, no grapheme cut, nothing lost but blanks."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from wcwidth import iter_graphemes

from tertulia.tui.painting.wrap import (
    ELLIPSIS,
    cut,
    graphemes,
    line_count,
    shorten,
    whole_span,
    wrap,
)

FAMILY = "👨‍👩‍👧"
THUMB = "👍🏽"
FLAG = "🇪🇸"
HEART = "❤️"
KSHI = "क्षि"
WIDE = ["日", "本", "한", THUMB, FAMILY, FLAG, HEART, KSHI, "e\u0301", "각"]

pieces = st.sampled_from([*"aé x.", "  ", "\t", "\n", "\u3000", "\xa0", "\u200b", "\ufe0f", *WIDE])
texts = st.lists(st.one_of(pieces, st.characters()), max_size=60).map("".join)
widths = st.integers(min_value=1, max_value=20)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 10, [""]),
        ("hola", 10, ["hola"]),
        ("hola a todos", 7, ["hola a", "todos"]),
        ("a b c", 3, ["a b", "c"]),
        ("hola   a todos", 6, ["hola", "a", "todos"]),
        ("hola \n\nadiós", 10, ["hola ", "", "adiós"]),
        ("see https://example.org/x", 10, ["see", "https://ex", "ample.org/", "x"]),
        ("    if x:\n\treturn", 12, ["    if x:", "    return"]),
        ("    if x and y:", 9, ["    if x", "and y:"]),
        (" " * 30 + "deep", 12, [" " * 6 + "deep"]),
        (" " * 30 + "日本", 12, [" " * 6 + "日本"]),
        ("      abcdefgh", 9, ["abcdefgh"]),
        ("日本語が好き", 5, ["日本", "語が", "好き"]),
        ("ab日本cd", 4, ["ab日", "本cd"]),
        ("नमस्ते दुनिया", 6, ["नमस्ते", "दुनिया"]),
        (f"hola {FAMILY}{FAMILY}", 7, [f"hola {FAMILY}", FAMILY]),
        (FLAG * 3, 5, [FLAG * 2, FLAG]),
        (HEART * 2, 3, [HEART, HEART]),
        ("a\u3000日本", 3, ["a", "日", "本"]),
        ("a\xa0b c", 4, ["a\xa0b", "c"]),
        ("日a", 1, ["\N{REPLACEMENT CHARACTER}", "a"]),
        ("abc", 0, ["a", "b", "c"]),
    ],
)
def test_lines_end_where_a_reader_expects_it(text: str, width: int, lines: list[str]) -> None:
    assert wrap(text, width) == lines


@given(texts, widths)
@example("❤\u200b\ufe0f" * 3, 3)
@example("1\u200d❤\ufe0fx y", 3)
@example("ᄀ" * 30, 5)
def test_no_line_is_wider_than_the_width(text: str, width: int) -> None:
    assert all(cell_len(line) <= width for line in wrap(text, width))


@given(texts, widths)
@example("\u200b a", 1)
def test_nothing_is_lost_but_white_space(text: str, width: int) -> None:
    width = max(width, *(grapheme.columns for grapheme in graphemes(text)), 1)
    assert "".join("".join(wrap(text, width)).split()) == "".join(text.split())


@given(st.lists(st.sampled_from(["a", " ", *WIDE]), max_size=60).map("".join), widths)
@example(" 日a", 2)
def test_however_it_is_wrapped_graphemes_stay_whole(text: str, width: int) -> None:
    width = max(width, 3)
    kept = [part for line in wrap(text, width) for part in iter_graphemes(line) if part != " "]
    assert kept == [part for part in iter_graphemes(text) if part != " "]


@given(st.text("ab \n", max_size=80), widths)
@example(" aa", 2)
def test_plain_text_is_wrapped_like_any_other(text: str, width: int) -> None:
    # The arrow takes one cell too, but is none of the characters that have the fast path.
    assert wrap(text.replace("a", "→").replace("b", "→"), width) == [
        line.replace("a", "→").replace("b", "→") for line in wrap(text, width)
    ]


@given(texts, widths)
def test_lines_are_counted_as_they_are_made(text: str, width: int) -> None:
    assert line_count(text, width) == len(wrap(text, width))


@given(texts, st.integers(min_value=-1, max_value=20))
def test_what_is_cut_is_a_beginning_that_fits(text: str, width: int) -> None:
    kept = cut(text, width)
    assert text.startswith(kept)
    assert cell_len(kept) <= max(width, 0)


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("luisa", 5, "luisa"),
        ("luisa", 4, f"lui{ELLIPSIS}"),
        (FAMILY * 3, 5, f"{FAMILY * 2}{ELLIPSIS}"),
        (FAMILY * 3, 4, f"{FAMILY}{ELLIPSIS}"),
        ("luisa", 1, ELLIPSIS),
        ("luisa", 0, ""),
        ("", 0, ""),
    ],
)
def test_a_long_text_is_shortened_with_a_mark(text: str, width: int, shown: str) -> None:
    assert shorten(text, width) == shown


@pytest.mark.parametrize(
    ("text", "span", "whole"),
    [
        ("abc", (1, 2), (1, 2)),
        (f"a{FAMILY}b", (1, 2), (1, 6)),
        (f"a{FAMILY}b", (3, 7), (1, 7)),
        ("日本", (1, 1), (1, 1)),
        (f"a{FAMILY}", (0, 99), (0, 99)),
    ],
)
def test_a_span_is_widened_to_whole_graphemes(
    text: str, span: tuple[int, int], whole: tuple[int, int]
) -> None:
    assert whole_span(text, *span) == whole
