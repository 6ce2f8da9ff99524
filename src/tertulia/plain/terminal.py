"""The plain face on a terminal: a line editor below, the chat above it.

Main thread, which alone reads the keyboard and writes to the terminal. The terminal's settings are
given back on every way out: the end, an exception, a signal, a stop by Ctrl-Z.
"""

import contextlib
import os
import select
import signal
import socket
import sys
import termios
import threading
import time
from types import FrameType
from typing import Any

from tertulia.chat import greetings
from tertulia.plain.face import PlainFace
from tertulia.plain.lineedit import Control, LineEditor, Submit
from tertulia.plain.output import Output
from tertulia.plain.wakeup import Wakeup
from tertulia.protocol.messages import Direct, Say

READ_BYTES = 4096
ESCAPE_WITHIN_S = 0.1  # for the rest of a key that sends several bytes
DEFAULT_COLUMNS = 80  # for a terminal that does not know
MAX_WAITING_JOBS = 1_000  # then the keyboard is not read until some were carried out
_DEADLY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_HANDLED = (*_DEADLY, signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH)


class Keyboard:
    """The terminal's input, given key by key and not shown, until `restore`."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._saved: list[Any] | None = None

    def take_over(self) -> None:
        """Ask for each key as it is pressed; Ctrl-C becomes a key too."""
        if self._saved is None:
            self._saved = termios.tcgetattr(self._file)
        iflag, oflag, cflag, lflag, ispeed, ospeed, control = termios.tcgetattr(self._file)
        lflag &= ~(termios.ICANON | termios.ECHO)
        control[termios.VMIN], control[termios.VTIME] = 1, 0
        control[termios.VINTR] = os.fpathconf(self._file, "PC_VDISABLE")
        settings = [iflag, oflag, cflag, lflag, ispeed, ospeed, control]
        termios.tcsetattr(self._file, termios.TCSANOW, settings)

    def restore(self) -> None:
        """Give the terminal back as it was."""
        if self._saved is not None:
            with contextlib.suppress(termios.error):  # the terminal is gone
                termios.tcsetattr(self._file, termios.TCSANOW, self._saved)
            self._saved = None


class Signals:
    """The signals of a terminal, heard in `select` instead of in the middle of anything."""

    def __init__(self) -> None:
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)
        self._previous_wakeup = -1
        self._previous: dict[signal.Signals, signal._HANDLER] = {}

    def __enter__(self) -> "Signals":
        self._previous_wakeup = signal.set_wakeup_fd(
            self._sender.fileno(), warn_on_full_buffer=False
        )
        for signum in _HANDLED:
            if signal.getsignal(signum) is not signal.SIG_IGN:  # as nohup leaves SIGHUP
                self._previous[signum] = signal.signal(signum, _leave_it_to_select)
        return self

    def __exit__(self, *_error: object) -> None:
        for signum, handler in self._previous.items():
            signal.signal(signum, handler)
        signal.set_wakeup_fd(self._previous_wakeup)
        self._sender.close()
        self._receiver.close()

    def fileno(self) -> int:
        """Give the file to `select` on."""
        return self._receiver.fileno()

    def take(self) -> list[signal.Signals]:
        """Take the signals that have come, each once, in no order."""
        return [signal.Signals(number) for number in set(self._receiver.recv(4096))]

    def stop_here(self) -> None:
        """Stop this process as Ctrl-Z does, and come back when it goes on."""
        if signal.SIGTSTP in self._previous:
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            # To this thread, so that it has taken effect before the handler is back.
            signal.pthread_kill(threading.get_ident(), signal.SIGTSTP)
            signal.signal(signal.SIGTSTP, _leave_it_to_select)


class Terminal:
    """The loop that waits for keys, for the server and for signals."""

    def __init__(self, face: PlainFace, output: Output, wakeup: Wakeup) -> None:
        self._face = face
        self._output = output
        self._wakeup = wakeup
        self._stdin = sys.stdin.fileno()
        self._keyboard = Keyboard(self._stdin)
        self._row_stream = output.stderr if output.stderr.isatty() else output.stdout
        self._editor = LineEditor(
            face.complete, columns=self._columns(), encoding=sys.stdin.encoding
        )
        self._leaving = False

    def run(self) -> signal.Signals | None:
        """Chat until the end; return the signal that ended it, if one did."""
        with Signals() as signals:
            try:
                self._keyboard.take_over()
                return self._loop(signals)
            finally:
                try:
                    if self._editor.line:  # what was being typed is not taken away
                        self._editor.leave()
                    self._editor.hide()
                    self._write_row()
                finally:
                    self._keyboard.restore()

    def _loop(self, signals: Signals) -> signal.Signals | None:
        while True:
            more = self._face.chat.receive()
            self._face.chat.carry_on()
            self._flush()
            if self._face.chat.over:
                return None
            for file in self._wait(signals, 0.0 if more else self._timeout()):
                if file == self._wakeup.fileno():
                    self._wakeup.hear()
                elif file == self._stdin:
                    if self._read_keys():
                        return None
                elif (deadly := self._obey(signals)) is not None:
                    return deadly

    def _wait(self, signals: Signals, timeout: float | None) -> list[int]:
        files = [self._wakeup.fileno(), signals.fileno()]
        if self._face.chat.waiting_jobs < MAX_WAITING_JOBS:
            files.append(self._stdin)
        readable, _, _ = select.select(files, [], [], timeout)
        if not readable and self._editor.in_escape_sequence:
            self._editor.give_up_escape_sequence()
        return readable

    def _timeout(self) -> float | None:
        wake_at = self._face.chat.wake_at
        timeout = None if wake_at is None else max(0.0, wake_at - time.monotonic())
        if self._editor.in_escape_sequence:
            return ESCAPE_WITHIN_S if timeout is None else min(timeout, ESCAPE_WITHIN_S)
        return timeout

    def _read_keys(self) -> bool:
        """Take in what was typed; tell whether to leave at once."""
        try:
            data = os.read(self._stdin, READ_BYTES)
        except OSError:
            data = b""
        if not data:  # the terminal has hung up
            return True
        for action in self._editor.feed(data):
            if isinstance(action, Submit):
                command = self._face.typed(action.line)
                # What is said comes back from the server and need not stand there twice.
                if not isinstance(command, Say | Direct):
                    self._editor.leave()
                self._flush()
            elif self._leaving:
                return True  # asked for again, while the server takes its time
            elif action is Control.END_OF_INPUT:
                self._leaving = True
                self._face.chat.quit()
            else:
                self._output.words(greetings.how_to_leave())
        return False

    def _obey(self, signals: Signals) -> signal.Signals | None:
        for signum in signals.take():
            if signum in _DEADLY:
                return signum
            if signum == signal.SIGTSTP:
                self._editor.leave()
                self._write_row()
                self._keyboard.restore()
                signals.stop_here()
            self._keyboard.take_over()
            self._editor.set_columns(self._columns())
        return None

    def _flush(self) -> None:
        if self._output.waiting:
            self._editor.hide()
            self._write_row()
            self._output.flush()
        self._editor.set_prompt(self._face.prompt)
        self._editor.show()
        self._write_row()

    def _write_row(self) -> None:
        text = self._editor.pop_output()
        if text:
            self._row_stream.write(text)
            self._row_stream.flush()

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._row_stream.fileno()).columns or DEFAULT_COLUMNS
        except OSError:
            return DEFAULT_COLUMNS


def run(face: PlainFace, output: Output, wakeup: Wakeup) -> signal.Signals | None:
    """Chat on the terminal; return the signal that ended it, if one did."""
    return Terminal(face, output, wakeup).run()


def _leave_it_to_select(_signum: int, _frame: FrameType | None) -> None:
    """Do nothing: the number comes through the wakeup file."""
