"""How the program ends when something goes wrong at its start, or in one of its threads."""

import errno
import os
import sqlite3
import subprocess
import sys

import pytest

from tertulia.i18n import set_language
from tertulia.server import cli
from tertulia.server.config import Config

WAIT_S = 20.0
FAIL = """
import threading, time
from tertulia.server import cli
threading.excepthook = cli._end_on_fault
threading.Thread(target=lambda: 1 / 0, name="worker-7").start()
time.sleep(60)
"""


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


def test_it_ends_the_program_even_if_who_is_told_has_stopped() -> None:
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


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        (RuntimeError("can't start new thread"), "ulimit -u"),
        (OSError(errno.EMFILE, "Too many open files"), "ulimit -n"),
        (OSError(errno.EADDRINUSE, "Address already in use"), "take another port"),
        (OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"), "leave --host out"),
        (sqlite3.OperationalError("disk I/O error"), "--history off"),
    ],
)
def test_why_it_did_not_start_comes_with_what_to_do(error: Exception, cure: str) -> None:
    set_language("en")
    assert cure in cli._why_not_started(Config(port=5000), error)
