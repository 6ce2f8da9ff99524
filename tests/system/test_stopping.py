"""The orderly stop: every user is told, no client can delay it, and the status is 0."""

import contextlib
import os
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest
from faults import SMALL, slow_peer
from histories import say_all, whole_history
from peers import BOTH_THREAD_MODELS, WAIT_S, allow_hangup, wait_for
from suspended import suspend

pytestmark = pytest.mark.long

EACH_STOP_SIGNAL = pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name
)


@BOTH_THREAD_MODELS
def test_everyone_is_told_and_the_server_ends_well(start_server):
    server = start_server()
    users = server.users(*(f"user{n}" for n in range(10)))
    unregistered = server.peer()
    unregistered.send_raw(b'{"type":"regis')
    assert users[0].ask("say", text="last words")["type"] == "ok"
    server.signal()
    waits = []
    for user in users:
        user.expect("message", text="last words")
        closing = user.expect("closing", reason="shutdown")
        waits.append(closing["retry_after"])
        user.expect_end()
        user.close()
    assert all(0.5 <= wait <= 5 for wait in waits)
    assert len(set(waits)) > 1, "all users would come back at the same instant"
    unregistered.wait_for_end()
    unregistered.close()
    assert server.wait() == 0
    with pytest.raises(ConnectionRefusedError):
        server.peer()


def test_clients_that_do_not_read_cannot_hold_up_the_end(start_server):
    server = start_server("--send-buffer-bytes", str(SMALL))
    for number in range(5):
        slow_peer(server, f"stopped{number}")
    ana = server.user("ana")
    for _ in range(50):
        ana.send("say", text="x" * 16_000)
        ana.until("message")
    server.signal()
    ana.expect("closing")
    assert server.wait() == 0


def test_clients_that_go_on_talking_cannot_hold_up_the_end(start_server):
    server = start_server()
    ana = server.user("ana")
    ana.socket.settimeout(0.1)
    server.signal()
    try:
        while server.process.poll() is None:
            ana.send_raw(b'{"type":"say","text":"and another thing"}\n' * 100)
    except OSError:  # the server has closed or no longer reads
        pass
    assert server.wait() == 0


def test_a_second_signal_ends_it_at_once(start_server):
    """An orderly stop waits 3 s for the stopped reader, so the second signal comes in time."""
    server = start_server("--send-buffer-bytes", str(SMALL))
    slow_peer(server, "stopped")
    ana = server.user("ana")
    for _ in range(20):
        ana.send("say", text="x" * 16_000)
        ana.until("message")
    server.signal()
    ana.expect("closing")
    while server.process.poll() is None:
        server.signal()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.process.wait(0.05)
    assert server.wait() == 1


@pytest.mark.parametrize(
    ("first", "second"), [(signal.SIGTERM, signal.SIGHUP), (signal.SIGINT, signal.SIGTERM)]
)
def test_two_signals_at_one_moment_are_one_orderly_stop(start_server, first, second):
    server = start_server()
    users = server.users("ana", "luis")
    suspend(server.process.pid)  # so that both are there when the server looks
    server.signal(first)
    server.signal(second)
    server.signal(signal.SIGCONT)
    for user in users:
        user.until("closing", reason="shutdown")
        user.expect_end()
        user.close()
    assert server.wait() == 0


def test_a_challenge_under_way_does_not_hold_up_the_end(start_server):
    server = start_server("--challenge-timeout", "60", "--register-timeout", "120")
    old = server.user("ana")
    old.answers_pings = False
    newcomer = server.peer(old.source)
    newcomer.send("register", name="ana")
    old.expect("ping")
    server.signal()
    assert server.wait() == 0


def test_an_empty_server_ends_too(start_server):
    server = start_server()
    server.signal(signal.SIGINT)
    assert server.wait() == 0


@BOTH_THREAD_MODELS
def test_a_stop_with_stopped_clients_is_in_time_and_stores_everything(start_server, path, client):
    server = start_server("--history", str(path), "--send-buffer-bytes", str(SMALL))
    ana = server.user("ana")
    processes = [client(server, f"p{n}", f"127.7.0.{2 + n}") for n in range(3)]
    for number, process in enumerate(processes):
        wait_for(lambda name=f"p{number}": ana.ask("info", name=name)["type"] == "info")
        process.send_signal(signal.SIGSTOP)
    for number in range(5):
        slow_peer(server, f"stopped{number}")
    for number in range(300):
        ana.send("say", text=f"{number} " + "x" * 5_000, id=number)
    ana.until_id(10)
    server.signal()
    acknowledged = {m["seq"] for m in ana.rest() if m["type"] == "ok"}
    assert server.wait() == 0
    server = start_server("--history", str(path))
    assert acknowledged <= {m["seq"] for m in whole_history(server.user("ana"))}


# --- before it serves ----------------------------------------------------------------------------


@pytest.fixture
def locked(start_server, path):
    """Lock a history, so that everyone else waits for it."""
    server = start_server("--history", str(path))
    say_all(server.user("ana"), ["hola"])
    server.stop()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("BEGIN EXCLUSIVE")
        yield path


@EACH_STOP_SIGNAL
@pytest.mark.parametrize("instead", [["0"], ["--export", "-"], ["--backup", "copy.db"]], ids=str)
def test_a_signal_ends_what_waits_for_a_locked_history(program, locked, tmp_path, instead, number):
    command = [program, *instead, "--history", str(locked)]
    with subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, preexec_fn=allow_hangup
    ) as process:
        wait_for(lambda: has_open(process, locked))
        process.send_signal(number)
        said = process.stderr.read()
        assert (process.wait(WAIT_S), said) == (-number, b"")


def has_open(process, path):
    assert process.poll() is None, process.stderr.read()
    for link in Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            if os.readlink(link) == str(path):
                return True
    return False


@EACH_STOP_SIGNAL
def test_a_signal_ends_an_export_whose_reader_has_stopped(start_server, program, path, number):
    server = start_server("--history", str(path))
    say_all(server.user("ana"), ["x" * 1000] * 500)
    command = [program, "--history", str(path), "--export", "-"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=allow_hangup
    ) as process:
        assert process.stdout.readline()  # the rest does not fit into the pipe
        process.send_signal(number)
        assert process.wait(WAIT_S) == -number
        assert process.stderr.read() == b""
