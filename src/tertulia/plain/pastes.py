"""Distinguishes pastes from typing. The terminal could mark them only after an escape sequence.

Nobody types a line, Enter and more text within a few milliseconds. So text that arrives that fast
is a paste, and a line end in the middle belongs to the text. No I/O, no clock; for one thread.
"""

import re

PASTE_WITHIN_S = 0.03  # after a line end; fast typing and a held key are slower
GOES_ON_WITHIN_S = 0.2  # after a paste, for the rest of it over a slow network
MAX_BYTES = 256 * 1024  # of unhandled bytes, far more than a message; further bytes are dropped

_LINE_END = re.compile(rb"[\r\n]")
# Keys that send several characters, so that no part of them is taken for text.
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|.)", re.DOTALL)
_KEYS = "".join(map(chr, range(0x20))) + "\x7f"  # these are not text


class Pasted(str):
    """A text that was pasted into an empty line, so that it is never a command."""


class Arrivals:
    """The bytes that have arrived and are not handled yet."""

    def __init__(self) -> None:
        self._data = b""
        self._last_at = 0.0

    def add(self, data: bytes, now: float) -> None:
        """Add bytes that have arrived."""
        self._data = (self._data + data)[:MAX_BYTES]
        self._last_at = now

    @property
    def ready_at(self) -> float | None:
        """Return when the bytes can be handled, because later bytes no longer belong to them."""
        if not self._data:
            return None
        return self._last_at + (PASTE_WITHIN_S if _LINE_END.search(self._data) else 0.0)

    def take_all(self) -> bytes:
        """Remove and return the bytes."""
        data, self._data = self._data, b""
        return data


def is_paste(text: str, *, goes_on: bool = False) -> bool:
    """Return whether text that came at once, with `\\n` as line ends, is a paste of several lines.

    If no text follows a line end, the lines come from somebody who typed ahead, or from another
    program. But if a paste may still go on, a whole line belongs to it.
    """
    if goes_on and "\n" in text and text.strip():
        return True
    return "\n" in _SEQUENCE.sub("", text).rstrip(_KEYS)
