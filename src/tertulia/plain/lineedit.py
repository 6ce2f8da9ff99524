"""A line editor for a terminal that writes no escape sequence: only text, spaces, CR and BS.

Bytes of the keyboard in; actions, and text for the terminal, out. It reads and writes nothing
itself, and knows no chat. One thread.
"""

import codecs
import re
import unicodedata
from collections.abc import Callable, Iterator
from enum import Enum, auto
from typing import NamedTuple

from wcwidth import iter_graphemes

from tertulia.plain.row import Row, cell, cells, transition

MAX_CHARS = 65_536  # what is typed beyond is not taken; no message can be that long
MAX_GRAPHEME_CHARS = 32  # marks beyond stand for themselves
MAX_HISTORY = 500  # lines; the oldest is forgotten
MIN_WINDOW_COLUMNS = 10  # for the text, whatever the prompt takes

Completer = Callable[[str], tuple[int, list[str]]]


class Submit(NamedTuple):
    """A line was ended with Enter."""

    line: str


class Control(Enum):
    """What was typed that is no text and no editing."""

    END_OF_INPUT = auto()  # Ctrl-D on an empty line
    INTERRUPT = auto()  # Ctrl-C on an empty line


_KEYS = {
    "\x01": "home", "\x02": "left", "\x03": "interrupt", "\x04": "delete_or_end", "\x05": "end",
    "\x06": "right", "\x08": "backspace", "\t": "complete", "\n": "enter", "\x0b": "kill_to_end",
    "\r": "enter", "\x0c": "redraw", "\x0e": "down", "\x10": "up", "\x15": "kill_to_start",
    "\x17": "kill_word", "\x7f": "backspace",
}  # fmt: skip
_FINAL_KEYS = {
    "A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end",
}  # fmt: skip
_NUMBERED_KEYS = {"1": "home", "3": "delete", "4": "end", "7": "home", "8": "end"}
# CSI (parameters, intermediates, final), the Linux console's function keys, SS3 and one more, or
# ESC and any other character (Alt and a key).
_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[(?:[0-?]*[ -/]*[@-Z\\-~]|\[.)|O.|[^\[O])", re.DOTALL)
_MAX_ESCAPE_SEQUENCE_CHARS = 32


class _Cycle(NamedTuple):
    """What repeated Tabs go round in."""

    before: str
    candidates: list[str]
    after: str
    chosen: int


class LineEditor:
    """One line being typed, under a prompt, on the last row of a terminal."""

    def __init__(
        self, complete: Completer, *, columns: int, prompt: str = "", encoding: str = "utf-8"
    ) -> None:
        self._complete = complete
        self._columns = columns
        self._prompt = cells(prompt)
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        self._escape = ""  # the beginning of an escape sequence
        self._text: list[str] = []  # graphemes: what a person takes for one character
        self._cursor = 0
        self._first = 0  # the first grapheme in the window
        self._history: list[str] = []
        self._history_at = 0  # == len(history): the line being typed
        self._draft = ""
        self._cycle: _Cycle | None = None
        self._row: Row | None = None  # None: hidden
        self._output: list[str] = []
        self._actions = {
            "left": self._left, "right": self._right, "home": self._home, "end": self._end,
            "backspace": self._backspace, "delete": self._delete, "kill_word": self._kill_word,
            "kill_to_start": self._kill_to_start, "kill_to_end": self._kill_to_end,
            "up": self._up, "down": self._down, "redraw": self.redraw,
        }  # fmt: skip

    @property
    def line(self) -> str:
        """The text that was typed so far."""
        return "".join(self._text)

    @property
    def in_escape_sequence(self) -> bool:
        """Tell whether the next byte may belong to a key that has begun with ESC."""
        return bool(self._escape)

    def take_output(self) -> str:
        """Take what is to be written to the terminal now."""
        output = "".join(self._output)
        self._output.clear()
        return output

    def set_prompt(self, prompt: str) -> None:
        """Show another prompt."""
        self._prompt = cells(prompt)
        self._update()

    def set_columns(self, columns: int) -> None:
        """Fit into another width."""
        self._columns = columns
        self.redraw()

    def show(self) -> None:
        """Draw the row, if it is hidden."""
        if self._row is None:
            self._row = Row((), 0)
            self._update()

    def hide(self) -> None:
        """Erase the row, so that other text can be written in its place."""
        if self._row is not None:
            self._output.append(transition(self._row, Row((), 0)))
            self._row = None

    def leave(self) -> None:
        """Leave the row as it stands, and go below it."""
        if self._row is not None:
            self._output.append("\n")
            self._row = None

    def redraw(self) -> None:
        """Draw the row anew, whatever the terminal shows in its place."""
        if self._row is not None:
            self._output.append("\r" + " " * (self._columns - 1) + "\r")
            self._row = Row((), 0)
            self._update()

    def give_up_escape_sequence(self) -> None:
        """Take an ESC after which nothing came for the key Esc, which does nothing."""
        self._escape = ""

    def feed(self, data: bytes) -> Iterator[Submit | Control]:
        """Take in what was typed, and give each action before what was typed after it.

        At a Submit the row still shows the line: the caller may `leave` or `hide` it.
        """
        for character in self._decoder.decode(data):
            key = self._key_of(character)
            if key is None:
                continue
            if key != "complete":
                self._cycle = None
            action = self._press(key, character)
            if action is not None:
                yield action
        self._update()

    def _key_of(self, character: str) -> str | None:
        """Name the key that a character ends, if it ends one."""
        if character == "\x1b" or self._escape:
            self._escape = "\x1b" if character == "\x1b" else self._escape + character
            return self._key_of_escape_sequence()
        key = _KEYS.get(character)
        if key is None and unicodedata.category(character) != "Cc":
            return "insert"
        return key

    def _key_of_escape_sequence(self) -> str | None:
        sequence = self._escape
        if not _ESCAPE_SEQUENCE.fullmatch(sequence):
            if len(sequence) >= _MAX_ESCAPE_SEQUENCE_CHARS:
                self._escape = ""
            return None
        self._escape = ""
        if sequence[1] not in "[O" or sequence[2] == "[":
            return None
        if sequence[-1] == "~":
            return _NUMBERED_KEYS.get(sequence[2:-1].partition(";")[0])
        return _FINAL_KEYS.get(sequence[-1])

    def _press(self, key: str, character: str) -> Submit | Control | None:
        match key:
            case "insert":
                self._insert(character)
            case "enter":
                return self._enter()
            case "complete":
                self._tab()
            case "interrupt" if not self._text:
                return Control.INTERRUPT
            case "interrupt":
                self._set_text("", "")
            case "delete_or_end" if not self._text:
                return Control.END_OF_INPUT
            case "delete_or_end":
                self._delete()
            case _:
                self._actions[key]()
        return None

    def _enter(self) -> Submit | None:
        self._update()
        line = self.line
        self._set_text("", "")
        if not line.strip():
            return None
        if self._history[-1:] != [line]:
            self._history.append(line)
            del self._history[:-MAX_HISTORY]
        self._history_at = len(self._history)
        return Submit(line)

    def _insert(self, character: str) -> None:
        if len(self._text) >= MAX_CHARS:
            return
        # A mark or a joiner makes one grapheme with what stands before it.
        before = self._text[self._cursor - 1] if self._cursor else ""
        if before and len(before) < MAX_GRAPHEME_CHARS:
            joined = list(iter_graphemes(before + character))
        else:
            joined = [before, character] if before else [character]
        self._text[max(0, self._cursor - 1) : self._cursor] = joined
        self._cursor += len(joined) - bool(before)

    def _tab(self) -> None:
        if self._cycle is None:
            before = "".join(self._text[: self._cursor])
            start, candidates = self._complete(before)
            if not candidates:
                return
            after = "".join(self._text[self._cursor :])
            self._cycle = _Cycle(before[:start], candidates, after, 0)
        cycle = self._cycle
        self._set_text(cycle.before + cycle.candidates[cycle.chosen], cycle.after)
        # The only candidate is done; the next Tab completes what comes after it.
        following = (cycle.chosen + 1) % len(cycle.candidates)
        self._cycle = cycle._replace(chosen=following) if len(cycle.candidates) > 1 else None

    def _left(self) -> None:
        self._cursor = max(0, self._cursor - 1)

    def _right(self) -> None:
        self._cursor = min(len(self._text), self._cursor + 1)

    def _home(self) -> None:
        self._cursor = 0

    def _end(self) -> None:
        self._cursor = len(self._text)

    def _backspace(self) -> None:
        if self._cursor:
            self._cursor -= 1
            self._delete()

    def _delete(self) -> None:
        del self._text[self._cursor : self._cursor + 1]

    def _kill_to_start(self) -> None:
        del self._text[: self._cursor]
        self._cursor = 0

    def _kill_to_end(self) -> None:
        del self._text[self._cursor :]

    def _kill_word(self) -> None:
        start = self._cursor
        while start and self._text[start - 1].isspace():
            start -= 1
        while start and not self._text[start - 1].isspace():
            start -= 1
        del self._text[start : self._cursor]
        self._cursor = start

    def _up(self) -> None:
        if self._history_at == len(self._history):
            self._draft = self.line
        if self._history_at:
            self._history_at -= 1
            self._set_text(self._history[self._history_at], "")

    def _down(self) -> None:
        if self._history_at < len(self._history):
            self._history_at += 1
            at_draft = self._history_at == len(self._history)
            self._set_text(self._draft if at_draft else self._history[self._history_at], "")

    def _set_text(self, before: str, after: str) -> None:
        left = list(iter_graphemes(before))
        self._text = [*left, *iter_graphemes(after)]
        self._cursor = len(left)

    def _update(self) -> None:
        """Bring the row on the terminal to what it should be."""
        if self._row is not None:
            row = self._wanted_row()
            self._output.append(transition(self._row, row))
            self._row = row

    def _wanted_row(self) -> Row:
        # Nothing is ever written into the last column: terminals differ in what that does.
        room = max(1, self._columns - 1)
        prompt = self._prompt
        while prompt and sum(c.columns for c in prompt) + MIN_WINDOW_COLUMNS > room:
            prompt = prompt[1:]
        room -= sum(c.columns for c in prompt)
        text = [cell(grapheme) for grapheme in self._text]
        widths = [c.columns for c in text]
        self._first = _scroll(widths, self._first, self._cursor, room)
        end = self._first
        while end < len(text) and sum(widths[self._first : end + 1]) <= room:
            end += 1
        window = tuple(text[self._first : end])
        return Row(prompt + window, len(prompt) + self._cursor - self._first)


def _scroll(widths: list[int], first: int, cursor: int, room: int) -> int:
    """Choose the first grapheme in the window so that the cursor is in it."""
    if sum(widths) <= room:
        return 0
    if first <= cursor and sum(widths[first:cursor]) <= room:
        return first
    # Move on by a part of the window, so that this does not happen with every key.
    wanted = room // 3 if cursor < first else room - room // 3
    first = cursor
    while first and sum(widths[first - 1 : cursor]) <= wanted:
        first -= 1
    return first
