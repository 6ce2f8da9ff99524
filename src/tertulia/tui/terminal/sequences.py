"""The escape sequences among what is read from the terminal: whole, or not at all.

A terminal also sends what nobody pressed: answers to questions, which may be late, and reports of
modes that another program has left on. A parser of keys would take the end of what it does not know
for typed text. No Textual in here. Runs on the driver's input thread.
"""

import re
import time
from collections.abc import Callable, Iterator

ESC = "\x1b"
SEQUENCE_ENDS_WITHIN_S = 1.0  # also on a slow line; whoever presses Alt+[ by hand waits longer
_MAX_HELD_CHARS = 1024  # of an unfinished sequence; the answers that mean something are shorter
_STRING_STARTS = "]P_^X"  # OSC, DCS, APC, PM, SOS

# CSI; the console's F1 to F5; a mouse report of three more characters; rxvt's keys with Shift.
_CSI = re.compile(r"\x1b\[(?:\[[A-E]|M...|\d+\$|(?![\[M])[ -?]*[@-~])", re.DOTALL)
_CSI_BEGUN = re.compile(r"\x1b\[(?:\[|M.{0,2}|[ -?]*)", re.DOTALL)
_SS3 = re.compile(r"\x1bO[\d;]*[ -/:<-~]")
_SS3_BEGUN = re.compile(r"\x1bO[\d;]*")
_STRING = re.compile(r"\x1b[\]P_^X][^\x00-\x1f\x9c]*(?:\x07|\x1b\\|\x9c)")
_STRING_BEGUN = re.compile(r"\x1b[\]P_^X][^\x00-\x1f\x9c]*")


class SequenceSplitter:
    """Cut what is read into text and whole sequences, however it arrives in pieces.

    A sequence that another character breaks off is dropped. `now` is a monotonic clock.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._held = ""  # an unfinished sequence
        self._held_since = 0.0

    def feed(self, data: str) -> Iterator[str]:
        """Yield texts without an ESC, and whole sequences, each of which begins with one."""
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
        """Return what waits for its end."""
        return self._held

    def give_up(self, escape_delay_s: float) -> str:
        """Return ESC, or Alt and a character, if nothing has followed it in time; else nothing.

        What has begun in another way is no key: it is dropped if it does not end in time.
        """
        is_key = len(self._held) <= 2
        patience_s = escape_delay_s if is_key else SEQUENCE_ENDS_WITHIN_S
        if not self._held or self._now() - self._held_since < patience_s:
            return ""
        held, self._held = self._held, ""
        return held if is_key else ""


def _first_sequence(data: str) -> tuple[str, str] | None:
    """Return the sequence at the beginning and the rest; None if it is unfinished.

    If it is broken off, only the rest is returned. Without an ESC there is nothing to return.
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
