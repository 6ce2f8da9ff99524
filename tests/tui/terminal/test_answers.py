"""What the terminal answers about itself."""

import pytest

from tertulia.tui.terminal.answers import FocusIsReported, TerminalNamed, answer_in
from tertulia.tui.terminal.parser import TerminalParser


@pytest.mark.parametrize(
    ("sequence", "name"),
    [
        ("\x1bP>|XTerm(379)\x1b\\", "XTerm(379)"),
        ("\x1bP>|kitty(0.26.5)\x1b\\", "kitty(0.26.5)"),
        ("\x1bP>|\x1b\\", ""),
    ],
)
def test_the_terminal_tells_its_name(sequence: str, name: str) -> None:
    found = answer_in(sequence)
    assert isinstance(found, TerminalNamed)
    assert found.name == name
    messages = list(TerminalParser().feed(f"a{sequence}b"))
    assert [type(message).__name__ for message in messages] == ["Key", "TerminalNamed", "Key"]


def test_the_terminal_tells_whether_it_reports_the_focus() -> None:
    assert isinstance(answer_in("\x1b[?1004;1$y"), FocusIsReported)
    for other in ("\x1b[?1004;0$y", "\x1b[?1004;2$y", "\x1b[?2026;1$y", "\x1b[A", "x"):
        assert answer_in(other) is None
