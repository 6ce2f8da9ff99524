"""What systemd is told, over a notify socket of our own."""

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tertulia.server.supervision.notifier import Notifier


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """Return a notify socket, and the value of $NOTIFY_SOCKET."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@tertulia-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(name.replace("@", "\0"))
        sock.settimeout(20)
        yield sock, name


def test_everything_is_told_in_the_words_of_systemd(systemd: tuple[socket.socket, str]) -> None:
    sock, name = systemd
    environment = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "3000000", "OTHER": "1"}
    notifier = Notifier(environment)
    assert environment == {"OTHER": "1"}, "the variables are for one process"
    assert notifier.watchdog_s == 3.0
    notifier.tell_ready("serving")
    assert sock.recv(500) == b"READY=1\nSTATUS=serving"
    notifier.tell_alive()
    assert sock.recv(500) == b"WATCHDOG=1"
    for status in ("serving", "serving 1", "serving 1", "serving"):
        notifier.tell_status(status)
    assert sock.recv(500) == b"STATUS=serving 1"
    assert sock.recv(500) == b"STATUS=serving", "what was said last is not said again"
    notifier.tell_reloading("upgrading")
    first, usec, status = sock.recv(500).decode().split("\n")
    assert (first, status) == ("RELOADING=1", "STATUS=upgrading")
    assert usec.removeprefix("MONOTONIC_USEC=").isdecimal()
    notifier.tell_status("upgrading")  # says nothing new
    notifier.tell_stopping()
    assert sock.recv(500) == b"STOPPING=1"
    notifier.close()
    notifier.tell_ready("nobody hears this")


@pytest.mark.parametrize("of_another", [{}, {"WATCHDOG_USEC": "9000000", "WATCHDOG_PID": "1"}])
def test_nobody_else_s_watchdog_is_answered(
    systemd: tuple[socket.socket, str], of_another: dict[str, str]
) -> None:
    sock, name = systemd
    notifier = Notifier({"NOTIFY_SOCKET": name, **of_another})
    assert notifier.watchdog_s is None
    notifier.tell_alive()
    notifier.tell("STATUS=x")
    assert sock.recv(500) == b"STATUS=x"
    notifier.close()


@pytest.mark.parametrize("address", ["", "vsock:2:1", "/nowhere/at/all"])
def test_without_systemd_nothing_happens(address: str) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": address} if address else {})
    notifier.tell_ready("serving")
    notifier.close()


def test_a_systemd_that_has_not_read_yet_is_waited_for(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")})
        full = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        full.setblocking(False)
        with full, contextlib.suppress(BlockingIOError):
            while True:  # until it is full
                full.sendto(b"STATUS=x", str(tmp_path / "notify"))
        reader = threading.Timer(0.05, lambda: [sock.recv(100) for _ in range(2)])
        reader.start()
        notifier.tell_ready("serving")
        reader.join()
        sock.setblocking(False)
        told = []
        with contextlib.suppress(BlockingIOError):
            while True:
                told.append(sock.recv(100))
        assert told[-1] == b"READY=1\nSTATUS=serving"
        notifier.close()
