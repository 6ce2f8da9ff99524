"""The words of a search are marked where the server's search finds them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.chat.finding import found_spans
from tertulia.server.history.folding import fold


def marked(text: str, query: str) -> str:
    """Return the text with the places that were found in brackets."""
    for start, end in reversed(found_spans(text, query)):
        text = f"{text[:start]}[{text[start:end]}]{text[end:]}"
    return text


@pytest.mark.parametrize(
    ("text", "query", "result"),
    [
        ("pan y vino", "pan", "[pan] y vino"),
        ("pan y vino", "vino pan", "[pan] y [vino]"),
        ("panadero", "pan", "panadero"),  # the server finds whole words
        ("Pan, PAN.", "pan", "[Pan], [PAN]."),
        ("el CAFÉ cafe\u0301 cafe", "café", "el [CAFÉ] [cafe\u0301] [cafe]"),
        ("größe GROSSE", "grosse", "[größe] [GROSSE]"),
        ("ｔａｐ tap", "tap", "[ｔａｐ] [tap]"),
        ("ship-3 and ship 3", "ship-3", "[ship-3] and [ship 3]"),
        ("3 ships", "ship", "3 ships"),
        ("ありがとう、見つけました", "見つけ", "ありがとう、[見つけ]ました"),
        ("東京と京都", "京", "東[京]と[京]都"),
        ("サクラとｻｸﾗ", "サクラ", "[サクラ]と[ｻｸﾗ]"),
        ("한국어 한국", "한국", "[한국]어 [한국]"),
        ("ภาษาไทย", "ไทย", "ภาษา[ไทย]"),
        ("हिन्दी", "हिन्दी", "[हिन्दी]"),
        ("co\u00adope", "coope", "[co\u00adope]"),
        ("a b a b", "a b", "[a] [b] [a] [b]"),
        ("nothing", "...", "nothing"),
        ("", "x", ""),
    ],
)
def test_what_was_found_is_marked(text: str, query: str, result: str) -> None:
    assert marked(text, query) == result


def tokens_of(text: str) -> list[str]:
    """Return the words as the server's index has them."""
    return re.findall(r"[0-9A-Za-z\x80-\U0010ffff]+", fold(text))


PIECES = st.sampled_from(
    ["a", "É", "e\u0301", " ", "-", "日", "本", "ß", "ﬁ", "\u200b", "ก", "น้ำ", "각"]
)


@given(
    st.lists(PIECES, max_size=12).map("".join),
    st.lists(PIECES, min_size=1, max_size=3).map("".join),
)
def test_a_word_that_the_server_finds_is_marked_and_no_other(text: str, word: str) -> None:
    if len(word.split()) != 1 or not tokens_of(word):
        return
    wanted, tokens = tokens_of(word), tokens_of(text)
    finds = any(tokens[i : i + len(wanted)] == wanted for i in range(len(tokens)))
    assert bool(found_spans(text, word)) == finds


@given(st.text(max_size=40), st.text(max_size=10))
def test_places_are_in_order_and_within_the_text(text: str, query: str) -> None:
    end = 0
    for start, after in found_spans(text, query):
        assert end <= start < after <= len(text)
        end = after
