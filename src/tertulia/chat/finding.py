"""Finds the words of a search in a message, so that a face can highlight them.

It compares words as the server's search does: without case, accents and compatibility forms, and
letter by letter in scripts without spaces. Pure functions; safe in any thread.
"""

import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

# The scripts without spaces between words.
_UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF),  # Thai and Lao, Burmese, Khmer
    (0x1100, 0x11FF), (0xAC00, 0xD7A3), (0xFFA0, 0xFFDC),  # Hangul
    (0x3005, 0x3007), (0x3041, 0x3096), (0x309D, 0x30FA), (0x30FC, 0x312F),  # kana, bopomofo
    (0x31A0, 0x31FF), (0xFF66, 0xFF9D),
    (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF),  # Han
)  # fmt: skip


class _Word(NamedTuple):
    """A word in the form for comparison, and its place in the text."""

    folded: str
    start: int
    end: int


def found_spans(text: str, query: str) -> list[tuple[int, int]]:
    """Return the places in a text that match a word of the query, in order; none overlap."""
    words = list(_words(text))
    spans: list[tuple[int, int]] = []
    wanted = [[word.folded for word in _words(part)] for part in query.split()]
    for first in range(len(words)):
        for parts in wanted:
            found = words[first : first + len(parts)]
            if parts and [word.folded for word in found] == parts:
                start, end = found[0].start, found[-1].end
                if spans and start <= spans[-1][1]:
                    start, end = spans[-1][0], max(end, spans.pop()[1])
                spans.append((start, end))
    return spans


def _words(text: str) -> Iterator[_Word]:
    folded, start, end = "", 0, 0
    is_single = False  # the word is a letter of a script without spaces
    for index, character in enumerate(text):
        kept = _folded(character)
        if kept is None:
            end = index + 1 if folded else end
            continue
        is_mark = unicodedata.category(character).startswith("M")
        if folded and (kept == "" or ((is_single or _is_unspaced(character)) and not is_mark)):
            yield _Word(folded, start, end)
            folded = ""
        if kept:
            if not folded:
                start, is_single = index, _is_unspaced(character)
            folded += kept
            end = index + 1
    if folded:
        yield _Word(folded, start, end)


def _folded(character: str) -> str | None:
    """Return a character in the form for comparison: "" between words, None if it is ignored."""
    decomposed = unicodedata.normalize("NFKD", character).casefold()
    kept = ""
    is_ignored = True
    for part in unicodedata.normalize("NFKD", decomposed):
        category, mark_class = unicodedata.category(part), unicodedata.combining(part)
        if mark_class >= 200 or 10 <= mark_class <= 36:
            continue
        if (category == "Cf" and part != "\u200b") or "\ufe00" <= part <= "\ufe0f":
            continue
        is_ignored = False
        if category[0] in "LNM":
            kept += part
    return None if is_ignored else kept


def _is_unspaced(character: str) -> bool:
    code = ord(character)
    return code > 0xDFF and any(first <= code <= last for first, last in _UNSPACED)
