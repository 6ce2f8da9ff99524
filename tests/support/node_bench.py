"""The parts of one worker of a node, of which the test decides what its log takes in."""

from math import inf
from types import SimpleNamespace
from typing import Any

from cluster_bench import Bench
from worker_bench import WorkerBench, socket_of

from tertulia.protocol.messages import Register
from tertulia.server.doors.native import NativeDoor
from tertulia.server.workers.admission import Admission
from tertulia.server.workers.connection import Connection
from tertulia.server.workers.shared import Shared


class NodeBench(WorkerBench):
    """One worker of one node; `far` is another node."""

    def __init__(self, beside: "NodeBench | None" = None) -> None:
        if beside is None:
            self.chat = Bench("a", "b", rate_limit_per_s=None, operator_secret="s" * 20)
            self.near, self.far = self.chat["a"], self.chat["b"]
            config, hub = self.near.config, self.near.hub
            shared = Shared(config, hub, None, Admission(config), NativeDoor)
            shared.switchboard = self.near.switchboard
            shared.node = hub
            hub.serve_until(inf)
            first: Any = SimpleNamespace(clock=self.near.clock, shared=shared)
        else:
            self.chat, self.near, self.far, first = beside.chat, beside.near, beside.far, beside
        super().__init__(beside=first)

    def settle(self) -> None:
        """Let the log take in what was proposed, and read what comes of it."""
        while True:
            self.chat.settle()
            if not self.read_mail() and not self.near.air:
                return

    def enter(self, name: str, address: str | None = None, **fields: Any) -> Connection:
        """Register a user; everyone has heard of it."""
        connection = self.connect(address or f"10.0.1.{len(self.near.users()) + 1}")
        self.receive(connection, Register(name=name, **fields))
        self.settle()
        self.flush()
        for one in self.connections:
            socket_of(one).sent.clear()
        assert connection.session is not None, name
        return connection

    def routes(self) -> int:
        """Return how many routes are in use."""
        return len(self.shared.switchboard._mailboxes)

    def texts(self, connection: Connection) -> list[str]:
        """Return what a client got since the last time, in short."""
        return [getattr(one, "text", None) or type(one).__name__ for one in self.heard(connection)]
