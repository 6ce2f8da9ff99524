"""Writes to the standard streams, each of which may be closed, blocked, or on a full disk.

None of this may stop the server, and a file or socket of the server must never get the descriptor
of a standard stream.
"""

import contextlib
import os
import select
import sys
import time
from typing import TextIO


def open_closed_streams() -> None:
    """Open /dev/null for each closed standard stream, before another file gets its descriptor.

    Writing to a closed stdout goes on to fail, so that an export to it is not lost in silence.
    """
    for name, flags in (("stdin", os.O_RDONLY), ("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, flags)  # the lowest free one, which is the stream's
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(descriptor, mode, closefd=False))  # noqa: SIM115 (never closed)


def write_within(timeout_s: float, stream: TextIO, text: str) -> None:
    """Write a text to a standard stream, without a buffer; drop what it does not take in time.

    Any thread.
    """
    rest = text.encode(stream.encoding, "backslashreplace")
    give_up_at = time.monotonic() + timeout_s
    writable = select.poll()
    writable.register(stream.fileno(), select.POLLOUT)
    with contextlib.suppress(OSError):
        while rest and writable.poll(max(0.0, give_up_at - time.monotonic()) * 1000):
            # A pipe that is ready takes this many bytes without a wait.
            rest = rest[os.write(stream.fileno(), rest[: select.PIPE_BUF]) :]


def drop_unwritten() -> None:
    """Drop what stdout and stderr cannot take, since the exit would fail to write it once more."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
