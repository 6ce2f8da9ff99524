"""The rules for the text of a message. The text is data: it never holds markup or commands."""

import re

from tertulia.protocol.messages import ErrorCode

MAX_TEXT_BYTES = 16_384  # of UTF-8
_SHORT_CHARS = MAX_TEXT_BYTES // 4  # a text this short is never too long, whatever it holds

# For use inside [...] of a regular expression: C0 without \t and \n, DEL, C1, unpaired surrogates.
# No text holds these, and no terminal may receive them.
CONTROL_RANGES = r"\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff"
CONTROL_CHARACTER = re.compile(f"[{CONTROL_RANGES}]")


def check_text(text: str) -> ErrorCode | None:
    """Return the reason to refuse the text of a message, or None if it is valid."""
    if len(text) <= _SHORT_CHARS and text.isprintable() and text.strip():
        return None  # true of nearly all texts, and twice as fast as the checks below
    if len(text) > MAX_TEXT_BYTES:
        return ErrorCode.TEXT_TOO_LONG
    if CONTROL_CHARACTER.search(text) or not text or text.isspace():
        return ErrorCode.TEXT_INVALID
    if not text.isascii() and len(text.encode()) > MAX_TEXT_BYTES:
        return ErrorCode.TEXT_TOO_LONG
    return None
