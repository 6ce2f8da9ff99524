"""The composer: a field for several lines, with input history, completion and whole pastes.

It knows no chat. One callable returns the completions; another one, `ChatApp._submit`, receives the
text at Enter, before any later key is handled. The text stays until `accept` is called.
Typed text is never markup. Runs on the app's event loop.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.message import Message

from tertulia.chat.completion import Completion
from tertulia.chat.editing import CompletionCycle, InputHistory
from tertulia.protocol.texts import CONTROL_CHARACTER, MAX_TEXT_BYTES
from tertulia.safetext import visible_in_a_line
from tertulia.tui.terminal.textual_private import MODIFIER_KEYS, read_alt_enter_as_ctrl_j
from tertulia.tui.widgets.editor import Editor

# Four messages' size, for the user to divide. TextArea needs 0.3 s for it, and 3 s for a megabyte.
MAX_COMPOSER_BYTES = 4 * MAX_TEXT_BYTES

_LINE_BREAK = re.compile("\r\n?|[\u2028\u2029]")

# The app would run the actions of TextArea's own bindings after the key has bubbled up to it, when
# later keys are already in the text; and some of them hide the app's bindings. This table replaces
# them.
_ACTIONS = {
    "enter": "submit",
    # xterm's modifyOtherKeys sends a Shift+Enter that Textual reads as "shift+\r".
    **dict.fromkeys(["alt+enter", "shift+enter", "shift+\r", "ctrl+j"], "newline"),
    "tab": "complete(1)", "shift+tab": "complete(-1)",
    "up": "cursor_up", "shift+up": "cursor_up(True)",
    "down": "cursor_down", "shift+down": "cursor_down(True)",
    "left": "cursor_left", "shift+left": "cursor_left(True)",
    "right": "cursor_right", "shift+right": "cursor_right(True)",
    "ctrl+left": "cursor_word_left", "ctrl+shift+left": "cursor_word_left(True)",
    "ctrl+right": "cursor_word_right", "ctrl+shift+right": "cursor_word_right(True)",
    "home": "cursor_line_start", "shift+home": "cursor_line_start(True)",
    "ctrl+a": "cursor_line_start", "ctrl+e": "cursor_line_end",
    "end": "cursor_line_end", "shift+end": "cursor_line_end(True)",
    "backspace": "delete_left", "shift+backspace": "delete_left",
    "delete": "delete_right", "ctrl+d": "delete_right",
    "ctrl+w": "delete_word_left", "ctrl+backspace": "delete_word_left",
    "alt+backspace": "delete_word_left",
    "ctrl+u": "delete_to_start_of_line", "ctrl+k": "delete_to_end_of_line_or_delete_line",
    "ctrl+x": "cut", "ctrl+v": "paste", "ctrl+y": "redo",
    # The screen uses Ctrl+Z for itself.
    **dict.fromkeys(["ctrl+z", "ctrl+underscore", "ctrl+slash", "ctrl+shift+minus"], "undo"),
}  # fmt: skip

read_alt_enter_as_ctrl_j()


class Composer(Editor):
    """An editor that grows from one row to six rows, and then scrolls."""

    DEFAULT_CSS: ClassVar[str] = """
    Composer {
        height: auto;
        min-height: 1;
        max-height: 6;
        border: none;
        padding: 0 1;
        scrollbar-size-vertical: 1;
        &:focus { border: none; }
    }
    """

    @dataclass
    class Candidates(Message):
        """Tab has inserted another candidate. When Tabs end: no candidates, and -1."""

        candidates: Sequence[str]
        chosen_index: int

    @dataclass
    class Pasted(Message):
        """A text was pasted into the composer."""

        lines: int
        chars: int

    @dataclass
    class PasteTooLong(Message):
        """A text was not pasted, because the composer cannot hold it."""

        size_bytes: int

    def __init__(
        self,
        complete: Callable[[str], Completion],
        submit: Callable[[str], None],
        *,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Begin; `submit` calls `accept` if it used the text; otherwise the text stays."""
        super().__init__(id=id, classes=classes, highlight_cursor_line=False)
        self.match_cursor_bracket = False
        self.cursor_blink = False
        self._complete = complete
        self._submit = submit
        self._cycle: CompletionCycle | None = None
        self._history = InputHistory()

    def accept(self) -> None:
        """Clear the text and add it to the input history, because the app has used it."""
        self._history.add(self.text)
        self.load("")

    def begin(self, text: str) -> None:
        """Begin another text, and add the one that was here to the input history."""
        self._history.add(self.text)
        self.load(text)

    def turn_to(self, draft: str, history: InputHistory) -> None:
        """Change to the text and the input history of another conversation."""
        self._history = history
        self.load(draft)

    def load(self, text: str) -> None:
        """Replace the text, put the cursor at its end, and clear the undo history."""
        self._end_cycle()
        self._history.start_over()
        self._replace_all(_clean(text))

    # --- keys ----------------------------------------------------------------------------------

    async def on_key(self, event: events.Key) -> None:
        """Edit the text, or leave the key to the app."""
        event.prevent_default()  # TextArea must not handle keys here
        if event.key in MODIFIER_KEYS:  # kitty also reports these: Shift comes before Shift+Tab
            return
        if event.key not in ("tab", "shift+tab"):
            self._end_cycle()
        if _is_text(event.key, event.character):
            event.stop()
            self._insert(event.character or "")
        elif event.key in _ACTIONS and not self._is_for_the_app(event.key):
            event.stop()
            await self.run_action(_ACTIONS[event.key])

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        """Return whether the key is text, so that no binding of the app gets it."""
        return _is_text(key, character)

    def on_mouse_down(self) -> None:
        """End the completion, because the cursor moves."""
        self._end_cycle()

    def on_paste(self, event: events.Paste) -> None:
        """Insert a pasted text as a whole."""
        event.prevent_default()
        event.stop()
        self.paste(event.text)

    def action_paste(self) -> None:
        """Paste from the app's clipboard."""
        self.paste(self.app.clipboard)

    def action_newline(self) -> None:
        """Insert a line break."""
        self._insert("\n")

    def action_submit(self) -> None:
        """Submit the text. Later keys wait in the queue meanwhile."""
        self._submit(self.text)

    def _is_for_the_app(self, key: str) -> bool:
        match key:
            case "tab" | "shift+tab":
                nothing_before = self.cursor_location == (0, 0)
                return nothing_before and self._cycle is None and not self._candidates()[1]
            case "ctrl+d":
                return not self.text
            case "ctrl+x":
                return self.selection.is_empty
        return False

    def _insert(self, text: str) -> bool:
        kept = _size(self.text) - _size(self.selected_text)
        if kept + _size(text) > MAX_COMPOSER_BYTES:
            return False
        self.replace(text, *self.selection, maintain_selection_offset=False)
        return True

    def paste(self, text: str) -> None:
        """Insert a text as a whole, or post that it is too long."""
        self._end_cycle()
        text = _clean(text)
        if not text:
            return
        if self._insert(text):
            self.post_message(self.Pasted(text.strip("\n").count("\n") + 1, len(text)))
        else:
            self.post_message(self.PasteTooLong(_size(text)))

    # --- completion ----------------------------------------------------------------------------

    def action_complete(self, step: int) -> None:
        """Insert the next candidate (1) or the previous one (-1)."""
        if self._cycle is None:
            start, candidates = self._candidates()
            if not candidates:
                return
            self._cycle = CompletionCycle(start, candidates)
        cycle = self._cycle
        cursor = self.cursor_location
        start_location = (cursor[0], cycle.start)
        candidate = cycle.choose(step)
        self.replace(candidate, start_location, cursor, maintain_selection_offset=False)
        if cycle.is_done:
            self._cycle = None
        else:
            self.post_message(self.Candidates(cycle.candidates, cycle.chosen))

    def _candidates(self) -> tuple[int, list[str]]:
        row, column = self.cursor_location
        start, candidates = self._complete(self.document.get_line(row)[:column])
        # Names come from the network. A name that would control the terminal is never wanted.
        return start, [word for word in candidates if visible_in_a_line(word) == word]

    def _end_cycle(self) -> None:
        if self._cycle is not None:
            self._cycle = None
            self.post_message(self.Candidates([], -1))

    # --- input history -------------------------------------------------------------------------

    def action_cursor_up(self, select: bool = False) -> None:
        """Go up a row; in the first row, recall the older line of the history."""
        is_first = self.navigator.is_first_wrapped_line(self.cursor_location)
        line = self._history.older(self.text) if is_first and not select else None
        if line is None:
            super().action_cursor_up(select)
        else:
            self._replace_all(line)

    def action_cursor_down(self, select: bool = False) -> None:
        """Go down a row; in the last row, recall the newer line of the history."""
        is_last = self.navigator.is_last_wrapped_line(self.cursor_location)
        line = self._history.newer(self.text) if is_last and not select else None
        if line is None:
            super().action_cursor_down(select)
        else:
            self._replace_all(line)

    def _replace_all(self, text: str) -> None:
        self.load_text(text)
        self.move_cursor(self.document.end)


def _is_text(key: str, character: str | None) -> bool:
    """Return whether a key is text, including the joiners and spaces of all scripts."""
    modifiers = set(key.split("+")[:-1])
    if character is None or character in "\t\n" or modifiers - {"shift"}:
        return False
    return _clean(character) == character


def _clean(text: str) -> str:
    r"""Replace every line break by `\n`, and drop control characters except `\n` and `\t`."""
    return CONTROL_CHARACTER.sub("", _LINE_BREAK.sub("\n", text))


def _size(text: str) -> int:
    return len(text.encode())
