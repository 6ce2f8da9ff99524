"""Asks the terminal for its background colour (OSC 11), and returns whether it is dark.

It asks before Textual is imported, because the import takes longer than most answers. Text typed
meanwhile is kept. A later answer comes through the parser. For the main thread, before the app
runs.
"""

import contextlib
import os
import re
import select
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from tertulia.tui.terminal.sequences import ESC, SequenceSplitter

QUESTION = "\x1b]11;?\x1b\\"
# Every terminal answers this question, and in order: after this answer no other one follows.
LAST_QUESTION = "\x1b[c"
LAST_ANSWER = re.compile(r"\x1b\[\?[\d;]*c")
ANSWER_WITHIN_S = 0.15  # counted from the question; importing Textual takes longer
_ANSWER = re.compile(
    r"\x1b\]11;(?:rgba?:|#)"
    r"(?:([0-9a-f]{1,4})/([0-9a-f]{1,4})/([0-9a-f]{1,4})|([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2}))",
    re.IGNORECASE,
)
_HALF = 0.5
_LUMA = (0.299, 0.587, 0.114)  # the apparent brightness of red, green and blue


class Heard(NamedTuple):
    """Input from the terminal: whether it is dark (None without an answer), and the typed text."""

    is_dark: bool | None
    typed: str


def is_dark_by(environ: Mapping[str, str]) -> bool:
    """Return whether the environment reports a dark background; COLORFGBG ends with its number."""
    number = environ.get("COLORFGBG", "").rpartition(";")[2]
    return number not in ("7", "15")


def dark_in(sequence: str) -> bool | None:
    """Return whether the background in an answer is dark; None if it is not an answer."""
    answer = _ANSWER.match(sequence)
    if answer is None:
        return None
    parts = [int(part, 16) / (16 ** len(part) - 1) for part in answer.groups() if part]
    brightness: float = sum(luma * part for luma, part in zip(_LUMA, parts, strict=True))
    return brightness < _HALF


@contextlib.contextmanager
def asked(
    terminal: int, now: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[], Heard]]:
    """Ask the terminal; yield a function that waits a short time for its answer.

    Meanwhile the terminal does not show typed text or its answer.
    """
    try:
        before, quiet = termios.tcgetattr(terminal), termios.tcgetattr(terminal)
    except termios.error:  # the terminal is gone; the screen will notice that itself
        yield lambda: Heard(None, "")
        return
    quiet[0] &= ~termios.ICRNL  # Enter sends the same byte as in the chat
    quiet[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(terminal, termios.TCSANOW, quiet)
    try:
        os.write(terminal, (QUESTION + LAST_QUESTION).encode())
        until = now() + ANSWER_WITHIN_S
        yield lambda: _hear(terminal, lambda: max(0.0, until - now()))
    finally:
        with contextlib.suppress(termios.error):  # nothing to restore if the terminal is gone
            termios.tcsetattr(terminal, termios.TCSANOW, before)


def _hear(terminal: int, patience_s: Callable[[], float]) -> Heard:
    heard = b""
    while select.select([terminal], [], [], patience_s())[0]:
        try:
            now = os.read(terminal, 4096)
        except OSError:  # the terminal is gone
            break
        heard += now
        if not now or LAST_ANSWER.search(heard.decode(errors="replace")):
            break
    return _understood(heard.decode(errors="replace"))


def _understood(heard: str) -> Heard:
    is_dark: bool | None = None
    typed = []
    splitter = SequenceSplitter()
    for unit in splitter.feed(heard):
        if dark_in(unit) is not None:
            is_dark = dark_in(unit)
        elif not (unit.startswith(ESC) and LAST_ANSWER.fullmatch(unit)):
            typed.append(unit)
    return Heard(is_dark, "".join(typed) + splitter.unfinished)
