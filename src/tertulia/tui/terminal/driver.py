"""Textual's driver of the terminal, which also gives it a title; checked with Textual 8.2.8.

It does not end before the terminal has answered everything that it was asked: a later answer would
be typed into the shell. Runs on the event loop's thread, but for `process_message`.
"""

import shutil
import threading
import time
from typing import Any, ClassVar

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from tertulia.tui.terminal.abilities import Abilities
from tertulia.tui.terminal.answers import QUESTIONS
from tertulia.tui.terminal.background import LAST_QUESTION
from tertulia.tui.terminal.parser import EverythingAnswered

ANSWERS_WITHIN_S = 0.5  # after the start; also the longest wait at an end that comes at once
_SAVE_TITLE, _RESTORE_TITLE = "\x1b[22;2t", "\x1b[23;2t"
_MAX_TITLE_CHARS = 100
_SIZE_OF_UNKNOWN = (80, 25)  # of a terminal that does not know its size, as Rich has it


class TerminalDriver(LinuxDriver):
    """The driver of the terminal that there is."""

    terminal: ClassVar[Abilities] = Abilities()

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._title = app.title
        self._answered = threading.Event()
        self._asked_at = 0.0

    def _get_terminal_size(self) -> tuple[int, int]:
        """Return columns and rows.

        Textual takes another number of rows here than at the start for a terminal that does not
        know them (a serial line, a container), and then lays the screen out again for ever.
        """
        return shutil.get_terminal_size(_SIZE_OF_UNKNOWN)

    def start_application_mode(self) -> None:
        """Take the terminal, and show the title on it."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self._writer_thread is None:  # stopped in the background, before the terminal was taken
            return
        self._answered.clear()
        self._asked_at = time.monotonic()
        self.write((QUESTIONS if self.terminal.obeys_osc else "") + LAST_QUESTION)
        if self.terminal.obeys_osc:
            self.write(_SAVE_TITLE)
            self._write_title(self._title)

    def stop_application_mode(self) -> None:
        """Give the terminal back, with the title that it had, or with none."""
        if self.terminal.obeys_osc:
            self._write_title("")
            self.write(_RESTORE_TITLE)
        self.flush()
        self._answered.wait(max(0.0, self._asked_at + ANSWERS_WITHIN_S - time.monotonic()))
        super().stop_application_mode()

    def write(self, data: str) -> None:
        """Write to the terminal; a simple one would show an OSC instead of obeying it."""
        if self.terminal.obeys_osc or not data.startswith("\x1b]"):
            super().write(data)

    def set_title(self, title: str) -> None:
        """Show a title on the terminal, also after the terminal was given up for a while."""
        if title != self._title:
            self._title = title
            if self.terminal.obeys_osc:
                self._write_title(title)

    def process_message(self, message: Message) -> None:
        """Take in what the terminal sends."""
        if isinstance(message, EverythingAnswered):
            self._answered.set()
        else:
            super().process_message(message)

    def _write_title(self, title: str) -> None:
        # Nothing in it can end it or control the terminal, and nothing is invisible.
        shown = "".join(filter(str.isprintable, title))[:_MAX_TITLE_CHARS]
        self.write(f"\x1b]2;{shown}\x07")
