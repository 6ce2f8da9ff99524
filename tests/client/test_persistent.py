"""The client that outlives its connection, against a server that is killed and started again."""

import contextlib
import itertools
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from tertulia.client import persistent as module
from tertulia.client import reconnect
from tertulia.client.client import Client
from tertulia.client.errors import End, NoAnswer, RegistrationRefused
from tertulia.client.inbox import Inbox
from tertulia.client.persistent import PersistentClient
from tertulia.protocol.messages import (
    ChatMessage,
    Gap,
    GetHistory,
    HistoryPage,
    NumberedEvent,
    Status,
    StoredMessage,
    Welcome,
)

PROGRAM = Path(sys.executable).with_name("tertulia-server")


class Phoenix:
    """A server on one port and one history, through all its lives."""

    def __init__(self, history: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._history = history
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        options = ["--host", "127.0.0.1", "--rate-limit", "off", "--history", str(self._history)]
        self.process = subprocess.Popen(
            [PROGRAM, str(self.port), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdout is not None
        assert re.match(rb"listening on", self.process.stdout.readline())

    def end(self, number: int = signal.SIGKILL) -> None:
        if self.process is not None:
            assert self.process.stdout is not None
            self.process.send_signal(number)
            self.process.wait(20)
            self.process.stdout.close()
            self.process = None


class Script:
    """A connection of which a test says what comes and which pages are answered."""

    welcome = Welcome(
        name="bot", address="127.0.0.1", status=Status.ACTIVO, seq=10, token="t", epoch="e",
        server="s", protocol=1, idle_after=120, max_text=16384,
    )  # fmt: skip

    def __init__(self, *events: NumberedEvent | Gap) -> None:
        self.ended: End | None = None
        self.unanswered = 0
        self.all_given = threading.Event()
        self._events = events
        self._closed = threading.Event()

    def events(self) -> Iterator[NumberedEvent | Gap]:
        yield from self._events
        self.all_given.set()
        self._closed.wait(20)

    def page(self, request: GetHistory) -> HistoryPage:
        if self.unanswered:
            self.unanswered -= 1
            raise NoAnswer("it takes its time")
        assert isinstance(request.after, int)
        stored = StoredMessage(seq=request.after + 1, time="t", sender="luis", text="missed")
        return HistoryPage(messages=[stored], more=False)

    def close(self) -> None:
        self._closed.set()


def spoken(seq: int, text: str = "hola") -> ChatMessage:
    return ChatMessage(seq=seq, time="t", sender="luis", text=text)


def persistent(script: Script) -> PersistentClient:
    return PersistentClient(lambda _token: cast(Client, script), timeout=20)


def test_a_page_that_is_not_answered_in_time_is_asked_for_again() -> None:
    script = Script(Gap(after=10, through=11), spoken(12))
    script.unanswered = 2
    with persistent(script) as bot:
        events = bot.events()
        assert [next(events).seq, next(events).seq] == [11, 12]


def test_who_does_not_read_holds_no_more_than_the_inbox_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "Inbox", lambda: Inbox(max_numbered_bytes=50_000))
    script = Script(*(spoken(seq, "x" * 10_000) for seq in range(11, 31)))
    with persistent(script) as bot:
        assert script.all_given.wait(20)
        assert next(bot.events()) == Gap(after=10, through=26)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Phoenix]:
    monkeypatch.setattr(reconnect, "FIRST_DELAY_S", 0.05)
    phoenix = Phoenix(tmp_path / "history.db")
    yield phoenix
    phoenix.end()


def texts(client: PersistentClient, last: str) -> list[str]:
    found = []
    for event in client.events():
        if isinstance(event, ChatMessage):
            found.append(event.text)
            if event.text == last:
                return found
    raise AssertionError(f"ended before {last!r}: {found}")


def test_everything_is_said_once_and_heard_once_over_the_deaths_of_the_server(
    server: Phoenix,
) -> None:
    with (
        PersistentClient.connect("127.0.0.1", server.port, "ana", source="127.0.0.2") as ana,
        PersistentClient.connect("127.0.0.1", server.port, "luis", source="127.0.0.3") as luis,
    ):
        said: list[str] = []
        stop = threading.Event()

        def talk() -> None:
            for number in itertools.count():
                if stop.is_set():
                    break
                ana.say(str(number))
                said.append(str(number))
            ana.say("end")

        talking = threading.Thread(target=talk)
        talking.start()
        for _ in range(3):
            before = len(said)
            while len(said) < before + 50:
                assert talking.is_alive()
            server.end()
            server.start()
        stop.set()
        talking.join(60)
        assert texts(luis, "end") == [*said, "end"]
        assert texts(ana, "end") == [*said, "end"]


def test_what_was_said_while_it_was_away_is_fetched(server: Phoenix) -> None:
    with PersistentClient.connect("127.0.0.1", server.port, "ana", source="127.0.0.2") as ana:
        ana.say("before")
        assert texts(ana, "before") == ["before"]
        away = ana.current
        with Client.connect("127.0.0.1", server.port, "luis", source="127.0.0.3") as luis:
            # As if the cable had been pulled: the socket ends, and the server takes the next one.
            with contextlib.suppress(OSError):
                away._connection._sock.shutdown(socket.SHUT_RDWR)
            for number in range(450):
                luis.say(str(number))
            luis.say("after")
        assert texts(ana, "after") == [*(str(number) for number in range(450)), "after"]


def test_when_somebody_else_has_the_name_there_is_no_way_back(
    server: Phoenix, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PersistentClient.connect("127.0.0.1", server.port, "ana", source="127.0.0.2") as ana:
        may_return = threading.Event()
        connect = ana._session._reconnector._connect

        def connect_later(token: str) -> Client:
            assert may_return.wait(20)
            return connect(token)

        monkeypatch.setattr(ana._session._reconnector, "_connect", connect_later)
        server.end()
        server.start()
        with Client.connect("127.0.0.1", server.port, "ana", source="127.0.0.4"):
            may_return.set()
            with pytest.raises(RegistrationRefused):
                ana.say("hola", within_s=20)
            assert all(event for event in ana.events())  # they end


def test_a_closed_one_ends_its_events(server: Phoenix) -> None:
    client = PersistentClient.connect("127.0.0.1", server.port, "ana", source="127.0.0.2")
    client.say("hola")
    client.close()
    client.close()
    assert [e.text for e in client.events() if isinstance(e, ChatMessage)] in ([], ["hola"])
