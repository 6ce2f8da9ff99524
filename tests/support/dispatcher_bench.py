"""Two users of one worker, another worker's owner, and doors that break."""

from typing import Any

from worker_bench import FakeHistory, WorkerBench

from tertulia.protocol.messages import (
    Direct,
    DirectMessage,
    HistoryPage,
    Ping,
    Pong,
)
from tertulia.server.hub.directs import Delivery
from tertulia.server.workers.connection import Connection, State
from tertulia.server.workers.mail import (
    Mail,
)

MESSAGE = DirectMessage(time="t", sender="ana", to="luis", text="hola")
DIRECT = Direct(id=1, to="luis", text="hola")
PAGE = HistoryPage(id=1, messages=[], more=False)
NOBODY = 10**9  # no session's number


class Owner:
    """The worker of somebody else, which keeps its mail."""

    def __init__(self) -> None:
        self.mail: list[Mail] = []

    def post(self, mail: Mail) -> bool:
        self.mail.append(mail)
        return True


class Bench(WorkerBench):
    """Two users of one worker, and another worker's owner."""

    def __init__(self, **options: Any) -> None:
        super().__init__(history=FakeHistory(), **options)
        self.history: Any = self.shared.history
        self.owner = Owner()
        self.ana, self.luis = self.join("ana"), self.join("luis")
        self.heard(self.ana)

    def read(self, mail: Mail) -> None:
        self.dispatcher.read_mail(mail)

    def number(self, connection: Connection) -> int:
        assert connection.session is not None
        return connection.session.route.number

    @property
    def delivery(self) -> Delivery:
        assert self.luis.session is not None
        return Delivery(self.luis.session, MESSAGE)

    def break_encoding(self, connection: Connection) -> None:
        """Make our own code fail whenever something is to be sent to a connection."""

        class BrokenDoor:
            def close(self) -> None: ...

            def __getattr__(self, name: str) -> Any:
                raise ZeroDivisionError("a fault of ours")

        connection.door = BrokenDoor()  # type: ignore[assignment]

    def assert_only_lost(self, connection: Connection) -> None:
        """Look whether a fault has cost this connection, and nobody else anything."""
        assert connection.state is State.CLOSED
        assert self.observer.faults == 1
        for other in (self.ana, self.luis):
            if other is not connection:
                assert other.state is State.REGISTERED
                self.heard(other)
                self.receive(other, Ping(id=99))
                assert Pong(id=99) in self.heard(other)
