"""The output of the plain face: the chat on stdout, texts for the person on stderr.

All text for the terminal passes through it, and control characters become visible marks. Main
thread only; writing may block until the other end reads.
"""

import errno
import io
import os
from itertools import groupby
from operator import itemgetter
from typing import TextIO

from tertulia.safetext import visible, visible_json
from tertulia.wrapping import wrapped_for


class Output:
    """Collects lines, and writes them in order at `flush`."""

    def __init__(
        self, stdout: TextIO, stderr: TextIO, *, json: bool = False, quiet: bool = False
    ) -> None:
        """Begin; with `quiet` only errors are written for the person."""
        self.stdout = stdout
        self.stderr = stderr
        for stream in (stdout, stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        if json and isinstance(stdout, io.TextIOWrapper):
            stdout.reconfigure(encoding="utf-8")
        self._quiet = quiet
        self._unread: list[TextIO] = []
        self._lines: list[tuple[TextIO, str]] = []

    def add_line(self, text: str) -> None:
        """Add a line of the chat."""
        self._lines.append((self.stdout, visible(text) + "\n"))

    def add_json(self, line: bytes) -> None:
        """Add a message exactly as the server sent it."""
        self._lines.append((self.stdout, visible_json(line).decode() + "\n"))

    def add_notice(self, text: str) -> None:
        """Add a text for the person, unless only errors are wanted."""
        if not self._quiet:
            self.add_error(text)

    def add_error(self, text: str) -> None:
        """Add a text for the person about an error."""
        self._lines.append((self.stderr, wrapped_for(self.stderr, visible(text)) + "\n"))

    def ring(self) -> None:
        """Ring the bell of the terminal, if there is one."""
        for stream in (self.stderr, self.stdout):
            if stream.isatty():
                self._lines.append((stream, "\a"))
                return

    @property
    def has_lines(self) -> bool:
        """Return whether there is something to write."""
        return bool(self._lines)

    def flush(self) -> None:
        """Write all lines. Raises OSError once for each stream whose other end was closed."""
        lines, self._lines = self._lines, []
        failure: OSError | None = None
        # On a terminal both streams use the same screen, so the order must be kept.
        for stream, group in groupby(lines, key=itemgetter(0)):
            if stream in self._unread:
                continue
            try:
                stream.write("".join(text for _stream, text in group))
                stream.flush()
            except OSError as error:
                self._unread.append(stream)
                failure = error
        if failure is not None:
            raise failure

    def finish(self) -> None:
        """Write the last lines to each stream that is still open."""
        try:
            self.flush()
        except OSError as error:
            if not is_unread(error):
                raise
        if self._unread:
            write_nowhere(self.stdout, self.stderr)


def is_unread(error: OSError) -> bool:
    """Return whether writing failed because a pipe or a terminal was closed."""
    return error.errno in (errno.EPIPE, errno.EIO)


def write_nowhere(*streams: TextIO | None) -> None:
    """Discard all buffered output, because the flush at the exit must not fail again."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        if stream is not None:
            os.dup2(devnull, stream.fileno())
    os.close(devnull)
