"""Questions to the terminal while the screen is drawn, and the terminal's answers.

The answers come through the parser, on the driver's input thread.
"""

import re

from textual.message import Message

# Its name and version (XTVERSION), and whether it reports the focus, as Textual has requested.
QUESTIONS = "\x1b[>0q\x1b[?1004$p"
_NAME = re.compile(r"\x1bP>\|([^\x00-\x1f\x7f-\x9f]*)(?:\x1b\\|\x07|\x9c)")
_FOCUS = "\x1b[?1004;1$y"  # the terminal reports the focus


class TerminalNamed(Message):
    """The terminal has reported its name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class FocusIsReported(Message):
    """The terminal reports when it gains or loses the focus."""


def answer_in(sequence: str) -> Message | None:
    """Return the answer in a sequence; None if it is not an answer."""
    if sequence == _FOCUS:
        return FocusIsReported()
    name = _NAME.fullmatch(sequence)
    return None if name is None else TerminalNamed(name[1])
