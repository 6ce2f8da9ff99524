"""Shows a text on the normal screen until a key is pressed, so that the terminal can copy it.

Blocks the event loop's thread while the screen is away.
"""

import contextlib
import os
import select
import sys
import termios
from collections.abc import Iterator

from tertulia.i18n import _
from tertulia.tui.terminal import signals

_CHECK_SIGNALS_EVERY_S = 0.5
# Enter; also Ctrl-C, Ctrl-D and Ctrl-Q, which are only keys here and do not end the program.
_ENDING_KEYS = b"\r\n\x03\x04\x11"
_ESC = b"\x1b"  # ESC alone ends the view too; it also begins the sequences of other keys


def show_until_key(text: str) -> None:
    """Print a text and wait for an ending key or signal, or for the end of the terminal."""
    terminal = sys.__stdin__.fileno() if sys.__stdin__ is not None else 0
    with _unbuffered_keys(terminal), signals.collected() as came:
        print(text, _("Enter: back to the chat"), sep="\n\n", flush=True)
        while not came:
            if select.select([terminal], [], [], _CHECK_SIGNALS_EVERY_S)[0]:
                try:
                    typed = os.read(terminal, 1024)
                except OSError:  # the terminal is gone
                    return
                if not typed or typed == _ESC or any(key in _ENDING_KEYS for key in typed):
                    return


@contextlib.contextmanager
def _unbuffered_keys(terminal: int) -> Iterator[None]:
    """Let each key be read at once, without echo, and without sending a signal."""
    before, bare = termios.tcgetattr(terminal), termios.tcgetattr(terminal)
    bare[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)
    termios.tcsetattr(terminal, termios.TCSAFLUSH, bare)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):  # nothing to restore if the terminal is gone
            termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
