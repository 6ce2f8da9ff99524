"""What the client's tests share: a scripted server, a real one, clients, and one language."""

import contextlib
import functools
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from piped_user import PipedUser
from plain_table import Clock, Table
from prepared_server import PreparedServer
from screen import Screen
from terminal_user import COLUMNS, TerminalUser

from tertulia import program
from tertulia.chat import chat
from tertulia.i18n import set_language

WAIT_S = 20.0  # for what has to come, on a slow machine too
BIN = Path(sys.executable).parent

_hosts = itertools.count(2)


class ScriptedPeer:
    """The server's end of one connection, which a test plays."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._file = sock.makefile("rb")

    def close(self) -> None:
        self._file.close()
        self.socket.close()

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
        """Receive a registration and accept it."""
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
    """Play one script for each client that connects, one after another, in a thread.

    After a script has failed, clients are refused for good, or one that reconnects would do so for
    ever, and its test would wait for ever.
    """

    def __init__(self, *scripts: Callable[[ScriptedPeer], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(WAIT_S)
        self.port = self._listener.getsockname()[1]
        self._scripts = scripts
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            for script in self._scripts:
                sock, _address = self._listener.accept()
                sock.settimeout(WAIT_S)
                with contextlib.closing(ScriptedPeer(sock)) as peer:
                    script(peer)
            self._listener.close()
        except BaseException as failure:  # noqa: BLE001 (`finish` raises it in the test)
            self._failure = failure
            self._refuse_everybody()

    def _refuse_everybody(self) -> None:
        with contextlib.suppress(OSError):  # `finish` closes the listener, or a client has gone
            while True:
                sock, _address = self._listener.accept()
                with contextlib.closing(ScriptedPeer(sock)) as peer:
                    peer.receive()
                    peer.send("error", code="name_invalid", message="a script has failed")

    def finish(self) -> None:
        """Wait for the end of the scripts; fail if one of them failed."""
        self._thread.join(WAIT_S)
        self._listener.close()
        if self._failure is not None:
            raise self._failure
        assert not self._thread.is_alive(), "the script did not come to its end"


@pytest.fixture
def scripted_server() -> Iterator[Callable[..., ScriptedServer]]:
    """Start servers that play scripts; at the end of the test every script must have ended."""
    servers: list[ScriptedServer] = []

    def start(*scripts: Callable[[ScriptedPeer], None]) -> ScriptedServer:
        servers.append(ScriptedServer(*scripts))
        return servers[-1]

    yield start
    for server in servers:
        server.finish()


class RealServer:
    """A server process, on a free port unless a port is given; `program` is another command."""

    def __init__(
        self,
        *options: str,
        port: int = 0,
        host: str = "127.0.0.1",
        program: Sequence[str] = (),
    ) -> None:
        self.port = port
        self.host = host
        self.options = options
        self._program = program
        self.start()

    @property
    def address(self) -> str:
        """Return where it listens, as `welcome.nodes` has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def start(self) -> None:
        """Start the process, on the same port as before if there was one."""
        arguments = [str(self.port), "--host", self.host, *self.options]
        self.process: subprocess.Popen[str] | PreparedServer
        if self._program:
            self.process = subprocess.Popen(
                [*self._program, *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        else:
            with open(os.devnull, "wb") as nowhere:
                self.process = PreparedServer(
                    arguments, stderr=nowhere.fileno(), environment=dict(os.environ), text=True
                )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().split()[-1])

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Stop the process with a signal, and wait for its end. Idempotent."""
        self.process.send_signal(number)
        self.process.wait(WAIT_S)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def kill(self) -> None:
        """Kill the process with SIGKILL."""
        self.stop(signal.SIGKILL)


@pytest.fixture(scope="session")
def shared_server() -> Iterator[RealServer]:
    """A server for tests that leave nothing behind but events in the chat."""
    server = RealServer()
    yield server
    server.stop()


@pytest.fixture
def start_server() -> Iterator[Callable[..., RealServer]]:
    """Start servers with the options of a test."""
    servers: list[RealServer] = []

    def start(*options: str) -> RealServer:
        servers.append(RealServer(*options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def new_screen() -> type[Screen]:
    """Return the class of screens that show what was written to a terminal."""
    return Screen


@pytest.fixture
def fresh_address() -> Callable[[], str]:
    """Return a function that returns loopback addresses that no other test uses."""
    return lambda: f"127.9.{next(_hosts)}.1"


@pytest.fixture(autouse=True)
def _begin_in_english() -> Iterator[None]:
    """Begin every test in English, and restore the environment after it."""
    before = os.environ.get("LANGUAGE")
    set_language("en")
    yield
    if before is None:
        del os.environ["LANGUAGE"]
    else:
        os.environ["LANGUAGE"] = before


@pytest.fixture(autouse=True)
def _name_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command to type be `tertulia`, however the tests were started."""
    monkeypatch.setattr(program, "client_command", lambda: "tertulia")


@pytest.fixture
def client_environment() -> dict[str, str]:
    """Return the environment of a client process: English, UTF-8, UTC, itself on the PATH."""
    names = ("PATH", "HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "TERTULIA_MDNS")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    kept["PATH"] = f"{BIN}:{kept['PATH']}"
    return kept | {"LANG": "C.UTF-8", "LANGUAGE": "en", "TZ": "UTC", "TERM": "xterm"}


# The program with shorter waiting times than a person needs.
_PROGRAM = """
import sys
from tertulia import cli
from tertulia.plain import face as plain
from tertulia.client import reconnect
{times}
sys.exit(cli.main())
"""
_IMPATIENT = _PROGRAM.format(times="plain.PIPE_WAITS_S = 1.0")
_HASTY = _PROGRAM.format(times="reconnect.FIRST_DELAY_S, reconnect.MAX_DELAY_S = 0.05, 0.2")


@pytest.fixture
def run_client(client_environment: dict[str, str]) -> Callable[..., Any]:
    """Return a function that runs the client on pipes, to its end."""
    return functools.partial(_run_client, client_environment, [str(BIN / "tertulia")])


@pytest.fixture
def run_impatient_client(client_environment: dict[str, str]) -> Callable[..., Any]:
    """Return a function that runs a client that soon gives up to connect again."""
    return functools.partial(_run_client, client_environment, [sys.executable, "-c", _IMPATIENT])


def _run_client(
    client_environment: dict[str, str],
    program: list[str],
    *arguments: object,
    stdin: str | bytes = "",
    **environment: str,
) -> "subprocess.CompletedProcess[bytes]":
    done = subprocess.run(
        [*program, *map(str, arguments)],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        timeout=WAIT_S,
        env=client_environment | environment,
        check=False,
    )
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done


@pytest.fixture
def hasty_program() -> list[str]:
    """Return the command of a client that tries often to connect again."""
    return [sys.executable, "-c", _HASTY]


@pytest.fixture
def pipe_in(
    hasty_program: list[str], client_environment: dict[str, str]
) -> Iterator[Callable[..., PipedUser]]:
    """Start clients whose input stays open, and that try often to connect again."""
    users: list[PipedUser] = []

    def start(name: str, port: int, *options: str) -> PipedUser:
        command = [*hasty_program, name, "127.0.0.1", str(port), "--commands", *options]
        users.append(PipedUser(command, client_environment))
        return users[-1]

    yield start
    for user in users:
        user.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(chat, "time", clock)
    return clock


@pytest.fixture
def table(clock: Clock) -> Table:
    table = Table(clock)
    table.greet()
    return table


@pytest.fixture
def on_terminal(clock: Clock) -> Table:
    """A table at a terminal, where the first page of history is still missing."""
    table = Table(clock, on_terminal=True)
    table.greet()
    return table


@pytest.fixture
def sit_down(
    client_environment: dict[str, str], new_screen: Callable[..., Any]
) -> Iterator[Callable[..., TerminalUser]]:
    users: list[TerminalUser] = []

    def start(*arguments: object, columns: int = COLUMNS, **environment: str) -> TerminalUser:
        command = [str(BIN / "tertulia"), "--plain", *map(str, arguments)]
        screen = new_screen(columns)
        users.append(TerminalUser(command, client_environment | environment, screen, columns))
        return users[-1]

    yield start
    for user in users:
        user.close()


@pytest.fixture
def persistent_server(tmp_path: Path) -> Iterator[RealServer]:
    """Start a server with a history, which a test can kill and start again."""
    server = _persistent_server(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def hasty_server(tmp_path: Path) -> Iterator[RealServer]:
    """Start a server as `persistent_server` does, on which users soon become idle."""
    server = _persistent_server(tmp_path, "--idle-after", "0.4")
    yield server
    server.kill()


@pytest.fixture
def forgetful_server() -> Iterator[RealServer]:
    """Start a server without a history, which a test can kill and start again."""
    server = RealServer("--history", "off", "--shared-addresses", port=free_port())
    yield server
    server.kill()


def _persistent_server(folder: Path, *options: str) -> RealServer:
    history = str(folder / "history.db")
    return RealServer("--history", history, "--shared-addresses", *options, port=free_port())


def free_port() -> int:
    """Return a port that neither the system nor another call gives away while no server is there.

    The port of the same number for UDP shows the other processes of the tests that it is taken.
    """
    low, _high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    for port in random.sample(range(max(1_024, low - 10_000), low), 100):
        with (
            socket.socket() as probe,
            socket.socket(type=socket.SOCK_DGRAM) as sign,
            contextlib.suppress(OSError),
        ):
            sign.bind(("127.0.0.1", port))
            probe.bind(("127.0.0.1", port))
            sign.detach()  # it stays open until this process ends
            return port
    pytest.fail("no port is free")
