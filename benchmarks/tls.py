"""Compares the cost of deliveries, sessions, handshakes and the page with TLS and without it.

    .venv/bin/python benchmarks/tls.py [--rounds 3]

Plain and TLS take turns, each with a server of its own, pinned to core 0; the clients are on core
1. CPU is that of the server's process, by the kernel's clock. Every figure is a median.
"""

import argparse
import json
import os
import select
import socket
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).with_name("tertulia-server")
CLIENTS = 100
MESSAGES = 1_500
SESSIONS = 500
VISITS = 500
TEXT = "x" * 100


class Server:
    """A server on core 0, and the settings of TLS that its clients use, if any."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        options = ["--history", "off", "--rate-limit", "off", "--log-level", "error"]
        command = ["taskset", "--cpu-list", "0", str(PROGRAM), "0", *options]
        self._tls = tls
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline().split()[-1])
        self._hosts = iter(
            f"127.{1 + n // 62_500}.{n // 250 % 250}.{2 + n % 250}" for n in range(10**6)
        )

    def cpu_s(self) -> float:
        return time.clock_gettime(~self._process.pid << 3 | 2)  # clock_getcpuclockid(3)

    def resident_kb(self) -> int:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def connect(self) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port), 30, (next(self._hosts), 0))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock if self._tls is None else self._tls.wrap_socket(sock)

    def join(self, name: str) -> socket.socket:
        sock = self.connect()
        request = {"type": "register", "name": name, "events": "messages"}
        sock.sendall(json.dumps(request).encode() + b"\n")
        while b"\n" not in sock.recv(65_536):
            pass
        return sock

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


def deliveries(server: Server, in_flight: int) -> dict[str, float]:
    """Say messages, so many at a time; return CPU for each delivery."""
    clients = [server.join(f"user{number}") for number in range(CLIENTS)]
    say = json.dumps({"type": "say", "text": TEXT}).encode() + b"\n"
    poll = select.epoll()
    for client in clients:
        poll.register(client.fileno(), select.EPOLLIN)
        client.setblocking(False)
    by_fd = {client.fileno(): client for client in clients}
    before, said, got = server.cpu_s(), 0, 0
    while got < MESSAGES * CLIENTS:
        while said < MESSAGES and said * CLIENTS - got < in_flight * CLIENTS:
            clients[said % 10].send(say)
            said += 1
        for fd, _ in poll.poll():
            try:
                while data := by_fd[fd].recv(262_144):
                    got += data.count(b'"type":"message"')
            except (BlockingIOError, ssl.SSLWantReadError):
                pass
    used = server.cpu_s() - before
    return {f"us for a delivery, {in_flight} in flight": used / got * 1e6}


def sessions(server: Server) -> dict[str, float]:
    """Join; return memory and CPU for each session."""
    server.join("first")
    cpu, memory = server.cpu_s(), server.resident_kb()
    joined = [server.join(f"user{number}") for number in range(SESSIONS)]
    return {
        "us for a newcomer": (server.cpu_s() - cpu) / len(joined) * 1e6,
        "KB for a session": (server.resident_kb() - memory) / len(joined),
    }


def visits(server: Server) -> dict[str, float]:
    """Get the page; return CPU for each time."""
    request = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
    before = server.cpu_s()
    for _ in range(VISITS):
        with server.connect() as client:
            client.sendall(request)
            while client.recv(65_536):
                pass
    return {"us for a GET": (server.cpu_s() - before) / VISITS * 1e6}


def measure(tls: ssl.SSLContext | None, work: Callable[[Server], dict[str, float]]) -> Any:
    server = Server(tls)
    try:
        return work(server)
    finally:
        server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="the figures are medians (3)")
    rounds = parser.parse_args().rounds
    os.sched_setaffinity(0, {1})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    found: dict[str, tuple[list[float], list[float]]] = {}
    for _ in range(rounds):
        for work in (lambda s: deliveries(s, 1), lambda s: deliveries(s, 64), sessions, visits):
            plain, secure = measure(None, work), measure(context, work)
            for name, figure in plain.items():
                rows = found.setdefault(name, ([], []))
                rows[0].append(figure)
                rows[1].append(secure[name])
    print(f"{'':36} {'plain':>8} {'TLS':>8} {'ratio':>6}")
    for name, (plain_figures, secure_figures) in found.items():
        plain, secure = statistics.median(plain_figures), statistics.median(secure_figures)
        print(f"{name:36} {plain:8.2f} {secure:8.2f} {secure / plain:6.2f}")


if __name__ == "__main__":
    main()
