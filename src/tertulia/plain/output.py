"""Where a plain face writes: data to stdout, words for the person to stderr.

The last place where text passes on its way to a terminal, so nothing gets out that would steer it.
Main thread only; writing waits for whoever reads.
"""

import io
from itertools import groupby
from operator import itemgetter
from typing import TextIO

from tertulia.chat.display import visible, visible_json


class Output:
    """Collect lines and write them in their order at `flush`."""

    def __init__(self, stdout: TextIO, stderr: TextIO, *, json: bool = False) -> None:
        self.stdout = stdout
        self.stderr = stderr
        for stream in (stdout, stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        if json and isinstance(stdout, io.TextIOWrapper):
            stdout.reconfigure(encoding="utf-8")
        self._lines: list[tuple[TextIO, str]] = []

    def data(self, text: str) -> None:
        """Write a line of the chat."""
        self._lines.append((self.stdout, visible(text)))

    def json(self, line: bytes) -> None:
        """Write a message as the server sent it."""
        self._lines.append((self.stdout, visible_json(line).decode()))

    def words(self, text: str) -> None:
        """Write something for the person."""
        self._lines.append((self.stderr, visible(text)))

    @property
    def waiting(self) -> bool:
        """Tell whether there is something to be written."""
        return bool(self._lines)

    def flush(self) -> None:
        """Write all of it. Raises BrokenPipeError when nobody reads any more."""
        lines, self._lines = self._lines, []
        # On a terminal both are the same screen, where the order has to stay.
        for stream, group in groupby(lines, key=itemgetter(0)):
            stream.write("".join(f"{text}\n" for _stream, text in group))
            stream.flush()
