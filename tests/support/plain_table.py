"""A plain face without a network: a test plays the server, the clock and the person."""

import io
import threading
from collections import deque
from typing import Any

from msgspec import UNSET
from msgspec.structs import asdict, replace

from tertulia.chat.choices import Choices
from tertulia.chat.destination import Destination
from tertulia.client.activity import Resumption
from tertulia.client.client import Client
from tertulia.client.errors import (
    ConnectFailure,
    ConnectionLost,
    End,
    EndReason,
    NoConnection,
)
from tertulia.client.inbox import Incoming
from tertulia.client.reconnect import Reconnector
from tertulia.plain.face import PlainFace
from tertulia.plain.output import Output
from tertulia.plain.script import Script
from tertulia.protocol.messages import (
    ChatMessage,
    GetHistory,
    HistoryPage,
    ListUsers,
    Ok,
    Request,
    Say,
    SetStatus,
    Status,
    StoredMessage,
    User,
    UserList,
    Welcome,
)

LOST = End(EndReason.LOST)
TIME = "not shown"
PROMPT = "ana> "


class StubClient(Client):
    """A client whose server is the test."""

    def __init__(self, seq: int = 10, *, epoch: str = "e", status: Status = Status.ACTIVO) -> None:
        self.welcome = Welcome(
            name="ana", address="127.0.0.1", status=status, seq=seq, token="t", epoch=epoch,
            server="s", protocol=1, idle_after=120, max_text=16384,
        )  # fmt: skip
        self.fingerprint = None
        self.end: End | None = None
        self.sent: list[Request] = []
        self.marks: list[int] = []
        self._arrivals: deque[Incoming] = deque()

    @property
    def ended(self) -> End | None:
        return self.end

    def send(self, request: Request) -> int:
        if self.end is not None:
            raise ConnectionLost(self.end)
        self.sent.append(request)
        return len(self.sent)

    def mark_seen(self, seq: int) -> None:
        self.marks.append(seq)

    def resumption(self, _now: float) -> Resumption:
        return Resumption(self.welcome.token, self.welcome.status, 0.0)

    def receive(self, _timeout: float | None) -> Incoming | None:
        return self._arrivals.popleft() if self._arrivals else None

    def arrive(self, message: Any) -> None:
        self._arrivals.append(Incoming(message, b"{}"))

    def close(self) -> None:
        self.end = self.end or End(EndReason.CLOSED)

    def __repr__(self) -> str:
        return "<StubClient>"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


class Written(io.StringIO):
    """A stream that keeps what is written, with the encoding of a good terminal."""

    encoding = "utf-8"


class Table:
    """A plain face and everything that it works with."""

    def __init__(self, clock: Clock, *, on_terminal: bool = False) -> None:
        self.clock = clock
        self.client = StubClient()
        self.outcome: Client | Exception = NoConnection(ConnectFailure.REFUSED)
        self.stdout, self.stderr = Written(), Written()
        self.output = Output(self.stdout, self.stderr)
        self._rung = threading.Semaphore(0)
        self.face = PlainFace(
            self.client,
            self.output,
            Destination("ana", "h", 5000),
            Reconnector(self._connect, self._rung.release),
            Choices(),
            Script(),
            on_terminal=on_terminal,
        )

    def _connect(self, _resumption: Resumption) -> Client:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def turn(self, *messages: Any) -> None:
        for message in messages:
            self.client.arrive(message)
        self.face.chat.receive()
        self.face.chat.advance()
        self.output.flush()

    def greet(self) -> None:
        self.turn()
        users = [User(name=name, status=Status.ACTIVO) for name in ("ana", "José")]
        self.turn(UserList(id=1, seq=10, users=users))
        assert self.words == ["Hello, ana. You are active (ACTIVO). There are 2 people here."]

    def lose(self, end: End = LOST) -> None:
        self.client.end = end
        self.turn()

    def attempt(self, outcome: Client | Exception) -> None:
        """Make the planned attempt to connect, with this outcome."""
        self.outcome = outcome
        assert self.face.chat.wake_at is not None
        self.clock.now = self.face.chat.wake_at
        self.face.chat.advance()
        assert self._rung.acquire(timeout=20)
        if isinstance(outcome, StubClient):
            self.client = outcome
        self.face.chat.advance()
        self.output.flush()

    def come_back(self, seq: int = 10, **options: Any) -> None:
        """Lose the connection and get another one."""
        self.lose()
        self.attempt(StubClient(seq, **options))

    def answer_what_is_missing(self, *missed: ChatMessage) -> None:
        """Answer what is requested on a new connection: missed messages, users, the status."""
        answered = 0
        while len(self.client.sent) > answered:
            request = self.client.sent[answered]
            answered += 1
            if isinstance(request, GetHistory):
                self.turn(page(answered, *missed))
            elif isinstance(request, ListUsers):
                self.turn(UserList(id=answered, seq=self.client.welcome.seq, users=[]))
            elif isinstance(request, SetStatus):
                self.turn(Ok(id=answered))

    @property
    def words(self) -> list[str]:
        return self.stderr.getvalue().splitlines()

    @property
    def chat(self) -> list[str]:
        return [line.partition("] ")[2] for line in self.stdout.getvalue().splitlines()]


def said(seq: int, text: str, sender: str = "luis", **fields: Any) -> ChatMessage:
    return ChatMessage(seq=seq, time=TIME, sender=sender, text=text, **fields)


def page(request_id: int, *messages: ChatMessage, more: bool = False) -> HistoryPage:
    stored = [StoredMessage(**asdict(message)) for message in messages]
    return HistoryPage(id=request_id, messages=stored, more=more)


def without_nonces(requests: list[Request]) -> list[Request]:
    """Return the requests without the nonces of the messages; each message must have one."""
    assert all(request.nonce for request in requests if isinstance(request, Say))
    return [
        replace(request, nonce=UNSET) if isinstance(request, Say) else request
        for request in requests
    ]
