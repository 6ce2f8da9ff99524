"""What comes from the terminal, as Textual's parser can take it.

Textual 8.2.8 takes what follows an ESC within a bracketed paste for keys, Enter among them: a paste
of coloured text would send itself, line by line. Here the ESC is dropped before it gets there. Runs
on the driver's input thread.
"""

import codecs
from collections.abc import Callable, Iterable
from functools import partial

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.drivers import linux_driver
from textual.message import Message

_ESC = "\x1b"


class PasteKeepingParser(XTermParser):
    """Textual's parser, with pastes that stay pastes."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._in_paste = False
        self._before = ""  # the last characters before a paste, which may begin its mark
        self._held = ""  # the last characters of a paste, which may begin the mark of its end

    def feed(self, data: str) -> Iterable[Message]:
        """Parse what was read; nothing at all is the end of the input."""
        passed = self._without_escapes(data)
        return super().feed(passed) if passed or not data else ()

    def _without_escapes(self, data: str) -> str:
        passed = []
        data, self._held = self._held + data, ""
        while data:
            part, data = self._in_a_paste(data) if self._in_paste else self._to_a_paste(data)
            passed.append(part)
        return "".join(passed)

    def _to_a_paste(self, data: str) -> tuple[str, str]:
        before, start, _ = (self._before + data).partition(BRACKETED_PASTE_START)
        if not start:
            self._before = before[1 - len(BRACKETED_PASTE_START) :]
            return data, ""
        end = len(before) + len(start) - len(self._before)
        self._in_paste, self._before = True, ""
        return data[:end], data[end:]

    def _in_a_paste(self, data: str) -> tuple[str, str]:
        text, escape, following = data.partition(_ESC)
        rest = escape + following
        if rest.startswith(BRACKETED_PASTE_END):
            self._in_paste = False
            return text + BRACKETED_PASTE_END, rest[len(BRACKETED_PASTE_END) :]
        if BRACKETED_PASTE_END.startswith(rest):
            self._held = rest
            return text, ""
        return text, following


def _forgiving_decoder(encoding: str) -> Callable[[], codecs.IncrementalDecoder]:
    """Decode what is typed; a byte that is no text (an 8-bit Meta key) must not end the chat."""
    return partial(codecs.getincrementaldecoder(encoding), errors="replace")


def install() -> None:
    """Have Textual's driver use this parser and decoder; before the app runs."""
    # The driver makes them itself, by these names; there is no other place to say so.
    linux_driver.XTermParser = PasteKeepingParser  # type: ignore[attr-defined]
    linux_driver.getincrementaldecoder = _forgiving_decoder  # type: ignore[assignment,attr-defined]
