"""Texts: what a message may hold, and how much.

The rows that the page keeps too are in tests/vectors/texts.json; here are those beyond them.
"""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.protocol.messages import ErrorCode
from tertulia.protocol.texts import MAX_TEXT_BYTES, check_text

TEXT_INVALID = ErrorCode.TEXT_INVALID
TEXT_TOO_LONG = ErrorCode.TEXT_TOO_LONG


@pytest.mark.parametrize(
    "text",
    [
        "\nx\n",
        "中文 हिन्दी العربية",
        "👩‍👩‍👧 😀",
        "\u2028x\u2029",
        "\u202eright to left",  # clients make it visible; the server takes it
        "[bold]no markup[/bold] <b> **x** $(x) %s {x} \\n",
        "\ufffe\uffff\U0010ffff",
    ],
)
def test_a_text_is_any_text(text: str) -> None:
    assert check_text(text) is None


CONTROLS = ["\x00", "\x08", "\x0b", "\x1f", "\x7f", "\x9f"]


@pytest.mark.parametrize("control", CONTROLS, ids=ascii)
def test_no_control_character_but_newline_and_tab_is_text(control: str) -> None:
    for text in (f"a{control}b", f"{control}a", f"a{control}", f"ñ{control}"):
        assert check_text(text) == TEXT_INVALID


def test_an_unpaired_surrogate_is_no_text() -> None:
    for surrogate in ("\ud800", "\udbff", "\udc00", "\udfff", "\udc00\ud800"):
        assert check_text(f"a{surrogate}b") == TEXT_INVALID


@pytest.mark.parametrize("character", ["x", "ñ", "😀"])
def test_a_text_has_at_most_16384_bytes_of_utf8(character: str) -> None:
    size = len(character.encode())
    longest = character * (16_384 // size) + "x" * (16_384 % size)
    assert len(longest.encode()) == 16_384 == MAX_TEXT_BYTES
    assert check_text(longest) is None
    assert check_text(longest + "x") == TEXT_TOO_LONG
    assert check_text(character + longest) == TEXT_TOO_LONG
    assert check_text(character * 60_000) == TEXT_TOO_LONG


@pytest.mark.parametrize("text", [" " * 20_000, "\x00" * 20_000, "\ud800" * 20_000])
def test_what_is_both_too_long_and_invalid_is_refused_as_one_of_them(text: str) -> None:
    assert check_text(text) in (TEXT_TOO_LONG, TEXT_INVALID)


@given(st.text(st.characters(exclude_categories=()), max_size=20))
def test_a_text_is_refused_for_the_written_reasons_alone(text: str) -> None:
    has_control = any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in text)
    expected = TEXT_INVALID if has_control or not text.strip() else None
    assert check_text(text) == expected
