"""Filters pasted text, so that no part of it is taken for a key.

Textual 8.2.8 takes the characters after an ESC within a bracketed paste for keys, including Enter:
a paste of coloured text would be sent line by line. The filter drops every such ESC before
Textual's parser reads it. No Textual here. Runs on the driver's input thread.
"""

PASTE_START, PASTE_END = "\x1b[200~", "\x1b[201~"
_ESC = "\x1b"


class PasteFilter:
    """Drops every ESC within a bracketed paste, however the input is split into pieces."""

    def __init__(self) -> None:
        self._in_paste = False
        self._before = ""  # the last characters before a paste, which may begin PASTE_START
        self._held = ""  # the last characters of a paste, which may begin PASTE_END

    def feed(self, data: str) -> str:
        """Return the next characters for the parser; a possible start of a mark is held back."""
        passed = []
        data, self._held = self._held + data, ""
        while data:
            part, data = self._within_paste(data) if self._in_paste else self._up_to_paste(data)
            passed.append(part)
        return "".join(passed)

    def _up_to_paste(self, data: str) -> tuple[str, str]:
        before, start, _ = (self._before + data).partition(PASTE_START)
        if not start:
            self._before = before[1 - len(PASTE_START) :]
            return data, ""
        end = len(before) + len(start) - len(self._before)
        self._in_paste, self._before = True, ""
        return data[:end], data[end:]

    def _within_paste(self, data: str) -> tuple[str, str]:
        text, escape, following = data.partition(_ESC)
        rest = escape + following
        if rest.startswith(PASTE_END):
            self._in_paste = False
            return text + PASTE_END, rest[len(PASTE_END) :]
        if PASTE_END.startswith(rest):
            self._held = rest
            return text, ""
        return text, following
