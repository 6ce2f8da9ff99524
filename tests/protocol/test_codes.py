"""Which spellings are the same code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.protocol.codes import fold_code


@pytest.mark.parametrize(
    "typed",
    [
        "able-baker-cat",
        "Able Baker Cat",
        "ABLE-BAKER-CAT",
        "  able  baker\tcat\n",
        "able – baker — cat",  # as phones write "--"
        "ablebakercat",
        "able\u00a0baker\u200bcat\ufeff",
        "ａｂｌｅ baker cat",
    ],
)
def test_a_code_is_the_same_however_people_type_it(typed):
    assert fold_code(typed) == fold_code("able-baker-cat")


def test_letters_with_marks_are_the_same_composed_and_decomposed():
    assert fold_code("nin\u0303o CAFE\u0301") == fold_code("niño café")


def test_other_letters_are_another_code():
    assert fold_code("able-baker-cat") != fold_code("able-baker-cut")
    assert fold_code("niño") != fold_code("nino")


@pytest.mark.parametrize("typed", ["", "  ", "- -", "\u200b"])
def test_a_code_of_separators_alone_is_empty(typed):
    assert fold_code(typed) == ""


@given(st.lists(st.text()))
def test_separators_make_no_difference_wherever_they_stand(parts):
    assert fold_code("- ".join(parts)) == fold_code("".join(parts))
