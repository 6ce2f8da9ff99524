"""Copies of a history: backups and exports."""

import contextlib
import json
import os
import signal
import sqlite3
import stat
import subprocess

import pytest
from histories import exported, kill, say_all, texts_of
from peers import WAIT_S, allow_hangup, wait_for

pytestmark = pytest.mark.long


def test_a_backup_is_a_history_with_numbers_of_its_own(start_server, start, run, path, tmp_path):
    """The original server goes on numbering after the backup, so the copy needs another epoch."""
    server = start()
    ana = server.peer()
    epoch = ana.register("ana")["epoch"]
    say_all(ana, [f"m{number}" for number in range(100)])
    messages = ana.ask("history", limit=200)["messages"]
    copy = tmp_path / "copy.db"
    done = run("--history", path, "--backup", copy)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert ana.ask("say", text="after the backup")["type"] == "ok"
    assert exported(run, copy) == messages
    luis = start_server("--history", str(copy)).peer()
    assert luis.register("luis")["epoch"] != epoch
    assert luis.ask("history", limit=200)["messages"] == messages
    assert texts_of(luis.ask("search", text="m42")) == ["m42"]
    again = run("--lang", "en", "--history", path, "--backup", copy)
    assert again.returncode == 1
    assert f"{copy} already exists" in again.stderr.decode()
    assert exported(run, path)[:-1] == messages


def test_an_export_holds_every_message_as_it_was_delivered(start, run, path, tmp_path):
    server = start()
    ana = server.user("ana")
    say_all(ana, ["hola", "¿qué?\n\ttal", "x\u2028"] + [f"m{n}" for n in range(500)])
    ana.ask("say", text="with nonce", nonce="n")
    page = ana.ask("history", limit=200)
    messages = page["messages"]
    while page["more"]:
        page = ana.ask("history", limit=200, before=messages[0]["seq"])
        messages = page["messages"] + messages
    while_it_runs = exported(run, path)
    assert while_it_runs == messages
    kill(server)
    assert exported(run, path) == messages
    to = tmp_path / "export.jsonl"
    done = run("--history", path, "--export", to)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert [json.loads(line) for line in to.read_bytes().splitlines()] == messages
    assert stat.S_IMODE(to.stat().st_mode) == 0o600


def test_an_export_does_not_write_over_the_history(start, run, path, tmp_path):
    server = start()
    server.user("ana").ask("say", text="hola")
    server.stop()
    symlink, hard_link = tmp_path / "symlink", tmp_path / "hard link"
    symlink.symlink_to(path)
    hard_link.hardlink_to(path)
    for to in (path, symlink, hard_link):
        done = run("--history", path, "--export", to, "--lang", "en")
        assert [m["text"] for m in exported(run, path)] == ["hola"]
        assert done.returncode == 1
        assert done.stderr.decode().count("\n") == 1


def test_an_impossible_export_is_one_clear_line(run, path, tmp_path):
    not_ours = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(not_ours)) as db:
        db.execute("CREATE TABLE something (x)")
    (tmp_path / "garbage.db").write_bytes(b"garbage " * 1000)
    for history, to in [
        (path, "-"),
        (not_ours, "-"),
        (tmp_path / "garbage.db", "-"),
        (tmp_path, "-"),
    ]:
        done = run("--history", history, "--export", to)
        assert (done.returncode, done.stdout) == (1, b""), history
        assert done.stderr.decode().count("\n") == 1, done.stderr.decode()
        assert "Traceback" not in done.stderr.decode()
    assert not path.exists()
    missing = run("--lang", "en", "--history", path, "--export", "-")
    assert f"there is no history {path}" in missing.stderr.decode()


def test_an_export_into_a_pipe_that_closes_is_no_fault(start, program, path):
    server = start()
    say_all(server.user("ana"), ["x" * 1000] * 500)
    command = [program, "--history", str(path), "--export", "-"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process:
        assert json.loads(process.stdout.readline())["text"] == "x" * 1000
        process.stdout.close()
        problem = process.stderr.read().decode()
        process.wait(WAIT_S)
    assert "Traceback" not in problem
    assert "Exception" not in problem


def test_an_export_of_much_takes_no_more_memory_than_one_of_little(start, program, path, tmp_path):
    server = start()
    seq = say_all(server.user("ana"), [f"m{n}" for n in range(10)])[-1]
    server.stop()
    of_ten = peak_memory(program, path, tmp_path / "ten.jsonl")
    add_many_messages(path, seq)
    of_many = peak_memory(program, path, tmp_path / "many.jsonl")
    with (tmp_path / "many.jsonl").open("rb") as lines:
        assert sum(1 for _ in lines) == 200_010
    assert of_many - of_ten < 16 * 1024 * 1024, "it kept the messages in memory"


@pytest.fixture
def large(start, path):
    """Make a history that takes a second to copy."""
    server = start()
    seq = say_all(server.user("ana"), ["hola"])[-1]
    server.stop()
    add_many_messages(path, seq)
    return path


def test_a_signal_leaves_nothing_of_an_export_or_a_backup_behind(large, program, tmp_path):
    old = tmp_path / "old.jsonl"
    old.write_text("what was there before")
    before = {file.name: file.stat().st_size for file in tmp_path.iterdir()}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        for instead, to in [("--export", "new"), ("--export", old.name), ("--backup", "new")]:
            command = [program, "--history", str(large), instead, to]
            with subprocess.Popen(
                command, cwd=tmp_path, stderr=subprocess.PIPE, preexec_fn=allow_hangup
            ) as process:
                wait_for(lambda: any(file.stat().st_size for file in tmp_path.glob(".tertulia-*")))
                process.send_signal(number)
                assert (process.wait(WAIT_S), process.stderr.read()) == (-number, b"")
            after = {file.name: file.stat().st_size for file in tmp_path.iterdir()}
            assert after == before, (instead, to, number)
    assert old.read_text() == "what was there before"


def test_an_export_keeps_the_rights_of_the_file_that_it_replaces(start, run, path, tmp_path):
    server = start()
    server.user("ana").ask("say", text="hola")
    old, link = tmp_path / "old.jsonl", tmp_path / "link"
    old.write_text("x" * 10_000)
    old.chmod(0o644)
    link.symlink_to(old)
    assert run("--history", path, "--export", link).returncode == 0
    assert link.is_symlink()
    assert stat.S_IMODE(old.stat().st_mode) == 0o644
    assert json.loads(old.read_bytes())["text"] == "hola"


def test_an_export_is_written_into_a_pipe_with_a_name(start, program, path, tmp_path):
    server = start()
    server.user("ana").ask("say", text="hola")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen([program, "--history", str(path), "--export", str(pipe)]) as process:
        assert json.loads(pipe.read_bytes())["text"] == "hola"
        assert process.wait(WAIT_S) == 0
    assert pipe.is_fifo()


def add_many_messages(history, seq):
    """Add 200,000 messages to the history of a server that was stopped."""
    with contextlib.closing(sqlite3.connect(history)) as db:
        rows = (
            (seq + n, "2026-11-22T15:04:05.123Z", "ana", f"{n} " + "x" * 200, None)
            for n in range(1, 200_001)
        )
        db.executemany("INSERT INTO message VALUES (?, ?, ?, ?, ?)", rows)
        db.commit()


def peak_memory(program, history, to):
    """Export and return the largest number of bytes of memory that it used."""
    command = [program, "--history", str(history), "--export", str(to)]
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss * 1024
