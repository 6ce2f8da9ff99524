"""The Linux console gets only signs that its fonts have, on the frame and in what users write."""

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from seat import CTRL_Q, ENTERED, WAIT_S, LonelyServer, Seat

from tertulia.tui.terminal.console import SIGNS, in_console_signs
from tertulia.tui.terminal.widths import mend_richs_widths

mend_richs_widths()

_SEQUENCE = re.compile(r"\x1b(?:\[[ -?]*[@-~]|[=>()].?)")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("hello, ñandú ¿qué?", "hello, ñandú ¿qué?"),
        ("● ACTIVO ◐ OCUPADO ○ INACTIVO", "• ACTIVO ♦ OCUPADO o INACTIVO"),
        ("connecting…   x", "connecting... x"),
        ("luisfer… x", "luisfer..x"),
        ("luisfer…", "luisfer»"),
        ("“yes” – ‘no’", "\"yes\" - 'no'"),
        ("╭─╮│╰╯", "┌─┐│└┘"),
        ("👏🏽 ❤️ 👨‍👩‍👧.", "?  ?  ? ."),
        ("e\u0301 हि", "é ह "),
        ("Привет 日本", "Привет 日本"),
        ("\u0301", ""),
    ],
)
def test_a_text_in_the_signs_of_the_console(text: str, shown: str) -> None:
    assert in_console_signs(text) == shown


@given(st.text())
def test_the_width_stays(text: str) -> None:
    assert cell_len(in_console_signs(text)) == cell_len(text)


def test_the_signs_are_in_the_font_of_the_kernel() -> None:
    in_the_kernel = bytes(range(128, 256)).decode("cp437") + "§←↑→↓▲▼•♦"
    assert set(SIGNS) <= set(in_the_kernel)


@pytest.mark.long
def test_nothing_else_is_drawn_on_the_console() -> None:
    texts = [
        "“quotes” … — 👏🏽 ❤️",
        "https://example.org/x",
        "x" * 300,
        *(f"number {n}" for n in range(40)),
        "the end",
    ]
    with (
        contextlib.closing(LonelyServer(texts, ["ana", "luis", "a" * 32])) as server,
        contextlib.closing(Seat(server.port, TERM="linux", LANGUAGE="es")) as seat,
    ):
        seat.see(ENTERED)
        seat.see("the end")
        for f1_or_f4 in (b"\x1bOP", b"\x1b[[D"):
            seat.type(f1_or_f4)
            seat.see("Esc: volver")
            seat.see("Salir")  # in the last row
            seat.type(b"\x03")
            seat.see("Salir")
        seat.type(b"\x1b[5~" + CTRL_Q)
        seat.see("Estuviste aquí")
        assert seat.process.wait(WAIT_S) == 0
    drawn = _SEQUENCE.sub("", seat.everything.partition("\x1b[?1049l")[0])
    assert "\x1b" not in drawn
    assert {c for c in drawn if not c.isascii() and not c.isalpha()} <= set(SIGNS) | set("¿¡")
    assert "│" in drawn
