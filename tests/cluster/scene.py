"""A whole cluster for one test: nats-servers, nodes as they are installed, and users who move."""

import asyncio
import contextlib
import json
import os
import re
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import nats
from crosscheck import Observed, Stored, violations
from namespaces import Namespace
from nats_servers import NatsServers, own_address
from roamer import Address, Roamer

PROGRAM = Path(sys.executable).with_name("tertulia-server")
WAIT_S = 90.0  # for anything that must happen
SILENT_S = 10.0  # after which a node counts as dead
_OPTIONS = ("--rate-limit", "off", "--announce", "off")


def wait_until(is_so: Callable[[], object], what: str, within_s: float = WAIT_S) -> None:
    """Wait until something is so that nothing tells."""
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, f"{what}: not within {within_s:.0f} s"
        time.sleep(0.02)


class NodeProcess:
    """One node of the chat, which can be started again with the same file and address."""

    def __init__(self, name: str, host: str, root: Path, options: Sequence[str]) -> None:
        self.name, self.host, self.port = name, host, 0
        self.file = root / name / "history.db"
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self._log = root / f"{name}.log"
        names = ["--node", name] if "--cluster" in options else []  # a server alone has none
        self._options = [*options, *names, "--history", str(self.file)]
        self.within: tuple[str, ...] = ()  # a command that the node runs in
        self.is_supervised = False
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> Address:
        """Where users find the node."""
        return self.host, self.port

    def launch(self, *more: str) -> None:
        """Start the node."""
        command = [*self.within, str(PROGRAM), str(self.port), "--host", self.host]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *self._options, *_OPTIONS, *more],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def wait_listening(self, within_s: float = WAIT_S) -> None:
        """Wait until the node takes users in."""
        process = self.running
        assert process.stdout is not None
        readable, _, _ = select.select([process.stdout], [], [], within_s)
        line = process.stdout.readline().decode() if readable else ""
        found = re.fullmatch(r"listening on \S+ (\d+)\n", line)
        assert found, f"{self.name} said {line!r}: {self.log()[-3_000:]}"
        self.port = int(found[1])

    def start(self, *more: str) -> None:
        """Start the node, and wait until it takes users in."""
        self.launch(*more)
        self.wait_listening()

    @property
    def running(self) -> subprocess.Popen[bytes]:
        """The process."""
        assert self.process is not None, f"{self.name} does not run"
        return self.process

    @property
    def pid(self) -> int:
        """The id of the server itself, also within another command."""
        pid = self.running.pid
        while self.within or self.is_supervised:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            if not children:
                break
            pid = int(children[0])
        return pid

    def signal(self, number: int) -> None:
        """Send a signal to the server."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End the node by SIGKILL."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.signal(signal.SIGKILL)
            self.process.kill()
            self._close()

    def terminate(self) -> None:
        """End the node by SIGTERM, in order."""
        self.running.terminate() if self.is_supervised else self.signal(signal.SIGTERM)
        assert self.wait() == 0, self.log()[-3_000:]

    def wait(self) -> int:
        """Wait for the end of the node by itself, and return its exit status."""
        status = self.running.wait(WAIT_S)
        self._close()
        return status

    def _close(self) -> None:
        process, self.process = self.running, None
        process.wait(WAIT_S)
        assert process.stdout is not None
        process.stdout.close()

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended by itself."""
        return self.process is not None and self.process.poll() is not None

    def log(self) -> str:
        """Return what the node has said of itself, in all its runs."""
        return self._log.read_text(errors="replace")

    def stored(self) -> Stored:
        """Return what is on the disk now."""
        with contextlib.closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)) as db:
            rows = "SELECT seq, time, sender, text, nonce FROM message ORDER BY seq"
            visits = "SELECT key, name, address, joined, ended, reason FROM visit ORDER BY key"
            return Stored(db.execute(rows).fetchall(), db.execute(visits).fetchall(), self.log())


class Scene:
    """Nodes a, b, c … and their users."""

    def __init__(
        self, root: Path, servers: NatsServers, chat: str, count: int, options: Sequence[str]
    ) -> None:
        self.root, self.nats, self.chat = root, servers, chat
        hosts = own_address().rsplit(".", 1)[0]
        cluster = ["--cluster", ",".join(servers.urls), "--chat", chat]
        self.nodes = [
            NodeProcess(name, f"{hosts}.{200 + index}", root, [*cluster, *options])
            for index, name in enumerate("abcdefgh"[:count])
        ]
        self.users: list[Roamer] = []
        self._cluster = cluster
        self.namespace: Namespace | None = None  # that of the second node
        self.epochs = 1  # that the numbering may have had

    @contextlib.contextmanager
    def another(self, name: str) -> Iterator[NodeProcess]:
        """Give a further process for a while, which no check looks at."""
        node = NodeProcess(name, self.nodes[0].host, self.root / "more", self._cluster)
        try:
            yield node
        finally:
            node.kill()

    def start(self) -> None:
        """Start all nodes, the first one alone: it makes the log."""
        self.nodes[0].start()
        for node in self.nodes[1:]:
            node.launch()
        for node in self.nodes[1:]:
            node.wait_listening()

    @property
    def leader(self) -> int:
        """Which nats-server leads the log."""
        return self.nats.leader(f"TERTULIA-{self.chat}")

    @property
    def follower(self) -> int:
        """A nats-server that does not lead it."""
        return next(index for index in range(self.nats.count) if index != self.leader)

    def add_users(self, per_node: int, rate: float, *, roams: bool = True) -> list[Roamer]:
        """Let users come to every node, and wait until they are in."""
        addresses = [node.address for node in self.nodes]
        added = [
            Roamer(
                f"{node.name}{len(self.users)}-{number}", addresses, home, rate=rate, roams=roams
            )
            for home, node in enumerate(self.nodes)
            for number in range(per_node)
        ]
        self.add(added)
        return added

    def add(self, users: Sequence[Roamer]) -> None:
        """Let users come, and wait until they are in."""
        self.users += users
        for user in users:
            user.start()
        self._wait(lambda: all(user.is_in for user in users), "the users are in")

    def users_at(self, index: int) -> list[Roamer]:
        """Return the users who are at a node now."""
        host, port = self.nodes[index].address
        return [user for user in self.users if user.node == f"{host}:{port}"]

    @property
    def talkers(self) -> list[Roamer]:
        """The users who say something by themselves."""
        return [user for user in self.users if user.rate]

    def wait_for_oks(self, count: int = 10, *users: Roamer) -> None:
        """Wait until each user who talks has got some more acknowledgements."""
        targets = [(user, len(user.ok_times) + count) for user in users or self.talkers]
        self._wait(lambda: all(len(u.ok_times) >= goal for u, goal in targets), "the users talk")

    def wait_for_left(self, name: str) -> None:
        """Wait until some user has seen that another one has left for good."""

        def is_gone() -> bool:
            return any(
                event["type"] == "left" and event["name"] == name and event["reason"] == "lost"
                for user in self.users
                for visit in user.seen.visits
                for event in list(visit.events)
            )

        self._wait(is_gone, f"{name} has left")

    def wait_for_lists(self, names: Iterable[str]) -> None:
        """Wait until every user was told a list with all these names on it."""
        wanted = set(names)
        self._wait(
            lambda: all(u.seen.lists and wanted <= set(u.seen.lists[-1][1]) for u in self.users),
            "the users see all names",
        )

    def wait_for_stops(self) -> None:
        """Wait until all nodes have ended by themselves, each with a status that says why."""
        self._wait(lambda: all(node.has_ended for node in self.nodes), "the nodes stop")
        assert 0 not in [node.wait() for node in self.nodes]

    def delete_log(self) -> None:
        """Remove the stream."""
        self._ask_jetstream("DELETE", {})

    def shorten_log(self, entries: int) -> None:
        """Keep fewer entries from now on."""
        name = f"TERTULIA-{self.chat}"
        config = self._ask_jetstream("INFO", {})["config"]
        self._ask_jetstream("UPDATE", {**config, "name": name, "max_msgs": entries})

    def _ask_jetstream(self, verb: str, question: dict[str, Any]) -> dict[str, Any]:
        async def ask() -> bytes:
            client = await nats.connect(list(self.nats.urls))
            subject = f"$JS.API.STREAM.{verb}.TERTULIA-{self.chat}"
            try:
                data = json.dumps(question).encode()
                return (await client.request(subject, data, timeout=10)).data
            finally:
                await client.close()

        answer: dict[str, Any] = json.loads(asyncio.run(ask()))
        assert "error" not in answer, answer
        return answer

    def wait_for(self, is_so: Callable[[], object], what: str) -> None:
        """Wait until something is so."""
        self._wait(is_so, what)

    def _wait(self, is_so: Callable[[], object], what: str) -> None:
        def look() -> object:
            for user in self.users:
                if user.failure is not None:
                    raise AssertionError(user.seen.name) from user.failure
            return is_so()

        wait_until(look, what)

    def settle(self) -> None:
        """Let the users fall silent, and everything that is under way arrive everywhere."""
        for user in self.users:
            user.be_quiet()

        def is_settled() -> bool:
            # One user's last word is the highest number of a message.
            last = max(
                (max(u.seen.acknowledged.values(), default=0) for u in self.users), default=0
            )
            return all(user.is_settled and user.last >= last for user in self.users)

        self._wait(is_settled, "everything said has arrived")

    def check(self) -> list[str]:
        """Settle, and return every broken promise."""
        self.settle()
        observed: list[Observed] = [user.seen for user in self.users]
        looks: list[dict[str, Stored]] = []

        def are_files_equal() -> bool:
            running = [node for node in self.nodes if node.process is not None]
            looks[:] = [{node.name: node.stored() for node in running}]
            return self._are_equal(looks[-1])

        with contextlib.suppress(AssertionError):  # the checker says what is not the same
            wait_until(are_files_equal, "the nodes store the same", WAIT_S / 2)
        return list(violations(observed, looks[-1], self.epochs))

    def _are_equal(self, look: dict[str, Stored]) -> bool:
        first, *others = look.values()
        last = max((max(u.seen.acknowledged.values(), default=0) for u in self.users), default=0)
        is_whole = not last or bool(first.rows and first.rows[-1][0] >= last)
        return is_whole and all(
            (one.rows, one.attendance) == (first.rows, first.attendance) for one in others
        )

    def said(self) -> int:
        """Return how many messages were acknowledged."""
        return sum(len(user.seen.acknowledged) for user in self.users)

    def close(self) -> None:
        """End everything that was started here."""
        try:
            for user in self.users:
                user.end()
        finally:
            for node in self.nodes:
                node.kill()


@contextlib.contextmanager
def scene(
    root: Path,
    servers: NatsServers,
    chat: str,
    count: int = 3,
    *,
    within: Namespace | None = None,
) -> Iterator[Scene]:
    """Run a cluster for a while. `within` is a network for the second node alone."""
    made = Scene(root, servers, chat, count, ["--shared-addresses"] if within else [])
    if within is not None:
        made.namespace = within
        made.nodes[1].host, made.nodes[1].within = within.node, within.within
    try:
        made.start()
        yield made
    finally:
        made.close()
