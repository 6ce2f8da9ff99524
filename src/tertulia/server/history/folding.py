"""Folds texts for the search: removes case, accents and compatibility forms.

The same folding is applied to messages and to queries. In its result, words are separated by
spaces; the index splits it only at spaces and ASCII punctuation.
"""

import re
import unicodedata

_MAX_CACHED = 0x10000  # Rarer characters, above, are looked up each time: the table stays small.
# Blocks of scripts that are written without spaces: each of their letters is a word, so that a word
# within a run is found.
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
)
_UNSPACED_LETTERS = (
    "\u3005-\u3007\u3041-\u3096\u309d-\u30fa\u30fc-\u312f\u31a0-\u31ff"  # kana, bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\u1100-\u11ff\uac00-\ud7a3"  # Hangul
)


def _unspaced(*, marks: bool) -> str:
    return "".join(
        chr(code)
        for first, last in _UNSPACED
        for code in range(first, last + 1)
        if unicodedata.category(chr(code)).startswith("M") is marks
    )


# A kana may carry its voicing mark, where there is no single character for both.
_LETTER = re.compile(
    f"([{_UNSPACED_LETTERS}{_unspaced(marks=False)}][{_unspaced(marks=True)}\u3099\u309a]*)"
)


class _Table(dict[int, str | None]):
    """What each character turns into: itself, nothing, or a space. Bound: _MAX_CACHED entries."""

    def __missing__(self, code: int) -> str | None:
        kept = _kept(chr(code))
        if code < _MAX_CACHED:
            self[code] = kept
        return kept


def _kept(character: str) -> str | None:
    category = unicodedata.category(character)
    # Accents of Latin, Greek and Cyrillic have the classes from 200 on, the points of Hebrew and
    # Arabic 10 to 36. The signs of other scripts are as much a part of the word as its letters.
    mark_class = unicodedata.combining(character)
    if mark_class >= 200 or 10 <= mark_class <= 36:
        return None
    if (category == "Cf" and character != "\u200b") or "\ufe00" <= character <= "\ufe0f":
        return None  # invisible, for example a soft hyphen; but U+200B separates words
    return character if category[0] in "LNM" else " "


_TABLE = _Table()


def fold(text: str) -> str:
    """Return the words of a text as the search compares them, with spaces between them."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", text).casefold()
    folded = unicodedata.normalize("NFKD", folded).translate(_TABLE)
    if folded.isascii():
        return folded
    folded = unicodedata.normalize("NFC", folded)
    return _LETTER.sub(r" \1 ", folded)
