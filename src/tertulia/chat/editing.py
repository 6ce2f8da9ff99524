"""The rules for editing a line that both faces share: words, input history and completion.

They know no toolkit, key or screen: each face has its own text and cursor. Not thread-safe; each
face uses them in one thread.
"""

import re
from collections import deque

from tertulia.graphemes import nearest_boundary
from tertulia.operator_commands import without_secret

MAX_HISTORY_LINES = 500  # of at most 64 Ki characters each; beyond it the oldest line is forgotten

_LAST_WORD = re.compile(r"\S+$")
_FIRST_WORD = re.compile(r"^\s*\S*")


def word_start(text: str, position: int) -> int:
    """Return where the word before a position begins; words are separated by whitespace."""
    return nearest_boundary(text, len(_LAST_WORD.sub("", text[:position].rstrip())))


def word_end(text: str, position: int) -> int:
    """Return where the word after a position ends."""
    rest = _FIRST_WORD.sub("", text[position:])
    return nearest_boundary(text, len(text) - len(rest))


class InputHistory:
    """The entered lines, and the position of the editor among them.

    A recalled line that is changed keeps its change while other lines are recalled. Nothing typed
    is lost: when another line is entered, the half-typed and the changed lines become part of the
    history. A line with the operator's secret is never stored.
    """

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=MAX_HISTORY_LINES)
        self._place = 0  # len(_lines) means the line being typed
        self._texts: dict[int, str] = {}  # the editor's text at each place that it has left

    def add(self, line: str) -> None:
        """Remember a line, unless it is blank or repeats the last one, and start over."""
        self.start_over()
        self._append(line)
        self._place = len(self._lines)

    def start_over(self) -> None:
        """Return to the line being typed; add the changed texts at other places to the history."""
        left = [
            text
            for place, text in sorted(self._texts.items())
            if place != self._place and text != self._original(place)
        ]
        self._texts.clear()
        for text in left:
            self._append(text)
        self._place = len(self._lines)

    def older(self, text: str) -> str | None:
        """Go to the previous line and return it, or None if there is none; `text` is kept here."""
        return self._go(self._place - 1, text)

    def newer(self, text: str) -> str | None:
        """Go to the next line and return it, or None if there is none; `text` is kept here."""
        return self._go(self._place + 1, text)

    def _append(self, line: str) -> None:
        is_new = line.strip() and (not self._lines or self._lines[-1] != line)
        if is_new and without_secret(line) == line:
            self._lines.append(line)

    def _original(self, place: int) -> str:
        return self._lines[place] if place < len(self._lines) else ""

    def _go(self, place: int, text: str) -> str | None:
        if not 0 <= place <= len(self._lines):
            return None
        self._texts[self._place] = text
        self._place = place
        # `_lines` lacks the line being typed, but its text was stored when the editor left it.
        return self._texts[place] if place in self._texts else self._lines[place]


class CompletionCycle:
    """The completions that repeated Tabs insert in turn, between `start` and the cursor."""

    def __init__(self, start: int, candidates: list[str]) -> None:
        self.start = start
        self.candidates = candidates
        self.chosen = -1  # none yet

    def choose(self, step: int = 1) -> str:
        """Go to the next candidate (1) or the previous one (-1), in a circle, and return it."""
        chosen = max(self.chosen, 0) if step < 0 else self.chosen
        self.chosen = (chosen + step) % len(self.candidates)
        return self.candidates[self.chosen]

    @property
    def is_done(self) -> bool:
        """Return whether this is the only candidate: the next Tab completes the text after it."""
        return len(self.candidates) == 1
