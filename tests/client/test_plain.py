"""What the plain face does with each thing that comes, tried without a network."""

import io
from collections import deque
from typing import Any

import pytest

from tertulia.client import plain
from tertulia.client.errors import ConnectionLost, End, EndReason
from tertulia.client.explain import Destination
from tertulia.client.inbox import Dropped, Incoming
from tertulia.client.output import Output
from tertulia.client.plain import ANSWER_WITHIN_S, RETRY_AFTER_S, PlainFace
from tertulia.protocol.messages import (
    DirectMessage,
    Error,
    Ok,
    Request,
    Say,
    SetStatus,
    Status,
    User,
    UserList,
    Users,
    Welcome,
)


class StubClient:
    """A client whose server is the test."""

    welcome = Welcome(
        name="ana", address="127.0.0.1", status=Status.ACTIVO, seq=10, token="t", epoch="e",
        server="s", protocol=1, idle_after=120, max_text=16384,
    )  # fmt: skip

    def __init__(self) -> None:
        self.ended: End | None = None
        self.sent: list[Request] = []
        self._arrivals: deque[Incoming] = deque()

    def send(self, request: Request) -> int:
        if self.ended is not None:
            raise ConnectionLost(self.ended)
        self.sent.append(request)
        return len(self.sent)

    def receive(self, _timeout: float) -> Incoming | None:
        return self._arrivals.popleft() if self._arrivals else None

    def arrive(self, message: Any) -> None:
        self._arrivals.append(Incoming(message, b"{}"))

    def close(self) -> None:
        self.ended = self.ended or End(EndReason.CLOSED)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


class Written(io.StringIO):
    """A stream that remembers, with the encoding of a good terminal."""

    encoding = "utf-8"


class Table:
    """A face, and all that lies around it."""

    def __init__(self) -> None:
        self.client = StubClient()
        self.stdout, self.stderr = Written(), Written()
        self.output = Output(self.stdout, self.stderr)
        client: Any = self.client
        to = Destination("ana", "h", 5000)
        self.face = PlainFace(client, self.output, to, json=False, hints=False)

    def turn(self, *messages: Any) -> None:
        for message in messages:
            self.client.arrive(message)
        self.face.receive()
        self.face.carry_on()
        self.output.flush()

    def greet(self) -> None:
        self.turn()
        users = [User(name=name, status=Status.ACTIVO) for name in ("ana", "José")]
        self.turn(UserList(id=1, seq=10, users=users))
        assert self.stderr.getvalue() == "Hello, ana. You are ACTIVO. There are 2 people here.\n"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(plain, "time", clock)
    return clock


@pytest.fixture
def table(clock: Clock) -> Table:
    table = Table()
    table.greet()
    return table


def test_requests_are_sent_one_after_the_other(table: Table) -> None:
    for line in ("one", "two"):
        table.face.typed(line)
    table.turn()
    assert table.client.sent == [Users(), Say(text="one")]
    assert not table.face.idle
    table.turn(Ok(id=2, seq=11))
    assert table.client.sent[2:] == [Say(text="two")]
    table.turn(Ok(id=3, seq=12))
    assert table.face.idle


@pytest.mark.parametrize("retry_after", [0.25, None])
def test_what_came_too_fast_is_said_again_after_the_wait(
    table: Table, clock: Clock, retry_after: float | None
) -> None:
    table.face.typed("hola")
    table.turn()
    wait = {} if retry_after is None else {"retry_after": retry_after}
    table.turn(Error(id=2, code="rate_limited", message="slow down", **wait))
    assert len(table.client.sent) == 2
    assert table.face.wake_at == clock.now + (retry_after or RETRY_AFTER_S)
    clock.now = table.face.wake_at
    table.turn()
    assert table.client.sent[2:] == [Say(text="hola")]
    table.turn(Ok(id=3, seq=11))
    assert table.face.idle
    assert table.stderr.getvalue().count("\n") == 1  # the greeting


def test_what_is_never_answered_is_told_and_the_next_has_its_turn(
    table: Table, clock: Clock
) -> None:
    table.face.typed("/status busy")
    table.face.typed("hola")
    table.turn()
    assert table.face.prompt == "ana ● ACTIVO → OCUPADO…> "
    clock.now += ANSWER_WITHIN_S
    table.turn()
    assert "No answer from the server" in table.stderr.getvalue()
    assert table.client.sent[1:] == [SetStatus(status="OCUPADO"), Say(text="hola")]
    assert table.face.prompt == "ana ● ACTIVO> "
    table.turn(Ok(id=2))  # too late
    assert table.face.prompt == "ana ● ACTIVO> "


def test_a_refused_status_is_not_shown(table: Table) -> None:
    table.face.typed("/status busy")
    table.turn()
    table.turn(Error(id=2, code="status_invalid", message="no"))
    assert table.face.prompt == "ana ● ACTIVO> "
    assert "refuses that: no (status_invalid)" in table.stderr.getvalue()


def test_an_own_direct_message_is_shown_once_delivered_with_the_registered_name(
    table: Table,
) -> None:
    table.face.typed("@josé psst")
    table.turn()
    assert table.stdout.getvalue() == ""
    table.turn(Ok(id=2))
    assert table.stdout.getvalue().endswith("] you → José: psst\n")


def test_a_note_to_oneself_is_shown_once(table: Table) -> None:
    table.face.typed("@ana remember")
    table.turn()
    note = DirectMessage(time="", sender="ana", to="ana", text="remember")
    table.turn(note, Ok(id=2))
    assert table.stdout.getvalue().count("remember") == 1


def test_dropped_messages_are_told(table: Table) -> None:
    table.turn(Dropped(2))
    assert "2 direct messages or answers were dropped" in table.stderr.getvalue()


def test_after_quit_nothing_more_is_sent(table: Table) -> None:
    for line in ("/quit", "too late"):
        table.face.typed(line)
    table.turn()
    assert table.face.over
    assert table.client.sent == [Users()]
    assert table.face.finish() == plain.EXIT_FINE


def test_a_lost_connection_drops_what_waits_and_ends_with_5(table: Table) -> None:
    table.client.ended = End(EndReason.LOST)
    table.face.typed("too late")
    table.turn()
    assert table.face.over
    assert table.face.finish() == plain.EXIT_LOST
    table.output.flush()
    assert "Come back with: tertulia ana h 5000" in table.stderr.getvalue()


def test_completion_knows_who_is_here(table: Table) -> None:
    assert table.face.complete("@jo") == (0, ["@José "])
