"""Ends the program: prints the last lines on the normal screen, and returns the exit status.

It may end the program by a signal instead. Runs on the main thread, after the app.
"""

import signal
import sys
from typing import NamedTuple

from tertulia.safetext import visible
from tertulia.tui.terminal import signals
from tertulia.wrapping import wrapped_for

EXIT_FAULT = 1


class Ending(NamedTuple):
    """The exit status, and the lines to print after the screen is gone."""

    status: int
    lines: list[str]
    ended_by: signal.Signals | None = None


def finish(ending: Ending | None, farewell: list[str]) -> int:
    """Print the last lines; return the exit status. `ending` is None if the screen failed.

    If a signal ended the screen, the same signal ends the program here, for its parent to see.
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
