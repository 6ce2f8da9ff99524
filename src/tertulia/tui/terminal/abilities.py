"""What the environment says that the terminal can do. No terminal is asked, and nothing is written.

Pure functions of the environment.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

# Terminals with 24 bit colours that do not say so in COLORTERM once they are reached through SSH.
_FULL_COLOUR_TERMS = (
    "alacritty", "contour", "foot", "ghostty", "wezterm", "xterm-ghostty", "xterm-kitty",
)  # fmt: skip
_FULL_COLOUR_VARIABLES = ("VTE_VERSION", "KONSOLE_VERSION", "WT_SESSION")
# Some of these show what they do not know of a title or a link.
_SIMPLE_TERMS = ("ansi", "bsdos", "cons", "dumb", "linux", "sun", "vt", "wyse")


class Colours(IntEnum):
    """How many colours there are."""

    NONE = 0
    FEW = 16  # the terminal's own
    PALETTE = 256
    FULL = 1 << 24


class Abilities(NamedTuple):
    """What a terminal can do."""

    colours: Colours = Colours.FULL
    is_console: bool = False  # the Linux console: a font of 256 or 512 signs
    is_relayed: bool = False  # by tmux or screen, and the terminal around it may count other widths
    obeys_osc: bool = True  # and answers questions about its colours
    has_links: bool = True


def abilities(environ: Mapping[str, str]) -> Abilities:
    """Return what the terminal of this environment can do."""
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
