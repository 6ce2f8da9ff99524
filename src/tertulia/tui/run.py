"""From what the command line asks for to the full screen, and to an exit status.

The connection begins before the screen's library is imported: both take their time.
"""

import gc
import os
import signal
import sys
from typing import TYPE_CHECKING, NamedTuple

from tertulia.chat.destination import Destination
from tertulia.chat.display import visible
from tertulia.client.client import Client
from tertulia.client.reconnect import Attempt, Reconnector
from tertulia.tui.connecting import LoopBell

if TYPE_CHECKING:
    from tertulia.tui.app import ChatApp


class Ending(NamedTuple):
    """How the program ends: its exit status, and what is to be read afterwards."""

    status: int
    lines: list[str]
    ended_by: signal.Signals | None = None


def run(to: Destination) -> int:
    """Chat until the end, say goodbye on the normal screen, and return the exit status."""
    gc.disable()  # until the first frame: nothing that is imported is garbage
    app = connecting_app(to)

    from tertulia.tui.terminal import signals, textual_private

    textual_private.install()
    ending = app.run()
    lines = [] if ending is None else ending.lines
    if app.face is not None:
        lines += app.face.chat.farewell()
    for line in lines:
        sys.stderr.write(f"{visible(line)}\n")
    if ending is None:  # the screen has failed, and has shown its own traceback
        return 1
    signals.end_in_time()
    if ending.ended_by is not None:
        # Whoever started this program shall see that a signal ended it.
        signal.signal(ending.ended_by, signal.SIG_DFL)
        signal.raise_signal(ending.ended_by)
    return ending.status


def connecting_app(to: Destination) -> "ChatApp":
    """Begin to connect, and make the app that shows what comes of it."""
    bell = LoopBell()

    def connect(token: str | None = None) -> Client:
        return Client.connect(
            to.host, to.port, to.name,
            source=to.source, token=token, everything=True, notify=bell.ring,
        )  # fmt: skip

    attempt = Attempt(connect, bell.ring)
    attempt.start()

    from tertulia.tui.app import ChatApp

    return ChatApp(
        to, attempt, Reconnector(connect, bell.ring), bell,
        dark=_is_dark(), few_colours=_has_few_colours(),
    )  # fmt: skip


def _is_dark() -> bool:
    """Tell whether the terminal is dark, as far as it says: COLORFGBG ends with its background."""
    background = os.environ.get("COLORFGBG", "").rpartition(";")[2]
    return background not in ("7", "15")


def _has_few_colours() -> bool:
    """Tell whether the terminal has 16 colours at most, or is to have none."""
    if os.environ.get("NO_COLOR"):
        return True
    os.environ.pop("NO_COLOR", None)  # empty: as good as not there, which Textual does not know
    term, colours = os.environ.get("TERM", ""), os.environ.get("COLORTERM", "")
    return "256" not in term and colours.strip().lower() not in ("truecolor", "24bit")
