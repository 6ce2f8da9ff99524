"""Finds the files that the server hands out, and reads pieces of them.

Only their exact names are served. A file on disk is read piece by piece, so it takes little memory.
"""

import hashlib
import os
import re
import stat
from pathlib import Path

from msgspec import Struct

# The name of a wheel: distribution, version, perhaps a build, and three tags.
_WHEEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._]*(-[A-Za-z0-9._+!]+){4,5}\.whl")
_READ_BYTES = 1024 * 1024
_MAX_WHEELS = 200


class HandedFile(Struct, frozen=True):
    """A file to hand out: `body` in memory, or the file at `path` if it has not changed."""

    name: str
    size: int
    sha256: str
    body: bytes = b""
    path: Path | None = None
    stamp: tuple[int, int, int] = (0, 0, 0)

    def read(self, offset: int, size: int) -> bytes:
        """Return a piece. Raises OSError, also if the file has changed."""
        if self.path is None:
            return self.body[offset : offset + size]
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            if _stamp(os.fstat(descriptor)) != self.stamp:
                raise FileNotFoundError(f"{self.path} has changed")
            return os.pread(descriptor, size, offset)
        finally:
            os.close(descriptor)


def in_memory(name: str, body: bytes) -> HandedFile:
    """Return a file with its content in memory."""
    return HandedFile(name, len(body), hashlib.sha256(body).hexdigest(), body)


def wheels_in(directory: Path) -> list[HandedFile]:
    """Return the wheels in a directory, except those that cannot be read or are not files."""
    try:
        names = sorted(entry for entry in os.listdir(directory) if _WHEEL_NAME.fullmatch(entry))
    except OSError:
        return []
    found = (_on_disk(directory / name) for name in names[:_MAX_WHEELS])
    return [file for file in found if file is not None]


def _on_disk(path: Path) -> HandedFile | None:
    digest, size = hashlib.sha256(), 0
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        with open(descriptor, "rb", buffering=0) as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                return None
            while piece := file.read(_READ_BYTES):
                digest.update(piece)
                size += len(piece)
    except OSError:
        return None
    return HandedFile(path.name, size, digest.hexdigest(), path=path, stamp=_stamp(found))


def _stamp(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_ino, found.st_size, found.st_mtime_ns
