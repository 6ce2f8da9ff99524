"""The list of words for codes and fingerprints."""

import hashlib
from importlib import resources

from tertulia.words import BITS_PER_WORD, random_words, word_list


def test_the_list_is_that_of_the_standard():
    content = resources.files("tertulia").joinpath("words.txt").read_bytes()
    expected = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"
    assert hashlib.sha256(content).hexdigest() == expected
    assert len(set(word_list())) == 2**BITS_PER_WORD
    assert word_list()[0] == "abandon"
    assert word_list()[-1] == "zoo"


def test_random_words_are_of_the_list_and_differ():
    several = [random_words(3) for _ in range(50)]
    assert all(len(words) == 3 and set(words) <= set(word_list()) for words in several)
    assert len({tuple(words) for words in several}) == 50
