"""Which spellings are the same word, and which name is meant by a mistyped one."""

import pytest

from tertulia.chat.similar import plain_letters, similar_name


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("José", "jose"),
        ("Jose\u0301", "jose"),
        ("Straße", "strasse"),
        ("Ｌｕｉｓ", "luis"),
        ("𝐋𝐮𝐢𝐬", "luis"),
        ("ñandú 2", "nandu 2"),
    ],
    ids=["accent", "combining accent", "case", "width", "style", "several"],
)
def test_case_width_and_accents_do_not_count(text: str, plain: str) -> None:
    assert plain_letters(text) == plain


def test_the_most_similar_name_is_returned_as_its_user_writes_it() -> None:
    assert similar_name("JSOE", ["Luis", "José", "Josefa"]) == "José"


def test_a_name_with_too_few_of_the_letters_is_not_similar() -> None:
    assert similar_name("lu", ["luis"]) == "luis"  # 4 of 6 letters are in both
    assert similar_name("abcdexyz", ["abcdeuvw"]) is None  # 10 of 16
    assert similar_name("ana", []) is None
