"""The server's start and end: what is told when it cannot start, and a thread's fault."""

import os
import subprocess
import sys

import pytest

from tertulia.i18n import set_language
from tertulia.server import serving
from tertulia.server.options import parse_options

WAIT_S = 20.0
FAIL = """
import threading, time
from tertulia.server import serving
threading.excepthook = serving._end_on_fault
threading.Thread(target=lambda: 1 / 0, name="worker-7").start()
time.sleep(60)
"""
NOT_STARTED = """
import errno, sys
from tertulia.server import cli, serving
def fail(*what_a_server_needs):
    serving.log.error("history DAMAGED")
    raise OSError(errno.EADDRINUSE, "Address already in use")
serving.Server = fail
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


def test_a_start_that_fails_logs_its_last_lines_before_it_says_why() -> None:
    done = subprocess.run(
        [sys.executable, "-c", NOT_STARTED], capture_output=True, text=True, timeout=WAIT_S
    )
    logged, said = done.stderr.splitlines()
    assert logged.endswith(" ERROR history DAMAGED")
    assert said.startswith("tertulia-server: port 5000 is already in use")
    assert (done.returncode, done.stdout) == (1, "")


def test_a_start_warns_that_others_can_read_the_credentials(tmp_path, caplog):
    file = tmp_path / "credentials"
    file.write_text("secret")
    arguments = ["0", "--cluster", "nats://a", "--cluster-credentials", str(file)]
    for mode, warnings in ((0o600, 0), (0o604, 1)):
        file.chmod(mode)
        serving._with_secrets(parse_options(arguments), None)
        assert len(caplog.messages) == warnings
    assert f"chmod 600 the file path={file}" in caplog.text


# --- the words at the start and at the end -------------------------------------------------------


class Stream:
    """A standard stream, which is a terminal or none."""

    closed = False

    def __init__(self, *, is_terminal: bool) -> None:
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


@pytest.mark.parametrize(
    ("stdin", "stderr", "expected"),
    [
        (Stream(is_terminal=True), Stream(is_terminal=False), True),
        (Stream(is_terminal=False), Stream(is_terminal=True), True),
        (None, Stream(is_terminal=True), True),
        (Stream(is_terminal=False), Stream(is_terminal=False), False),
        (None, None, False),
    ],
)
def test_ctrl_c_is_named_only_where_somebody_can_press_it(
    stdin: Stream | None, stderr: Stream | None, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)
    monkeypatch.setattr(sys, "stderr", stderr)
    assert serving._has_terminal() is expected
