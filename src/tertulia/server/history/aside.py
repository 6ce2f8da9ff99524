"""Sets a file aside: renames it and the files that belong to it, so that nothing is lost."""

import contextlib
import itertools
import os
import time
from collections.abc import Callable
from pathlib import Path

_FILES = ("", "-wal", "-shm")


def set_aside(path: Path, reason: str, clock: Callable[[], float] = time.time) -> Path:
    """Rename the history and all files that belong to it; return its new path."""
    aside = _free_name(path, reason, clock)
    for suffix in _FILES:
        with contextlib.suppress(FileNotFoundError):
            os.rename(f"{path}{suffix}", f"{aside}{suffix}")
    return aside


def set_wal_aside(path: Path, clock: Callable[[], float] = time.time) -> Path:
    """Rename the WAL of another file and remove its index; return the new path of the WAL."""
    aside = _free_name(path, "foreign", clock)
    moved = aside.with_name(f"{aside.name}-wal")
    os.rename(f"{path}-wal", moved)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(f"{path}-shm")  # SQLite makes it anew from the WAL.
    return moved


def _free_name(path: Path, reason: str, clock: Callable[[], float]) -> Path:
    now = int(clock())
    candidates = (path.with_name(f"{path.name}.{reason}-{n}") for n in itertools.count(now))
    return next(
        name
        for name in candidates
        if not any(os.path.lexists(f"{name}{suffix}") for suffix in _FILES)
    )
