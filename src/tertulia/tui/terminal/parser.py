"""The parser of terminal input: Textual's own, protected from unknown input.

Textual takes an unknown sequence for typed text, and an unexpected number ends the program. So
whole sequences are checked here first. Runs on the driver's input thread.
"""

import re
from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual import constants
from textual.message import Message

from tertulia.tui.terminal.answers import answer_in
from tertulia.tui.terminal.background import LAST_ANSWER, dark_in
from tertulia.tui.terminal.layouts import latin_letter
from tertulia.tui.terminal.pastes import PasteFilter
from tertulia.tui.terminal.sequences import ESC, SequenceSplitter
from tertulia.tui.terminal.textual_private import (
    ALT_ENTER,
    SequenceParser,
    is_known_key,
    is_known_sequence,
)

# A mouse event, the answer about a mode, the cursor's position, or a new size (never zero).
_REPORT = re.compile(
    r"\x1b\[(?:<\d{1,9};-?\d{1,9};-?\d{1,9}[mM]|\?\d{1,9};\d\$y|\d{1,9};\d{1,9}R"
    r"|48(?:;0*[1-9]\d{0,5}){4}t)"
)
# A key of the kitty keyboard protocol, or with modifiers: key, modifiers and text. Each of them can
# have sub-parameters after a colon.
_KEY = re.compile(r"\x1b\[([\d:]*)(?:;([\d:]*))?(?:;([\d:]*))?([u~ABCDEFHPQRS])")
_ALT_OR_CTRL = 0b110  # bits of the modifiers; the number in the sequence is one more than the bits
_RELEASED = "3"  # the sub-parameter of the modifiers for a released key
_OTHER_KEYS = "27~"  # xterm's modifyOtherKeys: the character is in the place of kitty's text


class BackgroundReported(Message):
    """The terminal has answered the question about its background."""

    def __init__(self, is_dark: bool) -> None:
        super().__init__()
        self.is_dark = is_dark


class EverythingAnswered(Message):
    """The terminal has answered the last question."""


class TerminalParser(SequenceParser):
    """A parser that accepts every input, and never makes text of an unknown sequence."""

    typed_ahead: ClassVar[str] = ""  # input that was read before there was a parser

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._paste_filter = PasteFilter()
        self._splitter = SequenceSplitter()

    def feed(self, data: str) -> Iterable[Message]:
        """Parse input; an empty string is the end of the input."""
        if not data:
            return super().feed(data)
        return self._parse(self._splitter.feed(self._paste_filter.feed(data)))

    def tick(self) -> Iterable[Message]:
        """Parse a key that could have begun a sequence, once it is certain that it did not."""
        if self.typed_ahead:
            typed, TerminalParser.typed_ahead = self.typed_ahead, ""
            yield from self.feed(typed)
        key = self._splitter.give_up(constants.ESCAPE_DELAY)
        yield from self._parse([key] if key else [])

    def _parse(self, units: Iterable[str]) -> Iterator[Message]:
        for unit in units:
            is_dark = dark_in(unit)
            if is_dark is not None:
                yield BackgroundReported(is_dark)
            elif LAST_ANSWER.fullmatch(unit):
                yield EverythingAnswered()
            elif (answer := answer_in(unit)) is not None:
                yield answer
            known = known_sequence(unit) if unit.startswith(ESC) else unit
            if known:
                yield from self.parse_whole(known)


def known_sequence(sequence: str) -> str:
    """Return the part of a whole sequence that Textual's parser knows; "" to drop the sequence."""
    if (
        len(sequence) <= len(ALT_ENTER)
        or is_known_sequence(sequence)
        or _REPORT.fullmatch(sequence)
    ):
        return sequence
    key = _KEY.fullmatch(sequence)
    return "" if key is None else _known_key(*key.groups(default=""))


def _known_key(key: str, modifiers: str, text: str, end: str) -> str:
    """Return the sequence of a key without the sub-parameters that Textual does not know.

    A shortcut becomes that of a Latin keyboard.
    """
    code, _shifted, latin = [*key.split(":"), "", ""][:3]
    code = code or "1"
    modifiers, _, event = modifiers.partition(":")
    own = _character(code)
    if own is not None and not text and _is_shortcut(modifiers):
        own = latin_letter(own, _character(latin) if latin else None)
        code = str(ord(own))
    characters = [_character(part) for part in text.split(":") if part]
    if event == _RELEASED or len(modifiers) > 3 or own is None or None in characters:
        return ""
    is_known = is_known_key(f"{code}{end}")
    if end == "u":
        is_known = is_known or own.isprintable() or bool(characters)
    elif f"{code}{end}" == _OTHER_KEYS:
        is_known = bool(characters)
    if not is_known:
        return ""
    text = ":".join(part for part in text.split(":") if part)
    return f"{ESC}[{code};{modifiers}{';' if text else ''}{text}{end}"


def _is_shortcut(modifiers: str) -> bool:
    return bool((int(modifiers[:9] or "1") - 1) & _ALT_OR_CTRL)


def _character(code: str) -> str | None:
    """Return the character with this number; None if there is none."""
    number = int(code) if len(code) < 8 else -1
    is_character = 0 <= number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF
    return chr(number) if is_character else None
