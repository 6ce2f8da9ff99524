"""Whether the terminal is dark, and the order in which the screen is started."""

import subprocess
import sys

import pytest

from tertulia.tui.start import is_dark


@pytest.mark.parametrize(
    ("colorfgbg", "dark"),
    [(None, True), ("", True), ("15;0", True), ("0;15", False), ("0;7", False), ("0;a;15", False)],
)
def test_a_terminal_is_dark_unless_it_says_that_it_is_light(
    monkeypatch: pytest.MonkeyPatch, colorfgbg: str | None, dark: bool
) -> None:
    monkeypatch.delenv("COLORFGBG", raising=False)
    if colorfgbg is not None:
        monkeypatch.setenv("COLORFGBG", colorfgbg)
    assert is_dark() is dark


def test_textual_is_not_imported_before_the_connection_has_begun() -> None:
    code = "import sys, tertulia.tui.start; sys.exit('textual' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
