"""The library and a chat of several servers: from a lost one to the next, with nothing lost.

Whoever waited for `retry_after`, or for a node that says nothing, would not be done in time.
"""

import socket
from collections.abc import Callable
from typing import Any

import pytest
from client_fixtures import ScriptedPeer

from tertulia.client import client as client_module
from tertulia.client import nodes as nodes_module
from tertulia.client import reconnect
from tertulia.client.client import Client
from tertulia.client.errors import NoNode
from tertulia.client.persistent import PersistentClient
from tertulia.protocol.messages import ChatMessage, Closing

WAIT_S = 20.0
FAR_AWAY_S = 600.0  # far longer than a test may wait
TIME = "2026-11-22T15:04:05.123Z"

Script = Callable[[ScriptedPeer], None]


class InOrder:
    """In the place of chance."""

    @staticmethod
    def shuffle(addresses: list[Any]) -> None:
        """Leave them as they are."""


@pytest.fixture
def chat(scripted_server: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Start nodes that play scripts; return their addresses, which the scripts get too."""
    monkeypatch.setattr(reconnect, "FIRST_DELAY_S", FAR_AWAY_S)
    monkeypatch.setattr(reconnect, "MAX_DELAY_S", FAR_AWAY_S)
    monkeypatch.setattr(nodes_module, "random", InOrder)
    addresses: list[str] = []

    def start(*nodes: list[Callable[[ScriptedPeer, list[str]], None]]) -> list[str]:
        for scripts in nodes:
            played = [lambda peer, script=script: script(peer, addresses) for script in scripts]
            addresses.append(f"127.0.0.1:{scripted_server(*played).port}")
        return addresses

    return start


def from_own(nodes: list[str], place: int) -> list[str]:
    """Return the nodes as the one at this place names them: itself first."""
    return [nodes[place], *(node for node in nodes if node != nodes[place])]


def stop(peer: ScriptedPeer) -> None:
    peer.send("closing", reason="shutdown", retry_after=FAR_AWAY_S)


def connect(nodes: list[str], **options: Any) -> PersistentClient:
    return PersistentClient.connect(nodes, 1, "ana", **{"timeout": WAIT_S} | options)


def test_the_next_node_goes_on_where_the_lost_one_stopped(chat: Any) -> None:
    nonces = []

    def first(peer: ScriptedPeer, nodes: list[str]) -> None:
        assert "token" not in peer.welcome(nodes=from_own(nodes, 0))
        peer.message(11, "before")
        nonces.append(peer.expect("say")["nonce"])
        stop(peer)

    def second(peer: ScriptedPeer, nodes: list[str]) -> None:
        request = peer.welcome(nodes=from_own(nodes, 1), seq=14, token="secret")
        assert request["token"] == "secret"
        for _request in range(2):  # in either order
            request = peer.receive()
            if request["type"] == "say":
                nonces.append(request["nonce"])
                peer.send("ok", id=request["id"], seq=15)
            else:
                assert (request["type"], request["after"]) == ("history", 11)
                peer.send(
                    "history",
                    id=request["id"],
                    messages=[{"seq": 13, "time": TIME, "from": "luis", "text": "between"}],
                    more=False,
                )
        peer.message(15, "mine", sender="ana")
        peer.expect("quit")

    nodes = chat([first], [second])
    with connect(nodes[:1]) as ana:
        assert ana.say("mine", within_s=WAIT_S) == 15
        events = ana.events()
        texts = []
        while len(texts) < 3:
            event = next(events)
            if isinstance(event, ChatMessage):
                texts.append(event.text)
            else:
                assert isinstance(event, Closing)
        assert str(ana.current.address) == nodes[1]
    assert texts == ["before", "between", "mine"]
    assert nonces[0] == nonces[1]


def test_a_node_that_serves_nobody_or_closes_at_once_sends_on_to_the_next(chat: Any) -> None:
    def first(peer: ScriptedPeer, nodes: list[str]) -> None:
        peer.welcome(nodes=nodes)
        stop(peer)

    def refuse(peer: ScriptedPeer, _nodes: list[str]) -> None:
        request = peer.expect("register")
        peer.send("error", id=request["id"], code="unavailable", message="no", retry_after=600)

    def close(peer: ScriptedPeer, _nodes: list[str]) -> None:
        peer.expect("register")
        stop(peer)

    def last(peer: ScriptedPeer, nodes: list[str]) -> None:
        peer.welcome(nodes=from_own(nodes, 3))
        peer.expect("quit")

    nodes = chat([first], [refuse], [close], [last])
    with connect(nodes[:1]) as ana:
        assert isinstance(next(ana.events()), Closing)
        wait_until_at(ana, nodes[3])


def wait_until_at(client: PersistentClient, address: str) -> None:
    with client._changed:
        assert client._changed.wait_for(
            lambda: str(client._client.address) == address or client._failure is not None, WAIT_S
        )
    assert client._failure is None


def test_a_node_that_has_come_up_later_is_known_too(chat: Any) -> None:
    def first(peer: ScriptedPeer, nodes: list[str]) -> None:
        peer.welcome(nodes=nodes[:1])
        peer.send("nodes", nodes=nodes)

    def second(peer: ScriptedPeer, nodes: list[str]) -> None:
        assert peer.welcome(nodes=nodes[::-1])["token"] == "secret"
        peer.message(11)
        peer.expect("quit")

    nodes = chat([first], [second])
    with connect(nodes[:1]) as ana:
        assert isinstance(next(ana.events()), ChatMessage)
        assert str(ana.current.address) == nodes[1]


def test_a_silent_node_is_left_after_a_short_time(
    chat: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes_module, "SILENT_S", 0.05)
    monkeypatch.setattr(client_module, "_CHALLENGE_S", 0.0)

    def answer(peer: ScriptedPeer, nodes: list[str]) -> None:
        peer.welcome(nodes=nodes)
        peer.expect("quit")

    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel accepts, nobody answers
        [there] = chat([answer])
        hosts = f"127.0.0.1:{silent.getsockname()[1]},{there}"
        with Client.connect(hosts, 1, "ana", timeout=FAR_AWAY_S) as ana:
            assert str(ana.address) == there


def test_if_no_server_answers_the_error_names_them_all() -> None:
    with pytest.raises(NoNode) as raised:
        Client.connect("127.0.0.1:1,127.0.0.1:2", 3, "ana", timeout=WAIT_S)
    assert [str(where) for where, _why in raised.value.failures] == ["127.0.0.1:1", "127.0.0.1:2"]
    assert "127.0.0.1:2: refused" in str(raised.value)
