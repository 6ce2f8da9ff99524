"""The plain face without a keyboard: each line is answered before the next one is carried out.

The lines come from a pipe, from a file or from the command line. Main thread only. While it waits
for input or an answer, it writes the server's messages.
"""

import os
import queue
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TextIO

from tertulia.chat.command_arguments import Command
from tertulia.i18n import _
from tertulia.plain.face import PlainFace
from tertulia.plain.output import Output
from tertulia.plain.wakeup import Wakeup
from tertulia.protocol.messages import Quit

READ_BYTES = 64 * 1024
MAX_LINE_BYTES = 64 * 1024  # longer than any message; the rest of a longer line is skipped

_CTRL_C_WITHIN_S = 0.3

CarryOut = Callable[[str], Command | None]


class Lines(Protocol):
    """A source of lines."""

    @property
    def file(self) -> int | None:
        """Return the file to read from; None if nothing more is to be read."""

    @property
    def used_up(self) -> bool:
        """Return whether there will be no further line."""

    def next_line(self) -> str | None:
        """Remove and return the next line, without its newline; None if none is complete."""

    def read(self) -> None:
        """Read from the file, which must be readable."""

    def end(self) -> None:
        """Forget the lines that were not carried out, and all later ones."""


class GivenLines:
    """The texts of the command line; each of them is a line."""

    file = None

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = deque(texts)

    @property
    def used_up(self) -> bool:
        """Return whether all texts were taken."""
        return not self._texts

    def next_line(self) -> str | None:
        """Remove and return the next text."""
        return self._texts.popleft() if self._texts else None

    def read(self) -> None:
        """Do nothing: there is no file."""

    def end(self) -> None:
        """Forget the remaining texts."""
        self._texts.clear()


class InputLines:
    """Splits a file into lines; the last one may end without a newline."""

    def __init__(self, file: int, encoding: str) -> None:
        self._file = file
        self._encoding = encoding
        self._bytes = b""
        self._skipping = False
        self._ended = False

    @property
    def file(self) -> int | None:
        """Return the file; None after its end."""
        return None if self._ended else self._file

    @property
    def used_up(self) -> bool:
        """Return whether the file has ended and all lines were taken."""
        return self._ended and not self._bytes

    def read(self) -> None:
        """Read from the file."""
        self.feed(read(self._file))

    def end(self) -> None:
        """Forget the bytes that were read, and read no more."""
        self._ended, self._bytes = True, b""

    def feed(self, data: bytes) -> None:
        """Add the bytes that were read; no bytes mean the end of the input."""
        self._ended = not data
        self._bytes += data

    def next_line(self) -> str | None:
        """Remove and return the next line, without its newline; None if none is complete."""
        while True:
            line, newline, rest = self._bytes.partition(b"\n")
            too_long = len(line) >= MAX_LINE_BYTES
            if not newline and not too_long and not (self._ended and line):
                return None
            skipped, self._skipping = self._skipping, not newline and not self._ended
            self._bytes = rest
            if not skipped:
                return line.decode(self._encoding, errors="replace").removesuffix("\r")


class ThreadedLines(InputLines):
    """Lines of a file that a thread reads, for systems whose `select` accepts only sockets.

    The thread reads ahead by one piece; `next_line` takes over what it has read.
    """

    file = None

    def __init__(self, stream: TextIO, wakeup: Wakeup) -> None:
        super().__init__(-1, stream.encoding)
        # Without the buffer, because the exit would wait for its lock, which the reading thread
        # holds.
        self._read_some: Callable[[int], bytes] = stream.buffer.raw.read  # type: ignore[attr-defined]
        self._wakeup = wakeup
        self._pieces: queue.Queue[bytes] = queue.Queue(1)
        threading.Thread(target=self._run, name="input", daemon=True).start()

    def _run(self) -> None:
        piece = b"first"
        while piece:
            try:
                piece = self._read_some(READ_BYTES) or b""
            except (OSError, ValueError):
                piece = b""  # the terminal is gone
            self._pieces.put(piece)
            self._wakeup.wake()

    def next_line(self) -> str | None:
        """Remove and return the next line, without its newline; None if none is complete."""
        line = super().next_line()
        if line is not None or self._ended:
            return line
        try:
            self.feed(self._pieces.get_nowait())
        except queue.Empty:
            return None
        return super().next_line()


def input_lines(stream: TextIO, wakeup: Wakeup) -> InputLines:
    """Return the lines of standard input, read in the way that this system supports."""
    if sys.platform == "win32" or not hasattr(select, "poll"):
        return ThreadedLines(stream, wakeup)
    return InputLines(stream.fileno(), stream.encoding)


def run(face: PlainFace, output: Output, wakeup: Wakeup, lines: Lines, carry_out: CarryOut) -> None:
    """Carry out lines until there are no more, or until the chat is over."""
    chat = face.chat
    while not chat.over:
        more = chat.receive()
        chat.advance()
        while chat.idle and (line := lines.next_line()) is not None:
            if isinstance(carry_out(line), Quit):
                lines.end()  # earlier lines are answered before the end
            chat.advance()
        if chat.settled and lines.used_up:
            chat.quit()
            chat.advance()
        output.flush()
        if more or chat.over:
            continue
        file = lines.file if chat.idle else None
        files = [wakeup.fileno(), *([file] if file is not None else [])]
        timeout = None if chat.wake_at is None else max(0.0, chat.wake_at - time.monotonic())
        if sys.platform == "win32":  # on Windows Ctrl+C does not end a `select`
            timeout = min(_CTRL_C_WITHIN_S, _CTRL_C_WITHIN_S if timeout is None else timeout)
        readable, _writable, _failed = select.select(files, [], [], timeout)
        if wakeup.fileno() in readable:
            wakeup.clear()
        if file in readable:
            lines.read()


def say_each(face: PlainFace, output: Output) -> CarryOut:
    """Return a function that sends each line to everyone, and once explains commands."""
    told = False

    def carry_out(line: str) -> None:
        nonlocal told
        if not line.strip():
            return
        face.say(line.rstrip())
        if line.lstrip().startswith(("/", "@")) and not told:
            told = True
            text = _("“{line}” was sent to everyone as a text. With --commands it is a command.")
            output.add_notice(text.format(line=line.strip()))

    return carry_out


def lines_left(lines: Lines) -> Iterator[str]:
    """Yield the lines that were not carried out, if they can be read without waiting."""
    for _time in range(2):  # the second time to see the end; the input may be endless
        if lines.file is not None and select.select([lines.file], [], [], 0)[0]:
            lines.read()
    yield from iter(lines.next_line, None)


def read(file: int) -> bytes:
    """Read from a file that must be readable; no bytes mean its end."""
    try:
        return os.read(file, READ_BYTES)
    except OSError:
        return b""  # a terminal that is gone, or a directory: there is no more input
