"""The client that a running server hands out: whole, installable, and at nobody's cost."""

import hashlib
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from peers import WAIT_S, Server

WHEEL = "rich-15.0.0-py3-none-any.whl"
SIZE = 8_000_000


@pytest.fixture
def server(start_server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Start a server that has a large file to hand out beside its own wheel."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    directory = tmp_path / "tertulia/client"
    directory.mkdir(parents=True)
    (directory / WHEEL).write_bytes(b"0123456789abcdef" * (SIZE // 16))
    return start_server("--host", "127.0.0.1", "--shared-addresses")


def get(server: Server, path: str) -> socket.socket:
    asking = socket.create_connection(("127.0.0.1", server.port), WAIT_S)
    asking.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{server.port}\r\n\r\n".encode())
    return asking


def read(asking: socket.socket) -> bytes:
    with asking:
        received = b"".join(iter(lambda: asking.recv(65_536), b""))
    head, _end, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    return body


def memory_kb(server: Server) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0])


@pytest.mark.long
def test_the_first_who_asks_gets_the_wheel_and_pip_installs_it(
    server: Server, tmp_path: Path
) -> None:
    wheels = [get(server, "/client") for _ in range(5)]  # all of them wait for the same files
    texts = {read(asking).decode() for asking in wheels}
    assert len(texts) == 1
    (name, digest), *_ = re.findall(r'"/client/(tertulia-[^"#]*)#sha256=(\w+)"', texts.pop())
    assert hashlib.sha256(read(get(server, f"/client/{name}"))).hexdigest() == digest
    target = tmp_path / "installed"
    link = f"http://127.0.0.1:{server.port}/client/{name}#sha256={digest}"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", target]
    subprocess.run([*command, link], check=True, timeout=120, capture_output=True)
    code = f"import sys; sys.path.insert(0, {str(target)!r}); from tertulia import cli; " \
        "print(cli.__file__); sys.exit(cli.main())"  # fmt: skip
    arguments = ["ana", "127.0.0.1", str(server.port), "-m", "hola", "--plain"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60,
        check=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.stdout.startswith(f"{target}/"), "another client has run"
    assert "ana: hola" in done.stdout


def test_thirty_who_download_slowly_cost_nobody_anything(server: Server) -> None:
    user = server.user("ana")
    read(get(server, "/client"))
    before = memory_kb(server)
    stopped = [get(server, f"/client/{WHEEL}") for _ in range(29)]
    whole = read(get(server, f"/client/{WHEEL}"))
    assert len(whole) == SIZE
    assert whole[-16:] == b"0123456789abcdef"
    user.roundtrip()
    grown = memory_kb(server) - before
    assert grown < SIZE / 1_000 * 2, "not a copy for each of them"
    # The stop waits for none of them.
    began = time.monotonic()
    server.signal()
    assert server.wait() == 0
    assert time.monotonic() - began < WAIT_S
    for asking in stopped:
        asking.close()
