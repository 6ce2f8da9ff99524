"""What the search takes for the same word."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.server.history.folding import _MAX_CACHED, _TABLE, fold


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("reunión", "REUNION"),
        ("nin\u0303o", "NIÑO"),
        ("Straße", "STRASSE"),
        ("ﬁn", "fin"),
        ("ＡＢＣ１２３", "abc123"),
        ("Ελληνικός", "ΕΛΛΗΝΙΚΟΣ"),
        ("İstanbul", "istanbul"),
        ("ёлка", "ЕЛКА"),
        ("مَرْحَبًا", "مرحبا"),
        ("שָׁלוֹם", "שלום"),
        ("co\u00adoperar", "cooperar"),
        ("ｶﾞｷﾞ", "ガギ"),
        ("한국", unicodedata.normalize("NFD", "한국")),
        ("Việt", "viet"),
    ],
)
def test_words_that_differ_in_case_accents_and_form_are_the_same(one, other):
    assert fold(one).split() == fold(other).split()


@pytest.mark.parametrize(
    ("one", "other"), [("か", "が"), ("कि", "की"), ("हिन्दी", "हनद"), ("กา", "กิ"), ("ana", "anna")]
)
def test_words_that_differ_otherwise_are_different(one, other):
    assert fold(one).split() != fold(other).split()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("¡Hola, José!", ["hola", "jose"]),
        ("東京都に行く", ["東", "京", "都", "に", "行", "く"]),
        ("我用Python3写", ["我", "用", "python3", "写"]),
        ("한국어", ["한", "국", "어"]),
        ("กินข้าว", ["กิ", "น", "ข้", "า", "ว"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("“árbol”—río…", ["arbol", "rio"]),
        ("ñandú\u200bpez", ["nandu", "pez"]),
    ],
)
def test_a_text_has_these_words(text, words):
    assert fold(text).split() == words


@given(st.text())
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)).split() == fold(text).split()


@pytest.mark.long
def test_the_table_does_not_grow_without_end():
    for code in range(0x80, sys.maxunicode):
        if not 0xD800 <= code < 0xE000:
            fold(chr(code))
    assert len(_TABLE) <= _MAX_CACHED
