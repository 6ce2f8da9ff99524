"""Which nats-server a node connects to, and what it says if there is none."""

import asyncio
import random
from typing import Any

import pytest

from tertulia.server.cluster import connector as connector_module
from tertulia.server.cluster import unusable
from tertulia.server.cluster.addresses import Address
from tertulia.server.cluster.connector import Connector
from tertulia.server.cluster.credentials import Credentials
from tertulia.server.cluster.unusable import ClusterUnusable, NotReachable

ADDRESSES = [Address(host, 4222, has_tls=False) for host in ("n1", "n2", "n3")]


class Servers:
    """Servers by their hosts, some of which cannot be used, and the order of the attempts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.problems: dict[str, ClusterUnusable] = {}
        self.tried: list[str] = []
        monkeypatch.setattr(connector_module, "Connection", self._connection)
        monkeypatch.setattr(random, "sample", lambda found, _count: list(reversed(found)))
        credentials: Any = Credentials()
        self._connector = Connector(ADDRESSES, "name", credentials, pytest.fail, pytest.fail)

    def _connection(self, address: Address, *_: Any) -> "Attempt":
        return Attempt(self, address)

    def connect(self) -> str:
        """Return the host of the server that is used."""
        self.tried.clear()
        attempt: Any = asyncio.run(self._connector.connect())
        host: str = attempt.address.host
        return host


class Attempt:
    """Stands in for a connection."""

    def __init__(self, servers: Servers, address: Address) -> None:
        self.servers = servers
        self.address = address

    async def open(self, name: str, _credentials: Credentials) -> None:
        assert name == "name"
        self.servers.tried.append(self.address.host)
        if self.address.host in self.servers.problems:
            raise self.servers.problems[self.address.host]


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Servers:
    return Servers(monkeypatch)


def down(host: str) -> NotReachable:
    return unusable.not_reachable(f"{host}:4222: Connection refused")


def test_the_first_server_of_a_random_order_that_answers_is_used(servers: Servers) -> None:
    servers.problems = {"n3": down("n3")}
    assert servers.connect() == "n2"
    assert servers.tried == ["n3", "n2"]


def test_the_server_of_the_last_connection_is_tried_last(servers: Servers) -> None:
    assert servers.connect() == "n3"
    assert servers.connect() == "n2"
    servers.problems = {"n1": down("n1"), "n3": unusable.not_let_in("n3:4222")}
    assert servers.connect() == "n2"
    assert servers.tried == ["n3", "n1", "n2"]


def test_all_servers_are_named_in_order_if_none_can_be_reached(servers: Servers) -> None:
    servers.problems = {host: down(host) for host in ("n1", "n2", "n3")}
    with pytest.raises(NotReachable) as caught:
        servers.connect()
    assert caught.value.detail == ", ".join(
        f"{host}:4222: Connection refused" for host in ("n1", "n2", "n3")
    )


def test_a_problem_that_waiting_does_not_mend_is_named_before_others(servers: Servers) -> None:
    refusal = unusable.not_let_in("n2:4222")
    servers.problems = {"n1": unusable.without_tls("n1"), "n2": refusal, "n3": down("n3")}
    with pytest.raises(ClusterUnusable) as caught:
        servers.connect()
    assert caught.value is refusal
    assert servers.tried == ["n3", "n2", "n1"]
