"""The form of a line of the log, for the server's log and for that of its parent."""

import contextlib
import os
import time
from typing import TextIO

# The levels of `logging`, which the parent does not import, with the priorities of syslog.
DEBUG, INFO, WARNING, ERROR, CRITICAL = 10, 20, 30, 40, 50
_PRIORITIES = {DEBUG: 7, INFO: 6, WARNING: 4, ERROR: 3, CRITICAL: 2}
LEVEL_NAMES = {
    DEBUG: "DEBUG",
    INFO: "INFO",
    WARNING: "WARNING",
    ERROR: "ERROR",
    CRITICAL: "CRITICAL",
}


def is_journal(stream: TextIO) -> bool:
    """Return whether a stream leads to systemd's journal, which names it in the environment."""
    with contextlib.suppress(OSError, ValueError):
        found = os.fstat(stream.fileno())
        return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"
    return False


def for_journal(level: int, text: str) -> str:
    """Return a text whose lines begin with their priority, as the journal reads it."""
    prefix = f"<{_PRIORITIES[level]}>"
    return prefix + text.replace("\n", f"\n{prefix}")


def one_line(text: str) -> str:
    """Return a text with its newlines, and all else that cannot be printed, as escapes.

    Not with the marks of `safetext.py`: in a log every invisible character matters, and an escape
    can be searched for and turned back.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def log_line(level: int, text: str, now: float) -> str:
    """Return a line of the log at a time in seconds since the epoch, without a newline."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    return f"{moment}.{int(now % 1 * 1000):03d}Z {LEVEL_NAMES[level]} {one_line(text)}"
