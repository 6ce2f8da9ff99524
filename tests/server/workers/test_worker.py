"""A worker's round, taken step by step over socket pairs, without its thread."""

import contextlib
import json
import select
import socket
from collections.abc import Iterator

import pytest

from tertulia.protocol.messages import CloseReason, GetHistory, HistoryPage, StoredMessage
from tertulia.server.config import Config
from tertulia.server.hub.hub import Hub
from tertulia.server.workers.connection import Connection
from tertulia.server.workers.limits import Admission
from tertulia.server.workers.worker import Worker


class AskedHistory:
    """A history that notes what it is asked for."""

    def __init__(self, asked: list[GetHistory]) -> None:
        self._asked = asked

    def ask(self, request: GetHistory, _reply: object, _is_wanted: object) -> None:
        self._asked.append(request)

    def reserve_soon(self, seq: int) -> None: ...


class Bench:
    """A worker that is not started, and a far end for each of its users."""

    def __init__(self) -> None:
        config = Config(port=0, shared_addresses=True)
        self.hub = Hub(config)
        self.admission = Admission(config)
        self.worker = Worker(
            "worker", config, self.hub, self.admission, print, print, ends_when_idle=False
        )
        self.far: dict[str, socket.socket] = {}

    def join(self, name: str) -> Connection:
        near, self.far[name] = socket.socketpair()
        near.setblocking(False)
        self.admission.admit("10.0.0.1")
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
            self.worker.output.flush()

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
    monkeypatch.setattr("tertulia.server.workers.worker._GATHER_S", 60.0)
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


def test_empty_lines_are_nothing_before_welcome_too(bench: Bench) -> None:
    near, far = socket.socketpair()
    near.setblocking(False)
    bench.far["ana"] = far
    bench.admission.admit("10.0.0.1")
    bench.worker._on_adopt([(near, "10.0.0.1")])
    connection = bench.worker._connections[near.fileno()]
    for _ in range(100):
        far.send(b"\r\n")
        bench.round(connection)
    bench.say("ana", type="register", name="ana")
    bench.round(connection)
    assert bench.heard("ana")[0] == "welcome"


def test_how_long_somebody_takes_nothing_is_counted_from_when_the_socket_was_full(
    bench: Bench,
) -> None:
    ana = bench.join("ana")
    ana.progress_at = bench.worker.now - 1_000
    while not ana.blocked:
        bench.say("ana", type="say", text="x" * 16_000)
        bench.round(ana)
    assert ana.progress_at == bench.worker.now


def test_what_is_handed_over_to_a_session_that_was_replaced_is_not_delivered(bench: Bench) -> None:
    session = bench.join("luis").session
    assert session is not None
    told: list[bool] = []
    bench.hub.release(session, CloseReason.REPLACED)
    bench.worker.hand_over(session, b"a line", told.append)
    for call in bench.worker.mailbox.take():
        call()
    assert told == [False]


def test_whoever_has_ended_a_session_counts_among_the_unregistered_until_the_end(
    bench: Bench,
) -> None:
    ana = bench.join("ana")
    assert bench.admission._unregistered == {}
    bench.say("ana", type="quit")
    bench.round(ana)
    assert bench.admission._unregistered == {"10.0.0.1": 1}
    bench.worker.close(ana)
    assert bench.admission._unregistered == {}
    bench.worker.close(bench.join("luis"))
    assert bench.admission._unregistered == {}


def test_the_next_page_is_asked_for_once_all_before_it_was_taken(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = bench.join("ana")
    asked: list[GetHistory] = []
    monkeypatch.setattr(bench.hub, "history", AskedHistory(asked))
    for number in range(3):
        bench.say("ana", type="history", id=number)
    bench.round(ana)
    assert [request.id for request in asked] == [0]
    text = "x" * 700_000  # more than the socket takes
    stored = StoredMessage(seq=1, time="t", sender="s", text=text)
    page = HistoryPage(id=0, messages=[stored], more=False)
    bench.worker._handler._on_page(ana, page)
    bench.worker.output.flush()
    assert ana.blocked
    bench.far["ana"].setblocking(False)
    while ana.out:
        assert [request.id for request in asked] == [0]
        with contextlib.suppress(BlockingIOError):
            bench.far["ana"].recv(65_536)
        bench.worker._on_ready(ana, select.EPOLLOUT)
        bench.worker.output.flush()
    assert [request.id for request in asked] == [0, 1]


def test_what_was_put_into_a_session_goes_out_before_it_is_replaced(bench: Bench) -> None:
    luis = bench.join("luis")
    assert luis.session is not None
    assert bench.worker.put(luis.session, b'{"type":"direct"}\n')
    bench.worker._on_evict(luis.session)
    assert bench.heard("luis") == ["direct"]


def test_ones_own_status_comes_before_the_end_without_the_others_events(bench: Bench) -> None:
    near, bench.far["bot"] = socket.socketpair()
    near.setblocking(False)
    bench.admission.admit("10.0.0.1")
    bench.worker._on_adopt([(near, "10.0.0.1")])
    bot = bench.worker._connections[near.fileno()]
    bench.say("bot", type="register", name="bot", events="messages")
    bench.round(bot)
    bench.heard("bot")
    bench.say("bot", type="status", status="OCUPADO")
    bench.say("bot", type="quit")
    bench.round(bot)
    assert bench.heard("bot") == ["presence"]
