"""Wraps the texts of a program for a person at the width of the terminal.

Only text for a terminal is wrapped: in a pipe each sentence stays on one line. No terminal setting
is changed. Any thread may call this.
"""

import os
import re
from collections.abc import Callable
from functools import cache
from typing import TextIO

_WORD = re.compile(r"\S+\s*")
# A command to copy, at the end of a sentence, is never divided.
_COMMAND = re.compile(r"(?<=: )\S*tertulia(?:-server)? .*|(?<=: )'[^']*tertulia' .*")


def wrapped_for(stream: TextIO, text: str) -> str:
    """Return the text wrapped for a stream; unchanged if the stream is not a terminal."""
    if not stream.isatty():
        return text
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except OSError:
        columns = 0
    return wrapped(text, columns) if columns > 0 else text  # some terminals do not know their width


def wrapped(text: str, columns: int) -> str:
    """Break the lines of a text between words, so that each has fewer than `columns` columns.

    A longer word is not divided. A line that begins with a space is a row of a table or a command,
    and is not changed.
    """
    return "\n".join(
        line if line.startswith(" ") else "\n".join(_broken(line, columns))
        for line in text.split("\n")
    )


def _broken(line: str, columns: int) -> list[str]:
    command = _COMMAND.search(line)
    words = _WORD.findall(line[: command.start()] if command else line)
    lines = [""]
    for word in [*words, *([command[0]] if command else [])]:
        # The last column stays empty, because terminals differ after text was written there.
        if lines[-1] and _width(lines[-1]) + _width(word.rstrip()) >= columns:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
        lines[-1] += word
    return lines


def _width(text: str) -> int:
    return len(text) if text.isascii() else _measure()(text)


@cache
def _measure() -> Callable[[str], int]:
    """Return the measure of the plain face; it is slow to import, and seldom needed (ADR 11)."""
    try:
        from tertulia.graphemes import most_columns
    except ModuleNotFoundError:  # the client in one file also runs where wcwidth is missing
        return len
    return most_columns
