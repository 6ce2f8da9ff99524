"""Decides which spellings of a chat's code count as the same code.

People hear a code, read it from a board and type it on a phone. So case, the blanks and hyphens
between its words, and compatibility forms such as full-width letters make no difference.
"""

import unicodedata

MAX_CODE_CHARS = 128

# Hyphens and dashes; blanks; characters without a shape, which come along when a text is copied.
_IGNORED = ("Pd", "Zs", "Zl", "Zp", "Cf")


def fold_code(typed: str) -> str:
    """Return the form that all spellings of a code have in common; it can be empty."""
    kept = "".join(filter(_counts, unicodedata.normalize("NFKC", typed)))
    folded = unicodedata.normalize("NFKC", kept).casefold()
    return unicodedata.normalize("NFKC", folded)


def _counts(character: str) -> bool:
    return unicodedata.category(character) not in _IGNORED and not character.isspace()
