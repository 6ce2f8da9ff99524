"""The server's start and end: what it says at the start, why it did not start, a thread's fault."""

import errno
import os
import socket
import sqlite3
import subprocess
import sys

import pytest

from tertulia.i18n import set_language
from tertulia.server import cli
from tertulia.server.addresses import JoinAddress
from tertulia.server.config import Config
from tertulia.server.history.checks import SqliteTooOld, StoreOfAnotherVersion
from tertulia.server.history.lockfile import StoreInUse
from tertulia.server.qr import can_show_qr, qr_lines
from tertulia.version import __version__

WAIT_S = 20.0
FAIL = """
import threading, time
from tertulia.server import cli
threading.excepthook = cli._end_on_fault
threading.Thread(target=lambda: 1 / 0, name="worker-7").start()
time.sleep(60)
"""
NOT_STARTED = """
import errno, sys
from tertulia.server import cli
def fail(config):
    cli.log.error("history DAMAGED")
    raise OSError(errno.EADDRINUSE, "Address already in use")
cli.Server = fail
sys.exit(cli.main(["5000", "--history", "off", "--lang", "en"]))
"""


@pytest.fixture(autouse=True)
def english() -> None:
    set_language("en")


# --- a thread that fails -------------------------------------------------------------------------


def start(stderr: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", FAIL], stderr=stderr)


def test_a_thread_that_fails_says_so_and_ends_the_program() -> None:
    with start(subprocess.PIPE) as process:
        assert process.stderr is not None
        said = process.stderr.read().decode()
        assert process.wait(WAIT_S) == 1
    assert said.startswith("tertulia-server: thread worker-7 failed\nTraceback")
    assert "ZeroDivisionError" in said


def test_it_ends_the_program_even_if_nobody_can_be_told() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with start(writing) as process:
        os.close(writing)
        assert process.wait(WAIT_S) == 1


def test_it_ends_the_program_even_if_the_reader_has_stopped() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    while True:
        try:
            os.write(writing, b"x" * 65_536)
        except BlockingIOError:
            break
    os.set_blocking(writing, True)
    with start(writing) as process:
        os.close(writing)
        assert process.wait(WAIT_S) == 1
    os.close(reading)


# --- a start that fails --------------------------------------------------------------------------


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
        (PermissionError(errno.EACCES, "no right", "h.db"), "h.db: no right", "--history off"),
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
    ],
)
def test_why_it_did_not_start_comes_with_what_to_do(
    error: Exception, reason: str, cure: str
) -> None:
    config = Config(port=80, host="10.0.0.1", history="h.db")
    text = cli._why_not_started(config, error)
    assert reason in text
    assert cure in text
    assert "\n" not in text


def test_a_start_that_fails_logs_its_last_lines_before_it_says_why() -> None:
    done = subprocess.run(
        [sys.executable, "-c", NOT_STARTED], capture_output=True, text=True, timeout=WAIT_S
    )
    logged, said = done.stderr.splitlines()
    assert logged.endswith(" ERROR history DAMAGED")
    assert said.startswith("tertulia-server: port 5000 is already in use")
    assert (done.returncode, done.stdout) == (1, "")


# --- a start that succeeds -----------------------------------------------------------------------


@pytest.fixture
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "client_command", lambda: "tertulia")


def test_the_greeting_says_how_to_join_and_where_the_history_is(on_path: None) -> None:
    config = Config(port=0, history="/var/h.db", max_users=7)
    addresses = [JoinAddress("192.168.1.10", "eth0"), JoinAddress("2001:db8::1", "")]
    lines = cli._greeting(config, 5000, addresses, shows_qr=False).splitlines()
    assert lines == [
        f"tertulia {__version__} is running on port 5000. To join:",
        "",
        "    http://192.168.1.10:5000/   # in any browser",
        "    tertulia NAME 192.168.1.10 5000   # eth0",
        "    tertulia NAME 2001:db8::1 5000",
        "",
        "There is room for 7 users. Press Ctrl+C to stop the server.",
        "The general chat is kept in /var/h.db",
    ]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_greeting_says_if_nobody_else_can_join(on_path: None, address: str) -> None:
    to = [JoinAddress(address, "lo")]
    text = cli._greeting(Config(port=0, max_users=1), 5000, to, shows_qr=True)
    assert f"    tertulia NAME {address} 5000   # only from this computer\n" in text
    assert ":5000/   # only from this computer\n" in text
    assert "\x1b" not in text, "no phone can follow this link: no QR code"
    assert "There is room for one user." in text
    assert text.endswith("\nThe general chat is not kept.")


def test_the_greeting_names_no_address_that_it_does_not_know(on_path: None) -> None:
    assert "    tertulia NAME SERVER-IP 5000\n" in cli._greeting(
        Config(port=0), 5000, None, shows_qr=True
    )


@pytest.mark.parametrize(
    ("addresses", "link"),
    [
        (["192.168.1.10"], "http://192.168.1.10:5000/"),
        (["fe80::1%eth0", "fd00::2"], "http://[fd00::2]:5000/"),
        (["fe80::1%eth0"], None),  # a link cannot name an interface
    ],
)
def test_browsers_get_a_link_that_they_can_open(addresses: list[str], link: str | None) -> None:
    to = [JoinAddress(address, "eth0") for address in addresses]
    text = cli._greeting(Config(port=0), 5000, to, shows_qr=False)
    assert (f"    {link}   # in any browser\n" in text) is (link is not None)
    assert "http" not in cli._greeting(Config(port=0, web=False), 5000, to, shows_qr=True)


def test_a_terminal_gets_the_link_as_a_qr_code() -> None:
    to = [JoinAddress("192.168.1.10", "eth0")]
    lines = cli._greeting(Config(port=0), 5000, to, shows_qr=True).splitlines()
    code = lines[lines.index("") :][-15:]
    assert code == qr_lines("http://192.168.1.10:5000/")
    assert all(line.startswith("\x1b[0;30;47m") and line.endswith("\x1b[0m") for line in code)
    assert len({len(line) for line in code}) == 1
    # The finder pattern in the upper left corner, below two rows of quiet zone.
    assert "  █▀▀▀▀▀█ " in code[1]
    assert "  █ ███ █ " in code[2]


@pytest.mark.parametrize(("encoding", "can"), [("utf-8", True), ("ascii", False), (None, False)])
def test_a_code_needs_signs_that_not_every_terminal_has(encoding: str | None, can: bool) -> None:
    assert can_show_qr(encoding) is can
