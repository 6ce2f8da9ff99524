"""A node's end of a link for tests: it notes what the link tells it, and waits for it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nats_servers import NatsServers

from tertulia.server.cluster.link import Entry, Link

WAIT_S = 60.0
MAX_BYTES = 64 << 20


class LinkedNode:
    """A link, and everything that it has handed on."""

    def __init__(self, servers: tuple[str, ...], chat: str, **options: Any) -> None:
        self.entries: list[Entry] = []
        self.lists = 0
        self.lost: list[str] = []
        self.holes: list[int] = []
        self.ticks = 0
        self.before_entries: Callable[[], None] = lambda: None
        self._changed = threading.Condition()
        credentials = options.pop("credentials", None)
        options = {"max_bytes": MAX_BYTES, "tick_s": 0.02, **options}
        self.link = Link(
            servers, chat, "a", credentials,
            on_entries=self._take, on_tick=self._tick, on_log_lost=self._note(self.lost),
            on_hole=self._note(self.holes), **options,
        )  # fmt: skip

    def _take(self, entries: list[Entry]) -> None:
        self.before_entries()
        with self._changed:
            self.entries += entries
            self.lists += 1
            self._changed.notify_all()

    def _tick(self) -> None:
        with self._changed:
            self.ticks += 1
            self._changed.notify_all()

    def _note(self, into: list[Any]) -> Callable[[Any], None]:
        def note(what: Any) -> None:
            with self._changed:
                into.append(what)
                self._changed.notify_all()

        return note

    @property
    def places(self) -> list[int]:
        """The places of all entries, in the order in which they came."""
        return [entry.place for entry in self.entries]

    def wait(self, is_so: Callable[[], object]) -> None:
        """Wait until something is so; it is asked after each tick and each thing handed on."""
        with self._changed:
            assert self._changed.wait_for(is_so, WAIT_S), (
                f"{len(self.entries)} entries, lost: {self.lost}, holes: {self.holes}"
            )

    def propose(self, *texts: bytes) -> None:
        """Propose entries once, all in one step."""
        self.link.call(lambda: [self.link.propose(text, len(self.entries)) for text in texts])

    def insist(self, text: bytes) -> None:
        """Propose an entry again at each tick until it has come back, as the proposer does."""
        self.wait(lambda: self._has_come(text) or self.propose(text))

    def _has_come(self, text: bytes) -> bool:
        return any(entry.data == text for entry in reversed(self.entries))


@contextmanager
def linked_node(nats: NatsServers, chat: str, **options: Any) -> Iterator[LinkedNode]:
    """Start a link, open the chat's stream and read it from its first entry."""
    node = LinkedNode(options.pop("servers", nats.urls), chat, **options)
    node.link.start()
    try:
        node.link.open_stream()
        node.link.consume_from(1)
        yield node
    finally:
        assert node.link.stop(WAIT_S)
