"""What the environment says about the terminal."""

import pytest

from tertulia.tui.terminal.abilities import Colours, abilities


@pytest.mark.parametrize(
    ("environment", "colours"),
    [
        ({}, Colours.FEW),
        ({"TERM": "xterm"}, Colours.FEW),
        ({"TERM": "linux", "COLORTERM": "yes"}, Colours.FEW),
        ({"TERM": "screen"}, Colours.FEW),
        ({"TERM": "xterm-256color"}, Colours.PALETTE),
        ({"TERM": "screen-256color", "TMUX": "/tmp/tmux"}, Colours.PALETTE),
        ({"TERM": "tmux-256color", "COLORTERM": "truecolor"}, Colours.FULL),
        ({"TERM": "screen-256color", "STY": "1.pts", "COLORTERM": "truecolor"}, Colours.PALETTE),
        ({"TERM": "xterm", "COLORTERM": " TrueColor"}, Colours.FULL),
        ({"TERM": "xterm", "COLORTERM": "24bit"}, Colours.FULL),
        ({"TERM": "xterm-kitty"}, Colours.FULL),
        ({"TERM": "foot"}, Colours.FULL),
        ({"TERM": "xterm-direct"}, Colours.FULL),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7006"}, Colours.FULL),
        (
            {"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"},
            Colours.NONE,
        ),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, Colours.PALETTE),
    ],
)
def test_the_number_of_colours(environment: dict[str, str], colours: Colours) -> None:
    assert abilities(environment).colours is colours


@pytest.mark.parametrize(
    ("environment", "is_relayed", "obeys_osc", "has_links"),
    [
        ({"TERM": "xterm-256color"}, False, True, True),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/tmux"}, True, True, True),
        ({"TERM": "screen-256color", "TMUX": "/tmp/tmux"}, True, True, True),
        ({"TERM": "screen.xterm-256color", "STY": "1.pts"}, True, True, False),
        ({"TERM": "screen-256color"}, True, True, False),
        ({"TERM": "linux"}, False, False, False),
        ({"TERM": "vt220"}, False, False, False),
    ],
)
def test_what_may_be_written_to_it(
    environment: dict[str, str], is_relayed: bool, obeys_osc: bool, has_links: bool
) -> None:
    terminal = abilities(environment)
    assert (terminal.is_relayed, terminal.obeys_osc) == (is_relayed, obeys_osc)
    assert terminal.has_links is has_links


def test_only_the_linux_console_is_one() -> None:
    assert abilities({"TERM": "linux"}).is_console
    assert not abilities({"TERM": "xterm"}).is_console
