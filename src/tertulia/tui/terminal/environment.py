"""What Textual reads from the environment. Call it before Textual is imported."""

import os

from tertulia.tui.terminal.abilities import Abilities, Colours

_COLOUR_SYSTEMS = {
    Colours.NONE: "standard",
    Colours.FEW: "standard",
    Colours.PALETTE: "256",
    Colours.FULL: "truecolor",
}  # as Rich calls them


def prepare_environment(terminal: Abilities) -> None:
    """Set the variables as they fit this terminal."""
    for name in ("COLUMNS", "LINES"):  # as a shell has left them; the terminal knows better
        os.environ.pop(name, None)
    if terminal.colours:
        os.environ.pop("NO_COLOR", None)  # an empty one counts as not set, but not for Textual
    os.environ["TEXTUAL_COLOR_SYSTEM"] = _COLOUR_SYSTEMS[terminal.colours]
