"""What the client's tests share: a scripted server, a real one, and one language for all."""

import codecs
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from wcwidth import iter_graphemes, wcswidth, wcwidth

from tertulia.i18n import set_language

WAIT_S = 20.0  # for what has to come, on a slow machine too
BIN = Path(sys.executable).parent

_hosts = itertools.count(2)


class ScriptedPeer:
    """The server's end of one connection, played by a test."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._file = sock.makefile("rb")

    def receive(self) -> dict[str, Any] | None:
        """Read the next request; None at the end."""
        line = self._file.readline()
        return json.loads(line) if line else None

    def expect(self, kind: str) -> dict[str, Any]:
        request = self.receive()
        assert request is not None, f"the client closed before {kind}"
        assert request["type"] == kind, request
        return request

    def send(self, kind: str, **fields: Any) -> None:
        self.send_raw(json.dumps({"type": kind, **fields}).encode() + b"\n")

    def send_raw(self, data: bytes) -> None:
        self.socket.sendall(data)

    def welcome(self, **fields: Any) -> dict[str, Any]:
        """Take a registration and accept it."""
        request = self.expect("register")
        self.send(
            "welcome",
            **{
                "id": request["id"], "name": request["name"], "address": "127.0.0.1",
                "status": "ACTIVO", "seq": 10, "token": "secret", "epoch": "e", "server": "fake",
                "protocol": 1, "idle_after": 120, "max_text": 16384,
            } | fields,
        )  # fmt: skip
        return request

    def message(self, seq: int, text: str = "hola", sender: str = "luis") -> None:
        """Send a message of the general chat."""
        time = "2026-11-22T15:04:05.123Z"
        self.send("message", seq=seq, time=time, **{"from": sender}, text=text)

    def direct(self, text: str, sender: str = "luis", to: str = "ana") -> None:
        time = "2026-11-22T15:04:05.123Z"
        self.send("direct", time=time, **{"from": sender}, to=to, text=text)


class ScriptedServer:
    """Play a script with the first client that connects, in a thread."""

    def __init__(self, script: Callable[[ScriptedPeer], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(WAIT_S)
        self.port = self._listener.getsockname()[1]
        self._script = script
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            sock, _address = self._listener.accept()
            with sock:
                sock.settimeout(WAIT_S)
                self._script(ScriptedPeer(sock))
        except BaseException as failure:  # noqa: BLE001 (told to the test by `finish`)
            self._failure = failure

    def finish(self) -> None:
        """Wait for the end of the script, and fail if it failed."""
        self._thread.join(WAIT_S)
        self._listener.close()
        assert not self._thread.is_alive(), "the script did not come to its end"
        if self._failure is not None:
            raise self._failure


@pytest.fixture
def scripted_server() -> Iterator[Callable[[Callable[[ScriptedPeer], None]], ScriptedServer]]:
    """Start servers that play a script; at the end every script has to be through."""
    servers: list[ScriptedServer] = []

    def start(script: Callable[[ScriptedPeer], None]) -> ScriptedServer:
        servers.append(ScriptedServer(script))
        return servers[-1]

    yield start
    for server in servers:
        server.finish()


class RealServer:
    """A server process of its own on a free port."""

    def __init__(self, *options: str) -> None:
        command = [BIN / "tertulia-server", "0", "--host", "127.0.0.1", *options]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().split()[-1])

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(WAIT_S)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="session")
def shared_server() -> Iterator[RealServer]:
    """A server for tests that leave no trace in it but events in the chat."""
    server = RealServer()
    yield server
    server.stop()


@pytest.fixture
def start_server() -> Iterator[Callable[..., RealServer]]:
    """Start servers with options of their own."""
    servers: list[RealServer] = []

    def start(*options: str) -> RealServer:
        servers.append(RealServer(*options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


class Screen:
    """A terminal that understands text, CR, LF and BS, and stumbles over anything else.

    Some terminals count the columns of each character, others those of a joined picture as one.
    """

    def __init__(self, columns: int = 200, *, joins: bool = False) -> None:
        self.columns = columns
        self.joins = joins
        self.above: list[str] = []
        self.row = [" "] * columns
        self.cursor = 0
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode

    def write_bytes(self, data: bytes) -> None:
        self.write(self._decode(data))

    def write(self, text: str) -> None:
        for unit in iter_graphemes(text) if self.joins else text:
            if unit == "\r":
                self.cursor = 0
            elif unit == "\b":
                self.cursor = max(0, self.cursor - 1)
            elif unit in ("\n", "\r\n"):
                self.above.append(self.text)
                self.row = [" "] * self.columns
                self.cursor = 0
            else:
                assert unit >= " ", f"{unit!r} was written"
                self._put(unit)

    def _put(self, unit: str) -> None:
        width = wcswidth(unit) if self.joins else wcwidth(unit)
        if width == 0:
            last = self.cursor - 1
            while last > 0 and self.row[last] == "":
                last -= 1
            self.row[last] += unit
            return
        assert self.cursor + width < self.columns, "the last column was written"
        for column in range(self.cursor, self.cursor + width):
            self._break_wide(column)
        self.row[self.cursor : self.cursor + width] = [unit] + [""] * (width - 1)
        self.cursor += width

    def _break_wide(self, column: int) -> None:
        """Half of a wide character is none."""
        first = column
        while first > 0 and self.row[first] == "":
            first -= 1
        for covered in range(first, self.columns):
            if covered > first and self.row[covered] != "":
                break
            self.row[covered] = " "

    @property
    def text(self) -> str:
        """What stands on the last row."""
        return "".join(self.row).rstrip()


@pytest.fixture(scope="session")
def new_screen() -> type[Screen]:
    """Make screens on which to look at what was written."""
    return Screen


@pytest.fixture
def fresh_address() -> Callable[[], str]:
    """Give loopback addresses that nobody else uses."""
    return lambda: f"127.9.{next(_hosts)}.1"


@pytest.fixture(autouse=True)
def _begin_in_english() -> Iterator[None]:
    """Let every test begin in English, and leave the environment as it was."""
    before = os.environ.get("LANGUAGE")
    set_language("en")
    yield
    if before is None:
        del os.environ["LANGUAGE"]
    else:
        os.environ["LANGUAGE"] = before


@pytest.fixture
def client_environment() -> dict[str, str]:
    """Make the environment of a client process: English, UTF-8, UTC, whatever this machine has."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {"LANG": "C.UTF-8", "LANGUAGE": "en", "TZ": "UTC", "TERM": "xterm"}


@pytest.fixture
def run_client(client_environment: dict[str, str]) -> Callable[..., Any]:
    """Run the client to its end, on pipes."""

    def run(*arguments: object, stdin: str | bytes = "", **environment: str) -> Any:
        command = [str(BIN / "tertulia"), *map(str, arguments)]
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            command,
            input=data,
            capture_output=True,
            timeout=WAIT_S,
            env=client_environment | environment,
            check=False,
        )
        assert b"\x1b" not in done.stdout + done.stderr
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        return done

    return run
