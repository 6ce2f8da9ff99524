"""A line editor for a terminal that writes no escape sequence: only text, spaces, CR and BS.

It turns the bytes of the keyboard into actions and into text for the terminal. Only the last line
of a text can be edited; the earlier lines are above it. It does no I/O itself and knows no chat.
For one thread.
"""

import codecs
import re
import unicodedata
from collections.abc import Callable, Iterator
from enum import Enum, auto
from typing import NamedTuple

from tertulia.chat.editing import CompletionCycle, InputHistory, word_start
from tertulia.graphemes import next_boundary, previous_boundary
from tertulia.plain.pastes import Pasted, is_paste
from tertulia.plain.row import EMPTY_ROW, Row, cells, transition

MAX_CHARS = 65_536  # further characters are ignored; no message can be that long
MIN_WINDOW_COLUMNS = 10  # for the text; if the prompt is too long, its beginning is not shown

Completer = Callable[[str], tuple[int, list[str]]]


class Submit(NamedTuple):
    """A text was completed with Enter."""

    line: str


class Paste(NamedTuple):
    """Lines were pasted into a text, which now has this many lines; it waits for Enter."""

    lines: int


class Discard(NamedTuple):
    """A text with this many lines was discarded with Ctrl-C."""

    lines: int


class Control(Enum):
    """A key that neither inserts text nor edits the line."""

    END_OF_INPUT = auto()  # Ctrl-D on an empty line
    INTERRUPT = auto()  # Ctrl-C on an empty line
    NEXT_LINE = auto()  # another line of the text begins


Action = Submit | Paste | Discard | Control


_KEYS = {
    "\x01": "home", "\x02": "left", "\x03": "interrupt", "\x04": "delete_or_end", "\x05": "end",
    "\x06": "right", "\x08": "backspace", "\t": "complete", "\n": "enter", "\x0b": "kill_to_end",
    "\x0c": "redraw", "\x0e": "down", "\x0f": "next_line", "\x10": "up", "\x15": "kill_to_start",
    "\x17": "kill_word", "\x7f": "backspace",
}  # fmt: skip
_PASTED_KEYS = {
    "insert": "insert", "enter": "break", "complete": "insert", "interrupt": "interrupt",
}  # fmt: skip
_FINAL_KEYS = {
    "A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end",
    "Z": "complete_back",
}  # fmt: skip
_NUMBERED_KEYS = {"1": "home", "3": "delete", "4": "end", "7": "home", "8": "end"}
# CSI (parameters, intermediates, final), the Linux console's function keys, SS3 and one more
# character, or ESC and any other character (Alt and a key).
_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[(?:[0-?]*[ -/]*[@-Z\\-~]|\[.)|O.|[^\[O])", re.DOTALL)
_MAX_ESCAPE_SEQUENCE_CHARS = 32


class LineEditor:
    """One line being typed, after a prompt, on the last row of a terminal."""

    def __init__(
        self, complete: Completer, *, columns: int, prompt: str = "", encoding: str = "utf-8"
    ) -> None:
        self._complete = complete
        self._columns = columns
        self._prompt = cells(prompt)
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        self._escape = ""  # the beginning of an escape sequence
        self._above: list[str] = []  # the earlier lines of the text, above the row
        self._chars_above = 0  # including their line ends
        self._is_pasted = False  # the text was pasted into an empty line
        self._text = ""  # the last line
        self._cursor = 0  # a position in the last line
        self._first = 0  # the first grapheme in the visible part
        self._history = InputHistory()
        self._cycle: CompletionCycle | None = None
        self._row: Row | None = None  # None if the row is hidden
        self._output: list[str] = []
        self._actions = {
            "left": self._left, "right": self._right, "home": self._home, "end": self._end,
            "backspace": self._backspace, "delete": self._delete, "kill_word": self._kill_word,
            "kill_to_start": self._kill_to_start, "kill_to_end": self._kill_to_end,
            "up": self._up, "down": self._down, "redraw": self.redraw, "break": self._break,
        }  # fmt: skip

    @property
    def line(self) -> str:
        """Return the text typed so far."""
        text = "\n".join([*self._above, self._text])
        return Pasted(text) if self._is_pasted else text

    @property
    def line_number(self) -> int:
        """Return the number, within the text, of the line in the row."""
        return len(self._above) + 1

    @property
    def in_escape_sequence(self) -> bool:
        """Return whether the next byte may belong to a key that began with ESC."""
        return bool(self._escape)

    @property
    def _lines(self) -> int:
        return len(self._above) + (self._text != "")

    def pop_output(self) -> str:
        """Return the text to write to the terminal now, and forget it."""
        output = "".join(self._output)
        self._output.clear()
        return output

    def set_prompt(self, prompt: str) -> None:
        """Replace the prompt."""
        self._prompt = cells(prompt)
        self._update()

    def set_columns(self, columns: int) -> None:
        """Adapt to another width of the terminal."""
        self._columns = columns
        self.redraw()

    def show(self) -> None:
        """Draw the row if it is hidden."""
        if self._row is None:
            self._row = EMPTY_ROW
            self._update()

    def hide(self) -> None:
        """Erase the row, so that other text can be written in its place."""
        if self._row is not None:
            self._output.append(transition(self._row, EMPTY_ROW))
            self._row = None

    def leave(self) -> None:
        """Leave the row as it is, and move to the one below."""
        if self._row is not None:
            self._output.append("\n")
            self._row = None

    def redraw(self) -> None:
        """Erase the whole row of the terminal, even unknown text, and draw the row again."""
        if self._row is not None:
            self._output.append("\r" + " " * (self._columns - 1) + "\r")
            self._row = EMPTY_ROW
            self._update()

    def give_up_escape_sequence(self) -> None:
        """Treat an ESC that nothing followed as the key Esc, which does nothing."""
        self._escape = ""

    def feed(self, data: bytes, *, paste_goes_on: bool = False) -> Iterator[Action]:
        """Process bytes that came at once; yield each action before later bytes are processed.

        At a Submit and at NEXT_LINE the row still shows the line: the caller may `leave` or `hide`
        it. If the bytes are a paste of several lines, only Ctrl-C still acts as a key.
        """
        typed = self._decoder.decode(data).replace("\r\n", "\n").replace("\r", "\n")
        pasted = is_paste(typed, goes_on=paste_goes_on)
        if not self.line.strip():
            self._is_pasted = pasted
        for position, character in enumerate(typed):
            key = self._key_of(character)
            if pasted:
                key = _PASTED_KEYS.get(key or "")
            elif key == "complete" and _is_text(typed[position + 1 : position + 2]):
                # Nobody types that fast: the text was pasted, or comes from another program.
                key = key if self._candidates()[1] else "insert"
            if key is None:
                continue
            if key not in ("complete", "complete_back"):
                self._cycle = None
            action = self._press(key, character)
            if action is not None:
                yield action
        if pasted and self.line.strip():
            yield Paste(self._lines)
        self._update()

    # --- keys ----------------------------------------------------------------------------------

    def _key_of(self, character: str) -> str | None:
        """Return the name of the key that a character completes, if any."""
        if character == "\x1b" or self._escape:
            self._escape = "\x1b" if character == "\x1b" else self._escape + character
            return self._key_of_escape_sequence()
        key = _KEYS.get(character)
        return "insert" if key is None and _is_text(character) else key

    def _key_of_escape_sequence(self) -> str | None:
        sequence = self._escape
        if not _ESCAPE_SEQUENCE.fullmatch(sequence):
            if len(sequence) >= _MAX_ESCAPE_SEQUENCE_CHARS:
                self._escape = ""
            return None
        self._escape = ""
        if sequence[1] == "\n":
            return "next_line"  # Alt and Enter
        if sequence[1] not in "[O" or sequence[2] == "[":
            return None
        if sequence[-1] == "~":
            return _NUMBERED_KEYS.get(sequence[2:-1].partition(";")[0])
        return _FINAL_KEYS.get(sequence[-1])

    def _press(self, key: str, character: str) -> Action | None:
        match key:
            case "insert":
                self._insert(character)
            case "enter":
                return self._enter()
            case "complete":
                self._put_in_candidate(1)
            case "complete_back":
                self._put_in_candidate(-1)
            case "next_line":
                self._update()
                self._break()
                return Control.NEXT_LINE
            case "interrupt" if not self.line:
                return Control.INTERRUPT
            case "interrupt":
                lines = self._lines
                self._keep(self.line)
                return Discard(lines) if lines > 1 else None
            case "delete_or_end" if not self.line:
                return Control.END_OF_INPUT
            case "delete_or_end":
                self._delete()
            case _:
                self._actions[key]()
        return None

    # --- editing -------------------------------------------------------------------------------

    def _enter(self) -> Submit | None:
        self._update()
        line = self.line
        self._keep(line)
        return Submit(line) if line.strip() else None

    def _keep(self, line: str) -> None:
        """Begin a new text, and add the earlier one to the history."""
        self._history.add(line)
        self._set_whole("")

    def _break(self) -> None:
        """Divide the line at the cursor; the text before the cursor becomes an earlier line."""
        self._above.append(self._text[: self._cursor])
        self._chars_above += self._cursor + 1
        self._replace(0, self._cursor, "")

    def _join(self) -> None:
        """Bring the previous line back into the row."""
        line = self._above.pop()
        self._chars_above -= len(line) + 1
        self._replace(0, 0, line)

    def _insert(self, character: str) -> None:
        if len(self._text) + self._chars_above < MAX_CHARS:
            self._replace(self._cursor, self._cursor, character)

    def _put_in_candidate(self, step: int) -> None:
        if self._cycle is None:
            start, candidates = self._candidates()
            if not candidates:
                return
            self._cycle = CompletionCycle(start, candidates)
        self._replace(self._cycle.start, self._cursor, self._cycle.choose(step))
        if self._cycle.is_done:
            self._cycle = None

    def _candidates(self) -> tuple[int, list[str]]:
        return self._complete(self._text[: self._cursor])

    def _left(self) -> None:
        self._cursor = previous_boundary(self._text, self._cursor)

    def _right(self) -> None:
        self._cursor = next_boundary(self._text, self._cursor)

    def _home(self) -> None:
        self._cursor = 0

    def _end(self) -> None:
        self._cursor = len(self._text)

    def _backspace(self) -> None:
        if self._cursor == 0 and self._above:
            self._join()
            return
        self._replace(previous_boundary(self._text, self._cursor), self._cursor, "")

    def _delete(self) -> None:
        self._replace(self._cursor, next_boundary(self._text, self._cursor), "")

    def _kill_word(self) -> None:
        self._replace(word_start(self._text, self._cursor), self._cursor, "")

    def _kill_to_start(self) -> None:
        self._replace(0, self._cursor, "")

    def _kill_to_end(self) -> None:
        self._replace(self._cursor, len(self._text), "")

    def _up(self) -> None:
        self._recall(self._history.older(self.line))

    def _down(self) -> None:
        self._recall(self._history.newer(self.line))

    def _recall(self, line: str | None) -> None:
        if line is not None:
            self._set_whole(line)

    def _set_whole(self, text: str) -> None:
        """Replace the whole text."""
        *self._above, last = text.split("\n")
        self._chars_above = sum(len(line) + 1 for line in self._above)
        self._is_pasted = isinstance(text, Pasted)
        self._replace(0, len(self._text), last)

    def _replace(self, start: int, end: int, text: str) -> None:
        """Replace a part of the text, and put the cursor after the new text."""
        self._text = self._text[:start] + text + self._text[end:]
        self._cursor = start + len(text)

    # --- drawing -------------------------------------------------------------------------------

    def _update(self) -> None:
        """Draw the row on the terminal as it should be now."""
        if self._row is not None:
            row = self._wanted_row()
            self._output.append(transition(self._row, row))
            self._row = row

    def _wanted_row(self) -> Row:
        # The last column stays empty, because terminals differ after text was written there.
        room = max(1, self._columns - 1)
        prompt = self._prompt
        while prompt and sum(c.columns for c in prompt) + MIN_WINDOW_COLUMNS > room:
            prompt = prompt[1:]
        room -= sum(c.columns for c in prompt)
        before = cells(self._text[: self._cursor])
        text = before + cells(self._text[self._cursor :])
        widths = [c.columns for c in text]
        self._first = _scroll(widths, self._first, len(before), room)
        end = self._first
        while end < len(text) and sum(widths[self._first : end + 1]) <= room:
            end += 1
        window = text[self._first : end]
        return Row(prompt + window, len(prompt) + len(before) - self._first)


def _is_text(character: str) -> bool:
    return character != "" and unicodedata.category(character) != "Cc"


def _scroll(widths: list[int], first: int, cursor: int, room: int) -> int:
    """Return the first grapheme of a visible part that contains the cursor."""
    if sum(widths) <= room:
        return 0
    if first <= cursor and sum(widths[first:cursor]) <= room:
        return first
    # Move by a part of the visible width, so that not every key makes it move.
    wanted = room // 3 if cursor < first else room - room // 3
    first = cursor
    while first and sum(widths[first - 1 : cursor]) <= wanted:
        first -= 1
    return first
