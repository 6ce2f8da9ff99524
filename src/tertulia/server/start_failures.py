"""Explains to people why the server did not start, and what they can do about it."""

import errno
import os
import socket

from tertulia.i18n import _
from tertulia.server.certificates.given import CertificateUnusable
from tertulia.server.cluster.unusable import ClusterUnusable
from tertulia.server.config import Config
from tertulia.server.history.checks import SqliteTooOld, StoreOfAnotherVersion, is_full_disk
from tertulia.server.history.lockfile import StoreInUse
from tertulia.server.listening import SocketUnusable, WrongPort
from tertulia.server.workers.local_socket import PathProblem, PathUnusable


def why_not_started(config: Config, error: Exception) -> str:
    """Return the reason, and what to do about it, in one line."""
    if isinstance(error, (CertificateUnusable, ClusterUnusable)):
        return str(error)
    if isinstance(error, PathUnusable):
        return _why_not_at_path(error)
    if isinstance(error, SocketUnusable):
        return _(
            "systemd has passed something that is not a listening stream socket ({address}): "
            "write ListenStream= into the socket unit, and Accept=no"
        ).format(address=error)
    if isinstance(error, WrongPort):
        return _(
            "systemd has passed a socket of port {given}, but the command line names port {port}: "
            "write the same port into both"
        ).format(given=error, port=config.port)
    if isinstance(error, StoreOfAnotherVersion):
        return _(
            "this version cannot read the history {path}: choose another file with "
            "--history FILE, or --history off"
        ).format(path=error)
    if isinstance(error, SqliteTooOld):
        return _(
            "the history needs SQLite 3.34 or later, and this Python has {version}: update it, or"
            " choose --history off"
        ).format(version=error)
    if isinstance(error, StoreInUse):
        return _(
            "another server is using the history {path}: stop it or choose another file "
            "with --history FILE"
        ).format(path=error)
    if isinstance(error, RuntimeError):  # raised by threading
        return _("cannot start a thread: raise the limit of processes for this user (ulimit -u)")
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return _("cannot open enough files: raise the limit of open files (ulimit -n)")
    if not isinstance(error, OSError) or error.filename is not None:
        text = _(
            "cannot open the history {path}: {reason}. Choose another file with --history "
            "FILE, or --history off"
        )
        if is_full_disk(error):
            text = _(
                "cannot open the history {path}: {reason}. Make room on the disk, or choose "
                "another file with --history FILE, or --history off"
            )
        reason = getattr(error, "strerror", None) or str(error)
        if isinstance(error, OSError) and error.filename != config.history:
            reason = f"{error.filename}: {reason}"
        return text.format(path=config.history, reason=reason)
    if isinstance(error, PermissionError):
        return _(
            "permission denied for port {port}: choose a port from 1024 upwards, for example 5000"
        ).format(port=config.port)
    if error.errno == errno.EADDRINUSE:
        return _(
            "port {port} is already in use: stop the program that uses it or choose another port"
        ).format(port=config.port)
    reason = error.strerror
    if error.errno is not None and not isinstance(error, socket.gaierror):
        reason = os.strerror(error.errno)  # without the address, which Python adds
    return _(
        "cannot listen on {host}: {reason}. Choose an address of this computer or leave out --host"
    ).format(host=config.host or "*", reason=reason or error)


def _why_not_at_path(error: PathUnusable) -> str:
    match error.problem:
        case PathProblem.IN_USE:
            text = _(
                "another program listens at {path}: stop it or choose another path with --unix"
            )
        case PathProblem.NO_SOCKET:
            text = _("{path} is not a socket: remove it or choose another path with --unix")
        case _:
            text = _("cannot listen at {path}: {reason}. Choose another path with --unix")
    return text.format(path=error.path, reason=error.reason)
