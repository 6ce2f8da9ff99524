"""A terminal in memory that shows what was written to it."""

import codecs

from wcwidth import iter_graphemes, wcswidth, wcwidth


class Screen:
    """A terminal that understands text, CR, LF, BS, HT and BEL, and fails on anything else.

    Some terminals count the columns of each character, others those of a joined picture as one.
    """

    def __init__(self, columns: int = 200, *, joins: bool = False) -> None:
        self.columns = columns
        self.joins = joins
        self.above: list[str] = []
        self.row = [" "] * columns
        self.cursor = 0
        self.bells = 0
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode

    def write_bytes(self, data: bytes) -> None:
        self.write(self._decode(data))

    def write(self, text: str) -> None:
        for unit in iter_graphemes(text) if self.joins else text:
            if unit == "\r":
                self.cursor = 0
            elif unit == "\b":
                self.cursor = max(0, self.cursor - 1)
            elif unit in ("\n", "\r\n"):
                self.above.append(self.text)
                self.row = [" "] * self.columns
                self.cursor = 0
            elif unit == "\t":
                self.cursor = min(self.cursor // 8 * 8 + 8, self.columns - 1)
            elif unit == "\a":
                self.bells += 1
            else:
                assert unit >= " ", f"{unit!r} was written"
                self._put(unit)

    def _put(self, unit: str) -> None:
        width = wcswidth(unit) if self.joins else wcwidth(unit)
        if width == 0:
            last = self.cursor - 1
            while last > 0 and self.row[last] == "":
                last -= 1
            self.row[last] += unit
            return
        assert self.cursor + width < self.columns, "the last column was written"
        for column in range(self.cursor, self.cursor + width):
            self._break_wide(column)
        self.row[self.cursor : self.cursor + width] = [unit] + [""] * (width - 1)
        self.cursor += width

    def _break_wide(self, column: int) -> None:
        """Erase the wide character at a column before half of it is overwritten."""
        first = column
        while first > 0 and self.row[first] == "":
            first -= 1
        for covered in range(first, self.columns):
            if covered > first and self.row[covered] != "":
                break
            self.row[covered] = " "

    @property
    def text(self) -> str:
        """The text of the last row."""
        return "".join(self.row).rstrip()
