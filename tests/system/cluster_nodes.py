"""Several nodes of one chat in tests: real servers, a real nats-server, and what is in their files.

Each node has a folder of its own, in which it finds its history again after a restart.
"""

import contextlib
import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nats_servers import NatsServers
from peers import Server, wait_for

from tertulia.server.cluster.link import Link

_TABLES = {
    "message": "seq, time, sender, text, nonce",
    "hook_message": "key",
    "visit": "key, name, address, joined, ended, reason",
} | dict.fromkeys(("ban", "mute", "switch", "pin", "hook", "held_name", "insider"), "*")


class Nodes:
    """The nodes of one chat, by their names."""

    def __init__(self, nats: NatsServers, chat: str, root: Path, threads: str) -> None:
        self.nats = nats
        self.chat = chat
        self._root = root
        self._threads = threads
        self._starts = itertools.count(1)
        self.servers: dict[str, Server] = {}

    def history(self, node: str) -> Path:
        """Return the path of a node's file."""
        return self._root / f"{node}.db"

    def start(self, node: str, *options: str, within: tuple[str, ...] = ()) -> Server:
        """Start a node with the history it had; it returns when the node serves."""
        log = self._root / f"{node}-{next(self._starts)}.log"
        history = () if "--history" in options else ("--history", str(self.history(node)))
        common = ("--threads", self._threads, "--rate-limit", "off", "--host", "127.0.0.1")
        cluster = ("--cluster", ",".join(self.nats.urls), "--chat", self.chat, "--node", node)
        everything = (*common, *cluster, *history, *options)
        self.servers[node] = server = Server(everything, log, within)
        return server

    def alone(self, node: str, *options: str) -> Server:
        """Start a server without the others, with the history of a node."""
        log = self._root / f"{node}-{next(self._starts)}.log"
        common = ("--threads", self._threads, "--rate-limit", "off", "--host", "127.0.0.1")
        server = Server((*common, "--history", str(self.history(node)), *options), log)
        self.servers[node] = server
        return server

    def kill(self, node: str) -> None:
        """Kill a node with SIGKILL."""
        server = self.servers.pop(node)
        server.process.kill()
        server.process.wait()
        for peer in server.peers:
            peer.close()
        assert server.process.stdout is not None
        server.process.stdout.close()

    def stop(self, node: str) -> Server:
        """Stop a node, and return it."""
        server = self.servers.pop(node)
        server.stop()
        return server

    def close(self) -> None:
        """Stop all nodes, all at once."""
        servers, self.servers = self.servers, {}
        for server in servers.values():
            for peer in server.peers:
                peer.close()
            with contextlib.suppress(ProcessLookupError):
                server.signal()
        for server in servers.values():
            server.stop()

    def make_log(self, max_bytes: int) -> None:
        """Make the chat's log, so small that it soon reaches back a short way only."""
        with self._link(max_bytes) as link:
            link.open_stream()

    def lose_log(self) -> None:
        """Remove the chat's log."""
        with self._link() as link:
            link.delete_stream()

    @contextlib.contextmanager
    def _link(self, max_bytes: int = 64 << 20) -> Iterator[Link]:
        link = Link(
            *(self.nats.urls, self.chat, "test", None),
            on_entries=lambda _: None,
            on_tick=lambda: None,
            on_log_lost=lambda _: None,
            on_hole=lambda _: None,
            max_bytes=max_bytes,
        )
        link.start()
        try:
            yield link
        finally:
            link.stop(10.0)

    def rows(self, node: str) -> dict[str, list[Any]]:
        """Return what a node has in its file."""
        return rows_of(self.history(node))

    def wait_for_rows(self, node: str, rows: dict[str, list[Any]]) -> None:
        """Wait until a node has these rows in its file."""
        for table, wanted in rows.items():
            wait_for(
                lambda table=table, wanted=wanted: self.rows(node)[table] == wanted,
                f"{node} has the same {table}s",
            )

    def wait_until_same(self, *nodes: str) -> None:
        """Wait until these nodes have the same rows in their files."""
        first, *others = nodes
        try:
            wait_for(lambda: all(self.rows(one) == self.rows(first) for one in others))
        except AssertionError:
            for other in others:
                for table, rows in self.rows(first).items():
                    found = self.rows(other)[table]
                    assert found == rows, f"{table}: {first} and {other} differ"
            raise


def rows_of(path: Path) -> dict[str, list[Any]]:
    """Return the rows of a history's file that all nodes have alike."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return {
            table: db.execute(f"SELECT {columns} FROM {table} ORDER BY 1").fetchall()
            for table, columns in _TABLES.items()
        }


@contextlib.contextmanager
def nodes_of(nats: NatsServers, chat: str, root: Path, threads: str) -> Iterator[Nodes]:
    """Let nodes be started, and stop them in the end."""
    nodes = Nodes(nats, chat, root, threads)
    try:
        yield nodes
    finally:
        nodes.close()
