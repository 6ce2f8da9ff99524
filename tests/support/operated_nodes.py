"""Two nodes without NATS: an operator is on one, and a user on the other one."""

from typing import Any

from cluster_bench import Bench, BenchNode

from tertulia.protocol.moderation import BecomeOperator
from tertulia.server.hub.session import Session
from tertulia.server.hub.wait import Wait


class Chat(Bench):
    """Two nodes: ana, an operator, on one, and luis on the other one."""

    def __init__(self, **options: Any) -> None:
        super().__init__("a", "b", **options)
        self.a, self.b = self["a"], self["b"]
        self.ana = self.a.join("ana", "10.0.0.1")
        self.a.hub.moderator.promote(self.ana, BecomeOperator(secret=""))
        self.settle()
        self.luis = self.b.join("luis", "10.0.0.2")
        self.settle()
        self.a.mail.collect()
        self.b.mail.collect()

    def done(self, request: Any, session: Session | None = None, node: str = "a") -> Any:
        """Carry out what an operator asks for; return the outcome."""
        proposer = self[node]
        assert proposer.operate(session or self.ana, request) is Wait.FOR_ORDER
        self.settle()
        (outcome,) = proposer.mail.outcomes()
        self.check_alike()
        return outcome

    def texts(self, node: BenchNode) -> list[str]:
        return [one.text for one in node.events() if type(one).__name__ == "ChatMessage"]
