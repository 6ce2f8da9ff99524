"""The benchmarks run, and their load generator finds lost, doubled and misplaced deliveries."""

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
LOAD = ("load.c", "wire.c", "web.c", "check.c", "work.c")
RECEIVERS = 3
WAIT_S = 60.0
UNFINISHED_TEXT, TEXT, LAST_PART, PING = 0x01, 0x81, 0x80, 0x89  # first bytes of frames
MASKED = 0x80
ACCEPTED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler"),
]

Fault = Callable[[list[bytes]], list[bytes]]


@pytest.mark.parametrize(
    ("workload", "servers"),
    [("fanout-10-1", ("limit", "tertulia")), ("web-100-64", ("tertulia-web", "websockets"))],
    ids=["native", "websocket"],
)
def test_a_small_fanout_gives_a_table(
    tmp_path: Path, workload: str, servers: tuple[str, ...]
) -> None:
    command = [sys.executable, BENCHMARKS / "bench.py", workload, "--runs", "1"]
    options = ["--servers", ",".join(servers), "--seconds", "0.0001", "--output", tmp_path]
    done = subprocess.run(
        [*command, *options], capture_output=True, text=True, timeout=WAIT_S, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    record = json.loads((tmp_path / "runs.json").read_text())
    measured = record["workloads"][workload]
    assert measured.keys() == set(servers)
    assert all(run["per_s"] > 0 for runs in measured.values() for run in runs)
    assert f"| {servers[0]} |" in (tmp_path / "table.md").read_text()


@pytest.fixture(scope="module")
def load_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("load") / "load", *LOAD)


def build(program: Path, *sources: str) -> Path:
    files = [BENCHMARKS / source for source in sources]
    subprocess.run(["cc", "-O1", "-std=gnu11", "-o", program, *files], check=True)
    return program


def run_load(
    program: Path, serve: Callable[[socket.socket], None], *options: str
) -> "subprocess.CompletedProcess[str]":
    """Run the load generator against a server in a thread, to its end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(WAIT_S)
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        # One sender says ten messages at a fixed rate, so that a lost one does not stop it.
        done = subprocess.run(
            [
                *(program, f"port={listener.getsockname()[1]}", "workload=paced", *options),
                *(f"receivers={RECEIVERS}", "senders=1", "rate=50", "warmup_ms=0"),
                *("measure_ms=200", "last_wait_ms=500"),
            ],
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )
        server.join(WAIT_S)
    return done


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
    done = run_load(load_program, partial(serve_faulty, fault=fault))
    told = json.loads(done.stdout)
    assert told["messages"] == 10
    assert {key: told[key] for key in ("lost", "twice", "disordered") if told[key]} == found
    assert done.returncode == bool(found)


def frame(first_byte: int, data: bytes) -> bytes:
    size = len(data)
    if size < 126:
        return bytes((first_byte, size)) + data
    if size < 65_536:
        return bytes((first_byte, 126)) + size.to_bytes(2, "big") + data
    return bytes((first_byte, 127)) + size.to_bytes(8, "big") + data


def each_in_a_message(lines: list[bytes]) -> bytes:
    return b"".join(frame(TEXT, line[:-1]) for line in lines)


def all_in_a_message(lines: list[bytes]) -> bytes:
    return frame(TEXT, b"".join(lines)[:-1])


def all_in_fragments_around_a_ping(lines: list[bytes]) -> bytes:
    data = b"".join(lines)[:-1]
    return frame(UNFINISHED_TEXT, data[:150]) + frame(PING, b"?") + frame(LAST_PART, data[150:])


def all_in_a_long_message(lines: list[bytes]) -> bytes:
    return all_in_a_message([b"." * 70_000 + lines[0], *lines[1:]])


@pytest.mark.parametrize(
    "pack",
    [
        each_in_a_message,
        all_in_a_message,
        all_in_fragments_around_a_ping,
        all_in_a_long_message,
    ],
)
def test_the_load_generator_finds_a_lost_message_among_those_in_frames(
    load_program: Path, pack: Callable[[list[bytes]], bytes]
) -> None:
    done = run_load(load_program, partial(serve_faulty_websockets, pack=pack), "web=1")
    told = json.loads(done.stdout)
    faults = {key: told[key] for key in ("lost", "twice", "disordered")}
    assert (told["messages"], faults) == (10, {"lost": 1, "twice": 0, "disordered": 0})


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


def serve_faulty_websockets(listener: socket.socket, pack: Callable[[list[bytes]], bytes]) -> None:
    """Do the same with messages in frames, and lose the second line for the last client."""
    streams = []
    for _ in range(RECEIVERS):
        client, _ = listener.accept()
        stream = client.makefile("rwb")
        client.close()
        while stream.readline() != b"\r\n":
            pass
        stream.write(ACCEPTED)
        stream.flush()
        stream.write(frame(TEXT, read_message(stream)))
        stream.flush()
        streams.append(stream)
    lines = [read_message(streams[0]) + b"\n" for _ in range(10)]
    for stream in streams:
        stream.write(pack(lines[:1] + lines[2:] if stream is streams[-1] else lines))
        stream.flush()
    for stream in streams:
        stream.read()  # until its end
        stream.close()


def read_message(stream: BinaryIO) -> bytes:
    """Read a message in one short frame, which is masked with zeros."""
    first, size = stream.read(2)
    assert (first, size & MASKED) == (TEXT, MASKED)
    assert stream.read(4) == bytes(4)
    return stream.read(size - MASKED)


def read_lines(client: socket.socket, count: int) -> Iterator[bytes]:
    """Read a number of lines."""
    with client.makefile("rb") as stream:
        for _ in range(count):
            yield stream.readline()
