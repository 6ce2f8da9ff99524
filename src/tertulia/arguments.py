"""The parser for the command lines of both programs.

It prints errors and ends the program. Main thread only.
"""

import argparse
import sys
from typing import NoReturn

from tertulia.i18n import _
from tertulia.wrapping import wrapped_for


class Parser(argparse.ArgumentParser):
    """A parser that reports an error in one sentence, and then refers to `--help`."""

    def error(self, message: str) -> NoReturn:
        """Print the error and exit with status 2."""
        text = _("{program}: {problem} (see {program} --help)")
        self._end(text.format(program=self.prog, problem=message))

    def suggest(self, message: str) -> NoReturn:
        """Print an error that ends with a correct command, and exit with status 2."""
        self._end(f"{self.prog}: {message}")

    def _end(self, text: str) -> NoReturn:
        self.exit(2, wrapped_for(sys.stderr, text) + "\n")
