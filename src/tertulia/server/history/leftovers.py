"""Removes temporary files at the end of a block, or when a signal ends the program.

A signal has to end the program at once, even if the main thread waits for a locked file or SQLite
is in the middle of a long copy. So a separate thread waits for signals. Only for `--export`,
`--backup` and `--restore`; the server itself stops in an orderly way.
"""

import contextlib
import functools
import os
import signal
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator, Set
from pathlib import Path
from typing import TypeVar

_Made = TypeVar("_Made")

# While a thread holds this, no signal ends the program.
uninterrupted = threading.Lock()
_removals: list[Callable[[], object]] = []  # the last one is carried out first


@contextlib.contextmanager
def removed_at_end(make: Callable[[], _Made], remove: Callable[[_Made], object]) -> Iterator[_Made]:
    """Remove something at the end of the block, however the block ends."""
    with uninterrupted:
        made = make()
        removal = functools.partial(remove, made)
        _removals.append(removal)
    try:
        yield made
    finally:
        with uninterrupted:
            _removals.remove(removal)
            removal()


@contextlib.contextmanager
def replaced_when_complete(path: str) -> Iterator[str]:
    """Yield the path of a new file, which gets the path given here if the block succeeds.

    The new file has the permissions of the one that it replaces; otherwise only its owner may read
    it. Pipes and devices are written in place, and so is a file in a directory where this user may
    not create files.
    """
    target = os.path.realpath(path)
    folder = os.path.dirname(target)
    is_there = os.path.exists(path)
    if is_there and not (os.path.isfile(path) and os.access(folder, os.W_OK)):
        yield path
        return
    with removed_at_end(lambda: _new_file(folder), remove_database) as new:
        if is_there:
            os.chmod(new, stat.S_IMODE(os.stat(target).st_mode))
        yield new
        with uninterrupted:
            os.replace(new, target)


def remove_database(path: str | Path) -> None:
    """Remove a database and the files that SQLite makes beside it."""
    for suffix in ("", "-journal", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{path}{suffix}")


def remove_on(signals: Set[signal.Signals]) -> None:
    """Remove the temporary files when one of these signals ends the program from now on."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    threading.Thread(target=_remove_on, args=(signals,), name="leftovers", daemon=True).start()


def _new_file(folder: str) -> str:
    fd, path = tempfile.mkstemp(prefix=".tertulia-", dir=folder)
    os.close(fd)
    return path


def _remove_on(signals: Set[signal.Signals]) -> None:
    number = signal.sigwait(signals)
    uninterrupted.acquire()  # for good: the main thread makes nothing more
    try:
        for removal in reversed(_removals):
            with contextlib.suppress(OSError):
                removal()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        signal.raise_signal(number)
