"""The state directory: what both programs keep from one run to the next, for their user alone."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


def state_directory() -> Path | None:
    """Return the directory, which need not exist; None for a user without a home directory."""
    import platformdirs  # not needed where a file is named on the command line

    try:
        directory = platformdirs.user_state_path("tertulia", appauthor=False)
    except RuntimeError:
        return None
    return directory if directory.is_absolute() else None  # Some versions return "~/...".


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other programs out that lock the same file, and wait for them. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(path, "a") as lock:
        try:
            import fcntl
        except ImportError:  # Windows
            import msvcrt

            msvcrt.locking(lock.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_private(path: Path, content: bytes) -> None:
    """Replace a file at once by one that only its owner can read. Raises OSError.

    A crash leaves the old file or the new one. The directory is made if it is missing.
    """
    import tempfile  # slow to import and not always needed

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=path.name, dir=path.parent)  # 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
