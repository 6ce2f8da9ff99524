"""The announcement of a server, over loopback alone. Other tests may announce there, too."""

import time

import pytest

from tertulia.chat.nearby import NearbyServer, find_servers
from tertulia.server.announcer import Announcer, Service

WAIT_S = 60


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERTULIA_MDNS", "127.0.0.1")


def service(port: int, **fields: object) -> Service:
    given = {"name": "sala", "bound_to": "0.0.0.0", "is_dual": False, "requires_tls": False}
    return Service(port, **given | fields)  # type: ignore[arg-type]


def found(*ports: int) -> list[NearbyServer]:
    return [server for server in find_servers() if server.port in ports]


def wait_until_found(*ports: int) -> list[NearbyServer]:
    give_up_at = time.monotonic() + WAIT_S
    while len(servers := found(*ports)) < len(ports):
        assert time.monotonic() < give_up_at, servers
    return servers


def test_servers_with_equal_names_are_found_until_they_are_withdrawn() -> None:
    first = Announcer(service(50_001), lambda: "ab" * 32)
    second = Announcer(service(50_002, bound_to="127.0.0.1", requires_tls=True), lambda: "")
    first.start()
    second.start()
    assert wait_until_found(50_001, 50_002) == [
        NearbyServer("sala", "127.0.0.1", 50_001, "ab" * 32),
        NearbyServer("sala", "127.0.0.1", 50_002, "", requires_tls=True),
    ]
    assert first.stop(WAIT_S)
    assert [server.port for server in found(50_001, 50_002)] == [50_002]
    assert second.stop(WAIT_S)


def test_a_stop_while_it_is_announced_does_not_wait_and_leaves_nothing() -> None:
    announcer = Announcer(service(50_003), lambda: "")
    assert announcer.stop(WAIT_S), "never started"
    announcer = Announcer(service(50_003), lambda: "")
    announcer.start()
    announcer.begin_to_stop()
    announcer.begin_to_stop()
    assert announcer.stop(WAIT_S)
    assert announcer.stop(WAIT_S)
    assert found(50_003) == []


def test_without_a_network_it_is_logged_once_and_ends_in_order(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TERTULIA_MDNS", "203.0.113.1")
    monkeypatch.setattr("tertulia.server.announcer._LOOK_AGAIN_S", 0.001)
    caplog.set_level("INFO", "tertulia.announcer")
    announcer = Announcer(service(50_004), lambda: "")
    announcer.start()
    give_up_at = time.monotonic() + WAIT_S
    while not caplog.messages:
        assert time.monotonic() < give_up_at
        time.sleep(0.01)
    assert announcer.stop(WAIT_S)
    assert caplog.messages == ["not announced on the local network: there is no network"]
