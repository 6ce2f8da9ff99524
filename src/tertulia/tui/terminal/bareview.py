"""A text on the normal screen, for the terminal's own way to copy, until a key is pressed.

Blocks the thread of the event loop, while the screen is away.
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
# Enter; and Ctrl-C, Ctrl-D and Ctrl-Q, which are keys here and do not end the program.
_ENDING_KEYS = b"\r\n\x03\x04\x11"
_ESC = b"\x1b"  # ends it too, but only alone: it also begins the sequences of other keys


def show_until_key(text: str) -> None:
    """Print a text and wait for a key that ends it, an ending signal, or the terminal's end."""
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
    """Have each key read at once, without an echo and without its signal."""
    before, bare = termios.tcgetattr(terminal), termios.tcgetattr(terminal)
    bare[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)
    termios.tcsetattr(terminal, termios.TCSAFLUSH, bare)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):  # nothing to restore if the terminal is gone
            termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
