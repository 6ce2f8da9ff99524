"""The driver of the terminal: Textual's own, which also sets the title.

It does not end before the terminal has answered all questions: the shell would take a later answer
for typed text. Runs on the event loop's thread, except `process_message`, which the driver's input
thread calls.
"""

import threading
import time
from typing import Any, ClassVar

from textual.app import App
from textual.message import Message

from tertulia.safetext import visible_in_a_line
from tertulia.tui.terminal import textual_private
from tertulia.tui.terminal.abilities import Abilities
from tertulia.tui.terminal.answers import QUESTIONS
from tertulia.tui.terminal.background import LAST_QUESTION
from tertulia.tui.terminal.drawing import Pen
from tertulia.tui.terminal.parser import EverythingAnswered, TerminalParser
from tertulia.tui.terminal.textual_private import SizedDriver, driver_of

ANSWERS_WITHIN_S = 0.5  # after the start; also the longest wait if the program ends at once
_SAVE_TITLE, _RESTORE_TITLE = "\x1b[22;2t", "\x1b[23;2t"
_MAX_TITLE_CHARS = 100


class TerminalDriver(SizedDriver):
    """The driver of the present terminal."""

    terminal: ClassVar[Abilities] = Abilities()

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._title = app.title
        self._answered = threading.Event()
        self._asked_at = 0.0

    def start_application_mode(self) -> None:
        """Take over the terminal, and show the title on it."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if not self.has_taken_over:
            return
        self._answered.clear()
        self._asked_at = time.monotonic()
        self.write((QUESTIONS if self.terminal.obeys_osc else "") + LAST_QUESTION)
        if self.terminal.obeys_osc:
            self.write(_SAVE_TITLE)
            self._write_title(self._title)

    def stop_application_mode(self) -> None:
        """Give the terminal back, with its earlier title or with none."""
        if self.terminal.obeys_osc:
            self._write_title("")
            self.write(_RESTORE_TITLE)
        self.flush()
        self._answered.wait(max(0.0, self._asked_at + ANSWERS_WITHIN_S - time.monotonic()))
        super().stop_application_mode()

    def write(self, data: str) -> None:
        """Write to the terminal; an OSC is left out if the terminal would print it."""
        if self.terminal.obeys_osc or not data.startswith("\x1b]"):
            super().write(data)

    def set_title(self, title: str) -> None:
        """Set the terminal's title, and set it again when the program gets the terminal back."""
        if title != self._title:
            self._title = title
            if self.terminal.obeys_osc:
                self._write_title(title)

    def process_message(self, message: Message) -> None:
        """Process a message from the terminal. The driver's input thread."""
        if isinstance(message, EverythingAnswered):
            self._answered.set()
        else:
            super().process_message(message)

    def _write_title(self, title: str) -> None:
        # Nothing in the title may end it or control the terminal.
        shown = visible_in_a_line(title)[:_MAX_TITLE_CHARS]
        self.write(f"\x1b]2;{shown}\x07")


def install(terminal: Abilities, typed_ahead: str = "") -> None:
    """Make Textual's driver suit this terminal. Call it before the app runs.

    `typed_ahead` is input that was already read from the terminal.
    """
    TerminalDriver.terminal = terminal
    TerminalParser.typed_ahead = typed_ahead
    textual_private.install(TerminalParser, Pen(terminal))


def set_terminal_title(app: App[Any], title: str) -> None:
    """Set the terminal's title; without a terminal do nothing."""
    driver = driver_of(app)
    if isinstance(driver, TerminalDriver):
        driver.set_title(title)
