"""A real server in a process of its own, and clients that are plain sockets.

Each Peer has a loopback address of its own unless a test gives it one, because the server allows
one user for each address. Every wait ends with a line, the end of the connection or an answer; its
time limit is so long that it only expires when something is wrong.
"""

import contextlib
import hashlib
import itertools
import json
import os
import re
import secrets
import select
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prepared_server import PROGRAM, PreparedServer

WAIT_S = 30.0  # for anything that must happen
STOP_S = 10.0  # from SIGTERM to the end of the server, as promised

# The one that is not the default is for make test-long.
BOTH_THREAD_MODELS = pytest.mark.parametrize(
    "threads",
    ["2", pytest.param("session", marks=pytest.mark.long)],
    indirect=True,
    ids=lambda threads: f"threads-{threads}",
)

# For what could differ where all that changes the chat comes back from a log first.
IN_CLUSTER_TOO = pytest.mark.in_cluster_too

Message = dict[str, Any]


def trusting(*protocols: str) -> ssl.SSLContext:
    """Return settings of TLS for a client that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(list(protocols))
    return context


# `OVER_TLS=1 make test` makes every Peer speak TLS, if a test does not say otherwise.
OVER_TLS = trusting("tertulia") if os.environ.get("OVER_TLS") else None
WEB_OVER_TLS = trusting("http/1.1") if OVER_TLS else None
NOT_OVER_TLS = pytest.mark.skipif(OVER_TLS is not None, reason="it looks at what travels")

_hosts = itertools.count(2)
_marks = itertools.count(1)


def wait_for(condition: Callable[[], object], what: str = "the condition") -> None:
    """Wait until the condition holds. Use it only where no message tells that it does."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not hold within {WAIT_S:.0f} s"
        time.sleep(0.01)


def fresh_address() -> str:
    """Return a loopback address that no other client of this run has."""
    number = next(_hosts)
    return f"127.{1 + number // 62_500}.{number // 250 % 250}.{2 + number % 250}"


def allow_hangup() -> None:
    """Run in a child of this process, which may itself run under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Peer:
    """One connection: sends anything, reads line by line and answers the server's pings."""

    def __init__(
        self,
        host: str,
        port: int,
        source: str | None = None,
        *,
        receive_buffer: int | None = None,
        tls: ssl.SSLContext | None = OVER_TLS,
    ) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        if "/" in host:  # a socket in the file system
            family, source = socket.AF_UNIX, "127.0.0.1"
        self.source = source or ("::1" if family == socket.AF_INET6 else fresh_address())
        self.answers_pings = True  # a test may set this to False
        self.name = self.token = ""
        self.seq = 0  # from `welcome`
        self.pings = 0  # received from the server
        self._ids = itertools.count(1_000_000)
        self._rest = b""  # the beginning of a line
        self._unread: deque[Message] = deque()
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer is not None:  # before `connect`, which negotiates the window
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(WAIT_S)
        try:
            if family == socket.AF_UNIX:
                self.socket.connect(host)
            else:
                self.socket.bind((self.source, 0))
                self.socket.connect((host, port))
            if tls is not None:
                self.socket = tls.wrap_socket(self.socket)
        except OSError:
            self.socket.close()
            raise

    def __repr__(self) -> str:
        return f"<Peer {self.name or '-'} from {self.source}>"

    # --- sending -------------------------------------------------------------------------------

    def send_raw(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send(self, kind: str, **fields: Any) -> None:
        self.send_all({"type": kind, **fields})

    def send_all(self, *requests: Message) -> None:
        """Send several requests in one packet."""
        self.send_raw("".join(json.dumps(request) + "\n" for request in requests).encode())

    # --- reading -------------------------------------------------------------------------------

    def next(self) -> Message | None:
        """Return the next message, or None at the end. Answer pings of the server and skip them."""
        deadline = time.monotonic() + WAIT_S
        while True:
            while self._unread:
                message = self._unread.popleft()
                if message["type"] != "ping" or not self._answer_ping():
                    return message
            if not self._read(deadline):
                return None

    def _answer_ping(self) -> bool:
        self.pings += 1
        if self.answers_pings:
            with contextlib.suppress(OSError):  # if the server has closed, `next` will find out
                self.send("pong")
        return self.answers_pings

    def _read(self, deadline: float) -> bool:
        """Read at least one line; return False at the end."""
        while chunk := self._receive(deadline):
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            self._unread.extend(json.loads(line) for line in lines)
            if lines:
                return True
        assert not self._rest, f"{self} was closed in the middle of {self._rest[:200]!r}"
        return False

    def _receive(self, deadline: float) -> bytes:
        timeout = deadline - time.monotonic()
        assert timeout > 0, f"{self} waited {WAIT_S:.0f} s in vain"
        self.socket.settimeout(timeout)
        try:
            return self.socket.recv(262_144)
        except TimeoutError:
            raise AssertionError(f"{self} waited {WAIT_S:.0f} s in vain") from None

    def expect(self, kind: str, **fields: Any) -> Message:
        """Read the next message, which must have this type and these fields."""
        message = self.next()
        assert message is not None, f"{self} was closed before {kind} {fields}"
        found = {field: message.get(field) for field in fields}
        assert (message["type"], found) == (kind, fields), f"{self} got {message}"
        return message

    def expect_error(self, code: str, **fields: Any) -> Message:
        error = self.expect("error", code=code, **fields)
        assert isinstance(error["message"], str)
        assert error["message"]
        return error

    def expect_end(self) -> None:
        """Check that the server closes without sending anything more."""
        message = self.next()
        assert message is None, f"{self} got {message} instead of the end"

    def until(self, kind: str, **fields: Any) -> list[Message]:
        """Return all messages up to the first with this type and these fields, inclusive."""
        collected = []
        while (message := self.next()) is not None:
            collected.append(message)
            if message["type"] == kind and fields.items() <= message.items():
                return collected
        raise AssertionError(f"{self} was closed before {kind} {fields}: {collected[-5:]}")

    def rest(self) -> list[Message]:
        """Return all messages until the server closes."""
        return list(iter(self.next, None))

    def ask(self, kind: str, **fields: Any) -> Message:
        """Return the answer to a request; messages that come before it can be read later."""
        request_id = next(self._ids)
        self.send(kind, id=request_id, **fields)
        *before, answer = self.until_id(request_id)
        self._unread.extendleft(reversed(before))
        return answer

    def until_id(self, request_id: int) -> list[Message]:
        """Return all messages up to the answer with this `id`, inclusive."""
        collected: list[Message] = []
        while not collected or collected[-1].get("id") != request_id:
            message = self.next()
            assert message is not None, f"{self} was closed before its answer: {collected[-5:]}"
            collected.append(message)
        return collected

    def until_answered(self, *request_ids: int) -> list[Message]:
        """Return all messages up to the last of the answers with these `id`s, inclusive."""
        collected: list[Message] = []
        missing = set(request_ids)
        while missing:
            message = self.next()
            assert message is not None, f"{self} was closed before the answers to {missing}"
            missing.discard(message.get("id", -1))
            collected.append(message)
        return collected

    def roundtrip(self) -> list[Message]:
        """Send a ping and return everything that comes before its pong."""
        request_id = next(self._ids)
        self.send("ping", id=request_id)
        *before, pong = self.until_id(request_id)
        assert pong == {"type": "pong", "id": request_id}
        return before

    def register(self, name: str, **fields: Any) -> Message:
        """Register, read up to the peer's own `joined`, and return the `welcome`."""
        self.send("register", name=name, id=1, **fields)
        welcome = self.expect("welcome", id=1)
        self.name, self.token, self.seq = welcome["name"], welcome["token"], welcome["seq"]
        if fields.get("events") != "messages":
            self.until("joined", name=self.name)
        return welcome

    @contextlib.contextmanager
    def alive(self) -> Iterator[None]:
        """Answer the server's pings in the background; other messages can be read later."""
        done = threading.Event()

        def answer() -> None:
            while not done.is_set():
                if not select.select([self.socket], [], [], 0.05)[0]:
                    continue
                if not self._read(time.monotonic() + WAIT_S):
                    return
                kept = [m for m in self._unread if m["type"] != "ping" or not self._answer_ping()]
                self._unread = deque(kept)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join(WAIT_S)

    # --- ending --------------------------------------------------------------------------------

    def half_close(self) -> None:
        """End the sending direction and go on reading, as `nc -N` does."""
        # Not that of SSLSocket, which would make this side read without TLS.
        socket.socket.shutdown(self.socket, socket.SHUT_WR)

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Close with an RST, as the kernel does for some programs that die."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def wait_for_end(self) -> None:
        """Read and drop everything until the server has closed, in whatever way."""
        self._unread.clear()
        deadline = time.monotonic() + WAIT_S
        with contextlib.suppress(ConnectionResetError):
            while self.socket.fileno() >= 0 and self._receive(deadline):
                pass


def read_with_gaps(slow: Peer, sender: Peer) -> list[dict[str, Any]]:
    """Return what a slow reader gets after a gap, up to the text "end".

    Every number is there once, in order, or in a gap.
    """
    got = slow.until("gap")
    while not any(m.get("text") == "end" for m in got):  # a further gap may swallow one
        sender.ask("say", text="end")
        got += slow.roundtrip()
    seen = [m["seq"] for m in got if "seq" in m]
    assert seen == sorted(set(seen))
    gaps = [m for m in got if m["type"] == "gap"]
    left_out = {seq for gap in gaps for seq in range(gap["after"] + 1, gap["through"] + 1)}
    assert not left_out & set(seen)
    everything = left_out | set(seen)
    assert everything == set(range(min(everything), max(everything) + 1))
    return got


class Cluster:
    """The nats-server with which each server is the only node of a chat of its own, if any."""

    url: str | None = None


def _cluster_options(options: tuple[str, ...], log: Path) -> list[str]:
    """Return what makes a server the only node of a chat, if the tests want that now.

    Servers with the same history are the same node, one after the other.
    """
    url = Cluster.url
    if url is None or "--cluster" in options:
        return []
    history = options[options.index("--history") + 1] if "--history" in options else "off"
    what = history if history != "off" else secrets.token_hex(8)
    chat = hashlib.sha256(os.fsencode(f"{what} {log.parent}")).hexdigest()[:24]
    return ["--cluster", url, "--chat", chat]


class Server:
    """A `tertulia-server`, if needed `within` another command, and the clients of a test."""

    def __init__(
        self, options: tuple[str, ...], log: Path, within: tuple[str, ...] = (), port: int = 0
    ) -> None:
        self._log = log
        self.peers: list[Peer] = []
        arguments = [str(port), *options, *_cluster_options(options, log)]
        environment = os.environ | {"PYTHONWARNINGS": "default"}
        self.process: subprocess.Popen[bytes] | PreparedServer
        with log.open("wb") as stderr:
            if within or "--supervise" in options:
                self.process = subprocess.Popen(
                    [*within, PROGRAM, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    env=environment,
                )
            else:
                self.process = PreparedServer(
                    arguments, stderr=stderr.fileno(), environment=environment
                )
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], WAIT_S)
        line = self.process.stdout.readline().decode() if readable else ""
        address = re.fullmatch(r"listening on (\S+) (\d+)\n", line)
        if address is None:
            self.process.kill()
            self.process.wait()
        assert address, f"printed {line!r} instead of its address:\n{self.log()}"
        self.host, self.port = address[1], int(address[2])

    def __repr__(self) -> str:
        return f"<Server on {self.host} {self.port}>"

    def log(self) -> str:
        return self._log.read_text(errors="backslashreplace")

    def wait_for_log(self, pattern: str) -> str:
        """Return the log once it contains the pattern; a separate thread writes it."""
        wait_for(lambda: re.search(pattern, self.log()), f"{pattern!r} in the log")
        return self.log()

    def peer(self, source: str | None = None, host: str = "127.0.0.1", **options: Any) -> Peer:
        """Connect without registering."""
        peer = Peer(host, self.port, source, **options)
        self.peers.append(peer)
        return peer

    def user(self, name: str, source: str | None = None, **fields: Any) -> Peer:
        """Connect and register."""
        peer = self.peer(source)
        peer.register(name, **fields)
        return peer

    def has_room_for(self, name: str, source: str | None = None) -> bool:
        """Try to register; return whether the server had room."""
        peer = self.peer(source)
        with contextlib.suppress(ConnectionError):  # refused before it could send
            peer.send("register", name=name)
            answer = peer.next()
            if answer is not None and answer["type"] == "welcome":
                return True
        peer.close()
        return False

    def users(self, *names: str) -> list[Peer]:
        """Connect and register several; each has then received all of their `joined`."""
        peers = [self.user(name) for name in names]
        self.sync(*peers)
        return peers

    def sync(self, *peers: Peer) -> list[list[Message]]:
        """Let the first peer say a mark; return what else each received, up to a pong after it.

        Events with lower numbers come before the mark, and a direct message whose `ok` came before
        it has been delivered. So the returned messages are complete: no others are on their way.
        """
        mark = f"mark {next(_marks)}"
        peers[0].send("say", text=mark)
        return [peer.until("message", text=mark)[:-1] + peer.roundtrip() for peer in peers]

    def part(self) -> None:
        """Disconnect all clients and wait until the server has ended their sessions."""
        peers, self.peers = self.peers, []
        for peer in peers:
            with contextlib.suppress(OSError):
                peer.half_close()
        for peer in peers:
            peer.wait_for_end()
            peer.close()

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Return the exit status, which must come within STOP_S."""
        return self.process.wait(STOP_S)

    def stop(self) -> None:
        """Stop the server, if it still runs, and check its exit status, output and log."""
        assert self.process.stdout is not None
        for peer in self.peers:
            peer.close()
        try:
            if self.process.poll() is None:
                self.signal()
                assert self.wait() == 0, self.log()
            if not self.process.stdout.closed:
                assert self.process.stdout.read() == b"", "stdout has more than one line"
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
        assert "Traceback" not in self.log(), self.log()
        assert "ResourceWarning" not in self.log(), self.log()
