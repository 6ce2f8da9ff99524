"""A secret that is typed without echo: keys are processed, and the secret is returned.

It must never show or store the secret. No I/O; for one thread.
"""

import codecs
import re
from enum import Enum, auto

MAX_CHARS = 1_024  # further characters are ignored

_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|.)?", re.DOTALL)
_ENTER, _BACKSPACE, _CLEAR, _CANCEL = "\r\n", "\b\x7f", "\x15", "\x03\x04"


class Cancelled(Enum):
    """The person has cancelled the question for the secret."""

    CANCELLED = auto()


class SecretField:
    """The characters typed so far, which are never shown."""

    def __init__(self, encoding: str) -> None:
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        self._typed = ""

    def feed(self, data: bytes) -> str | Cancelled | None:
        """Process keys; return the secret after Enter. Later keys are dropped.

        Ctrl-C, Ctrl-D, or Enter without a text cancel.
        """
        for character in _SEQUENCE.sub("", self._decoder.decode(data)):
            if character in _ENTER:
                return self._typed.strip() or Cancelled.CANCELLED
            if character in _CANCEL:
                return Cancelled.CANCELLED
            if character in _BACKSPACE:
                self._typed = self._typed[:-1]
            elif character == _CLEAR:
                self._typed = ""
            # As the server has it for its file with the secret (`server/option_types.py`).
            elif character.isprintable() and len(self._typed) < MAX_CHARS:
                self._typed += character
        return None
