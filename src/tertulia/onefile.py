"""The start of the client that is one file: line by line, with all words in the user's language."""

import argparse
import sys

from tertulia.cli import main as run_client
from tertulia.i18n import _, ngettext


def main() -> int:
    """Run the client; return the exit status, as `cli.main`."""
    # argparse looks for its words in files, and there are none inside an archive.
    argparse._ = _  # type: ignore[attr-defined]
    argparse.ngettext = ngettext  # type: ignore[attr-defined]
    return run_client(["--plain", *sys.argv[1:]])
