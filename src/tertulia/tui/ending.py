"""How the program ends: the last lines on the normal screen, the exit status, or a signal."""

import signal
import sys
from typing import NamedTuple

from tertulia.chat.display import visible
from tertulia.tui.terminal import signals
from tertulia.wrapping import wrapped_for

EXIT_FAULT = 1


class Ending(NamedTuple):
    """The exit status, and the lines to print after the screen is gone."""

    status: int
    lines: list[str]
    ended_by: signal.Signals | None = None


def finish(ending: Ending | None, farewell: list[str]) -> int:
    """Print the last lines and return the exit status; None: the screen has failed.

    If a signal ended the screen, the same signal ends the program here: whoever started it sees it.
    """
    lines = [*(ending.lines if ending is not None else []), *farewell]
    for line in lines:
        sys.stderr.write(f"{wrapped_for(sys.stderr, visible(line))}\n")
    if ending is None:  # Textual has printed the traceback
        return EXIT_FAULT
    signals.cancel_deadline()
    if ending.ended_by is not None:
        signal.signal(ending.ended_by, signal.SIG_DFL)
        signal.raise_signal(ending.ended_by)
    return ending.status
