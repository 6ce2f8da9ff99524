"""Which terminals put what is copied into the clipboard."""

from collections.abc import Sequence

import pytest

from tertulia.tui.terminal.clipboard import can_copy


@pytest.mark.parametrize(
    ("environ", "name", "copies"),
    [
        ({"TERM": "xterm-256color"}, "", False),
        ({"TERM": "xterm-256color", "XTERM_VERSION": "XTerm(379)"}, "XTerm(379)", False),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7006"}, "", False),
        ({"TERM": "xterm-256color"}, "VTE(7006)", False),
        ({"TERM": "xterm-256color"}, "Konsole 22.12.3", False),
        ({"TERM": "linux"}, "", False),
        ({"TERM": "xterm-kitty"}, "kitty(0.26.5)", True),
        ({"TERM": "xterm-kitty"}, "", True),
        ({"TERM": "foot"}, "foot(1.13.1)", True),
        ({"TERM": "alacritty"}, "", True),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "", True),
        ({"TERM": "xterm-256color"}, "iTerm2 3.5.0", True),
        ({"TERM": "xterm-256color", "WT_SESSION": "1"}, "", True),
        ({"TERM": "xterm-256color"}, "WezTerm 20240203", True),
        # A variable of the terminal from which this one was started.
        ({"TERM": "xterm-256color", "VTE_VERSION": "7006"}, "kitty(0.26.5)", True),
        ({"TERM": "xterm-kitty", "VTE_VERSION": "7006"}, "XTerm(379)", False),
        # Something stands between.
        ({"TERM": "screen", "STY": "1.pts"}, "kitty(0.26.5)", False),
        ({"TERM": "xterm-kitty", "ZELLIJ": "0"}, "kitty(0.26.5)", False),
    ],
)
def test_a_terminal_is_known_by_its_answer_or_else_by_the_environment(
    environ: dict[str, str], name: str, copies: bool
) -> None:
    assert can_copy(environ, name) is copies


@pytest.mark.parametrize(
    ("clipboard", "client", "copies"),
    [
        ("external\n", "kitty(0.26.5)\nxterm-kitty\n", False),  # as tmux comes
        ("off\n", "kitty(0.26.5)\nxterm-kitty\n", False),
        ("on\n", "kitty(0.26.5)\nxterm-kitty\n", True),
        ("on\n", "XTerm(379)\nxterm-256color\n", False),
        ("on\n", "\nalacritty\n", True),
        ("on\n", "\nxterm-256color\n", False),
        ("", "", False),
    ],
)
def test_tmux_is_asked_what_it_does_and_where_it_runs(
    clipboard: str, client: str, copies: bool
) -> None:
    def run(command: Sequence[str]) -> str:
        return clipboard if "show-options" in command else client

    environ = {"TERM": "tmux-256color", "TMUX": "/tmp/tmux,1,0"}
    assert can_copy(environ, "tmux 3.3a", run) is copies


def test_a_tmux_that_is_not_there_copies_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert not can_copy({"TMUX": "/tmp/tmux,1,0"}, "")
