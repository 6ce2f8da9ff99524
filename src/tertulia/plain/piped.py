"""The plain face on a pipe or a file: each line is answered before the next one is read.

Main thread. While it waits for input or an answer, it writes what comes from the server.
"""

import os
import select
import sys
import time

from tertulia.plain.face import PlainFace
from tertulia.plain.output import Output
from tertulia.plain.wakeup import Wakeup

READ_BYTES = 64 * 1024
MAX_LINE_BYTES = 64 * 1024  # longer than any message; the rest of a longer line is skipped


class InputLines:
    """Cut the input into lines; the last one may end without a newline."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._bytes = b""
        self._skipping = False
        self.ended = False

    def feed(self, data: bytes) -> None:
        """Add the bytes that were read; no bytes mean the end of the input."""
        self.ended = not data
        self._bytes += data

    def next_line(self) -> str | None:
        """Remove and return the next line, without its newline; None if none is complete."""
        while True:
            line, newline, rest = self._bytes.partition(b"\n")
            too_long = len(line) >= MAX_LINE_BYTES
            if not newline and not too_long and not (self.ended and line):
                return None
            skipped, self._skipping = self._skipping, not newline and not self.ended
            self._bytes = rest
            if not skipped:
                return line.decode(self._encoding, errors="replace").removesuffix("\r")


def run(face: PlainFace, output: Output, wakeup: Wakeup) -> None:
    """Carry out the lines of stdin until it ends, or until the chat is over."""
    lines = InputLines(sys.stdin.encoding)
    while not face.chat.over:
        more = face.chat.receive()
        face.chat.carry_on()
        while face.chat.idle and (line := lines.next_line()) is not None:
            face.submit(line)
            face.chat.carry_on()
        if face.chat.settled and lines.ended:
            face.chat.quit()
            face.chat.carry_on()
        output.flush()
        if more or face.chat.over:
            continue
        wait_for_input = face.chat.idle and not lines.ended
        files = [wakeup.fileno(), *([sys.stdin.fileno()] if wait_for_input else [])]
        wake_at = face.chat.wake_at
        timeout = None if wake_at is None else max(0.0, wake_at - time.monotonic())
        readable, _, _ = select.select(files, [], [], timeout)
        if wakeup.fileno() in readable:
            wakeup.clear()
        if wait_for_input and sys.stdin.fileno() in readable:
            lines.feed(_read(sys.stdin.fileno()))


def _read(file: int) -> bytes:
    try:
        return os.read(file, READ_BYTES)
    except OSError:
        return b""  # a terminal that has hung up, or a directory: there is no more input
