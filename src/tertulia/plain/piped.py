"""Lines from a pipe or a file, each carried out and answered before the next is read.

Main thread. What comes from the server is written while it waits for either.
"""

import os
import select
import sys
import time

from tertulia.plain.face import PlainFace
from tertulia.plain.output import Output
from tertulia.plain.wakeup import Wakeup

READ_BYTES = 64 * 1024
MAX_LINE_BYTES = 64 * 1024  # no message is that long; what follows on the line is skipped


class InputLines:
    """Cut what is read into lines, whole ones until the input ends."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._bytes = b""
        self._skipping = False
        self.ended = False

    def feed(self, data: bytes) -> None:
        """Take what was read; nothing is the end."""
        self.ended = not data
        self._bytes += data

    def next_line(self) -> str | None:
        """Take the next line, without its end; None if there is none yet, or no more."""
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
    """Carry out the lines of stdin until it ends, somebody quits, or the connection ends."""
    lines = InputLines(sys.stdin.encoding)
    while not face.chat.over:
        more = face.chat.receive()
        face.chat.carry_on()
        while face.chat.idle and (line := lines.next_line()) is not None:
            face.typed(line)
            face.chat.carry_on()
        if face.chat.idle and lines.ended:
            face.chat.quit()
            face.chat.carry_on()
        output.flush()
        if more or face.chat.over:
            continue
        wait_for_input = face.chat.idle
        files = [wakeup.fileno(), *([sys.stdin.fileno()] if wait_for_input else [])]
        wake_at = face.chat.wake_at
        timeout = None if wake_at is None else max(0.0, wake_at - time.monotonic())
        readable, _, _ = select.select(files, [], [], timeout)
        if wakeup.fileno() in readable:
            wakeup.hear()
        if wait_for_input and sys.stdin.fileno() in readable:
            lines.feed(_read(sys.stdin.fileno()))


def _read(file: int) -> bytes:
    try:
        return os.read(file, READ_BYTES)
    except OSError:
        return b""  # a terminal that hung up, a directory: nothing more will come
