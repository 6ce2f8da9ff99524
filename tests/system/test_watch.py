"""A look at a running server from outside: its snapshot, its line, and what is said without one."""

import json
import os
from pathlib import Path

import pytest
from peers import BOTH_THREAD_MODELS

from tertulia.watch.asking import Asking, NotSeen
from tertulia.watch.rates import Rates

STATE = Path(os.environ["XDG_STATE_HOME"], "tertulia")


@BOTH_THREAD_MODELS
def test_the_view_sees_what_the_server_does_and_when_it_stops(start_server, threads, tmp_path, run):
    server = start_server("--history", str(tmp_path / "history.db"))
    asking, rates = Asking(STATE, server.port), Rates(server.port)
    rates.figures(asking.look())
    ana, luis = server.user("ana"), server.user("luis")
    for number in range(20):
        ana.ask("say", text=str(number))
    luis.until("message", text="19")
    now = rates.figures(asking.look())

    assert now.model == threads
    assert (now.room.statuses["ACTIVO"], now.room.doors["native"]) == (2, 2)
    assert now.room.doors["console"] == 1
    assert (now.path.events or 0) > 0
    assert (now.path.requests or 0) > (now.path.events or 0) / 2
    assert (now.path.deliveries or 0) > 0
    assert (now.path.stored or 0) > 0
    assert now.path.commit_age_s is not None
    kinds = {thread.kind for thread in now.threads}
    assert {"main", "acceptor", "worker", "history-writer", "history-reader", "log"} <= kinds
    workers = [thread for thread in now.threads if thread.kind == "worker"]
    assert len(workers) == (3 if threads == "session" else int(threads))
    assert sum(worker.connections or 0 for worker in workers) == 3

    assert "console opened" not in server.log(), "a look fills no log"
    server.stop()
    with pytest.raises(NotSeen):
        asking.look()
    asking.close()


def test_a_snapshot_and_a_line_are_printed_and_without_a_server_they_end_with_1(server, run):
    server.user("ana").ask("say", text="hello")
    snapshot = run(server.port, "--watch", "--json")
    line = run(server.port, "--status", "--lang", "es")
    assert (snapshot.returncode, snapshot.stderr) == (0, b"")
    seen = json.loads(snapshot.stdout)
    assert (seen["port"], seen["sessions"], seen["traffic"]["messages"]) == (server.port, 1, 1)
    assert seen["process"]["pid"] == server.process.pid
    assert (line.returncode, line.stdout.count(b"\n")) == (0, 1)
    assert b"1 usuario (1 ACTIVO, 0 OCUPADO, 0 INACTIVO)" in line.stdout

    no_terminal = run(server.port, "--watch", "--lang", "en")
    assert (no_terminal.returncode, no_terminal.stdout) == (1, b"")
    assert b"--watch --json" in no_terminal.stderr
    nobody = run(1, "--watch", "--json")
    assert (nobody.returncode, nobody.stdout) == (1, b"")
    assert b" 1: " in nobody.stderr
