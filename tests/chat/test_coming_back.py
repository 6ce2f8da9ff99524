"""A user who comes back on a new connection is as before; a witness sees no ACTIVO in between."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest
from noting_face import NotingFace

from tertulia.chat.chat import Chat
from tertulia.chat.credentials import Credentials
from tertulia.chat.destination import Destination
from tertulia.chat.entering import connect_face
from tertulia.client import reconnect
from tertulia.client.activity import Resumption
from tertulia.client.client import Client, ClientEvent
from tertulia.client.persistent import PersistentClient
from tertulia.client.reconnect import Reconnector
from tertulia.protocol.messages import (
    ChatMessage,
    Gap,
    Joined,
    Left,
    Presence,
    Request,
    Say,
    SetStatus,
    Status,
)

WAIT_S = 20.0


class Ana(Protocol):
    """A user who loses the connection, and comes back when the test lets it."""

    def choose(self, status: Status) -> None: ...
    def say(self, text: str) -> None: ...
    def lose_connection(self) -> None: ...
    def come_back(self) -> None:
        """Return once everything that was missed has come."""

    def let_in(self) -> None:
        """Let ana come back; `come_back` does that too."""

    def gaps_before(self, text: str) -> int:
        """Return how many times ana was told of missing messages until she hears a text."""

    def close(self) -> None: ...


class AnaAtAFace:
    """Ana with a chat. It does nothing between two methods, so it comes back in `come_back`."""

    def __init__(self, port: int) -> None:
        to = Destination("ana", "127.0.0.1", port)
        credentials = Credentials(to)
        self._notified = threading.Event()
        self._client = connect_face(to, self._notified.set, credentials)

        def connect(resumption: Resumption) -> Client:
            self._client = connect_face(to, self._notified.set, credentials, resumption)
            return self._client

        reconnector = Reconnector(connect, self._notified.set)
        self._face = NotingFace()
        self._chat = Chat(self._client, reconnector, self._face, to, first_page=5)
        self._run_until(lambda: self._chat.idle)

    def choose(self, status: Status) -> None:
        self._request(SetStatus(status=status))

    def say(self, text: str) -> None:
        self._request(Say(text=text))

    def lose_connection(self) -> None:
        lose_connection(self._client)

    def come_back(self) -> None:
        self._run_until(lambda: not self._chat.connected)
        self._run_until(lambda: self._chat.idle)

    def let_in(self) -> None:
        self.come_back()

    def gaps_before(self, text: str) -> int:
        shown = self._face.shown
        self._run_until(lambda: any(getattr(row[-1], "text", "") == text for row in shown))
        return sum(row == ("show_notice", "Some messages are missing here.") for row in shown)

    def close(self) -> None:
        self._chat.close()

    def _request(self, request: Request) -> None:
        self._chat.enqueue(request)
        self._run_until(lambda: self._chat.idle)

    def _run_until(self, condition: Callable[[], bool]) -> None:
        give_up_at = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < give_up_at
            self._notified.clear()
            self._chat.receive()
            self._chat.advance()
            wake_at = self._chat.wake_at
            timeout = WAIT_S if wake_at is None else max(0.0, wake_at - time.monotonic())
            if not condition():
                self._notified.wait(min(timeout, WAIT_S))


class AnaTheBot:
    """Ana with a client that comes back by itself, as soon as it may connect."""

    def __init__(self, port: int) -> None:
        self._may_connect = threading.Event()
        self._may_connect.set()

        def connect(resumption: Resumption) -> Client:
            assert self._may_connect.wait(WAIT_S)
            return Client.connect(
                "127.0.0.1", port, "ana",
                token=resumption.token, status=resumption.status, idle=resumption.idle_s,
            )  # fmt: skip

        self._bot = PersistentClient(connect, WAIT_S)
        self._events = self._bot.events()
        self._may_connect.clear()

    def choose(self, status: Status) -> None:
        self._bot.set_status(status)

    def say(self, text: str) -> None:
        self._bot.say(text)

    def lose_connection(self) -> None:
        lose_connection(self._bot.current)

    def come_back(self) -> None:
        self.let_in()
        self.gaps_before("missed")
        self._may_connect.clear()

    def let_in(self) -> None:
        self._may_connect.set()

    def gaps_before(self, text: str) -> int:
        gaps = 0
        for event in self._events:
            if isinstance(event, ChatMessage) and event.text == text:
                break
            gaps += isinstance(event, Gap)
        return gaps

    def close(self) -> None:
        self._may_connect.set()
        self._bot.close()


@pytest.fixture(params=[AnaAtAFace, AnaTheBot])
def enter(request: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], Ana]]:
    """Return a function with which ana enters a chat."""
    monkeypatch.setattr(reconnect, "FIRST_DELAY_S", 0.0)
    with contextlib.ExitStack() as stack:

        def start(port: int) -> Ana:
            return stack.enter_context(contextlib.closing(request.param(port)))

        yield start


@pytest.fixture
def witness_of() -> Iterator[Callable[[Any], Client]]:
    """Return a function that connects somebody who sees what ana does."""
    with contextlib.ExitStack() as stack:
        yield lambda server: stack.enter_context(
            Client.connect("127.0.0.1", server.port, "witness", timeout=WAIT_S)
        )


def lose_connection(client: Client) -> None:
    """Break a connection as if a cable had been pulled: the server notices it at once."""
    with contextlib.suppress(OSError):
        client._connection._sock.shutdown(socket.SHUT_RDWR)


def see(witness: Client, kind: type[ClientEvent], **fields: Any) -> Any:
    """Wait for an event with these fields."""
    while True:
        incoming = witness.receive(WAIT_S)
        assert incoming is not None, f"no {kind.__name__} came"
        message = incoming.message
        if isinstance(message, kind) and all(
            getattr(message, name) == value for name, value in fields.items()
        ):
            return message


def seen_of_ana(witness: Client) -> list[tuple[str, Status]]:
    """Return what ana did until now: the kinds of the events, with her status."""
    witness.say("so far")
    seen = []
    for event in witness.events():
        match event:
            case ChatMessage(text="so far"):
                break
            case Joined(name="ana", status=status) | Presence(name="ana", status=status):
                seen.append((type(event).__name__, status))
    return seen


@pytest.mark.parametrize("restarts", [False, True], ids=["connection lost", "server restarts"])
def test_an_idle_user_comes_back_inactive(
    enter: Callable[[int], Ana],
    witness_of: Callable[[Any], Client],
    hasty_server: Any,
    restarts: bool,
) -> None:
    witness = witness_of(hasty_server)
    ana = enter(hasty_server.port)
    ana.choose(Status.OCUPADO)
    see(witness, Presence, name="ana", status=Status.INACTIVO, by="server")
    if restarts:
        hasty_server.kill()
        hasty_server.start()
        witness = witness_of(hasty_server)
    else:
        ana.lose_connection()
        see(witness, Left, name="ana")
    witness.say("missed")
    ana.come_back()
    assert seen_of_ana(witness) == [("Joined", Status.INACTIVO)]
    ana.say("here again")
    see(witness, Presence, name="ana", status=Status.OCUPADO, by="server")


def test_a_busy_user_whose_connection_is_lost_comes_back_busy(
    enter: Callable[[int], Ana], witness_of: Callable[[Any], Client], persistent_server: Any
) -> None:
    witness = witness_of(persistent_server)
    ana = enter(persistent_server.port)
    ana.choose(Status.OCUPADO)
    ana.lose_connection()
    see(witness, Left, name="ana")
    witness.say("missed")
    ana.come_back()
    assert seen_of_ana(witness) == [("Joined", Status.OCUPADO)]


def test_a_busy_user_whose_server_restarts_again_and_again_comes_back_busy(
    enter: Callable[[int], Ana], witness_of: Callable[[Any], Client], persistent_server: Any
) -> None:
    ana = enter(persistent_server.port)
    ana.choose(Status.OCUPADO)
    for _time in range(2):
        persistent_server.kill()
        persistent_server.start()
        witness = witness_of(persistent_server)
        witness.say("missed")
        ana.come_back()
        assert seen_of_ana(witness) == [("Joined", Status.OCUPADO)]


@pytest.mark.parametrize("said", [[], ["said while ana was away"]], ids=["nothing", "something"])
def test_without_a_history_ana_is_told_of_missing_messages_only_if_there_are_any(
    enter: Callable[[int], Ana],
    witness_of: Callable[[Any], Client],
    forgetful_server: Any,
    said: list[str],
) -> None:
    witness = witness_of(forgetful_server)
    witness.say("before ana came")
    ana = enter(forgetful_server.port)
    see(witness, Joined, name="ana")
    ana.lose_connection()
    see(witness, Left, name="ana")
    with Client.connect("127.0.0.1", forgetful_server.port, "guest", timeout=WAIT_S) as guest:
        guest.set_status(Status.OCUPADO)
    see(witness, Left, name="guest")
    for text in said:
        witness.say(text)
    ana.let_in()
    see(witness, Joined, name="ana")
    witness.say("here again")
    assert ana.gaps_before("here again") == len(said)


@pytest.mark.parametrize("enter", [AnaAtAFace], indirect=True)
@pytest.mark.parametrize("said", [[], ["said since the restart"]], ids=["nothing", "something"])
def test_without_a_history_ana_is_told_of_what_was_said_since_a_restart(
    enter: Callable[[int], Ana],
    witness_of: Callable[[Any], Client],
    forgetful_server: Any,
    said: list[str],
) -> None:
    ana = enter(forgetful_server.port)
    forgetful_server.kill()
    forgetful_server.start()
    witness = witness_of(forgetful_server)
    for text in said:
        witness.say(text)
    ana.let_in()
    see(witness, Joined, name="ana")
    witness.say("here again")
    assert ana.gaps_before("here again") == len(said)
