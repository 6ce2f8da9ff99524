"""Several nodes without NATS whose letters to each other arrive, or get lost, as a test says."""

from typing import Any

from cluster_bench import Bench, BenchNode

from tertulia.protocol.messages import Direct, Received
from tertulia.server.cluster import letters
from tertulia.server.cluster.peers import Peers
from tertulia.server.hub.session import Session
from tertulia.server.workers.mail import Replies


class Room:
    """Some nodes, and the letters between them, which arrive when a test says so."""

    def __init__(self, *names: str) -> None:
        self.bench = Bench(*names, private_bytes=20_000)
        self.air: list[tuple[str, bytes]] = []
        self.peers = {name: self._peers_of(self.bench[name]) for name in names}

    def __getitem__(self, name: str) -> BenchNode:
        return self.bench[name]

    def _peers_of(self, node: BenchNode) -> Peers:
        link: Any = self
        executor = node.replica.executor
        assert executor is not None
        return Peers(
            *("chat", node.name, node.hub, link, node.proposer, node.switchboard),
            *(executor.session_at, lambda: set(node.replica.nodes.up()), 3.0),
        )

    def call(self, step: Any) -> None:
        step()

    def publish(self, subject: str, data: bytes) -> None:
        self.air.append((subject.split(".")[3], data))

    def carry(self, without: type | None = None) -> list[Any]:
        """Let all letters arrive but those of a kind, and those that they lead to; return all."""
        carried = []
        while self.air:
            to, data = self.air.pop(0)
            envelope = letters.unpack(data)
            assert envelope is not None
            carried += envelope.letters
            arriving = [one for one in envelope.letters if type(one) is not without]
            self.peers[to].receive(letters.pack(letters.Envelope(envelope.sender, arriving)))
        return carried

    def lose(self, kind: type) -> int:
        """Let all letters arrive but those of a kind; return how many of these there were."""
        lost = 0
        while self.air:
            to, data = self.air.pop(0)
            envelope = letters.unpack(data)
            assert envelope is not None
            if any(type(one) is kind for one in envelope.letters):
                lost += 1
            else:
                self.peers[to].receive(data)
        return lost

    def pass_time(self, seconds: float) -> None:
        for name, peers in self.peers.items():
            self[name].clock.s += seconds
            peers.tick()

    def settle(self) -> None:
        self.bench.settle()

    def join(self, node: str, name: str, **fields: Any) -> Session:
        fields.setdefault("receipts", True)
        session = self[node].join(name, **fields)
        self.settle()
        return session

    def move(self, to: str, name: str, from_: str) -> Session:
        """Have a user's session taken over by a node."""
        session = self[from_].find(name)
        token = self[from_].tokens[session.route.number]
        return self.join(to, name, address=session.address, token=token)

    def take(self, node: str, session: Session) -> list[tuple[str, Any]]:
        """Return what a session gets now, by text and receipt."""
        messages, replies = self[node].hub.direct_messages.pop_unsent(session)
        self[node].switchboard.send(replies)
        return [(one.text, one.receipt) for one in messages]

    def confirm(self, node: str, session: Session, receipt: int) -> None:
        replies = self[node].hub.direct_messages.confirm(session, Received(receipt=receipt))
        self[node].switchboard.send(replies or [])

    def answers(self, node: str) -> list[Any]:
        """Return the answers that have come late for users of a node."""
        mails = [mail for mail in self[node].mail.collect() if isinstance(mail, Replies)]
        return [reply.answer for mail in mails for reply in mail.rows]

    def tell(self, node: str, sender: Session, text: str = "hola", **fields: Any) -> Any:
        number = fields.pop("id", 1)
        to = fields.pop("to", "luis")
        return self[node].hub.direct_messages.accept(
            sender, Direct(id=number, to=to, text=text, **fields)
        )
