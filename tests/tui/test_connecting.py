"""The first attempt to connect: its outcome, and giving it up."""

import asyncio
import threading
from typing import Any

import pytest
from plain_table import StubClient

from tertulia.chat.destination import Destination
from tertulia.client.client import Client
from tertulia.client.errors import ConnectFailure, NoConnection, RegistrationRefused
from tertulia.client.reconnect import Attempt
from tertulia.protocol.messages import Error
from tertulia.tui.connecting import begin_connecting

WAIT_S = 20.0


class Trial:
    """A first attempt that ends when the test lets it."""

    def __init__(self, outcome: Client | Exception) -> None:
        self._outcome = outcome
        self._go_on = threading.Event()
        self.connecting = threading.Event()
        self.rung = threading.Event()
        self.attempt = Attempt(self._connect, self.rung.set)
        self.attempt.start()
        assert self.connecting.wait(WAIT_S)

    def _connect(self) -> Client:
        self.connecting.set()
        assert self._go_on.wait(WAIT_S)
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    def finish(self) -> None:
        self._go_on.set()
        assert self.rung.wait(WAIT_S)


@pytest.fixture
def client() -> StubClient:
    return StubClient()


def test_the_client_is_there_once_the_bell_has_rung_and_is_taken_once(client: StubClient) -> None:
    attempt = Trial(client)
    assert attempt.attempt.take_outcome() is None
    assert not attempt.rung.is_set()
    attempt.finish()
    assert attempt.attempt.take_outcome() is client
    assert attempt.attempt.take_outcome() is None
    assert client.ended is None


@pytest.mark.parametrize(
    "failure",
    [
        NoConnection(ConnectFailure.REFUSED),
        RegistrationRefused(Error(code="name_taken", message="")),
        OSError("no more files"),
    ],
)
def test_a_failure_is_an_outcome_too(failure: Exception) -> None:
    attempt = Trial(failure)
    attempt.finish()
    assert attempt.attempt.take_outcome() is failure


def test_who_gives_up_closes_a_client_that_comes_late(client: StubClient) -> None:
    attempt = Trial(client)
    attempt.attempt.give_up()
    attempt.attempt.give_up()
    assert client.ended is None
    attempt.finish()
    assert client.ended is not None


def test_who_gives_up_closes_a_client_that_nobody_took(client: StubClient) -> None:
    attempt = Trial(client)
    attempt.finish()
    attempt.attempt.give_up()
    assert client.ended is not None


def test_who_gives_up_leaves_a_client_that_was_taken(client: StubClient) -> None:
    attempt = Trial(client)
    attempt.finish()
    attempt.attempt.take_outcome()
    attempt.attempt.give_up()
    assert client.ended is None


def test_a_failure_after_giving_up_does_no_harm() -> None:
    attempt = Trial(NoConnection(ConnectFailure.REFUSED))
    attempt.attempt.give_up()
    attempt.finish()
    attempt.attempt.give_up()


def test_the_first_attempt_begins_at_once_and_rings_the_bell_when_it_has_ended(
    monkeypatch: pytest.MonkeyPatch, client: StubClient
) -> None:
    asked: list[Any] = []

    def connect(*place: Any, **options: Any) -> Client:
        asked.append((place, options))
        return client

    monkeypatch.setattr(Client, "connect", connect)
    connecting = begin_connecting(Destination("ana", "127.0.0.1", 5000, "127.0.0.2"))

    async def listen() -> None:
        async with asyncio.timeout(WAIT_S):
            await connecting.bell.hear(None)

    asyncio.run(listen())
    assert connecting.attempt.take_outcome() is client
    [(place, options)] = asked
    assert place == ("127.0.0.1", 5000, "ana")
    assert options["source"] == "127.0.0.2"
    assert options["token"] is None
    assert options["notify"] == connecting.bell.ring
