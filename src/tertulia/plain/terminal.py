"""The plain face on a terminal: a line editor at the bottom, the chat above it.

Only the main thread reads the keyboard and writes to the terminal. The terminal's settings are
restored at every end: a normal end, an exception, a signal, a stop by Ctrl-Z.
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

from tertulia.chat.face_commands import AskForSecret
from tertulia.i18n import _
from tertulia.jobcontrol import wait_for_foreground
from tertulia.plain.face import PlainFace
from tertulia.plain.lineedit import Control, Discard, LineEditor, Paste, Submit
from tertulia.plain.output import Output
from tertulia.plain.pastes import GOES_ON_WITHIN_S, Arrivals
from tertulia.plain.secret import SecretField
from tertulia.plain.wakeup import Wakeup
from tertulia.protocol.messages import Direct, Quit, Say

READ_BYTES = 4096
ESCAPE_WITHIN_S = 0.1  # after ESC, for the rest of a key that sends several bytes
DEFAULT_COLUMNS = 80  # for a terminal that does not know its width
MAX_WAITING_JOBS = 1_000  # requests; while more of them wait, the keyboard is not read
_DEADLY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_HANDLED = (*_DEADLY, signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH)


class Keyboard:
    """The terminal's input settings: key by key and without echo, until `restore`."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._saved: list[Any] | None = None

    def take_over(self) -> None:
        """Read each key when it is pressed, without echo; Ctrl-C becomes a key too."""
        if self._saved is None:
            self._saved = termios.tcgetattr(self._file)
        iflag, oflag, cflag, lflag, ispeed, ospeed, control = termios.tcgetattr(self._file)
        lflag &= ~(termios.ICANON | termios.ECHO)
        control[termios.VMIN], control[termios.VTIME] = 1, 0
        control[termios.VINTR] = os.fpathconf(self._file, "PC_VDISABLE")
        settings = [iflag, oflag, cflag, lflag, ispeed, ospeed, control]
        termios.tcsetattr(self._file, termios.TCSANOW, settings)

    def restore(self) -> None:
        """Restore the settings from before `take_over`."""
        if self._saved is not None:
            with contextlib.suppress(termios.error):  # the terminal is gone
                termios.tcsetattr(self._file, termios.TCSANOW, self._saved)
            self._saved = None


class Signals:
    """The signals of a terminal, as a file for `select`; their handlers do nothing."""

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
            if signal.getsignal(signum) is not signal.SIG_IGN:  # nohup ignores SIGHUP
                self._previous[signum] = signal.signal(signum, _do_nothing)
        return self

    def __exit__(self, *_error: object) -> None:
        for signum, handler in self._previous.items():
            signal.signal(signum, handler)
        signal.set_wakeup_fd(self._previous_wakeup)
        self._sender.close()
        self._receiver.close()

    def fileno(self) -> int:
        """Return the file descriptor for `select`."""
        return self._receiver.fileno()

    def read(self) -> set[signal.Signals]:
        """Return the signals that have come since the last call, possibly none."""
        try:
            return {signal.Signals(number) for number in self._receiver.recv(4096)}
        except BlockingIOError:
            return set()

    def stop_here(self) -> None:
        """Stop this process as Ctrl-Z does; return when it is continued."""
        if signal.SIGTSTP in self._previous:
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            # Sent to this thread, so that it is effective before the handler is set again.
            signal.pthread_kill(threading.get_ident(), signal.SIGTSTP)
            signal.signal(signal.SIGTSTP, _do_nothing)


class Terminal:
    """The loop that waits for keys, the server and signals."""

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
        self._arrivals = Arrivals()
        self._pasted_at = float("-inf")
        self._secret: SecretField | None = None  # the operator's secret while it is being typed
        self._leaving = False

    def run(self) -> signal.Signals | None:
        """Chat until the end; return the signal that ended it, or None."""
        with Signals() as signals:
            try:
                self._keyboard.take_over()
                return self._loop(signals)
            finally:
                try:
                    if self._editor.line:  # keep the unfinished line on the screen
                        self._editor.leave()
                    self._editor.hide()
                    self._write_row()
                finally:
                    self._keyboard.restore()

    def _loop(self, signals: Signals) -> signal.Signals | None:
        while True:
            more = self._face.chat.receive()
            self._face.chat.advance()
            self._flush()
            if self._face.chat.over:
                return None
            for file in self._wait(signals, 0.0 if more else self._timeout()):
                if file == self._wakeup.fileno():
                    self._wakeup.clear()
                elif file == self._stdin:
                    if self._read_keys():
                        return None
                elif (deadly := self._handle_signals(signals)) is not None:
                    return deadly
            ready_at = self._arrivals.ready_at
            if ready_at is not None and time.monotonic() >= ready_at and self._handle_keys():
                return None

    def _wait(self, signals: Signals, timeout: float | None) -> list[int]:
        files = [self._wakeup.fileno(), signals.fileno()]
        if self._face.chat.waiting_jobs < MAX_WAITING_JOBS:
            files.append(self._stdin)
        readable, _writable, _failed = select.select(files, [], [], timeout)
        if not readable and self._editor.in_escape_sequence:
            self._editor.give_up_escape_sequence()
        return readable

    def _timeout(self) -> float | None:
        wake_at = self._face.chat.wake_at
        times = [at for at in (wake_at, self._arrivals.ready_at) if at is not None]
        timeout = max(0.0, min(times) - time.monotonic()) if times else None
        if self._editor.in_escape_sequence:
            return ESCAPE_WITHIN_S if timeout is None else min(timeout, ESCAPE_WITHIN_S)
        return timeout

    def _read_keys(self) -> bool:
        """Read the typed keys; return whether to leave at once."""
        try:
            data = os.read(self._stdin, READ_BYTES)
        except OSError:
            data = b""
        if not data:  # the terminal has hung up
            self._handle_keys()
            self._face.chat.advance()
            return True
        self._arrivals.add(data, time.monotonic())
        return False

    def _handle_keys(self) -> bool:
        """Handle the keys that have arrived; return whether to leave at once."""
        if self._secret is not None:
            self._read_secret(self._secret)
            return False
        now = time.monotonic()
        goes_on = now - self._pasted_at < GOES_ON_WITHIN_S
        for action in self._editor.feed(self._arrivals.take_all(), paste_goes_on=goes_on):
            if isinstance(action, Paste):
                self._pasted_at = now
                self._face.explain_paste(action.lines, self._editor.line)
            elif isinstance(action, Discard):
                self._face.explain_discard(action.lines)
            elif action is Control.NEXT_LINE:
                self._editor.leave()
                self._flush()
            elif isinstance(action, Submit):
                command = self._face.submit(action.line)
                # A message comes back from the server and would otherwise be on the screen twice.
                if not isinstance(command, Say | Direct):
                    self._editor.leave()
                if isinstance(command, Quit):
                    self._face.chat.quit()
                elif isinstance(command, AskForSecret):
                    self._secret = SecretField(sys.stdin.encoding)
                self._flush()
            elif self._leaving:
                return True  # the person does not want to wait for the server
            elif action is Control.END_OF_INPUT:
                self._leaving = True
                self._face.chat.quit()
            else:
                self._face.take_back()
        return False

    def _read_secret(self, field: SecretField) -> None:
        secret = field.feed(self._arrivals.take_all())
        if secret is None:
            return
        self._secret = None
        self._editor.leave()
        if isinstance(secret, str):
            self._face.order.become_operator(secret)
        self._flush()

    def _handle_signals(self, signals: Signals) -> signal.Signals | None:
        """Handle the signals that have come; return one that ends the program."""
        came = signals.read()

        def is_ended() -> bool:
            came.update(signals.read())
            return not came.isdisjoint(_DEADLY)

        if signal.SIGTSTP in came and not is_ended():
            self._editor.leave()
            self._write_row()
            self._keyboard.restore()
            signals.stop_here()
        if is_ended() or not wait_for_foreground(self._stdin, is_ended):
            # In the background, changing the terminal or writing could stop the program again.
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            return next(signum for signum in _DEADLY if signum in came)
        self._keyboard.take_over()
        self._editor.set_columns(self._columns())
        return None

    def _flush(self) -> None:
        if self._output.has_lines:
            self._editor.hide()
            self._write_row()
            self._output.flush()
        if self._secret is None:
            self._editor.set_prompt(self._face.prompt(self._editor.line_number))
        else:
            self._editor.set_prompt(_("Operator's secret (it is not shown): "))
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
    """Chat on the terminal; return the signal that ended it, or None."""
    return Terminal(face, output, wakeup).run()


def _do_nothing(_signum: int, _frame: FrameType | None) -> None:
    """Do nothing: the number of the signal arrives through the wakeup file."""
