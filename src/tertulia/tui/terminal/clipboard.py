"""Finds out whether copied text reaches the system's clipboard (OSC 52).

Many terminals ignore OSC 52: xterm forbids it by default, and all terminals based on VTE lack it.
tmux passes it on only if it is configured to. Runs on the event loop's thread; inside tmux it runs
the command `tmux` and waits for it up to a second.
"""

import subprocess
from collections.abc import Callable, Mapping, Sequence

# The first letters of the names of such terminals: in the answer to XTVERSION, then in TERM or
# TERM_PROGRAM.
_COPYING = ("contour", "foot", "ghostty", "iterm2", "kitty", "rio", "wezterm")
_COPYING_TERMS = (
    "alacritty", "contour", "foot", "ghostty", "rio", "wezterm", "xterm-ghostty", "xterm-kitty",
)  # fmt: skip
_COPYING_PROGRAMS = ("ghostty", "iterm.app", "rio", "wezterm")
_NEVER = ("STY", "ZELLIJ")  # GNU screen and Zellij run between this program and the terminal
_NOT_COPYING = ("XTERM_VERSION", "VTE_VERSION")
_TMUX_S = 1.0  # the longest wait for tmux

Run = Callable[[Sequence[str]], str]


def can_copy(environ: Mapping[str, str], name: str, run: Run | None = None) -> bool:
    """Return whether the terminal is known to put copied text into the clipboard.

    `name` is the terminal's own answer, or "". `run` runs a command and returns its output.
    """
    if any(environ.get(variable) for variable in _NEVER):
        return False
    if environ.get("TMUX"):
        return _tmux_can_copy(run or _run)
    if name:
        return name.lower().startswith(_COPYING)
    if environ.get("WT_SESSION"):  # Windows Terminal, which does not report its name
        return True
    if any(environ.get(variable) for variable in _NOT_COPYING):
        return False
    return environ.get("TERM", "").lower().startswith(_COPYING_TERMS) or (
        environ.get("TERM_PROGRAM", "").lower() in _COPYING_PROGRAMS
    )


def _tmux_can_copy(run: Run) -> bool:
    """Return whether tmux accepts copied text and passes it on to a terminal that accepts it."""
    if run(["tmux", "show-options", "-sv", "set-clipboard"]).strip() != "on":
        return False
    names = ["tmux", "display-message", "-p", "#{client_termtype}\n#{client_termname}"]
    kind, term = [*run(names).lower().split("\n"), "", ""][:2]
    return kind.startswith(_COPYING) if kind else term.startswith(_COPYING_TERMS)


def _run(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TMUX_S, check=False)
    except (OSError, subprocess.TimeoutExpired):  # it stays unknown
        return ""
    return done.stdout
