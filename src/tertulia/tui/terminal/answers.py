"""What the terminal is asked about itself while the screen is drawn, and its answers.

They come through the parser, on the driver's input thread.
"""

import re

from textual.message import Message

# Its name and version (XTVERSION); whether it reports the focus, which Textual has asked for.
QUESTIONS = "\x1b[>0q\x1b[?1004$p"
_NAME = re.compile(r"\x1bP>\|([^\x00-\x1f\x7f-\x9f]*)(?:\x1b\\|\x07|\x9c)")
_FOCUS = "\x1b[?1004;1$y"  # the mode is set


class TerminalNamed(Message):
    """The terminal has told its name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class FocusIsReported(Message):
    """The terminal reports when it gets or loses the focus."""


def answer_in(sequence: str) -> Message | None:
    """Return what a sequence answers; None if it is no answer."""
    if sequence == _FOCUS:
        return FocusIsReported()
    name = _NAME.fullmatch(sequence)
    return None if name is None else TerminalNamed(name[1])
