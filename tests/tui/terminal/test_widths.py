"""The cells that a text takes: as Rich counts them, with what is mended, and at most."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich import cells
from rich._unicode_data import load
from wcwidth import wcwidth

from tertulia.tui.terminal import widths
from tertulia.tui.terminal.widths import (
    AGREED_CHARACTERS,
    Cluster,
    clusters,
    is_agreed,
    mend_richs_widths,
    parts,
    shortened,
    simplified,
    with_few_marks,
)

mend_richs_widths()

CLAP, FAMILY, KSHI = "👏🏽", "👨‍👩‍👧", "क्षि"
SINHALA = "ශ්\u200dරී"
texts = st.lists(
    st.one_of(
        st.sampled_from(["a", "é", "日", CLAP, FAMILY, KSHI, "\u0301", "\ufe0f", "\u200d"]),
        st.characters(),
    )
).map("".join)


def test_rich_still_gives_no_cell_to_a_spacing_mark_and_hides_a_letter_after_a_joiner() -> None:
    vowel_sign = ord(KSHI[-1])
    assert any(start <= vowel_sign <= end for start, end, width in load().widths if not width)
    assert widths._richs_cell_len("a\u200db", "auto") == 1


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("हि", 2),
        (KSHI, 3),
        ("a\u200db", 2),
        (SINHALA, 2),
        (FAMILY, 2),
        (CLAP, 2),
        ("❤️", 2),
        ("日a", 3),
    ],
)
def test_each_visible_character_has_its_cell(text: str, columns: int) -> None:
    assert cells.cell_len(text) == columns
    assert sum(cluster.columns for cluster in clusters(text)) == columns


def test_terminals_agree_about_the_characters_that_are_not_looked_at() -> None:
    agreed = re.compile(f"[{AGREED_CHARACTERS}]").fullmatch
    for code in range(0x30000):
        character = chr(code)
        if agreed(character) and unicodedata.category(character) != "Cn":
            assert cells.get_character_cell_size(character) == wcwidth(character) > 0, hex(code)
            assert unicodedata.category(character)[0] in "LNPSZ", hex(code)


@given(texts)
@example("👏🏽\u200d©")
@example("🙂\u200d↔️")
def test_a_text_is_its_parts_and_they_are_as_wide_as_it_is(text: str) -> None:
    found = list(parts(text))
    assert "".join(part if isinstance(part, str) else part.text for part in found) == text
    whole = sum(cells.cell_len(part) if isinstance(part, str) else part.columns for part in found)
    assert whole == cells.cell_len(text)
    assert all(is_agreed(part) for part in found if isinstance(part, str))
    assert all(part.columns <= part.most_columns for part in found if not isinstance(part, str))


@pytest.mark.parametrize(
    ("text", "most", "room", "kept"),
    [
        (CLAP, 4, 2, "👏"),
        (CLAP, 4, 1, ""),
        (FAMILY, 6, 4, "👨\u200d👩"),
        (FAMILY, 6, 3, "👨"),
        ("1\ufe0f\u20e3", 2, 1, "1"),
        ("e\u0301", 1, 1, "é"),
        ("กี่", 1, 1, "กี่"),
        ("\u1112\u1161\u11ab", 4, 2, "한"),
    ],
)
def test_a_cluster_is_shortened_to_what_fits_everywhere(
    text: str, most: int, room: int, kept: str
) -> None:
    [cluster] = clusters(text)
    assert cluster.most_columns == most
    assert shortened(cluster, room) == kept


@pytest.mark.parametrize(
    ("text", "simple"),
    [
        (CLAP, "👏"), (FAMILY, "👨"), ("❤️", "❤"), ("1️⃣", "1"), ("🇪🇸", "🇪🇸"), (KSHI, KSHI),
        ("กี่", "กี่"), ("e\u0301", "é"), ("x\u3164", "x"),
    ],
)  # fmt: skip
def test_a_cluster_is_simplified_to_what_all_join(text: str, simple: str) -> None:
    assert simplified(Cluster(text, 2, 4)) == simple


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("e" + "\u0301" * 40, "e" + "\u0301" * 4),
        ("กี่", "กี่"),
        ("שּׁ\u05b8\u0591", "שּׁ\u05b8\u0591"),
        (FAMILY, FAMILY),
        ("1\ufe0f\u20e3", "1\ufe0f\u20e3"),
    ],
)
def test_a_heap_of_marks_is_drawn_in_part(text: str, drawn: str) -> None:
    assert with_few_marks(text) == drawn
