"""Finds similar words, for completion and for "did you mean".

Pure functions; safe in any thread.
"""

import unicodedata
from collections.abc import Sequence


def plain_letters(text: str) -> str:
    """Return a text without case, width and accents, so that `jose` finds `José`."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def similar_name(name: str, names: Sequence[str]) -> str | None:
    """Return the most similar name; None if none is similar."""
    from difflib import get_close_matches  # slow to import and seldom needed

    by_letters = {plain_letters(known): known for known in names}
    guesses = get_close_matches(plain_letters(name), by_letters, n=1, cutoff=0.65)
    return by_letters[guesses[0]] if guesses else None
