"""Nodes with real histories that ask one another, without a network or a link's thread."""

import threading
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from typing import Any

from stored_messages import message

from tertulia.protocol.attendance import AttendancePage
from tertulia.protocol.messages import Error, GetHistory, HistoryPage, Search
from tertulia.server.cluster.fetcher import Fetcher
from tertulia.server.cluster.peer_history import HistoryResponder, NodeContext
from tertulia.server.cluster.relay import PageRelay
from tertulia.server.config import Config
from tertulia.server.history.mail import PageReady, PageRequest, PageTicket
from tertulia.server.history.node import NodeHistory
from tertulia.server.hub.eventlog import EventLog

WAIT_S = 20.0


class Here:
    """A node without a network: its history, what it asks, and the steps of its link's thread."""

    def __init__(self, path: Path | None, chat: "Chat", name: str) -> None:
        self.chat = chat
        self.name = name
        self.seq = 0
        self.steps: Queue[Callable[[], None]] = Queue()
        self.history: NodeHistory | None = None
        context = NodeContext(
            log=lambda: "log", place=lambda: self.seq, seq=lambda: self.seq, up=self.others_up,
            are_all_up=lambda: not chat.down, ask=self.ask, call=self.steps.put,
        )  # fmt: skip
        if path is not None:
            self.history = NodeHistory(path, Config(port=0, cluster=("nats://127.0.0.1:1",)))
            self.fetcher = Fetcher(self.history, context)
        events = EventLog(threading.Lock(), 1_000_000, 0)
        self.relay = PageRelay(self.history, context, events)
        if self.history is not None:
            self.history.ask_elsewhere = self.relay.ask
        self.responder = HistoryResponder(self.history, context)
        self.answers: Queue[PageReady] = Queue()

    def others_up(self) -> list[str]:
        others = set(self.chat.nodes) - {self.name} - self.chat.down
        return sorted(others)

    def ask(self, node: str, verb: str, data: bytes, _timeout_s: float, done: Any) -> None:
        self.chat.asked.append(node)
        if node in self.chat.mute:
            self.steps.put(lambda: done(None))
            return

        def reply(answer: bytes) -> None:
            self.steps.put(lambda: done(answer))

        self.chat.nodes[node].responder.verbs[verb](data, reply)

    def put(self, seqs: range) -> None:
        """Write messages and go on to the last of them."""
        assert self.history is not None
        for seq in seqs:
            self.history.reserve_space()
            self.history.write(message(seq, f"number {seq}"), None)
            self.seq = seq

    def run(self, until: Callable[[], object]) -> None:
        """Do what the link's thread has to do, until something is so."""
        while not until():
            self.steps.get(timeout=WAIT_S)()

    def post(self, mail: PageReady) -> bool:
        self.answers.put(mail)
        self.steps.put(lambda: None)
        return True

    def ask_page(
        self, request: PageRequest, *, is_for_held: bool = False
    ) -> HistoryPage | AttendancePage | Error:
        """Ask as a client's worker does."""
        pages = self.relay if self.history is None else self.history
        pages.ask(PageTicket(request, self, 7, is_for_held))
        self.run(lambda: not self.answers.empty())
        mail = self.answers.get()
        assert mail.session_number == 7
        return mail.page

    def seqs(self, request: GetHistory | Search) -> tuple[list[int], bool]:
        page = self.ask_page(request)
        assert isinstance(page, HistoryPage), page
        return [each.seq for each in page.messages], page.more

    def fetch_all(self) -> None:
        """Let ticks go by until nothing is missing."""
        assert self.history is not None
        while self.history.missing:
            self.fetcher.tick()
            while not self.steps.empty():
                self.steps.get()()


class Chat:
    """Nodes that can ask one another. Those that are `mute` do not answer."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.nodes: dict[str, Here] = {}
        self.mute: set[str] = set()
        self.down: set[str] = set()
        self.asked: list[str] = []

    def node(self, name: str, *, lacks_through: int = 0, has_history: bool = True) -> Here:
        """Add a node that lacks the rows up to a number."""
        node = Here(self._root / f"{name}.db" if has_history else None, self, name)
        if node.history is not None:
            if lacks_through:
                node.history.note_missing(0, lacks_through)
                node.seq = lacks_through
            node.history.start()
        self.nodes[name] = node
        return node
