"""Whether a copied text reaches the system's clipboard (OSC 52), which many terminals ignore.

Xterm forbids it, unless its owner allows it, and all terminals that use VTE lack it. tmux passes it
on only if it is configured to. Runs on the event loop's thread; inside tmux it runs `tmux` for a
moment.
"""

import subprocess
from collections.abc import Callable, Mapping, Sequence

# The beginnings of the names by which terminals answer XTVERSION; and of TERM and TERM_PROGRAM.
_COPYING = ("contour", "foot", "ghostty", "iterm2", "kitty", "rio", "wezterm")
_COPYING_TERMS = (
    "alacritty", "contour", "foot", "ghostty", "rio", "wezterm", "xterm-ghostty", "xterm-kitty",
)  # fmt: skip
_COPYING_PROGRAMS = ("ghostty", "iterm.app", "rio", "wezterm")
_NEVER = ("STY", "ZELLIJ")  # GNU screen and Zellij stand between this program and the terminal
_NOT_COPYING = ("XTERM_VERSION", "VTE_VERSION")
_TMUX_S = 1.0  # for an answer of tmux

Run = Callable[[Sequence[str]], str]


def can_copy(environ: Mapping[str, str], name: str, run: Run | None = None) -> bool:
    """Return whether the terminal is known to put what is copied into the clipboard.

    `name` is the terminal's own answer, "" without one; `run` runs a command and returns what it
    prints.
    """
    if any(environ.get(variable) for variable in _NEVER):
        return False
    if environ.get("TMUX"):
        return _tmux_can_copy(run or _run)
    if name:
        return name.lower().startswith(_COPYING)
    if environ.get("WT_SESSION"):  # Windows Terminal, which does not tell its name
        return True
    if any(environ.get(variable) for variable in _NOT_COPYING):
        return False
    return environ.get("TERM", "").lower().startswith(_COPYING_TERMS) or (
        environ.get("TERM_PROGRAM", "").lower() in _COPYING_PROGRAMS
    )


def _tmux_can_copy(run: Run) -> bool:
    """Ask tmux whether it takes what programs copy, and which terminal it passes it on to."""
    if run(["tmux", "show-options", "-sv", "set-clipboard"]).strip() != "on":
        return False
    names = ["tmux", "display-message", "-p", "#{client_termtype}\n#{client_termname}"]
    kind, term = [*run(names).lower().split("\n"), "", ""][:2]
    return kind.startswith(_COPYING) if kind else term.startswith(_COPYING_TERMS)


def _run(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TMUX_S, check=False)
    except (OSError, subprocess.TimeoutExpired):  # nobody knows
        return ""
    return done.stdout
