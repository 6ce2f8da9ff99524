"""The parser for the command lines of both programs."""

import argparse
from typing import NoReturn

from tertulia.i18n import _


class Parser(argparse.ArgumentParser):
    """A parser that reports an error in one line, which also names `--help`."""

    def error(self, message: str) -> NoReturn:
        """Print the error and exit with status 2."""
        text = _("{program}: {problem} (see {program} --help)")
        self.exit(2, text.format(program=self.prog, problem=message) + "\n")
