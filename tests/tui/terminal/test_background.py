"""The terminal's answer about its background, and what was typed meanwhile."""

import os
import pty
import termios
from collections.abc import Iterator

import pytest

from tertulia.tui.terminal.background import Heard, asked, dark_in, is_dark_by

DARK, LIGHT = "\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\", "\x1b]11;rgb:ffff/ffff/dddd\x07"
LAST = "\x1b[?62;22c"


@pytest.mark.parametrize(
    ("answer", "dark"),
    [
        (DARK, True),
        (LIGHT, False),
        ("\x1b]11;rgb:0/0/0\x07", True),
        ("\x1b]11;rgba:ff/ff/ff/80\x07", False),
        ("\x1b]11;#fdf6e3\x07", False),
        ("\x1b]10;rgb:ffff/ffff/ffff\x07", None),
        ("\x1b]11;pink\x07", None),
        ("\x1b[A", None),
        ("x", None),
    ],
)
def test_a_background_is_dark_or_light(answer: str, dark: bool | None) -> None:
    assert dark_in(answer) is dark


@pytest.mark.parametrize(
    ("colorfgbg", "dark"),
    [(None, True), ("", True), ("15;0", True), ("0;15", False), ("0;7", False), ("0;a;15", False)],
)
def test_a_terminal_is_dark_unless_it_says_that_it_is_light(
    colorfgbg: str | None, dark: bool
) -> None:
    assert is_dark_by({} if colorfgbg is None else {"COLORFGBG": colorfgbg}) is dark


@pytest.fixture
def line() -> Iterator[tuple[int, int]]:
    master, slave = pty.openpty()
    yield master, slave
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize(
    ("sent", "heard"),
    [
        (DARK + LAST, Heard(True, "")),
        (LIGHT + LAST, Heard(False, "")),
        (LAST, Heard(None, "")),
        (f"ho{LIGHT}la{LAST}\x1b[A\r", Heard(False, "hola\x1b[A\r")),
        (f"{DARK}hola", Heard(True, "hola")),
        ("\x1b]11;rgb:1e", Heard(None, "\x1b]11;rgb:1e")),
        ("", Heard(None, "")),
    ],
)
def test_the_answer_is_heard_and_the_rest_was_typed(
    line: tuple[int, int], sent: str, heard: Heard
) -> None:
    master, slave = line
    before = termios.tcgetattr(slave)
    now = (
        iter([0.0, *[0.2] * 9]) if sent.endswith(LAST) or LAST in sent else iter([0.0] + [9.0] * 9)
    )
    with asked(slave, lambda: next(now)) as hear:
        assert os.read(master, 100) == b"\x1b]11;?\x1b\\\x1b[c"
        os.write(master, sent.encode())
        assert not termios.tcgetattr(slave)[3] & termios.ECHO
        assert hear() == heard
    assert termios.tcgetattr(slave) == before


def test_a_terminal_that_is_gone_has_no_answer(line: tuple[int, int]) -> None:
    source, sink = os.pipe()
    os.close(sink)
    with asked(source) as hear:
        assert hear() == Heard(None, "")
    os.close(source)
