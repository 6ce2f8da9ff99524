"""Where the person types: a few lines with history, completion and pastes that stay whole.

It knows no chat: what was typed goes out as messages to the app, what can be completed comes from
a callable. It never sends, and never throws away what was typed unless the app accepted it. What is
typed is text, never markup. Runs on the app's loop.
"""

import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, cast

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.dom import DOMNode
from textual.keys import Keys
from textual.message import Message
from textual.widgets.text_area import Location

from tertulia.chat.commands import Completion
from tertulia.chat.display import visible_in_a_line
from tertulia.protocol.texts import CONTROL_CHARACTERS, MAX_TEXT_BYTES
from tertulia.tui.widgets.editor import Editor

# Several messages' worth, to be cut by hand. TextArea takes 0.3 s for it, 3 s for a megabyte.
MAX_COMPOSER_BYTES = 4 * MAX_TEXT_BYTES
MAX_HISTORY = 200  # lines; the oldest is forgotten

_LINE_BREAK = re.compile("\r\n?|[\u2028\u2029]")
_CONTROL = re.compile(f"[{CONTROL_CHARACTERS}]")

# TextArea's own bindings are carried out by the app after the key has gone up to it, when keys
# typed since are already in the text; and some are in the app's way. So: no bindings, but this.
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
    "ctrl+x": "cut", "ctrl+v": "paste", "ctrl+z": "undo", "ctrl+y": "redo",
}  # fmt: skip

# Terminals without an extended keyboard protocol send Alt+Enter as these two characters, which
# Textual 8.2.8 takes for a plain Enter. Its table is the only place to say so.
cast("dict[str, tuple[Keys, ...]]", ANSI_SEQUENCES_KEYS)["\x1b\r"] = (Keys.ControlJ,)


class _Cycle(NamedTuple):
    """What repeated Tabs go round in."""

    start: Location
    candidates: list[str]
    chosen: int


class Composer(Editor):
    """One to six rows of text being typed, then it scrolls."""

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
    class Submitted(Message):
        """Enter was pressed; keys typed after it wait until all handlers of this have returned.

        Who takes the text calls `composer.accept()` in the handler; else it stays where it is.
        """

        composer: "Composer"
        text: str

        @property
        def control(self) -> "Composer":
            """The composer, for `@on` with a selector."""
            return self.composer

    @dataclass
    class Candidates(Message):
        """What Tab goes round in has changed; no candidates and -1: it goes round no more."""

        candidates: Sequence[str]
        chosen_index: int

    @dataclass
    class Pasted(Message):
        """A text was pasted, and is in the composer."""

        lines: int
        chars: int

    @dataclass
    class PasteTooLong(Message):
        """A text was not pasted: with it the composer would hold more than it can."""

        size_bytes: int

    def __init__(
        self,
        complete: Callable[[str], Completion],
        *,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes, highlight_cursor_line=False)
        self.match_cursor_bracket = False
        self.cursor_blink = False
        self._complete = complete
        self._cycle: _Cycle | None = None
        self._accepted: deque[str] = deque(maxlen=MAX_HISTORY)
        self._place = 0  # in the history; == len(_accepted): the line being typed
        self._left_behind: dict[int, str] = {}  # what was typed at other places of the history
        self._submitting = False
        # Keys and pastes while `_submitting`; no more than come in while the app does one thing.
        self._typed_ahead: deque[events.Event] = deque()

    def accept(self) -> None:
        """Clear the text and remember it in the history: the app took it."""
        text = self.text
        if text.strip() and list(self._accepted)[-1:] != [text]:
            self._accepted.append(text)
        self.load("")

    def load(self, text: str) -> None:
        """Show another text, the cursor at its end; undo and history begin anew from it."""
        self._end_cycle()
        self._place = len(self._accepted)
        self._left_behind.clear()
        self._show(_clean(text))

    # Keys

    async def on_event(self, event: events.Event) -> None:
        """Let what was typed after Enter wait for what the app makes of the line."""
        if self._submitting and isinstance(event, events.Key | events.Paste):
            self._typed_ahead.append(event)
        else:
            await super().on_event(event)

    async def on_key(self, event: events.Key) -> None:
        """Edit, or leave the key to the app."""
        event.prevent_default()  # nothing of TextArea's own
        if event.key not in ("tab", "shift+tab"):
            self._end_cycle()
        if _is_text(event.key, event.character):
            event.stop()
            self._insert(event.character or "")
        elif event.key in _ACTIONS and not self._is_for_the_app(event.key):
            event.stop()
            await self.run_action(_ACTIONS[event.key])

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        """Say whether the key is typed text, which no binding of the app gets."""
        return _is_text(key, character)

    def on_mouse_down(self) -> None:
        """End the completion: the cursor goes elsewhere."""
        self._end_cycle()

    def on_paste(self, event: events.Paste) -> None:
        """Take a paste whole."""
        event.prevent_default()
        event.stop()
        self._paste(event.text)

    def action_paste(self) -> None:
        """Paste what was cut or copied in the app."""
        self._paste(self.app.clipboard)

    def action_newline(self) -> None:
        """Begin another line."""
        self._insert("\n")

    def action_submit(self) -> None:
        """Offer the text to the app, and have later keys wait until the app has seen it."""
        self._submitting = True
        self.post_message(self.Submitted(self, self.text))
        # The message goes up from queue to queue. This goes after it, and then comes back.
        self.call_later(self._follow, list(self.ancestors))

    def _follow(self, ancestors: list[DOMNode]) -> None:
        if ancestors:
            ancestors[0].call_later(self._follow, ancestors[1:])
        else:
            self.call_later(self._go_on)

    async def _go_on(self) -> None:
        self._submitting = False
        while self._typed_ahead and not self._submitting:
            await super().on_event(self._typed_ahead.popleft())

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

    def _paste(self, text: str) -> None:
        self._end_cycle()
        text = _clean(text)
        if not text:
            return
        if self._insert(text):
            self.post_message(self.Pasted(text.strip("\n").count("\n") + 1, len(text)))
        else:
            self.post_message(self.PasteTooLong(_size(text)))

    # Completion

    def action_complete(self, step: int) -> None:
        """Put in the next candidate, or the one before it."""
        if self._cycle is None:
            start, candidates = self._candidates()
            if not candidates:
                return
            self._cycle = _Cycle(start, candidates, -1 if step > 0 else 0)
        start, candidates, chosen = self._cycle
        chosen = (chosen + step) % len(candidates)
        self.replace(
            candidates[chosen], start, self.cursor_location, maintain_selection_offset=False
        )
        if len(candidates) == 1:  # done; the next Tab completes what comes after it
            self._cycle = None
        else:
            self._cycle = _Cycle(start, candidates, chosen)
            self.post_message(self.Candidates(candidates, chosen))

    def _candidates(self) -> tuple[Location, list[str]]:
        row, column = self.cursor_location
        start, candidates = self._complete(self.document.get_line(row)[:column])
        # Names come from the network: one that cannot be shown as it is cannot be meant.
        return (row, start), [word for word in candidates if visible_in_a_line(word) == word]

    def _end_cycle(self) -> None:
        if self._cycle is not None:
            self._cycle = None
            self.post_message(self.Candidates([], -1))

    # History

    def action_cursor_up(self, select: bool = False) -> None:
        """Go up a row; from the first one, to the line accepted before."""
        first = self.navigator.is_first_wrapped_line(self.cursor_location)
        if select or not first or not self._recall(self._place - 1):
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """Go down a row; from the last one, to the line accepted after, or the one being typed."""
        last = self.navigator.is_last_wrapped_line(self.cursor_location)
        if select or not last or not self._recall(self._place + 1):
            super().action_cursor_down(select)

    def _recall(self, place: int) -> bool:
        if not 0 <= place <= len(self._accepted):
            return False
        self._left_behind[self._place] = self.text
        self._place = place
        # The line being typed has been left behind if it is not this one.
        self._show(
            self._left_behind[place] if place in self._left_behind else self._accepted[place]
        )
        return True

    def _show(self, text: str) -> None:
        self.load_text(text)
        self.move_cursor(self.document.end)


def _is_text(key: str, character: str | None) -> bool:
    """Tell typed text, the joiners and spaces of other scripts among it, from other keys."""
    modifiers = set(key.split("+")[:-1])
    if character is None or character in "\t\n" or modifiers - {"shift"}:
        return False
    return _clean(character) == character


def _clean(text: str) -> str:
    r"""Make all line breaks `\n`, and drop control characters other than that and tabs."""
    return _CONTROL.sub("", _LINE_BREAK.sub("\n", text))


def _size(text: str) -> int:
    return len(text.encode())
