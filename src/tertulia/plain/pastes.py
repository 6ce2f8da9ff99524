"""Telling a paste from typing. To have the terminal mark it would need an escape sequence.

Nobody types a line, Enter and more text within a few milliseconds. So what arrives that fast is a
paste: a line end in the middle of it belongs to the text. No I/O, no clock; for one thread.
"""

import re

PASTE_WITHIN_S = 0.03  # after a line end; fast typing and a held key are slower than that
GOES_ON_WITHIN_S = 0.2  # after a paste: what a slow network brings of it later
MAX_BYTES = 256 * 1024  # of what is not handled yet; far more than a message, the rest is dropped

_LINE_END = re.compile(rb"[\r\n]")
# Keys that send several characters, so that none of them is taken for text.
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|.)", re.DOTALL)
_KEYS = "".join(map(chr, range(0x20))) + "\x7f"  # they are not text


class Pasted(str):
    """A text that was pasted into an empty line: nothing in it is a command."""


class Arrivals:
    """The bytes that have come and are not handled yet."""

    def __init__(self) -> None:
        self._data = b""
        self._last_at = 0.0

    def add(self, data: bytes, now: float) -> None:
        """Add what has come."""
        self._data = (self._data + data)[:MAX_BYTES]
        self._last_at = now

    @property
    def ready_at(self) -> float | None:
        """When the bytes can be handled, because nothing that comes later belongs to them."""
        if not self._data:
            return None
        return self._last_at + (PASTE_WITHIN_S if _LINE_END.search(self._data) else 0.0)

    def take_all(self) -> bytes:
        """Remove and return the bytes."""
        data, self._data = self._data, b""
        return data


def is_paste(text: str, *, goes_on: bool = False) -> bool:
    """Return whether text that came at once, with `\\n` as line ends, is a paste of several lines.

    Line ends that no text follows are those of somebody who typed ahead, or of another program;
    but if a paste may go on, a whole line belongs to it.
    """
    if goes_on and "\n" in text and text.strip():
        return True
    return "\n" in _SEQUENCE.sub("", text).rstrip(_KEYS)
