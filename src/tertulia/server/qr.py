"""A QR code of a link, for a terminal."""

from itertools import zip_longest

_QUIET_ZONE = 2  # light modules around the code
# Whatever the terminal's theme is: black on white, which every terminal has.
_COLOURS, _NO_COLOURS = "\x1b[0;30;47m", "\x1b[0m"
_BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def qr_lines(link: str) -> list[str]:
    """Return the code, two rows of modules in each line."""
    import segno  # slow to import, and needed only on a terminal

    code = segno.make(link, error="l", boost_error=False, micro=False)
    rows = [[module & 1 == 1 for module in row] for row in code.matrix_iter(border=_QUIET_ZONE)]
    nothing = [False] * len(rows[0])
    return [
        _COLOURS + "".join(_BLOCKS[pair] for pair in zip(upper, lower, strict=True)) + _NO_COLOURS
        for upper, lower in zip_longest(rows[::2], rows[1::2], fillvalue=nothing)
    ]


def can_show_qr(encoding: str | None) -> bool:
    """Return whether a terminal with this encoding can show the characters of a code."""
    try:
        "▀▄█".encode(encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
