"""A server with a parent: deaths, upgrades and ends, of which users see at most a reconnection."""

import contextlib
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest
from client_fixtures import free_port
from histories import say_all, whole_history
from peers import NOT_OVER_TLS, PROGRAM, WAIT_S, Peer, wait_for


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in found.split()]


def child_of(server) -> int:
    """Return the pid of the server's one child, once there is one alone."""
    wait_for(lambda: len(children(server.process.pid)) == 1, "one child")
    return children(server.process.pid)[0]


def is_running(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def kill_child(server) -> None:
    os.kill(child_of(server), signal.SIGKILL)


def said_by(server, pattern: str) -> str:
    found = re.search(pattern, server.wait_for_log(pattern))
    assert found is not None
    return found[1]


# --- deaths --------------------------------------------------------------------------------------


@pytest.mark.alone("--code auto is refused: each node would make another code")
@pytest.mark.parametrize("threads", ["session"], indirect=True)
def test_a_child_that_dies_is_replaced_and_keeps_port_history_code_secret_and_sockets(
    start_server, run, path, tmp_path
):
    unix = tmp_path / "chat.sock"
    options = ("--supervise", "--history", path, "--code", "auto", "--unix", unix, "--lang", "en")
    server = start_server(*map(str, options))
    parent = server.process.pid
    code = said_by(server, r"The code to come in: (\S+)")
    file = Path(said_by(server, r"on this computer, or see (\S+)"))
    secret = file.read_text()
    ana = server.user("ana", code=code)
    said = say_all(ana, [f"before {number}" for number in range(20)])
    for number in range(2):
        first = child_of(server)
        for pid in (parent, first):
            assert code not in Path(f"/proc/{pid}/cmdline").read_text(), "ps would show it"
            assert code not in Path(f"/proc/{pid}/environ").read_text()
        os.kill(first, signal.SIGKILL)
        luis = server.user(f"luis{number}", code=code)  # at once: the connection waits
        assert child_of(server) != first
        assert luis.ask("say", text="after")["type"] == "ok"
    assert {message["seq"] for message in whole_history(luis)} >= set(said)
    with contextlib.closing(Peer(str(unix), 0, tls=None)) as proxied:
        proxied.register("eva", code=code)
    assert file.read_text() == secret
    console = run(server.port, "--operator", "--lang", "en", input=None)
    assert console.returncode == 0, console.stderr
    log = server.log()
    assert log.count("server died signal=SIGKILL") == 2
    assert re.search(r"INFO serving again pid=\d+ version=\S+ restarts=2 upgrades=0", log)
    assert log.count("To join:") == 1
    memory = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{parent}/status").read_text())
    assert int(memory[1]) < 15_000
    server.stop()
    assert not unix.exists()
    assert not file.exists()


DIES = """
import os, signal, sys
if "TERTULIA_CHANNEL" in os.environ:  # the child
    os.kill(os.getpid(), signal.SIGKILL)
from tertulia.server import cli
from tertulia.server.supervision import deaths
deaths.PAUSES_S = (0.01,) * 9
sys.exit(cli.main())
"""


def test_deaths_without_end_have_an_end():
    done = subprocess.run(
        [sys.executable, "-c", DIES, "0", "--supervise", "--lang", "en"],
        *(), capture_output=True, text=True, timeout=WAIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("WARNING server died signal=SIGKILL") == 10
    assert "ERROR giving up: the server died 10 times within 60 s" in done.stderr
    assert done.stderr.endswith("look at the log above, then start it again\n")


# --- an upgrade ----------------------------------------------------------------------------------


class Crowd:
    """Comes in and goes again and again, and notes what is refused."""

    def __init__(self, server) -> None:
        self._server = server
        self._done = threading.Event()
        self.connected = 0
        self.refused: list[OSError] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join(WAIT_S)

    def _run(self) -> None:
        while not self._done.is_set():
            try:
                with socket.create_connection(("127.0.0.1", self._server.port), WAIT_S) as sock:
                    self.connected += 1
                    sock.sendall(b'{"type":"ping"}\n')
                    sock.recv(100)  # a pong, or that the server is closing
            except ConnectionResetError:
                pass  # told that the server is closing, but this thread had no turn to read it
            except OSError as error:
                self.refused.append(error)


def test_an_upgrade_loses_refuses_and_doubles_nothing(
    start_server, path, secret_file, tmp_path, monkeypatch
):
    code = tmp_path / "code"
    code.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(code))
    secret = tmp_path / "secret"
    secret.write_text(secret_file.read_text())
    secret.chmod(0o600)
    server = start_server(
        *("--supervise", "--history", str(path), "--operator-secret", str(secret)),
        *("--shared-addresses", "--lang", "en"),
    )
    first, ana = child_of(server), server.user("ana")
    said = say_all(ana, [f"text {number}" for number in range(30)])
    newly_installed = "import tertulia.version\ntertulia.version.__version__ = '9.9.9'\n"
    (code / "sitecustomize.py").write_text(newly_installed)
    with Crowd(server) as crowd:
        wait_for(lambda: crowd.connected > 3)
        ana.send("say", text="in between", id=1, nonce="n")
        server.signal(signal.SIGHUP)
        closing = ana.until("closing", reason="shutdown")[-1]
        assert 0 < closing["retry_after"] <= 0.5
        ana.expect_end()
        ana.close()
        ana = server.user("ana", status="OCUPADO")
        ana.send("say", text="in between", id=1, nonce="n")
        ana.until_id(1)
    assert crowd.refused == []
    second = child_of(server)
    assert second != first
    stored = whole_history(ana)
    assert [m["text"] for m in stored].count("in between") == 1
    assert {message["seq"] for message in stored} >= set(said)
    assert [user["status"] for user in ana.ask("users")["users"]] == ["OCUPADO"]
    server.wait_for_log(r"serving again pid=\d+ version=9\.9\.9 restarts=0 upgrades=1")

    secret.write_text("short")  # so the next one cannot start
    server.signal(signal.SIGHUP)
    server.wait_for_log("upgrade given up: the new server ended pid=\\d+ status=2")
    assert "is too short: it needs at least" in server.log()
    assert child_of(server) == second
    assert ana.ask("say", text="as if nothing had happened")["type"] == "ok"


# --- ends ----------------------------------------------------------------------------------------


def test_if_the_parent_is_killed_the_child_ends_in_order(start_server, path):
    server = start_server("--supervise", "--history", str(path))
    child, ana = child_of(server), server.user("ana")
    server.process.kill()
    ana.until("closing", reason="shutdown")
    ana.expect_end()
    ana.close()
    wait_for(lambda: not is_running(child), "the child's end")
    assert not Path(f"{path}-wal").exists(), "the history was closed"
    assert "the parent has ended: stopping" in server.log()
    server.process.wait()


def at_a_terminal(*command: str | Path, stderr: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start a program with a controlling terminal, and return it with the terminal's other side."""
    master, slave = pty.openpty()

    def take_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

    with stderr.open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=log,
            start_new_session=True,
            preexec_fn=take_terminal,
        )
    os.close(slave)
    said = b""
    while not said.endswith(b"\n"):
        assert select.select([master], [], [], WAIT_S)[0]
        said += os.read(master, 1000)
    assert said.startswith(b"listening on")
    return process, master


def test_a_terminal_that_goes_away_ends_the_server_and_ctrl_c_too(tmp_path):
    """SIGHUP and SIGINT of a terminal reach parent and child; the shell may add its own SIGHUP."""
    log = tmp_path / "log"
    for end in ("hangup", "ctrl-c"):
        process, master = at_a_terminal(PROGRAM, "0", "--supervise", "--lang", "en", stderr=log)
        (child,) = children(process.pid)
        if end == "hangup":
            os.close(master)
            process.send_signal(signal.SIGHUP)
        else:
            os.write(master, b"\x03")
        assert process.wait(WAIT_S) == 0, log.read_text()
        assert not is_running(child)
        assert "upgrade begun" not in log.read_text()
        assert "Traceback" not in log.read_text()
        if end == "ctrl-c":
            os.close(master)


def test_a_parent_whose_child_cannot_start_says_the_same_and_ends_the_same(run, start_server, path):
    server = start_server("--history", str(path), "--lang", "en")
    for options, status, reason in (
        (("--history", "off"), 1, f"port {server.port} is already in use"),
        (("--max-users", "0", "--history", "off"), 2, "argument --max-users"),
    ):
        done = run(server.port, "--supervise", "--lang", "en", *options)
        assert (done.returncode, done.stdout) == (status, b"")
        assert reason in done.stderr.decode()
        assert b"died" not in done.stderr
    done = run("0", "--supervise", "--history", path, "--lang", "en")
    assert done.returncode == 1
    assert b"another server is using the history" in done.stderr


# --- systemd -------------------------------------------------------------------------------------


# The program has the pid of whoever starts it.
AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.fixture
def systemd(tmp_path):
    """Listen at a notify socket of our own, and start programs as systemd does."""
    with contextlib.ExitStack() as ends:
        notify = ends.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        notify.bind(str(tmp_path / "notify"))
        notify.settimeout(WAIT_S)

        def start(*options, listener):
            descriptor = str(listener.fileno())
            log = (tmp_path / "log").open("wb")
            environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
            with log:
                process = subprocess.Popen(
                    [sys.executable, "-c", AS_SYSTEMD, descriptor, PROGRAM, *map(str, options)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=[listener.fileno()],
                    env=os.environ | environment,
                )
            ends.callback(process.wait)
            ends.callback(process.kill)
            return process

        def next_told(first: str) -> str:
            """Return the next message that begins like this."""
            for _ in range(1000):
                told = notify.recv(1000).decode()
                if told.startswith(first):
                    return told
            raise AssertionError(f"systemd was not told {first}")

        yield start, next_told


@NOT_OVER_TLS
@pytest.mark.parametrize("supervise", [[], ["--supervise"]], ids=["alone", "supervised"])
def test_systemd_is_told_and_gives_the_socket(systemd, supervise, tmp_path):
    start, next_told = systemd
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        early = Peer("127.0.0.1", port)  # before there is any server
        server = start(port, "--history", "off", *supervise, listener=listener)
        early.register("ana")
        assert "serving" in next_told("READY=1")
        if supervise:
            assert " users=1 " in next_told("STATUS=serving pid=")
        for _ in range(3):
            next_told("WATCHDOG=1")
        if supervise:
            server.send_signal(signal.SIGHUP)
            next_told("RELOADING=1")
            next_told("READY=1")
            early.until("closing")
            early.close()
            early = Peer("127.0.0.1", port)
            early.register("ana")
        server.terminate()
        next_told("STOPPING=1")
        early.until("closing")
        early.close()
        assert server.wait(WAIT_S) == 0
    assert f"listening on 127.0.0.1 {port}\n" in (tmp_path / "log").read_text()


@NOT_OVER_TLS
@pytest.mark.skipif(shutil.which("systemd-socket-activate") is None, reason="no systemd here")
def test_the_first_connection_starts_the_server(tmp_path):
    port = free_port()
    command = ["systemd-socket-activate", "-E", "XDG_STATE_HOME", "-l", f"127.0.0.1:{port}"]
    options = [PROGRAM, str(port), "--supervise", "--history", "off", "--lang", "en"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    connected: list[Peer] = []

    def connect() -> bool:
        with contextlib.suppress(ConnectionRefusedError):  # systemd does not listen yet
            connected.append(Peer("127.0.0.1", port))
        return bool(connected)

    try:
        wait_for(connect)
        connected[0].register("ana")
        process.terminate()
        connected[0].until("closing", reason="shutdown")
        connected[0].close()
        assert process.wait(WAIT_S) == 0
    finally:
        process.kill()
        process.wait()
    assert f"listening on 127.0.0.1 {port}\n" in (tmp_path / "log").read_text()


def test_a_socket_of_another_port_is_refused(systemd, tmp_path):
    start, _ = systemd
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = start(1, "--history", "off", "--lang", "en", listener=listener)
        assert process.wait(WAIT_S) == 1
    assert "but the command line names port 1" in (tmp_path / "log").read_text()
