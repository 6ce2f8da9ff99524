"""The English word list of BIP 39: 2,048 words that are easy to read out, type and distinguish.

Codes and fingerprints are made of these words. There is one list for all languages, so that two
people see the same words. `words.txt` is the frozen list of the package `mnemonic`, whose licence
is in `words.LICENSE.txt`. It is read at the first use.
"""

import functools
import secrets
from importlib import resources

BITS_PER_WORD = 11


@functools.cache
def word_list() -> tuple[str, ...]:
    """Return all words, in the order of the standard."""
    text = resources.files("tertulia").joinpath("words.txt").read_text(encoding="ascii")
    return tuple(text.split())


def random_words(count: int) -> list[str]:
    """Return random words that nobody can guess."""
    return [secrets.choice(word_list()) for _ in range(count)]
