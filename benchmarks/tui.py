"""Measures the speed and the memory of the full screen, with the real program on a pty.

    .venv/bin/python benchmarks/tui.py [--rounds 5]

The server is a thread of this program that sends the messages to show as fast as they are read.
Times are measured from outside: from a byte that is sent or typed until its effect appears on the
terminal.
"""

import argparse
import fcntl
import json
import os
import pty
import select
import socket
import statistics
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

TIME = "2026-11-22T15:04:05.123Z"
COLUMNS, ROWS = 120, 36
TEXT = "the quick brown fox jumps over the lazy dog and runs on to message "
PATIENCE_S = 60.0
LETTERS = "βγδεζηθκλμξπρστυφχψω"  # typed keys; they appear nowhere else on the screen


class ScriptedServer:
    """A server for one client; `say` sends messages of the general chat."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._seq = 0
        self._client: socket.socket | None = None
        self._ready = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def wait_until_entered(self) -> None:
        """Wait until the client has requested and received its first data."""
        assert self._ready.wait(PATIENCE_S)

    def say(self, count: int) -> str:
        """Send `count` messages and return the end of the last one."""
        assert self._client is not None
        lines = []
        for _message in range(count):
            self._seq += 1
            lines.append(
                _line(
                    "message", seq=self._seq, time=TIME, text=f"{TEXT}#{self._seq}#", sender="luis"
                )
            )
        self._client.sendall(b"".join(lines))
        return f"#{self._seq}#"

    def close(self) -> None:
        """Close the sockets."""
        self._listener.close()
        if self._client is not None:
            self._client.close()

    def _serve(self) -> None:
        self._client, _address = self._listener.accept()
        with suppress(ConnectionResetError):  # the program was killed at the end
            self._answer_requests(self._client)

    def _answer_requests(self, client: socket.socket) -> None:
        for raw in client.makefile("rb"):
            request = json.loads(raw)
            match request["type"]:
                case "register":
                    answer = _line(
                        "welcome", id=request["id"], name=request["name"], address="127.0.0.1",
                        status="ACTIVO", seq=0, token="t", epoch="e", server="scripted", protocol=1,
                        idle_after=120, max_text=16384,
                    )  # fmt: skip
                case "users":
                    users = [{"name": "luis", "status": "ACTIVO"}]
                    answer = _line("users", id=request["id"], seq=0, users=users)
                case "history":
                    answer = _line("history", id=request["id"], messages=[], more=False)
                    self._ready.set()
                case _:
                    continue
            client.sendall(answer)


def _line(kind: str, **fields: Any) -> bytes:
    if "sender" in fields:
        fields["from"] = fields.pop("sender")
    return json.dumps({"type": kind, **fields}).encode() + b"\n"


class Terminal:
    """The program on a pty, and the end of its output."""

    def __init__(self, port: int) -> None:
        self._master, slave = pty.openpty()
        size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
        self.started_at = time.perf_counter()
        self.process = subprocess.Popen(
            [Path(sys.executable).parent / "tertulia", "ana", "127.0.0.1", str(port)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=os.environ
            | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANGUAGE": "en",
               "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        os.close(slave)
        self._tail = b""

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    def see(self, text: str) -> float:
        """Wait until a text appears in the output; return the seconds that this took."""
        began = time.perf_counter()
        wanted = text.encode()
        while wanted not in self._tail:
            readable, _, _ = select.select([self._master], [], [], PATIENCE_S)
            assert readable, f"{text} did not appear"
            self._tail = self._tail[-200:] + os.read(self._master, 1 << 16)
        self._tail = self._tail[self._tail.index(wanted) + len(wanted) :]
        return time.perf_counter() - began

    def resident_mib(self) -> float:
        """Return the resident memory of the program, in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        [kib] = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")]
        return int(kib) / 1024

    def close(self) -> None:
        """End the program."""
        self.process.kill()
        self.process.wait()
        os.close(self._master)


@contextmanager
def chat() -> Iterator[tuple[ScriptedServer, Terminal]]:
    """Start the program and connect it to a scripted server."""
    server = ScriptedServer()
    terminal = Terminal(server.port)
    try:
        yield server, terminal
    finally:
        terminal.close()
        server.close()


def first_frame_s() -> float:
    """Measure the time until the last line of the screen, with the keys, is painted."""
    with chat() as (_server, terminal):
        terminal.see("^Q")
        return time.perf_counter() - terminal.started_at


def import_s() -> float:
    """Measure the import of Textual's app alone: the least that a first frame can take here."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import textual.app"], check=True)
    return time.perf_counter() - began


def fill(count: int) -> tuple[float, float]:
    """Send `count` messages at once; return the seconds until the last is shown, and the MiB."""
    with chat() as (server, terminal):
        server.wait_until_entered()
        terminal.see("F1")
        server.say(1)
        terminal.see("#1#")
        before = terminal.resident_mib()
        began = time.perf_counter()
        terminal.see(server.say(count))
        return time.perf_counter() - began, terminal.resident_mib() - before


def echoes_s(burst: int) -> list[float]:
    """Type while a burst of messages arrives; return the time until each letter is shown."""
    with chat() as (server, terminal):
        server.wait_until_entered()
        terminal.see("F1")
        threading.Thread(target=server.say, args=(burst,)).start()
        echoes = []
        for letter in LETTERS:
            terminal.type(letter)
            echoes.append(terminal.see(letter))
            time.sleep(0.02)
        return echoes


def growth_mib(counts: list[int]) -> list[float]:
    """Return the memory in MiB after each of these total numbers of messages."""
    with chat() as (server, terminal):
        server.wait_until_entered()
        said = 0
        sizes = []
        for count in counts:
            while said < count:
                terminal.see(server.say(1_000))
                said += 1_000
            sizes.append(terminal.resident_mib())
        return sizes


def main() -> None:
    """Measure everything and print a table of the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="the figures are medians (5)")
    rounds = parser.parse_args().rounds
    pairs = [(first_frame_s(), import_s()) for _round in range(rounds)]
    frames = [frame for frame, _floor in pairs]
    floor = statistics.median(floor for _frame, floor in pairs)
    fills = [fill(10_000) for _round in range(rounds)]
    echoes = [echo for _round in range(rounds) for echo in echoes_s(5_000)]
    counts = [20_000, 60_000, 100_000]
    sizes = growth_mib(counts)
    print("| figure | goal | measured |\n| --- | --- | --- |")
    print(
        f"| first frame | < 0.4 s | {statistics.median(frames):.2f} s (worst {max(frames):.2f}) |"
    )
    print(f"| of which Python and `import textual.app` | | {floor:.2f} s |")
    print(f"| 10,000 messages | < 1 s | {statistics.median(f[0] for f in fills):.2f} s |")
    print(f"| their memory | < 20 MiB | {statistics.median(f[1] for f in fills):.1f} MiB |")
    echo = f"{statistics.median(echoes) * 1e3:.0f} ms, worst {max(echoes) * 1e3:.0f} ms"
    print(f"| a key's echo in a burst of 5,000 | < 100 ms | {echo} |")
    grown = ", ".join(f"{size:.0f} MiB" for size in sizes)
    print(f"| memory after {', '.join(f'{count:,}' for count in counts)} | flat | {grown} |")


if __name__ == "__main__":
    main()
