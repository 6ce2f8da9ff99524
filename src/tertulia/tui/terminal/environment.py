"""Sets the environment variables that Textual reads.

Call it before Textual is imported, on the main thread.
"""

import os

from tertulia.tui.terminal.abilities import Abilities, Colours

_COLOUR_SYSTEMS = {
    Colours.NONE: "standard",
    Colours.FEW: "standard",
    Colours.PALETTE: "256",
    Colours.FULL: "truecolor",
}  # Rich's names for them


def prepare_environment(terminal: Abilities) -> None:
    """Set the variables so that they match this terminal."""
    # A shell may have left old values; the terminal knows its size.
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    if terminal.colours:
        # The standard says that an empty one counts as not set, but Textual counts it.
        os.environ.pop("NO_COLOR", None)
    os.environ["TEXTUAL_COLOR_SYSTEM"] = _COLOUR_SYSTEMS[terminal.colours]
