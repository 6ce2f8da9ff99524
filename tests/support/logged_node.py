"""One whole node without NATS, threads or workers: a list of entries is its log.

Its clock stands. Whenever it sleeps, and when a test says so, its link has a turn: what the node
has proposed goes into the log, and what is new there comes back.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from cluster_bench import Log

from tertulia.i18n import set_language
from tertulia.server.cluster import node as node_module
from tertulia.server.cluster import peers, transfer
from tertulia.server.cluster.commands import PYTHON, Command, NodeUp, pack, unpack
from tertulia.server.cluster.consumer import Counts
from tertulia.server.cluster.node import Node
from tertulia.server.cluster.stream import StreamState
from tertulia.server.config import Config
from tertulia.server.workers.switchboard import Switchboard


class LogLink:
    """Stands in for a node's link, and for the other nodes, which answer as a test says."""

    def __init__(self, log: Log, **callbacks: Any) -> None:
        self.log = log
        self.on_entries, self.on_tick = callbacks["on_entries"], callbacks["on_tick"]
        self.on_log_lost, self.on_hole = callbacks["on_log_lost"], callbacks["on_hole"]
        self.stats = Counts()
        self.is_connected, self.log_end = True, 0
        self.denied: Exception | None = None  # the permission that is lacking
        self.takes_entries = True  # otherwise they get lost on the way
        self.air: list[bytes] = []  # what is proposed and not in the log yet
        self.proposed: list[Command] = []
        self.applied: list[int] = []  # how far the node was, each time that it proposed something
        self.asked: list[tuple[str, str]] = []  # nodes and verbs
        self.questions: list[tuple[bytes, Any]] = []  # with what gets their answers
        self.answers: dict[str, bytes] = {}  # by verb
        self.served: dict[str, Any] = {}  # by node and verb
        self.first_place = 0  # from where the node reads the log
        self.next_place: int | None = None
        self.at_a_time = 1_000  # entries that come back in one turn
        self.is_in_turn = False
        self.is_deleted = False
        self.stopped_within_s = -1.0

    def start(self) -> None: ...

    def stop(self, timeout_s: float) -> bool:
        self.stopped_within_s = timeout_s
        return True

    def open_stream(self) -> StreamState:
        last = len(self.log.entries)
        return StreamState(min(last, 1), last, last, 3, 1 << 30, "2026-11-22T15:00:00Z")

    def delete_stream(self) -> None:
        self.log.entries.clear()
        self.is_deleted = True

    def check_permissions(self) -> None:
        if self.denied is not None:
            raise self.denied

    def consume_from(self, place: int) -> None:
        self.first_place = self.next_place = place

    def call(self, step: Any) -> None:
        step()

    def propose(self, data: bytes, applied: int) -> None:
        batch = unpack(data)
        assert batch is not None
        self.proposed += batch.commands
        self.applied.append(applied)
        if self.takes_entries:
            self.air.append(data)

    def publish(self, _subject: str, _data: bytes) -> None: ...

    def request(self, subject: str, data: bytes, _timeout_s: float, done: Any) -> None:
        self.asked.append((subject.split(".")[-2], subject.split(".")[-1]))
        self.questions.append((data, done))

    def ask(self, subject: str, _data: bytes, _timeout_s: float) -> bytes | None:
        return self.answers.get(subject.rsplit(".", 1)[1])

    def serve(self, subject: str, handler: Any) -> None:
        self.served[subject.split(".", 2)[2]] = handler

    def count(self, kind: type) -> int:
        """Return how often a command of a kind was proposed."""
        return sum(type(command) is kind for command in self.proposed)

    def bring_back(self) -> None:
        """Let what was proposed go into the log, and entries of the log come back."""
        air, self.air = self.air, []
        for data in air:
            self.log.put(data)
        if self.next_place is not None:
            first = self.next_place - 1
            entries = self.log.entries[first : first + self.at_a_time]
            self.next_place += len(entries)
            if entries:
                self.on_entries(entries)

    def turn(self) -> None:
        """Let the node tick, then bring entries back; not while it sleeps in a turn."""
        if not self.is_in_turn:
            self.is_in_turn = True
            self.on_tick()
            self.bring_back()
            self.is_in_turn = False


class LoggedNode:
    """The node "a", its log, and what its workers and the program get from it."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        log: Log | None = None,
        history: Any = None,
        addresses: Sequence[str] = ("10.0.0.1:5000",),
        **options: Any,
    ) -> None:
        set_language("en")
        self.log = log or Log()
        self.s = 1_000.0
        self.pace_s = 0.0  # how long each sleep is at least
        self.while_asleep: Callable[[], object] = lambda: None
        self.failed: list[str] = []
        self.begun_anew = 0
        self.posts: list[Any] = []
        self.woken: list[float] = []
        self.link: LogLink
        for module in (node_module, peers, transfer):
            monkeypatch.setattr(module, "time", self)
        monkeypatch.setattr(node_module, "Link", self._make_link)
        config = Config(port=0, cluster=("nats://a:4222",), node="a", **options)
        self.node = Node(
            *(config, history, lambda: list(addresses), self.failed.append, self._begin_anew)
        )
        self.switchboard = Switchboard("a")
        self.node.attach(self.switchboard, self.posts.append, self.woken.append)

    def _make_link(self, *_args: Any, **callbacks: Any) -> LogLink:
        self.link = LogLink(self.log, **callbacks)
        return self.link

    def _begin_anew(self) -> None:
        self.begun_anew += 1

    # The node and its parts have this as their module `time`.

    def monotonic(self) -> float:
        return self.s

    def sleep(self, seconds: float) -> None:
        self.s += max(seconds, self.pace_s)
        self.while_asleep()
        self.link.turn()

    # What a test does.

    def turn(self, after_s: float = 0.0) -> None:
        """Let some time go by, then let the link have its turn."""
        self.s += after_s
        self.link.turn()

    def lag(self, after_s: float = 0.0) -> None:
        """Let some time go by in which no entry goes into the log."""
        self.s += after_s
        self.link.on_tick()

    def other(self, *commands: Command, number: int = 0, after_ms: int = 0) -> None:
        """Put a batch of the node "b" into the log."""
        nodes = self.node.replica.nodes.by_name
        incarnation = nodes["b"].incarnation if number else 0
        self.log.put(pack("b", incarnation, number, list(commands)), after_ms)

    def other_comes_up(self, *addresses: str, boot: str = "b1") -> None:
        """Let the node "b" come up, for which this node has to be up."""
        self.other(NodeUp(boot, 1, list(addresses), PYTHON))
        self.turn()

    def posted(self, kind: type) -> list[Any]:
        """Return and forget the mails of a kind that the workers have got."""
        found = [mail for mail in self.posts if type(mail) is kind]
        self.posts[:] = [mail for mail in self.posts if type(mail) is not kind]
        return found
