"""The benchmarks run, and their load generator finds lost, doubled and misplaced deliveries."""

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
LOAD = ("load.c", "wire.c", "check.c", "work.c")
RECEIVERS = 3
WAIT_S = 60.0

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")

Fault = Callable[[list[bytes]], list[bytes]]


def test_a_small_fanout_gives_a_table(tmp_path: Path) -> None:
    command = [sys.executable, BENCHMARKS / "bench.py", "fanout-10-1", "--runs", "1"]
    options = ["--servers", "limit,tertulia", "--seconds", "0.2", "--output", tmp_path]
    done = subprocess.run(
        [*command, *options], capture_output=True, text=True, timeout=WAIT_S, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    record = json.loads((tmp_path / "runs.json").read_text())
    servers = record["workloads"]["fanout-10-1"]
    assert servers.keys() == {"limit", "tertulia"}
    assert all(run["per_s"] > 0 for runs in servers.values() for run in runs)
    assert "| tertulia |" in (tmp_path / "table.md").read_text()


@pytest.fixture(scope="module")
def load_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("load") / "load", *LOAD)


def build(program: Path, *sources: str) -> Path:
    files = [BENCHMARKS / source for source in sources]
    subprocess.run(["cc", "-O1", "-std=gnu11", "-o", program, *files], check=True)
    return program


def test_direct_messages_go_between_as_many_pairs_as_there_are_senders(
    load_program: Path, tmp_path: Path
) -> None:
    limit = build(tmp_path / "limit", "limit.c")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with subprocess.Popen([limit, str(port)]) as server:
        wait_until_it_listens(port)
        done = subprocess.run(
            [load_program, f"port={port}", "workload=direct", "senders=50", "measure_ms=100"],
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )
        server.kill()
    told = json.loads(done.stdout)
    assert (told["clients"], told["lost"]) == (100, 0)
    assert told["deliveries"] >= 50


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (lambda lines: lines, {}),
        (lambda lines: lines[:-1], {"lost": 1}),
        (lambda lines: [*lines, lines[0]], {"twice": 1}),
        (lambda lines: [lines[1], lines[0], *lines[2:]], {"disordered": 1}),
        (lambda lines: lines[:1] + lines[2:], {"lost": 1}),
    ],
    ids=["none", "last-one-lost", "one-twice", "two-swapped", "one-lost"],
)
def test_the_load_generator_finds_a_fault(
    load_program: Path, fault: Fault, found: dict[str, int]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(WAIT_S)
        server = threading.Thread(target=serve_faulty, args=(listener, fault))
        server.start()
        # One sender says ten messages at a fixed rate, so that a lost one does not stop it.
        done = subprocess.run(
            [
                *(load_program, f"port={listener.getsockname()[1]}", "workload=paced"),
                *(f"receivers={RECEIVERS}", "senders=1", "rate=50", "warmup_ms=0"),
                *("measure_ms=200", "last_wait_ms=500"),
            ],
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )
        server.join(WAIT_S)
    told = json.loads(done.stdout)
    assert told["messages"] == 10
    assert {key: told[key] for key in ("lost", "twice", "disordered") if told[key]} == found
    assert done.returncode == bool(found)


def wait_until_it_listens(port: int) -> None:
    give_up_at = time.monotonic() + WAIT_S
    while time.monotonic() < give_up_at:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    pytest.fail("it does not listen")


def serve_faulty(listener: socket.socket, fault: Fault) -> None:
    """Send what the first client says to all clients, and add a fault for the last one."""
    clients = []
    for _ in range(RECEIVERS):
        client, _ = listener.accept()
        client.sendall(client.makefile("rb").readline())
        clients.append(client)
    lines = list(read_lines(clients[0], 10))
    for client in clients:
        client.sendall(b"".join(fault(lines) if client is clients[-1] else lines))
    for client in clients:
        client.recv(1)  # its end
        client.close()


def read_lines(client: socket.socket, count: int) -> Iterator[bytes]:
    """Read a number of lines."""
    with client.makefile("rb") as stream:
        for _ in range(count):
            yield stream.readline()
