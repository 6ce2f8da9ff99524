"""A chat without a face of its own and without a network: a test plays the server and the clock."""

import threading
from typing import Any

from noting_face import NotingFace
from plain_table import Clock, StubClient, page

from tertulia.chat.chat import Chat
from tertulia.chat.destination import Destination
from tertulia.client.activity import Resumption
from tertulia.client.client import Client
from tertulia.client.errors import ConnectFailure, End, EndReason, NoConnection, RequestRefused
from tertulia.client.reconnect import Reconnector
from tertulia.protocol.messages import (
    Error,
    GetHistory,
    ListUsers,
    Request,
    Say,
    Status,
    User,
    UserList,
)

LOST = End(EndReason.LOST)
FIRST_PAGE = 5


class PickyClient(StubClient):
    """A client that refuses to send some texts."""

    def send(self, request: Request) -> int:
        if isinstance(request, Say) and "\x00" in request.text:
            raise RequestRefused(Error(code="text_invalid", message="not sent"))
        return super().send(request)


class Table:
    """A chat, and all that lies around it."""

    def __init__(self, clock: Clock, client: PickyClient | None = None, **options: Any) -> None:
        self.clock = clock
        self.client = PickyClient() if client is None else client
        self.face = NotingFace()
        self.outcome: Client | Exception = NoConnection(ConnectFailure.REFUSED)
        self._rung = threading.Semaphore(0)
        self.chat = Chat(
            self.client,
            Reconnector(self._connect, self._rung.release),
            self.face,
            Destination("ana", "h", 5000),
            **{"first_page": FIRST_PAGE} | options,
        )

    def _connect(self, resumption: Resumption) -> Client:
        self.resumption = resumption
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def turn(self, *messages: Any) -> None:
        for message in messages:
            self.client.arrive(message)
        self.chat.receive()
        self.chat.advance()

    def enter(self) -> None:
        self.turn()
        self.turn(user_list(1, "ana", "José"))
        self.turn(page(2))
        assert self.client.sent == [ListUsers(), GetHistory(before=11, limit=FIRST_PAGE)]
        self.client.sent.clear()
        self.face.shown.clear()

    def lose(self) -> None:
        self.client.end = LOST
        self.turn()

    def attempt(self, outcome: Client | Exception) -> None:
        """Let the attempt that is planned come to something."""
        self.outcome = outcome
        assert self.chat.next_attempt_at is not None
        self.clock.now = self.chat.next_attempt_at
        self.chat.advance()
        assert self._rung.acquire(timeout=20)
        if isinstance(outcome, PickyClient):
            self.client = outcome
        self.chat.advance()


def user_list(request_id: int, *names: str, seq: int = 10) -> UserList:
    users = [User(name=name, status=Status.ACTIVO) for name in names]
    return UserList(id=request_id, seq=seq, users=users)
