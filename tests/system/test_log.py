"""The log: one line for each user who joins, leaves or is refused, and never any message."""

import contextlib
import os
import re
import signal
import socket
import subprocess

import pytest
from faults import allowed
from peers import WAIT_S, Peer

EVENT = re.compile(r"\d{4}-\d\d-\d\dT\S+ (DEBUG|INFO|WARNING|ERROR|CRITICAL) \S+( [^\s=]+=.*)?")


def lines_about(server, word):
    return [line for line in server.log().splitlines() if word in line and EVENT.fullmatch(line)]


def test_it_has_who_joined_and_left_and_why(start_server):
    server = start_server()
    ana, luis = server.user("ana"), server.user("luis")
    luis.reset()
    ana.until("left", name="luis", reason="lost")
    ana.send("quit")
    ana.wait_for_end()
    server.stop()
    assert len(lines_about(server, "name=ana")) >= 2
    assert ana.source in lines_about(server, "name=ana")[0]
    assert "quit" in lines_about(server, "name=ana")[-1]
    assert "lost" in lines_about(server, "name=luis")[-1]


def test_it_has_who_was_refused_and_why(start_server):
    server = start_server()
    ana = server.user("ana")
    newcomer = server.peer()
    newcomer.send("register", name="ana")
    newcomer.expect_error("name_taken")
    server.sync(ana)
    server.stop()
    assert any(newcomer.source in line for line in lines_about(server, "name_taken"))


def test_it_never_has_a_message_or_a_token(start_server):
    server = start_server("--log-level", "debug")
    ana, luis = server.users("ana", "luis")
    ana.ask("say", text="a secret for all")
    ana.ask("direct", to="luis", text="a secret for luis")
    ana.ask("direct", to="nobody", text="a secret for nobody")
    ana.ask("say", text="a secret\x00that is refused")
    ana.send_raw(b'{"type":"say","text":"a secret that is cut\n')
    ana.expect("message")
    server.sync(luis, ana)
    server.stop()
    assert "secret" not in server.log()
    assert ana.token not in server.log()


def test_no_name_and_no_line_forges_an_event(start_server):
    server = start_server("--log-level", "debug")
    forged = "2026-11-22T00:00:00.000Z INFO joined name=forged"
    for name in (
        f"x\n{forged}",
        f"x\r\n{forged}",
        f"x\u2028{forged}",
        f"x\x85{forged}",
        "x\x1b[2J",
    ):
        peer = server.peer()
        peer.send("register", name=name)
        peer.expect_error("name_invalid")
        peer.expect_end()
    ana = server.user("ana")
    ana.ask("say", text=f"x\n{forged}")
    ana.ask("direct", to=f"x\n{forged}", text="x")
    ana.ask("info", name=f"x\n{forged}")
    ana.ask(f"x\n{forged}")
    ana.ask("status", status=f"x\n{forged}")
    server.stop()
    assert not [line for line in server.log().splitlines() if line.startswith(forged)]
    assert "\x1b" not in server.log()


def test_it_writes_each_line_at_once_so_that_lines_do_not_mix(program):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, subprocess.Popen([program, "0"], stdout=subprocess.PIPE, stderr=theirs) as process:
        theirs.close()
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        written = list(iter(lambda: ours.recv(65_536), b""))
    assert written
    assert [piece for piece in written if not piece.endswith(b"\n")] == []


@pytest.mark.parametrize("is_journal", [True, False])
def test_only_in_the_journal_lines_begin_with_their_priority(program, tmp_path, is_journal):
    """The limit of open files gives a warning, and SIGTERM while ana is there an ordinary line."""
    allowed("prlimit", "--nofile=128:128", "true")
    log = tmp_path / "log"
    with log.open("wb") as stderr:
        found = os.fstat(stderr.fileno())
        number = found.st_ino if is_journal else found.st_ino + 1
        process = subprocess.Popen(
            ["prlimit", "--nofile=128:128", program, "0"],
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=os.environ | {"JOURNAL_STREAM": f"{found.st_dev}:{number}"},
        )
    with (
        process,
        contextlib.closing(Peer("127.0.0.1", int(process.stdout.readline().split()[-1]))) as ana,
    ):
        ana.register("ana")
        process.send_signal(signal.SIGTERM)
        ana.until("closing")
    events = [line for line in log.read_text().splitlines() if " name=ana " in line]
    warnings = [line for line in log.read_text().splitlines() if "ulimit" in line]
    assert len(events) == 2
    assert len(warnings) == 1
    assert all(line.startswith("<6>2") == is_journal for line in events)
    assert all(line.startswith("<4>2") == is_journal for line in warnings)


def test_in_the_journal_a_start_that_fails_is_an_error(program, tmp_path):
    log = tmp_path / "log"
    with log.open("wb") as stderr:
        found = os.fstat(stderr.fileno())
        env = os.environ | {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        command = [program, "0", "--host", "192.0.2.77"]
        done = subprocess.run(command, stderr=stderr, env=env, timeout=WAIT_S, check=False)
    assert done.returncode == 1
    assert log.read_text().startswith("<3>tertulia-server: ")
