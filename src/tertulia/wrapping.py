"""Words of a program for a person, wrapped at words to the width of the terminal.

Only text for a terminal is wrapped: a program that reads a pipe gets each sentence in one line. No
terminal is changed. Any thread may call this.
"""

import os
import re
from typing import TextIO
from unicodedata import combining, east_asian_width

_WORD = re.compile(r"\S+\s*")
# A command to copy, at the end of a sentence: it stays in one piece.
_COMMAND = re.compile(r"(?<=: )\S*tertulia(?:-server)? .*|(?<=: )'[^']*tertulia' .*")


def wrapped_for(stream: TextIO, text: str) -> str:
    """Return the text wrapped for a stream, or as it is if the stream is no terminal."""
    if not stream.isatty():
        return text
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except OSError:
        columns = 0
    return wrapped(text, columns) if columns > 0 else text  # some terminals do not know their width


def wrapped(text: str, columns: int) -> str:
    """Break the lines of a text at words, so that each has fewer than so many columns.

    A word that is longer stays whole. A line that begins with a space is a row of a table or a
    command, and stays as it is.
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
        # The last column stays empty: terminals differ in what they do after writing there.
        if lines[-1] and _width(lines[-1]) + _width(word.rstrip()) >= columns:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
        lines[-1] += word
    return lines


def _width(text: str) -> int:
    return sum(
        0 if combining(letter) else 2 if east_asian_width(letter) in "WF" else 1 for letter in text
    )
