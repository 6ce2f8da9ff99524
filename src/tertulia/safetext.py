"""Makes text from elsewhere safe to show: no character controls a terminal, reorders or hides text.

Both programs use this for everything that somebody else wrote; the page has the same rule in
`web/safetext.js`. An unsafe character is replaced by a visible mark, and all others stay, also the
joiners of emoji and of Persian. Pure; safe in any thread.
"""

import re

from tertulia.protocol.texts import CONTROL_RANGES

# For use inside [...] of a regular expression: the characters that set, embed, override or isolate
# the direction of a text.
DIRECTION_RANGES = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"
# The line and paragraph separators, and spaces without a width.
_UNSAFE = re.compile(rf"[{CONTROL_RANGES}{DIRECTION_RANGES}\u2028\u2029\u200b\u2060\ufeff]")
_BLANK_LINES = re.compile(r"\n\s*\n\s*\n")
_PICTURES = 0x2400  # the block where U+2400 + n is the picture of control character n


def visible(text: str) -> str:
    """Replace every unsafe character by a mark; keep newlines and tabs."""
    return _UNSAFE.sub(_mark, text)


def visible_in_a_line(text: str) -> str:
    """Replace newlines and tabs too, in a text that has to stay on one line, such as a name."""
    return visible(text).replace("\n", "␊").replace("\t", "␉")


def without_gaps(text: str) -> str:
    """Return a text in which several blank lines are one, so that they cannot hide anything."""
    return _BLANK_LINES.sub("\n\n", text) if "\n" in text else text


def visible_json(line: bytes) -> bytes:
    r"""Escape every unsafe character of a JSON text as `\uXXXX`, an equal text in JSON."""
    text = line.decode(errors="replace")  # fields that were not decoded may contain invalid UTF-8
    return _UNSAFE.sub(lambda unsafe: f"\\u{ord(unsafe[0]):04x}", text).encode()


def _mark(unsafe: re.Match[str]) -> str:
    code = ord(unsafe[0])
    if code < 0x20:
        return chr(_PICTURES + code)
    return "␡" if code == 0x7F else f"<U+{code:04X}>"
