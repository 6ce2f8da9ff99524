"""The web addresses in a text, as links of the terminal (OSC 8).

A link leads to exactly the address that it shows. Only whole http and https addresses become links,
and none in which a reader could mistake another part for the host. Pure functions; safe in any
thread.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import quote

from tertulia.tui.painting.styled_text import Run, linked_style

_MAX_CHARS = 2000  # terminals ignore longer addresses
_RESERVED = "-._~:/?#[]@!$&'()*+,;=%"  # these characters, letters and digits are not encoded
_ADDRESS = re.compile(
    r"(?<![\w@/.-])https?://"
    r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?"
    r"(?P<path>[/?#][^\s\x7f<>\"{}|\\^`]*)?",
    re.IGNORECASE | re.ASCII,
)
_AFTER_AN_ADDRESS = re.compile(r"""[.,;:!?'"*)\]}>»”’…]*(?:\s|$)""")
_CLOSING = {")": "(", "]": "["}


class Address(NamedTuple):
    """An address as it is written, and the target of its link."""

    text: str
    target: str


def addresses(text: str) -> Iterator[Address]:
    """Yield the addresses in a text that is safe to show, in order."""
    if "://" not in text:
        return
    for found in _ADDRESS.finditer(text):
        if found["path"] is None and not _AFTER_AN_ADDRESS.match(text, found.end()):
            continue  # a reader might take the text after the host for a part of it
        address = _without_punctuation(_up_to_a_sign(found[0]))
        if len(address) <= _MAX_CHARS:
            yield Address(address, quote(address, safe=_RESERVED))


def link_lines(lines: Sequence[str], text: str, style: str) -> list[list[Run]]:
    """Return the lines of a wrapped text as runs; all parts of one link have the same target.

    An address that is not shown completely is not a link.
    """
    marks: list[tuple[int, int, str]] = []
    shown = "".join(lines)
    end = 0
    for address in addresses(text):
        start = shown.find(address.text, end)
        if start >= 0:
            end = start + len(address.text)
            marks.append((start, end, linked_style(style, address.target)))
    painted, start = [], 0
    for line in lines:
        painted.append(_runs(line, start, marks, style))
        start += len(line)
    return painted


def _runs(line: str, start: int, marks: list[tuple[int, int, str]], style: str) -> list[Run]:
    """Split a line, which begins at `start` in the text, at the marks."""
    runs: list[Run] = []
    done = 0
    for first, end, linked in marks:
        a, b = max(0, first - start), min(len(line), end - start)
        if a < b:
            runs += [(line[done:a], style), (line[a:b], linked)]
            done = b
    return [run for run in [*runs, (line[done:], style)] if run[0] or not line]


def _up_to_a_sign(address: str) -> str:
    """Return an address up to a character that is neither ASCII nor part of a word."""
    for position, character in enumerate(address):
        if not character.isascii() and unicodedata.category(character)[0] not in "LMN":
            return address[:position]
    return address


def _without_punctuation(address: str) -> str:
    """Return an address without final punctuation, which belongs to the sentence around it."""
    while address[-1] in ".,;:!?'*" or _closes_what_is_outside(address):
        address = address[:-1]
    return address


def _closes_what_is_outside(address: str) -> bool:
    opening = _CLOSING.get(address[-1])
    return opening is not None and address.count(address[-1]) > address.count(opening)
