"""What a roaming user asks for after a lost connection, with a server that follows a script."""

import json
import socket
from collections.abc import Iterator

import pytest
from peers import wait_for
from roamer import Roamer

WAIT_S = 20.0


class Script:
    """A server that takes in the same user again and again."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(WAIT_S)
        self.address = self._listener.getsockname()
        self._socket = socket.socket()
        self._lines = self._socket.makefile("rb")

    def take_in(self, seq: int, epoch: str = "one") -> None:
        """Accept the next connection, and welcome the user at this number."""
        self.hang_up()
        self._socket, _ = self._listener.accept()
        self._socket.settimeout(WAIT_S)
        self._lines = self._socket.makefile("rb")
        self.expect("register")
        self.send(type="welcome", token="t", seq=seq, epoch=epoch)

    def expect(self, kind: str) -> dict[str, int]:
        """Return the next request of a kind."""
        while (request := json.loads(self._lines.readline()))["type"] != kind:
            pass
        return request

    def page_wanted(self) -> tuple[int, int]:
        request = self.expect("history")
        return request["after"], request["before"]

    def send(self, **message: object) -> None:
        self._socket.sendall(json.dumps(message).encode() + b"\n")

    def send_page(self, *seqs: int, more: bool = False) -> None:
        self.send(type="history", messages=[{"seq": seq} for seq in seqs], more=more)

    def hang_up(self) -> None:
        self._lines.close()
        self._socket.close()

    def close(self) -> None:
        self.hang_up()
        self._listener.close()


@pytest.fixture
def server() -> Iterator[Script]:
    script = Script()
    yield script
    script.close()


@pytest.fixture
def ana(server: Script) -> Iterator[Roamer]:
    roamer = Roamer("ana", [server.address], 0)
    roamer.start()
    server.take_in(5)
    yield roamer
    roamer.end()


def test_a_page_that_a_lost_connection_did_not_bring_is_asked_for_on_the_next_one(
    server: Script, ana: Roamer
) -> None:
    server.take_in(9)
    assert server.page_wanted() == (5, 10)
    server.send_page(6, 7, more=True)
    assert server.page_wanted() == (7, 10)
    server.take_in(12)
    assert server.page_wanted() == (7, 10)
    server.send_page(8)
    assert server.page_wanted() == (9, 13)
    assert not ana.is_settled
    server.send_page(11)
    wait_for(lambda: ana.is_settled)
    assert [message["seq"] for message in ana.seen.pages] == [6, 7, 8, 11]


def test_what_was_missed_of_another_history_is_not_asked_for(server: Script, ana: Roamer) -> None:
    server.take_in(9)
    assert server.page_wanted() == (5, 10)
    server.take_in(3, epoch="two")
    server.take_in(4, epoch="two")
    assert server.page_wanted() == (3, 5)
