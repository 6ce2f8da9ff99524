"""A worker's round, taken step by step over socket pairs, without its thread."""

import json
import socket
from collections.abc import Iterator

import pytest

from tertulia.server.config import Config
from tertulia.server.connection import Connection
from tertulia.server.hub import Hub
from tertulia.server.limits import Admission
from tertulia.server.worker import Worker


class Bench:
    """A worker that is not started, and a far end for each of its users."""

    def __init__(self) -> None:
        config = Config(port=0, shared_addresses=True)
        self.hub = Hub(config)
        self._admission = Admission(config)
        self.worker = Worker(
            "worker", config, self.hub, self._admission, print, print, ends_when_idle=False
        )
        self.far: dict[str, socket.socket] = {}

    def join(self, name: str) -> Connection:
        near, self.far[name] = socket.socketpair()
        near.setblocking(False)
        self._admission.admit("10.0.0.1")
        self.worker._on_adopt([(near, "10.0.0.1")])
        connection = self.worker._connections[near.fileno()]
        self.say(name, type="register", name=name)
        self.round(connection)
        self.heard(name)
        return connection

    def say(self, who: str, /, **message: object) -> None:
        self.far[who].send(json.dumps(message).encode() + b"\n")

    def round(self, connection: Connection) -> None:
        """Do what `_run` does once this connection is readable."""
        self.worker._announced_seq = self.hub.events.last_seq
        self.worker._work_off([(connection.fd, 1)])
        self.worker._gather()
        while self.worker.output.has_work:
            self.worker.output.flush(self.worker.now)

    def heard(self, name: str) -> list[str]:
        self.far[name].setblocking(False)
        try:
            return [json.loads(line)["type"] for line in self.far[name].recv(65_536).splitlines()]
        except BlockingIOError:
            return []

    def close(self) -> None:
        for connection in list(self.worker._connections.values()):
            self.worker.close(connection)
        for far in self.far.values():
            far.close()
        self.worker.mailbox.close()
        self.worker._epoll.close()


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    # However slow the machine: whatever has come by then is to be taken in.
    monkeypatch.setattr("tertulia.server.worker._GATHER_S", 60.0)
    bench = Bench()
    yield bench
    bench.close()


def test_what_others_say_meanwhile_goes_out_in_the_same_round(bench: Bench) -> None:
    ana = bench.join("ana")
    bench.join("luis")
    bench.heard("ana")
    bench.say("ana", type="say", text="hola")
    bench.say("luis", type="say", text="buenas")
    bench.round(ana)
    assert bench.heard("ana") == bench.heard("luis") == ["message", "message"]


def test_a_round_without_an_event_takes_in_nothing_more(bench: Bench) -> None:
    ana = bench.join("ana")
    bench.join("luis")
    bench.heard("ana")
    bench.say("ana", type="ping")
    bench.say("luis", type="say", text="later")
    bench.round(ana)
    assert bench.heard("ana") == ["pong"]
    assert bench.heard("luis") == []
