"""Which variables Textual finds, for each kind of terminal."""

import os

import pytest

from tertulia.tui.terminal.abilities import Abilities, Colours
from tertulia.tui.terminal.environment import prepare_environment


@pytest.fixture(autouse=True)
def _restore_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "LINES", "NO_COLOR", "TEXTUAL_COLOR_SYSTEM"):
        monkeypatch.setenv(name, "old")


@pytest.mark.parametrize(
    ("colours", "system"),
    [
        (Colours.NONE, "standard"),
        (Colours.FEW, "standard"),
        (Colours.PALETTE, "256"),
        (Colours.FULL, "truecolor"),
    ],
)
def test_textual_draws_with_the_colours_that_the_terminal_has(
    colours: Colours, system: str
) -> None:
    prepare_environment(Abilities(colours=colours))
    assert os.environ["TEXTUAL_COLOR_SYSTEM"] == system


def test_an_old_size_is_not_used() -> None:
    prepare_environment(Abilities())
    assert not {"COLUMNS", "LINES"} & set(os.environ)
    prepare_environment(Abilities())  # they may also be missing


def test_no_color_counts_only_on_a_terminal_without_colours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepare_environment(Abilities(colours=Colours.NONE))
    assert os.environ["NO_COLOR"] == "old"
    monkeypatch.setenv("NO_COLOR", "")
    prepare_environment(Abilities(colours=Colours.FEW))
    assert "NO_COLOR" not in os.environ
    prepare_environment(Abilities(colours=Colours.FEW))
