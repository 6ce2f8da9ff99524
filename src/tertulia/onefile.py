"""Starts the one-file client, which has only the line-by-line face.

All texts, also those of argparse, are in the user's language. Main thread only.
"""

import argparse
import sys

from tertulia.cli import main as run_client
from tertulia.i18n import _, ngettext


def main() -> int:
    """Run the client; return the exit status of `cli.main`."""
    # argparse would look for its texts in files, which do not exist inside an archive.
    argparse._ = _  # type: ignore[attr-defined]
    argparse.ngettext = ngettext  # type: ignore[attr-defined]
    return run_client(["--plain", *sys.argv[1:]])
