"""The abilities of the terminal, according to the environment.

Pure functions of the environment: nothing is sent to the terminal.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

# Terminals with 24 bit colours; COLORTERM, which usually says so, is lost over SSH.
_FULL_COLOUR_TERMS = (
    "alacritty", "contour", "foot", "ghostty", "wezterm", "xterm-ghostty", "xterm-kitty",
)  # fmt: skip
_FULL_COLOUR_VARIABLES = ("VTE_VERSION", "KONSOLE_VERSION", "WT_SESSION")
# Some of these print the control sequences of titles and links that they do not know.
_SIMPLE_TERMS = ("ansi", "bsdos", "cons", "dumb", "linux", "sun", "vt", "wyse")


class Colours(IntEnum):
    """The number of colours."""

    NONE = 0
    FEW = 16  # the terminal's own colours
    PALETTE = 256
    FULL = 1 << 24


class Abilities(NamedTuple):
    """The abilities of a terminal."""

    colours: Colours = Colours.FULL
    is_console: bool = False  # the Linux console: a font of 256 or 512 characters
    # Through tmux or screen; the terminal around it may count other widths.
    is_relayed: bool = False
    obeys_osc: bool = True  # it also answers questions about its colours
    has_links: bool = True


def abilities(environ: Mapping[str, str]) -> Abilities:
    """Return the abilities of the terminal of this environment."""
    term = environ.get("TERM", "").lower()
    is_screen = bool(environ.get("STY")) or (term.startswith("screen") and "TMUX" not in environ)
    is_simple = term.startswith(_SIMPLE_TERMS)
    return Abilities(
        colours=_colours(environ, term, is_screen),
        is_console=term.startswith("linux"),
        is_relayed=is_screen or "TMUX" in environ or term.startswith("tmux"),
        obeys_osc=not is_simple,
        has_links=not is_simple and not is_screen,
    )


def _colours(environ: Mapping[str, str], term: str, is_screen: bool) -> Colours:
    if environ.get("NO_COLOR"):
        return Colours.NONE
    says_full = environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit")
    if not is_screen and (
        says_full
        or term.startswith(_FULL_COLOUR_TERMS)
        or term.endswith("-direct")
        or ("256" in term and any(name in environ for name in _FULL_COLOUR_VARIABLES))
    ):
        return Colours.FULL
    return Colours.PALETTE if "256" in term else Colours.FEW
