"""Secret files in the state directory, or in memory if they cannot be saved.

Several servers of one user may start at the same time: the first one that saves a file wins. Only
the main thread uses this.
"""

import errno
import logging
import os
import stat
import time
from pathlib import Path

from tertulia.i18n import _
from tertulia.state_directory import write_private

log = logging.getLogger("tertulia.server")

_PRIVATE = 0o600
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)  # no hard links here


class SecretFiles:
    """The files of one directory, which only their owner may read.

    `problem` is the reason, for people, why something was not saved; empty if everything was.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._in_memory: dict[str, bytes] = {}
        self.problem = "" if directory else _("there is no home directory")

    def read(self, name: str) -> bytes | None:
        """Return the content of a file; None if it does not exist or cannot be read."""
        if self._directory is None or name in self._in_memory:
            return self._in_memory.get(name)
        path = self._directory / name
        try:
            data = path.read_bytes()
            if stat.S_IMODE(path.stat().st_mode) & ~_PRIVATE:
                log.warning("certificate file readable by others, corrected file=%s", path)
                path.chmod(_PRIVATE)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._give_up(error)
            return None
        return data

    def create(self, name: str, data: bytes) -> bytes:
        """Save a file, unless another server has done so meanwhile; return the saved content."""
        try:
            self._write(name, data, is_new=True)
        except FileExistsError:
            kept = self.read(name)
            if kept is not None:
                return kept
            self._in_memory[name] = data
        return data

    def replace(self, name: str, data: bytes) -> None:
        """Save a file, replacing an existing one."""
        self._write(name, data, is_new=False)

    def set_aside(self, name: str) -> None:
        """Rename an unusable file, which its owner may still need."""
        if self._directory is None or self._in_memory.pop(name, None) is not None:
            return
        path = self._directory / name
        aside = path.with_name(f"{name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
        try:
            path.rename(aside)
        except OSError as error:
            self._give_up(error)
        else:
            log.error("certificate file damaged, renamed file=%s to=%s", path, aside.name)

    def _write(self, name: str, data: bytes, *, is_new: bool) -> None:
        """Write a file. Raises FileExistsError if it has to be new and exists already."""
        if self._directory is None or self.problem:
            self._in_memory[name] = data
            return
        try:
            if is_new:
                self._create(self._directory / name, data)
            else:
                write_private(self._directory / name, data)
        except OSError as error:
            if is_new and isinstance(error, FileExistsError):
                raise
            self._give_up(error)
            self._in_memory[name] = data

    def _create(self, path: Path, data: bytes) -> None:
        """Create a file completely or not at all. Raises FileExistsError."""
        whole = path.with_name(f".{path.name}-{os.getpid()}")
        write_private(whole, data)
        try:
            os.link(whole, path)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            os.replace(whole, path)
        finally:
            whole.unlink(missing_ok=True)

    def _give_up(self, error: OSError) -> None:
        """Keep everything in memory from now on."""
        self.problem = error.strerror or str(error)
        log.warning("certificate not kept directory=%s error=%s", self._directory, self.problem)
