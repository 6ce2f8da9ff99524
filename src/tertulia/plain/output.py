"""The output of the plain face: the chat on stdout, words for the person on stderr.

All text for the terminal passes here, and control characters become visible marks. Main thread
only; writing may block until somebody reads.
"""

import io
from itertools import groupby
from operator import itemgetter
from typing import TextIO

from tertulia.chat.display import visible, visible_json
from tertulia.wrapping import wrapped_for


class Output:
    """Collect lines, and write them in order at `flush`."""

    def __init__(self, stdout: TextIO, stderr: TextIO, *, json: bool = False) -> None:
        self.stdout = stdout
        self.stderr = stderr
        for stream in (stdout, stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        if json and isinstance(stdout, io.TextIOWrapper):
            stdout.reconfigure(encoding="utf-8")
        self._lines: list[tuple[TextIO, str]] = []

    def add_line(self, text: str) -> None:
        """Add a line of the chat."""
        self._lines.append((self.stdout, visible(text)))

    def add_json(self, line: bytes) -> None:
        """Add a message as the server sent it."""
        self._lines.append((self.stdout, visible_json(line).decode()))

    def add_notice(self, text: str) -> None:
        """Add words for the person."""
        self._lines.append((self.stderr, wrapped_for(self.stderr, visible(text))))

    @property
    def has_lines(self) -> bool:
        """Whether there is something to write."""
        return bool(self._lines)

    def flush(self) -> None:
        """Write all lines. Raises BrokenPipeError when nobody reads any more."""
        lines, self._lines = self._lines, []
        # On a terminal both streams are the same screen, so the order must be kept.
        for stream, group in groupby(lines, key=itemgetter(0)):
            stream.write("".join(f"{text}\n" for _stream, text in group))
            stream.flush()
