"""Finds the whole escape sequences in the terminal's input.

A terminal also sends sequences that are not keys: answers to questions, which may be late, and
reports of modes that another program has left on. A parser of keys would take the end of an unknown
sequence for typed text. No Textual here. Runs on the driver's input thread.
"""

import re
import time
from collections.abc import Callable, Iterator

ESC = "\x1b"
# Also on a slow line; a person who presses Alt+[ takes longer for the next key.
SEQUENCE_ENDS_WITHIN_S = 1.0
_MAX_HELD_CHARS = 1024  # of an unfinished sequence; all useful answers are shorter
_STRING_STARTS = "]P_^X"  # OSC, DCS, APC, PM, SOS

# CSI; the console's F1 to F5; a mouse report of three more characters; rxvt's keys with Shift.
_CSI = re.compile(r"\x1b\[(?:\[[A-E]|M...|\d+\$|(?![\[M])[ -?]*[@-~])", re.DOTALL)
_CSI_BEGUN = re.compile(r"\x1b\[(?:\[|M.{0,2}|[ -?]*)", re.DOTALL)
_SS3 = re.compile(r"\x1bO[\d;]*[ -/:<-~]")
_SS3_BEGUN = re.compile(r"\x1bO[\d;]*")
_STRING = re.compile(r"\x1b[\]P_^X][^\x00-\x1f\x9c]*(?:\x07|\x1b\\|\x9c)")
_STRING_BEGUN = re.compile(r"\x1b[\]P_^X][^\x00-\x1f\x9c]*")


class SequenceSplitter:
    """Splits the input into text and whole sequences, however the input is split into pieces.

    A sequence that another character interrupts is dropped. `now` is a monotonic clock.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._held = ""  # an unfinished sequence
        self._held_since = 0.0

    def feed(self, data: str) -> Iterator[str]:
        """Yield texts without an ESC, and whole sequences, each of which begins with ESC."""
        before, self._held = self._held, ""
        data = before + data
        while data:
            text, escape, following = data.partition(ESC)
            if text:
                yield text
            data = escape + following
            found = _first_sequence(data)
            if found is None:
                if not before:
                    self._held_since = self._now()
                self._held = data[:_MAX_HELD_CHARS]
                return
            sequence, data = found
            before = ""
            if sequence:
                yield sequence

    @property
    def unfinished(self) -> str:
        """Return the unfinished sequence."""
        return self._held

    def give_up(self, escape_delay_s: float) -> str:
        """Return ESC, or Alt and a character, if nothing has followed in time; otherwise "".

        Any other unfinished sequence is not a key: it is dropped if it does not end in time.
        """
        is_key = len(self._held) <= 2
        patience_s = escape_delay_s if is_key else SEQUENCE_ENDS_WITHIN_S
        if not self._held or self._now() - self._held_since < patience_s:
            return ""
        held, self._held = self._held, ""
        return held if is_key else ""


def _first_sequence(data: str) -> tuple[str, str] | None:
    """Return the sequence at the beginning and the rest; None if it is unfinished.

    If the sequence is interrupted, only the rest is returned, after an empty sequence. The data
    must begin with ESC.
    """
    kind = data[1:2]
    if kind == "[":
        whole, begun = _CSI, _CSI_BEGUN
    elif kind == "O":
        whole, begun = _SS3, _SS3_BEGUN
    elif kind and kind in _STRING_STARTS:
        whole, begun = _STRING, _STRING_BEGUN
    elif kind == ESC:  # the key ESC, and then another sequence
        return ESC, data[1:]
    else:  # Alt and a character
        return (data[:2], data[2:]) if kind or not data else None
    if found := whole.match(data):
        return found[0], data[found.end() :]
    beginning = begun.match(data)
    rest = data[beginning.end() :] if beginning else ""
    return None if rest in ("", ESC) else ("", rest)
