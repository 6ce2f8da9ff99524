"""The checker of direct messages finds what is broken in made-up observations."""

from collections import Counter

import pytest
from writers import Letters, letter_violations


@pytest.fixture
def letters():
    """Return what two users have written: one message arrived, and one came back."""
    ana = Letters({"a>0": "luis", "a>1": "luis"}, confirmed={"a>0"}, undelivered={"a>1"})
    return {"ana": ana, "luis": Letters(got=Counter(["a>0"]))}


def test_it_finds_nothing_in_good_observations(letters):
    assert list(letter_violations(letters)) == []
    letters["luis"].got["a>1"] += 1  # it came back, but nobody said that it had not arrived
    assert list(letter_violations(letters)) == []


def test_it_finds_a_message_that_was_confirmed_and_never_came(letters):
    letters["luis"].got.clear()
    assert list(letter_violations(letters)) == ["ana: a>0 was confirmed, and luis never got it"]


def test_it_finds_a_message_of_which_nothing_was_heard(letters):
    letters["ana"].undelivered.clear()
    expected = ["ana: a>1 was neither confirmed nor undelivered"]
    assert list(letter_violations(letters)) == expected


def test_it_finds_a_message_that_was_shown_twice_or_to_somebody_else(letters):
    letters["luis"].got["a>0"] += 1
    letters["ana"].got["a>0"] += 1
    assert list(letter_violations(letters)) == [
        "ana got a>0, which nobody wrote to it",
        "luis was shown a>0 2 times",
    ]
