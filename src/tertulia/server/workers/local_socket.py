"""The socket in the file system through which proxies on this computer reach the server.

A process may connect if it may write to the socket's file: that is, as its owner or in its group.
The main thread uses this at the start and at the end.
"""

import contextlib
import errno
import os
import socket
import stat
from enum import Enum, auto

MAX_PATH_BYTES = 107  # the kernel's limit
_BACKLOG = 1024  # connections that the kernel holds until they are accepted
_MASK = 0o117  # removed from the mode, which becomes 0660


class PathProblem(Enum):
    """Why there can be no socket at a path."""

    IN_USE = auto()  # another program listens there
    NO_SOCKET = auto()  # there is another kind of file
    OTHER = auto()


class PathUnusable(Exception):
    """There can be no socket at this path; `reason` is the system's error, if it gave one."""

    def __init__(self, path: str, problem: PathProblem, reason: str = "") -> None:
        super().__init__(path)
        self.path = path
        self.problem = problem
        self.reason = reason


class LocalSocket:
    """A listening socket at a path. It replaces a stale one."""

    def __init__(
        self, path: str, send_buffer_bytes: int, inherited: socket.socket | None = None
    ) -> None:
        """Open it, or use an inherited one if that still has its path. Raises PathUnusable."""
        self._path = path
        if inherited is not None:
            with contextlib.suppress(OSError):  # its file was removed: open another
                found = os.stat(path)
                self._file = found.st_dev, found.st_ino
                self.listener = inherited
                return
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            try:
                _bind(self.listener, path)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                _remove_stale(path)
                _bind(self.listener, path)
            found = os.stat(path)
            self._file = found.st_dev, found.st_ino
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer_bytes)
            self.listener.setblocking(False)
            self.listener.listen(_BACKLOG)
        except OSError as error:
            self.listener.close()
            reason = error.strerror or str(error)
            raise PathUnusable(path, PathProblem.OTHER, reason) from error
        except PathUnusable:
            self.listener.close()
            raise

    def remove(self) -> None:
        """Remove the file, unless another server has taken its place."""
        with contextlib.suppress(OSError):  # it is gone, or this user may no longer write there
            found = os.stat(self._path)
            if (found.st_dev, found.st_ino) == self._file:
                os.unlink(self._path)


def _bind(listener: socket.socket, path: str) -> None:
    before = os.umask(_MASK)
    try:
        listener.bind(path)
    finally:
        os.umask(before)


def _remove_stale(path: str) -> None:
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise PathUnusable(path, PathProblem.NO_SOCKET)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except BlockingIOError:
            pass  # something listens there, and its queue is full
    raise PathUnusable(path, PathProblem.IN_USE)
