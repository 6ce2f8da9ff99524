"""The console's socket in the state directory, for the server's own user only.

Both ends use this. The path of a socket may have only about a hundred bytes, so it names the
directory by a descriptor.
"""

import contextlib
import os
import secrets
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

_CREDENTIALS = struct.Struct("3i")  # credentials of the other end: process, user, group
_BACKLOG = 8
_VIEW = b"\0tertulia-view-"  # begins the name of a live view's end, which has no file


class PlaceTaken(Exception):
    """Another server answers at this socket."""


def console_path(directory: Path, port: int) -> Path:
    """Return the path of the socket of the server at a port."""
    return directory / f"operator-{port}.sock"


def listen_for_consoles(path: Path) -> socket.socket:
    """Open the listening socket; replace one that a killed server has left.

    Raises PlaceTaken or OSError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
        connect_to_console(path).close()
        raise PlaceTaken(str(path))
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    try:
        os.fchmod(listener.fileno(), 0o600)  # before it has a name
        with _named_by_descriptor(path) as name:
            listener.bind(name)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def connect_to_console(path: Path, *, as_view: bool = False) -> socket.socket:
    """Connect to the server, as a console or as a live view. Raises OSError."""
    sock = socket.socket(socket.AF_UNIX)
    try:
        if as_view:
            sock.bind(_VIEW + f"{os.getpid()}-{secrets.token_hex(8)}".encode())
        with _named_by_descriptor(path) as name:
            sock.connect(name)
    except BaseException:
        sock.close()
        raise
    return sock


def is_view(peer: str | bytes) -> bool:
    """Return whether the address of the other end is that of a live view."""
    return isinstance(peer, bytes) and peer.startswith(_VIEW)


def is_allowed(sock: socket.socket) -> bool:
    """Return whether the other end runs as the server's own user, or as root."""
    credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _process, user, _group = _CREDENTIALS.unpack(credentials)
    return user in (0, os.geteuid())


@contextlib.contextmanager
def _named_by_descriptor(path: Path) -> Iterator[str]:
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)
