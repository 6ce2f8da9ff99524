"""nats-servers for tests, on loopback: start, pause, kill, and ask which one leads a stream.

They write to the disk before they acknowledge (`sync_interval: always`), as a chat wants it.
The file is not called `nats.py`, because the tests' own modules come before installed ones.
"""

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from suspended import suspend

PROGRAM = Path(sys.executable).with_name("nats-server")
_READY_S = 60.0  # generous, since several tests start some at once; it takes 0.1 s, three 1 to 4 s

_instances = itertools.count()


def own_address() -> str:
    """Return a loopback address of this process, so that ports of one's own need no search."""
    pid = os.getpid()
    return f"127.{64 + (pid >> 16) % 64}.{(pid >> 8) % 256}.{pid % 256}"


class NatsServers:
    """One nats-server, or three as one cluster. `settings` are lines for all their files."""

    def __init__(
        self,
        root: Path,
        count: int = 1,
        *,
        settings: str = "",
        storage: str = "1TB",
        jetstream: bool = True,
        host: str | None = None,
    ) -> None:
        self.host = host or own_address()
        self.root = root
        self.count = count
        self._settings = settings
        self._storage = storage
        self._has_jetstream = jetstream
        self._base = 24_222 + 10 * next(_instances)
        self._processes: list[subprocess.Popen[bytes] | None] = [None] * count
        try:
            for index in range(count):
                self.launch(index)
            self.wait_ready()
        except BaseException:
            self.close()
            raise

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses for `--cluster`."""
        return tuple(f"nats://{self.host}:{self.port(index)}" for index in range(self.count))

    def port(self, index: int) -> int:
        """Return the port for nodes of one of the servers."""
        return self._base + index

    def pid(self, index: int) -> int:
        """Return the id of one of the servers' process."""
        return self._running(index).pid

    def change_settings(self, settings: str) -> None:
        """Have other settings from the next start on."""
        self._settings = settings

    def store(self, index: int) -> Path:
        """Return the folder in which one of the servers keeps its streams."""
        return self.root / f"n{index}" / "js"

    def log(self, index: int) -> str:
        """Return what one of the servers wrote about itself."""
        return (self.root / f"n{index}.log").read_text(errors="replace")

    def start(self, index: int) -> None:
        """Start a server with the store it had, and wait until it is ready."""
        self.launch(index)
        self.wait_ready()

    def launch(self, index: int) -> None:
        """Start a server with the store it had."""
        assert self._processes[index] is None, "it is running"
        path = self.root / f"n{index}.conf"
        path.write_text(self._file(index))
        with (self.root / f"n{index}.log").open("ab") as log:
            self._processes[index] = subprocess.Popen([PROGRAM, "-c", path], stdout=log, stderr=log)

    def _file(self, index: int) -> str:
        text = f"""
server_name: n{index}
listen: "{self.host}:{self.port(index)}"
http: "{self.host}:{self._base + 6 + index}"
{self._settings}
"""
        if self._has_jetstream:
            text += f"""
jetstream {{ store_dir: "{self.store(index)}", max_mem: 256MB
  max_file: {self._storage}, sync_interval: always }}
"""
        if self.count > 1:
            peers = [f"{self.host}:{self._base + 3 + other}" for other in range(self.count)]
            routes = ", ".join(f'"nats://{peer}"' for peer in peers)
            text += f'cluster {{ name: t, listen: "{peers[index]}", routes: [{routes}] }}\n'
        return text

    @property
    def _health(self) -> str:
        return "healthz?js-enabled-only=true" if self._has_jetstream else "healthz"

    def kill(self, index: int, number: int = signal.SIGKILL) -> None:
        """End a server by SIGKILL or SIGTERM, and wait until it has ended."""
        process = self._processes[index]
        self._processes[index] = None
        if process is None:
            return
        process.send_signal(signal.SIGCONT)
        process.send_signal(number)
        process.wait(_READY_S)

    def forget(self, index: int) -> None:
        """Remove the store of a server that does not run."""
        assert self._processes[index] is None, "it is running"
        shutil.rmtree(self.store(index))

    def pause(self, index: int) -> None:
        """Stop a server by SIGSTOP."""
        suspend(self._running(index).pid)

    def resume(self, index: int) -> None:
        """Let a stopped server go on."""
        self._running(index).send_signal(signal.SIGCONT)

    def _running(self, index: int) -> subprocess.Popen[bytes]:
        process = self._processes[index]
        assert process is not None, "it does not run"
        return process

    def close(self) -> None:
        """Kill all servers."""
        for index in range(self.count):
            self.kill(index)

    def wait_ready(self) -> None:
        """Wait until all servers that run have JetStream, and a cluster has a leader."""
        self._wait(self._is_ready, "the nats-servers are not ready")

    def _is_ready(self) -> bool:
        running = [index for index, process in enumerate(self._processes) if process]
        healthy = all(self.ask(index, self._health).get("status") == "ok" for index in running)
        if not healthy or self.count == 1:
            return healthy
        # One server alone of three has no leader, and needs none to be started.
        is_majority = 2 * len(running) > self.count
        return not is_majority or all(
            self.ask(index, "jsz").get("meta_cluster", {}).get("leader") for index in running
        )

    def leader(self, stream: str) -> int:
        """Return the index of the server that leads a stream; wait until one does."""
        found: list[int] = []

        def look() -> bool:
            for index, process in enumerate(self._processes):
                if process is not None:
                    found.extend(self._leaders(index, stream))
            return bool(found)

        self._wait(look, f"nobody leads {stream}")
        return found[0]

    def _leaders(self, index: int, stream: str) -> Iterable[int]:
        for account in self.ask(index, "jsz?streams=1").get("account_details", []):
            for detail in account.get("stream_detail", []):
                if detail["name"] == stream:
                    name = detail.get("cluster", {}).get("leader")
                    if name or self.count == 1:
                        yield int(name[1:]) if name else index

    def ask(self, index: int, path: str) -> dict[str, Any]:
        """Return an answer of a server's monitoring page; an empty one if it does not answer."""
        url = f"http://{self.host}:{self._base + 6 + index}/{path}"
        try:
            with urllib.request.urlopen(url, timeout=2) as response:
                answer: dict[str, Any] = json.load(response)
                return answer
        except (OSError, ValueError):
            return {}

    def _wait(self, is_so: Any, otherwise: str) -> None:
        deadline = time.monotonic() + _READY_S
        while not is_so():
            for index, process in enumerate(self._processes):
                if process is not None and process.poll() is not None:
                    raise AssertionError(f"a nats-server has ended: {self.log(index)[-2_000:]}")
            if time.monotonic() > deadline:
                logs = [self.log(index)[-1_000:] for index in range(self.count)]
                raise AssertionError(f"{otherwise}: {logs}")
            time.sleep(0.02)


@contextlib.contextmanager
def nats_servers(root: Path, count: int = 1, **options: Any) -> Iterator[NatsServers]:
    """Run nats-servers for a while."""
    servers = NatsServers(root, count, **options)
    try:
        yield servers
    finally:
        servers.close()


@pytest.fixture(scope="session")
def one_nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServers]:
    """A nats-server for all tests of this process: each takes a chat's name of its own."""
    with nats_servers(tmp_path_factory.mktemp("nats")) as servers:
        yield servers


@pytest.fixture(scope="module")
def three_nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServers]:
    """Three nats-servers for the tests of one file; a test leaves all of them running."""
    with nats_servers(tmp_path_factory.mktemp("nats"), 3) as servers:
        yield servers


_chats = itertools.count(1)


@pytest.fixture
def chat() -> str:
    """A name of a chat that no other test of this process has."""
    return f"chat{next(_chats)}"
