"""The command lines of both programs: one clear line for a bad one, in the user's language."""

import argparse
from typing import NoReturn

from tertulia.i18n import _


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line, and where to find the rest."""

    def error(self, message: str) -> NoReturn:
        """End the program with status 2."""
        text = _("{program}: {problem} (see {program} --help)")
        self.exit(2, text.format(program=self.prog, problem=message) + "\n")
