"""A terminal emulator whose table of widths can be chosen: terminals disagree about them."""

import unicodedata
from collections.abc import Callable

import pyte
from wcwidth import wcwidth


def one_by_one(character: str) -> int:
    """Return the width of a terminal that looks at each character alone, such as xterm."""
    return 1 if unicodedata.category(character) == "Mc" else max(0, wcwidth(character))


def wide_pictures(character: str) -> int:
    """Return the width of a terminal to which every picture and every flag letter is wide."""
    is_picture = character >= "\U0001f000" and one_by_one(character)
    return 2 if is_picture else one_by_one(character)


def narrow_pictures(character: str) -> int:
    """Return the width of a terminal that is older than wide pictures."""
    is_picture = "\u2300" <= character <= "\u2bff" or "\U0001f000" <= character < "\U00020000"
    return min(1, one_by_one(character)) if is_picture else one_by_one(character)


def pictures_alone(character: str) -> int:
    """Return the width of a terminal that hides what changes a picture."""
    hidden = "\u1160" <= character <= "\u11ff" or "\U0001f3fb" <= character <= "\U0001f3ff"
    return 0 if hidden else one_by_one(character)


TABLES = [one_by_one, wide_pictures, narrow_pictures, pictures_alone]


class Emulator:
    """A terminal of this size that shows what is written to it."""

    def __init__(
        self, columns: int, rows: int, width_of: Callable[[str], int] = one_by_one
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self.screen.reset_mode(pyte.modes.DECAWM)
        self._stream = pyte.Stream(self.screen)
        self._width_of = width_of

    def write(self, text: str) -> None:
        """Show a text that is written to the terminal."""
        before, pyte.screens.wcwidth = pyte.screens.wcwidth, self._width_of
        try:
            self._stream.feed(text)
        finally:
            pyte.screens.wcwidth = before

    def cells(self, row: int) -> list[str]:
        """Return the characters of a row, one for each cell; "" is the rest of a wide one."""
        return [self.screen.buffer[row][column].data for column in range(self.screen.columns)]
