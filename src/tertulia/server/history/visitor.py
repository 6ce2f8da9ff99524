"""Reads a history from a program other than the server, without leaving files beside it.

SQLite makes the files `-wal` and `-shm` even for a reader. How to avoid that depends on whether
they exist, and on this user's permissions.
"""

import contextlib
import fcntl
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tertulia.server.history.checks import check_schema, has_wal
from tertulia.server.history.leftovers import removed_at_end
from tertulia.server.history.reader import MessageReader


@contextlib.contextmanager
def open_as_visitor(path: Path) -> Iterator[MessageReader]:
    """Open a history for reading.

    Raises StoreOfAnotherVersion, OSError or sqlite3.Error, some of them only at the end.
    """
    path = path.absolute()
    if has_wal(path):
        if not os.path.exists(f"{path}-shm") and not os.access(path.parent, os.W_OK):
            with _copied(path) as copy, _opened(copy, "mode=ro") as reader:
                yield reader
        else:
            with _without_traces(path), _opened(path, "mode=ro") as reader:
                yield reader
    elif os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        # SQLite itself removes its files when the last connection that may write is closed.
        with _without_traces(path), _opened(path, "mode=rw") as reader:
            yield reader
    elif os.path.exists(f"{path}-shm"):  # A server runs and has stored nothing new.
        with _opened(path, "mode=ro") as reader:
            yield reader
    else:
        with _opened(path, "mode=ro&immutable=1") as reader:
            yield reader
        if has_wal(path):
            raise sqlite3.OperationalError("a server has started meanwhile, try again")


@contextlib.contextmanager
def _opened(path: Path, mode: str) -> Iterator[MessageReader]:
    uri = f"{path.as_uri()}?{mode}"
    with contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as db:
        check_schema(db, path)
        yield MessageReader(path, db)


@contextlib.contextmanager
def _copied(path: Path) -> Iterator[Path]:
    """Copy a history of a killed server to where SQLite can make its files."""
    with removed_at_end(lambda: tempfile.mkdtemp(prefix="tertulia-"), _remove_folder) as folder:
        copy = Path(folder, "history.db")
        for suffix in ("", "-wal"):
            shutil.copyfile(f"{path}{suffix}", f"{copy}{suffix}")
        yield copy


def _remove_folder(folder: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _without_traces(path: Path) -> contextlib.AbstractContextManager[list[str]]:
    """Delete SQLite's files at the end, unless they existed before or a server has them."""

    def not_there() -> list[str]:
        return [file for file in (f"{path}-shm", f"{path}-wal") if not os.path.exists(file)]

    def delete(traces: list[str]) -> None:
        traces = [file for file in traces if os.path.exists(file)]
        if not traces:
            return
        with contextlib.suppress(OSError):
            lock = os.open(f"{path}.lock", os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not has_wal(path) or f"{path}-wal" not in traces:
                    for file in traces:
                        os.unlink(file)
            finally:
                os.close(lock)

    return removed_at_end(not_there, delete)
