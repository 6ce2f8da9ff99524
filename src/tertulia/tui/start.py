"""From the command line's destination to the full screen, and to an exit status.

It imports Textual only once the connection has begun.
"""

import gc
import os

from tertulia.chat.destination import Destination
from tertulia.chat.settings import Loaded
from tertulia.tui.connecting import begin_connecting
from tertulia.tui.ending import finish


def run(to: Destination, loaded: Loaded, *, wait_s: float, takes_free_name: bool) -> int:
    """Chat until the end, say goodbye on the normal screen, and return the exit status."""
    gc.disable()  # until the first frame: nothing that is imported is garbage
    for name in ("COLUMNS", "LINES"):  # as a shell has left them; the terminal knows better
        os.environ.pop(name, None)
    connecting = begin_connecting(to, wait_s=wait_s, takes_free_name=takes_free_name)

    from tertulia.tui.app import ChatApp
    from tertulia.tui.terminal import textual_private

    textual_private.install()
    app = ChatApp(connecting, loaded, dark=is_dark(), few_colours=has_few_colours())
    ending = app.run()
    return finish(ending, app.farewell())


def is_dark() -> bool:
    """Return whether the terminal is dark, if it says so: COLORFGBG ends with its background."""
    background = os.environ.get("COLORFGBG", "").rpartition(";")[2]
    return background not in ("7", "15")


def has_few_colours() -> bool:
    """Return whether the terminal has 16 colours at most, or is to have none."""
    if os.environ.get("NO_COLOR"):
        return True
    os.environ.pop("NO_COLOR", None)  # an empty one counts as not set, but not for Textual
    term, colours = os.environ.get("TERM", ""), os.environ.get("COLORTERM", "")
    return "256" not in term and colours.strip().lower() not in ("truecolor", "24bit")
