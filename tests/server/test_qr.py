"""The QR code of a link on a terminal: its blocks, and terminals that cannot show them."""

import pytest
import segno

from tertulia.server.qr import can_show_qr, qr_lines

BLACK_ON_WHITE, END = "\x1b[0;30;47m", "\x1b[0m"
PIXELS = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}


def modules(lines: list[str]) -> list[list[int]]:
    """Return the rows of dark modules (1) that the lines show, two in each line."""
    rows = []
    for line in lines:
        assert line.startswith(BLACK_ON_WHITE)
        assert line.endswith(END)
        blocks = [PIXELS[block] for block in line[len(BLACK_ON_WHITE) : -len(END)]]
        rows += [[upper for upper, _ in blocks], [lower for _, lower in blocks]]
    return rows


@pytest.mark.parametrize(
    "link",
    ["http://192.168.1.10:5000/", "http://[::1]:1/", "http://10.0.0.1:5000/#code=" + "x" * 99],
)
def test_the_blocks_are_the_modules_of_the_code_and_a_light_border(link: str) -> None:
    code = segno.make(link, error="l", boost_error=False, micro=False)
    expected = [list(row) for row in code.matrix_iter(border=2)]
    shown = modules(qr_lines(link))
    assert len(expected) % 2 == 1
    assert shown[:-1] == [[int(module) & 1 for module in row] for row in expected]
    assert set(shown[-1]) == {0}


@pytest.mark.parametrize(
    ("encoding", "can"), [("utf-8", True), ("latin-1", False), ("ascii", False), (None, False)]
)
def test_the_encoding_of_the_terminal_has_to_have_the_blocks(
    encoding: str | None, can: bool
) -> None:
    assert can_show_qr(encoding) is can
