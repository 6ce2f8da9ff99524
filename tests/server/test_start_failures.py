"""Why a server did not start, each with what to do about it, in one line."""

import errno
import socket
import sqlite3

import pytest

from tertulia.server.certificates.given import CertificateUnusable
from tertulia.server.config import Config
from tertulia.server.history.checks import SqliteTooOld, StoreOfAnotherVersion
from tertulia.server.history.lockfile import StoreInUse
from tertulia.server.listening import SocketUnusable, WrongPort
from tertulia.server.start_failures import why_not_started
from tertulia.server.workers.local_socket import PathProblem, PathUnusable

disk_full = sqlite3.OperationalError("database or disk is full")
disk_full.sqlite_errorcode = sqlite3.SQLITE_FULL


@pytest.mark.parametrize(
    ("error", "reason", "cure"),
    [
        (StoreOfAnotherVersion("h.db"), "cannot read the history h.db", "or --history off"),
        (StoreInUse("h.db"), "another server is using the history h.db", "stop it"),
        (SqliteTooOld("3.33.0"), "this Python has 3.33.0", "--history off"),
        (PermissionError(errno.EACCES, "no", "h.db.lock"), "h.db: h.db.lock: no", "--history off"),
        (RuntimeError("can't start new thread"), "cannot start a thread", "ulimit -u"),
        (OSError(errno.EMFILE, "Too many open files"), "cannot open enough files", "ulimit -n"),
        (OSError(errno.ENFILE, "Too many", "h.db"), "cannot open enough files", "ulimit -n"),
        (sqlite3.OperationalError("disk I/O error"), "h.db: disk I/O error", "--history off"),
        (disk_full, "the history h.db: database or disk is full", "Make room on the disk"),
        (OSError(errno.ENOSPC, "no", "h.db.lock"), "h.db: h.db.lock: no", "Make room on the disk"),
        (
            PermissionError(errno.EACCES, "no right", "h.db"),
            "the history h.db: no right",
            "--history off",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied"),
            "port 80",
            "choose a port from 1024 upwards",
        ),
        (OSError(errno.EADDRINUSE, "in use"), "port 80 is already in use", "choose another port"),
        (
            OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address (while ...)"),
            "cannot listen on 10.0.0.1: Cannot assign requested address.",
            "leave out --host",
        ),
        (
            socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            "cannot listen on 10.0.0.1: Name or service not known.",
            "leave out --host",
        ),
        (OSError("of an unknown kind"), "10.0.0.1: of an unknown kind.", "leave out --host"),
        (SocketUnusable("/run/x"), "not a listening stream socket (/run/x)", "Accept=no"),
        (
            WrongPort("5001"),
            "a socket of port 5001, but the command line names port 80",
            "same port",
        ),
        (PathUnusable("/s", PathProblem.IN_USE), "another program listens at /s", "--unix"),
        (PathUnusable("/s", PathProblem.NO_SOCKET), "/s is not a socket", "--unix"),
        (PathUnusable("/s", PathProblem.OTHER, "no right"), "listen at /s: no right", "--unix"),
        (CertificateUnusable("chat.key has a password"), "chat.key has a password", ""),
    ],
)
def test_why_it_did_not_start_comes_with_what_to_do(
    error: Exception, reason: str, cure: str
) -> None:
    config = Config(port=80, host="10.0.0.1", history="h.db")
    text = why_not_started(config, error)
    assert reason in text
    assert cure in text
    assert "\n" not in text
