"""What a text may hold. The text is data: nobody reads markup in it."""

import re

from tertulia.protocol.messages import ErrorCode

MAX_TEXT_BYTES = 16_384  # of UTF-8
_SHORT_CHARS = MAX_TEXT_BYTES // 4  # never too many bytes, whatever they are

# C0 without \t and \n, DEL, C1, unpaired surrogates.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def check_text(text: str) -> ErrorCode | None:
    """Say what is wrong with the text of a message; None if nothing is."""
    if len(text) <= _SHORT_CHARS and text.isprintable() and text.strip():
        return None  # nearly all are like this, and it takes half the time to tell
    if len(text) > MAX_TEXT_BYTES:
        return ErrorCode.TEXT_TOO_LONG
    if _FORBIDDEN.search(text) or not text or text.isspace():
        return ErrorCode.TEXT_INVALID
    if not text.isascii() and len(text.encode()) > MAX_TEXT_BYTES:
        return ErrorCode.TEXT_TOO_LONG
    return None
