"""Standard streams that are closed, full or unread: the server lives, and harms no file."""

import contextlib
import os
import re
import signal
import socket
import sqlite3
import subprocess

import pytest
from client_fixtures import free_port
from histories import say_all
from peers import STOP_S, WAIT_S, Peer, wait_for

pytestmark = pytest.mark.long


@pytest.fixture
def serve(program, path):
    """Start a server whose standard streams a shell has redirected; return it and its port."""
    with contextlib.ExitStack() as ends:

        def serve(redirection, **streams):
            port = free_port()
            shell = ["sh", "-c", f'exec "$0" "$@" {redirection}', program, str(port)]
            command = [*shell, "--host", "127.0.0.1", "--history", path, "--rate-limit", "off"]
            process = ends.enter_context(subprocess.Popen(command, **streams))
            ends.callback(process.kill)
            wait_for(lambda: answers(process, port))
            return process, port

        yield serve


def answers(process, port):
    assert process.poll() is None, f"it ended with {process.returncode}"
    with contextlib.suppress(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), WAIT_S).close()
        return True
    return False


def assert_it_serves_and_stops(process, port, path):
    ana, luis = Peer("127.0.0.1", port), Peer("127.0.0.1", port)
    with contextlib.closing(ana), contextlib.closing(luis):
        ana.register("ana")
        luis.register("luis")
        say_all(ana, [f"m{number}" for number in range(50)])
        luis.until("message", text="m49")
        process.send_signal(signal.SIGTERM)
        ana.until("closing")
    assert process.wait(STOP_S) == 0
    with contextlib.closing(sqlite3.connect(path)) as history:
        assert history.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert history.execute("SELECT count(*) FROM message").fetchone() == (50,)


@pytest.mark.parametrize(
    ("redirection", "closed"),
    [
        ("2>&-", [2]),
        ("<&-", [0]),
        ("2>/dev/null >&-", [1]),
        ("<&- 2>&-", [0, 2]),
        ("<&- >&- 2>&-", [0, 1, 2]),
    ],
)
def test_no_file_of_the_server_takes_the_place_of_a_closed_stream(serve, path, redirection, closed):
    process, port = serve(redirection)
    taken = {fd: os.readlink(f"/proc/{process.pid}/fd/{fd}") for fd in closed}
    assert taken == dict.fromkeys(closed, "/dev/null")
    assert_it_serves_and_stops(process, port, path)


@pytest.mark.parametrize("redirection", [">/dev/full", "2>/dev/full", ">/dev/full 2>/dev/full"])
def test_a_full_disk_behind_a_stream_stops_nothing(serve, path, redirection):
    assert_it_serves_and_stops(*serve(redirection), path)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_stream_whose_reader_has_gone_stops_nothing(serve, path, stream):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        process, port = serve("", **{stream: writing})
        assert_it_serves_and_stops(process, port, path)
    finally:
        os.close(writing)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_stream_whose_reader_has_stopped_stops_nothing(serve, path, stream):
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 65_536)
    os.set_blocking(writing, True)
    try:
        process, port = serve("", **{stream: writing})
        assert_it_serves_and_stops(process, port, path)
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("stdout", [">&-", ">/dev/full"])
def test_an_export_that_stdout_does_not_take_fails_in_one_line(serve, program, path, stdout):
    process, port = serve("")
    assert_it_serves_and_stops(process, port, path)
    command = f'exec "$0" --lang en --history "$1" --export - {stdout}'
    done = subprocess.run(
        ["sh", "-c", command, program, path], capture_output=True, text=True, timeout=WAIT_S
    )
    assert done.returncode == 1
    assert re.fullmatch(r"tertulia-server: cannot write the history .*: .*\n", done.stderr)


def test_a_start_that_fails_is_status_1_even_if_nobody_can_be_told(serve, program):
    _, port = serve("")
    for redirection in ("2>&-", "2>/dev/full"):
        command = f'exec "$0" {port} --host 127.0.0.1 --history off {redirection}'
        done = subprocess.run(["sh", "-c", command, program], timeout=WAIT_S, check=False)
        assert done.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "status"), [("--help", 0), ("--version", 0), ("--no-such-option", 2)]
)
@pytest.mark.parametrize("redirection", [">&-", ">/dev/full", "2>/dev/full"])
def test_the_status_is_the_same_if_nobody_can_be_told(program, arguments, status, redirection):
    command = ["sh", "-c", f'exec "$0" {arguments} {redirection}', program]
    done = subprocess.run(command, capture_output=True, timeout=WAIT_S, check=False)
    assert done.returncode == status
    assert b"Exception" not in done.stderr
