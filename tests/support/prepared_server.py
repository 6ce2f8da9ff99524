"""Servers that are forked from a process which has loaded their modules: the start costs less.

Each is a process of its own, with its own descriptors, environment and signals. How the command
itself starts is what tests/system/test_command_line.py and others are for, which run the command.
This file is also the program of the process that forks, which must never have a second thread.
"""

import atexit
import contextlib
import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

PROGRAM = Path(sys.executable).with_name("tertulia-server")
_MAX_REQUEST = 200_000  # bytes: the environment and the options


class _Preparer:
    """The process from which servers are forked; it ends when this process does."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (self._ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * _MAX_REQUEST)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=environment,
                pass_fds=[theirs.fileno()],
            )

        self._lock = threading.Lock()  # tests start some at the same time
        atexit.register(self._end)

    def _end(self) -> None:
        self._ours.close()
        self._process.wait()

    def fork(self, request: dict[str, Any], descriptors: list[int]) -> tuple[int, int]:
        """Return the id and the pidfd of a new process."""
        with self._lock:
            socket.send_fds(self._ours, [json.dumps(request).encode()], descriptors)
            answer, received, _, _ = socket.recv_fds(self._ours, 100, 1)
        assert answer, "the process that prepares servers has ended"
        return int(answer), received[0]


_preparers: dict[tuple[tuple[str, str], ...], _Preparer] = {}


def _preparer(environment: dict[str, str]) -> _Preparer:
    """Return one that Python has started with the same variables that it reads itself."""
    names = [name for name in environment if name == "LANG" or name.startswith(("LC_", "PYTHON"))]
    key = tuple(sorted((name, environment[name]) for name in names))
    if key not in _preparers:
        _preparers[key] = _Preparer(environment)
    return _preparers[key]


class PreparedServer:
    """A process of `tertulia-server` with these arguments, with as much of Popen as tests need."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        stderr: int,
        environment: dict[str, str],
        text: bool = False,
    ) -> None:
        preparer = _preparer(environment)
        request = {
            "arguments": [os.fspath(PROGRAM), *arguments],
            "environment": environment,
            "folder": os.getcwd(),
            "files": resource.getrlimit(resource.RLIMIT_NOFILE),
        }
        out, theirs = os.pipe()
        self._status, status = os.pipe()
        try:
            self.pid, self._pidfd = preparer.fork(request, [theirs, stderr, status])
        finally:
            os.close(theirs)
            os.close(status)
        self.stdout: IO[Any] | None = open(out, "r" if text else "rb")  # noqa: SIM115 (the test's)
        self.returncode: int | None = None

    def send_signal(self, number: int) -> None:
        """Send a signal, if the process has not ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it ended meanwhile
                signal.pidfd_send_signal(self._pidfd, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def poll(self) -> int | None:
        """Return the exit status if there is one."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status, -N after signal N; raise TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("tertulia-server", timeout or 0)
            self.returncode = int(os.read(self._status, 100))
            os.close(self._status)
            os.close(self._pidfd)
        return self.returncode


def _prepare(requests: socket.socket) -> None:
    """Fork a process for each request until the end of the requests; return in a forked one."""
    ended, woken = os.pipe()
    for end in (ended, woken):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    statuses: dict[int, int] = {}
    while True:
        readable, _, _ = select.select([requests, ended], [], [])
        if ended in readable:
            os.read(ended, 10_000)
            _tell_ends(statuses)
        if requests not in readable:
            continue
        data, descriptors, _, _ = socket.recv_fds(requests, _MAX_REQUEST, 3)
        if not data:
            os._exit(0)
        request = json.loads(data)
        out, err, status = descriptors
        pid = os.fork()
        if not pid:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(out, 1)
            os.dup2(err, 2)
            os.closerange(
                3, max(ended, woken, requests.detach(), *descriptors, *statuses.values(), 3) + 1
            )
            _become(request)
            return
        os.close(out)
        os.close(err)
        statuses[pid] = status
        pidfd = os.pidfd_open(pid)
        socket.send_fds(requests, [str(pid).encode()], [pidfd])
        os.close(pidfd)


def _tell_ends(statuses: dict[int, int]) -> None:
    while statuses:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        writer = statuses.pop(pid)
        with contextlib.suppress(BrokenPipeError):  # nobody waits for it any more
            os.write(writer, str(os.waitstatus_to_exitcode(status)).encode())
        os.close(writer)


def _become(request: dict[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    os.chdir(request["folder"])
    resource.setrlimit(resource.RLIMIT_NOFILE, tuple(request["files"]))
    sys.argv = request["arguments"]


if __name__ == "__main__":
    # As in the command, the first place to look for modules is not this folder.
    sys.path.remove(str(Path(__file__).parent))
    from tertulia.server import cli, serving  # noqa: F401 (for the forked ones)

    # What a start loads later.
    for module in ("_strptime", "ctypes.util", "ifaddr", "platformdirs.unix", "subprocess"):
        __import__(module)
    _prepare(socket.socket(fileno=int(sys.argv[1])))
    sys.exit(cli.main())
