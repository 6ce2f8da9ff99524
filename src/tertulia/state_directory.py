"""The state directory: files that both programs keep between runs, only for their user.

The functions use the disk, and `locked` waits for other programs. Any thread.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


def state_directory() -> Path | None:
    """Return the directory, which need not exist; None for a user without a home directory."""
    import platformdirs  # not needed if a file is named on the command line

    try:
        directory = platformdirs.user_state_path("tertulia", appauthor=False)
    except RuntimeError:
        return None
    return directory if directory.is_absolute() else None  # some versions return "~/..."


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lock a file against other programs; wait for those that have it. Raises OSError."""
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
    """Replace a file in one step by a file that only its owner can read. Raises OSError.

    After a crash it is either the old file or the new one. The directory is created if it is
    missing.
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
