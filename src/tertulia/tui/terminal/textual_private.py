"""The undocumented parts of Textual that the full screen uses; checked with Textual 8.2.8.

The parser of terminal input is in parser.py, and the output in drawing.py. Nothing is checked while
the program runs. Each part has a test in tests/tui/terminal that fails if Textual changes it. Run
these tests before pinning another version of Textual in pyproject.toml, and then change
`CHECKED_WITH`.
"""

import codecs
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from textual.app import App
from textual.drivers import linux_driver
from textual.drivers._writer_thread import WriterThread
from textual.geometry import Size
from textual.scroll_view import ScrollView

from tertulia.tui.terminal import drawing
from tertulia.tui.terminal.abilities import Abilities
from tertulia.tui.terminal.drawing import Pen
from tertulia.tui.terminal.driver import TerminalDriver
from tertulia.tui.terminal.parser import TerminalParser

CHECKED_WITH = "8.2.8"
_BETWEEN_READS_S = 0.1  # of a terminal that is gone
# A part of the flags of kitty's keyboard protocol that Textual requests, and the flag to also send
# the Latin letter of a key.
_KITTY_FLAGS = (
    linux_driver.KITTY_DISAMBIGUATE_ESCAPE_CODES | linux_driver.KITTY_REPORT_ALTERNATE_KEYS
)


class HangupWriter(WriterThread):
    """Textual's writer thread, which sends SIGHUP to the program when the terminal is gone.

    Textual's own thread would end, and every writer would wait for it without end.
    """

    def run(self) -> None:
        """Write until the terminal is gone, then drop all output."""
        try:
            super().run()
        except OSError:
            _hang_up()
            while self._queue.get() is not None:
                pass


class InputDecoder:
    """Decodes the terminal's input; the end of the input means that the terminal is gone.

    Textual's own decoder ends the program at an invalid byte. At the end of the input its driver
    reads again without end, so a loss of the terminal without a signal would not be noticed.
    """

    def __init__(self, encoding: str) -> None:
        # An invalid byte may come from an 8-bit Meta key.
        self._decode = codecs.getincrementaldecoder(encoding)(errors="replace").decode

    def decode(self, data: bytes, final: bool = False) -> str:
        """Return the complete characters. The input thread calls this."""
        if not data and not final:
            _hang_up()
            time.sleep(_BETWEEN_READS_S)
        return self._decode(data, final)


def install(terminal: Abilities, typed_ahead: str = "") -> None:
    """Make Textual's driver use the classes above. Call it before the app runs.

    `typed_ahead` is input that was already read from the terminal.
    """
    TerminalDriver.terminal = terminal
    TerminalParser.typed_ahead = typed_ahead
    # The driver looks these names up in its module, and has no setting for them.
    linux_driver.XTermParser = TerminalParser  # type: ignore[attr-defined]
    linux_driver.WriterThread = HangupWriter  # type: ignore[attr-defined]
    linux_driver.KITTY_DISAMBIGUATE_ESCAPE_CODES = _KITTY_FLAGS  # type: ignore[misc]
    linux_driver.getincrementaldecoder = _decoder_of  # type: ignore[assignment,attr-defined]
    drawing.install(Pen(terminal))


def _decoder_of(encoding: str) -> Callable[[], InputDecoder]:
    return partial(InputDecoder, encoding)


def _hang_up() -> None:
    os.kill(os.getpid(), signal.SIGHUP)


def write_to_terminal(app: App[Any], sequence: str) -> None:
    """Write an escape sequence that Textual does not know; without a terminal do nothing."""
    driver = app._driver
    if driver is not None:
        driver.write(sequence)


def set_terminal_title(app: App[Any], title: str) -> None:
    """Set the terminal's title; without a terminal do nothing."""
    if isinstance(app._driver, TerminalDriver):
        app._driver.set_title(title)


def set_content_height(view: ScrollView, lines: int, top: float) -> None:
    """Set the number of lines of a view and the line at its top, without a new layout.

    Setting `virtual_size` lays out the whole screen, which takes 6 ms for each new message. If the
    size of a view never depends on its content, only its scrollbar has to change. Textual still
    makes a new layout when the scrollbar appears or disappears.
    """
    size = Size(0, lines)
    if size != view.virtual_size:
        view.set_reactive(ScrollView.virtual_size, size)
    # With force, because Textual allows scrolling only if a scrollbar is already shown.
    view.scroll_to(y=top, force=True, animate=False)
    if view.is_mounted:
        view._scroll_update(size)
        view.vertical_scrollbar.position = view.scroll_y  # it was limited to the old size
