"""The undocumented parts of Textual that the full screen uses; checked with Textual 8.2.8.

All of them are here, and a test holds that: other modules use what this one makes of them. Nothing
is checked while the program runs. Each part has a test in test_textual_private.py that fails if
Textual changes it. Run these tests before pinning another version of Textual in pyproject.toml, and
then change `CHECKED_WITH`.
"""

import codecs
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, ClassVar, Protocol, cast

from rich.console import Console
from textual import _compositor, _xterm_parser
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._keyboard_protocol import FUNCTIONAL_KEYS, MODIFIER_FUNCTIONAL_KEYS
from textual.app import App
from textual.driver import Driver
from textual.drivers import linux_driver
from textual.drivers._writer_thread import WriterThread
from textual.geometry import Size
from textual.keys import Keys
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

CHECKED_WITH = "8.2.8"
MODIFIER_KEYS = MODIFIER_FUNCTIONAL_KEYS | {"caps_lock", "num_lock", "scroll_lock"}
ALT_ENTER = "\x1b\r"

_SIZE_OF_UNKNOWN = (80, 25)  # the size for a terminal that does not know its own, as in Rich
_BETWEEN_READS_S = 0.1  # of a terminal that is gone
# A part of the flags of kitty's keyboard protocol that Textual requests, and the flag to also send
# the Latin letter of a key.
_KITTY_FLAGS = (
    linux_driver.KITTY_DISAMBIGUATE_ESCAPE_CODES | linux_driver.KITTY_REPORT_ALTERNATE_KEYS
)


# --- input -----------------------------------------------------------------------------------


class SequenceParser(_xterm_parser.XTermParser):
    """Textual's parser of terminal input, for whole sequences."""

    def parse_whole(self, sequence: str) -> Iterator[Message]:
        """Parse a key or a whole sequence. Textual would wait for more input, but there is none."""
        yield from super().feed(sequence)
        if self._timeout_time is not None:
            self._timeout_time = 0.0
            yield from super().tick()


def is_known_sequence(sequence: str) -> bool:
    """Return whether Textual's parser knows a sequence as it is."""
    return sequence in ANSI_SEQUENCES_KEYS or sequence in _xterm_parser.SPECIAL_SEQUENCES


def is_known_key(sequence: str) -> bool:
    """Return whether Textual's parser knows a key by its number and its last character."""
    return sequence in FUNCTIONAL_KEYS


def read_alt_enter_as_ctrl_j() -> None:
    """Make Textual's parser read Alt+Enter as Ctrl+J, not as a plain Enter.

    Terminals without an extended keyboard protocol send ESC and CR for it.
    """
    cast("dict[str, tuple[Keys, ...]]", ANSI_SEQUENCES_KEYS)[ALT_ENTER] = (Keys.ControlJ,)


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


def _decoder_of(encoding: str) -> Callable[[], InputDecoder]:
    return partial(InputDecoder, encoding)


def _hang_up() -> None:
    os.kill(os.getpid(), signal.SIGHUP)


def driver_of(app: App[Any]) -> Driver | None:
    """Return the driver of a running app; None without a terminal."""
    return app._driver


def write_to_terminal(app: App[Any], sequence: str) -> None:
    """Write an escape sequence that Textual does not know; without a terminal do nothing."""
    driver = driver_of(app)
    if driver is not None:
        driver.write(sequence)


class SizedDriver(linux_driver.LinuxDriver):
    """Textual's driver, with the same size of a terminal at all times."""

    def _get_terminal_size(self) -> tuple[int, int]:
        """Return columns and rows.

        For a terminal that does not know its size (a serial line, a container), Textual would use
        another number of rows here than at the start, and then repeat the layout without end.
        """
        return shutil.get_terminal_size(_SIZE_OF_UNKNOWN)

    @property
    def has_taken_over(self) -> bool:
        """Whether it has taken over the terminal, and not been stopped in the background first."""
        return self._writer_thread is not None


# --- output ----------------------------------------------------------------------------------


class Pen(Protocol):
    """Draws parts of lines."""

    def draw(self, strip: Strip, x: int, y: int, end: int, console: Console) -> str:
        """Return the text that draws a strip into the cells from x to `end`, and into no others."""


class PlacedChops(_compositor.ChopsUpdate):
    """Textual's update of some parts of the screen, drawn with a pen."""

    pen: ClassVar[Pen]

    def render_segments(self, console: Console) -> str:
        """Return the text to write."""
        written = []
        for y, x1, x2 in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=True):
                if strip is not None and x <= x2 and end > x1:
                    written.append(self.pen.draw(strip, x, y, min(end, x2), console))
        return "".join(written)


class PlacedLayout(_compositor.LayoutUpdate):
    """Textual's update of the whole screen, drawn with a pen."""

    pen: ClassVar[Pen]

    def render_segments(self, console: Console) -> str:
        """Return the text to write."""
        written = []
        for y, line in enumerate(self.strips, self.region.y):
            x = self.region.x
            for strip in line:
                end = x + strip.cell_length
                written.append(self.pen.draw(strip, x, y, end, console))
                x = end
        return "".join(written)


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


# --- what the driver and the compositor use --------------------------------------------------


def install(parser: type[SequenceParser], pen: Pen) -> None:
    """Make Textual use the classes above, with a parser and a pen. Call it before the app runs."""
    # The driver looks these names up in its module, and has no setting for them.
    linux_driver.XTermParser = parser  # type: ignore[attr-defined]
    linux_driver.WriterThread = HangupWriter  # type: ignore[attr-defined]
    linux_driver.KITTY_DISAMBIGUATE_ESCAPE_CODES = _KITTY_FLAGS  # type: ignore[misc]
    linux_driver.getincrementaldecoder = _decoder_of  # type: ignore[assignment,attr-defined]
    PlacedChops.pen = PlacedLayout.pen = pen
    _compositor.ChopsUpdate = PlacedChops  # type: ignore[misc]
    _compositor.LayoutUpdate = PlacedLayout  # type: ignore[misc]
