"""A text on the normal screen, for the terminal's own way to copy, until a key is pressed."""

import contextlib
import os
import select
import sys
import termios
from collections.abc import Iterator

from tertulia.i18n import _
from tertulia.tui.terminal.signals import noted

_LOOK_EVERY_S = 0.5  # for a signal
# Enter, and Ctrl-C, Ctrl-D and Ctrl-Q, which are keys here and end no program; Esc, if alone.
_ENOUGH = b"\r\n\x03\x04\x11"
_ESC = b"\x1b"


def show(text: str) -> None:
    """Print a text, and wait until somebody has seen enough. While the screen is away.

    A signal that ends the program, or the terminal's end, is enough, too.
    """
    terminal = sys.__stdin__.fileno() if sys.__stdin__ is not None else 0
    with _each_key_at_once(terminal), noted() as signals:
        print(text, _("Enter: back to the chat"), sep="\n\n", flush=True)
        while not signals:
            if select.select([terminal], [], [], _LOOK_EVERY_S)[0]:
                try:
                    typed = os.read(terminal, 1024)
                except OSError:  # it is gone
                    return
                if not typed or typed == _ESC or any(key in _ENOUGH for key in typed):
                    return


@contextlib.contextmanager
def _each_key_at_once(terminal: int) -> Iterator[None]:
    before, bare = termios.tcgetattr(terminal), termios.tcgetattr(terminal)
    bare[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)
    termios.tcsetattr(terminal, termios.TCSAFLUSH, bare)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):  # if it is gone there is nothing to set
            termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
