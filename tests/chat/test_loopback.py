"""What a computer knows of the users of a server that runs on it."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tertulia.chat import loopback
from tertulia.chat.loopback import free_source, sources_in_use, usual_source

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def port_of(server: socket.socket) -> int:
    port: int = server.getsockname()[1]
    return port


def test_the_addresses_of_those_who_are_connected_are_in_use(server: socket.socket) -> None:
    port = port_of(server)
    assert sources_in_use(port) == set()
    assert free_source(port, "127.0.0.1") == "127.0.0.2"
    with (
        socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0)),
        socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.4", 0)),
    ):
        assert sources_in_use(port) == {"127.0.0.2", "127.0.0.4"}
        assert free_source(port, "127.0.0.1") == "127.0.0.3"
        assert free_source(port, "127.0.0.3") == "127.0.0.5"


def test_the_candidates_go_round_in_the_network_of_the_one_before() -> None:
    assert free_source(1, "127.1.2.254") == "127.1.2.1"
    assert free_source(1, "192.168.1.10") == "127.0.0.2"


def test_without_a_free_address_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    everyone = {f"127.0.0.{number}" for number in range(1, 255)}
    monkeypatch.setattr(loopback, "sources_in_use", lambda _port: everyone)
    assert free_source(1, "127.0.0.1") is None
    everyone.remove("127.0.0.200")
    assert free_source(1, "127.0.0.1") == "127.0.0.200"


def test_addresses_inside_ipv6_count_and_ended_connections_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loopback, "_NET", tmp_path)
    monkeypatch.setattr("sys.byteorder", "little")
    (tmp_path / "tcp").write_text(
        HEAD
        + "   0: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000\n"
        + "   1: 0300007F:D20D 0100007F:1388 06 00000000:00000000 00:00000000\n"
        + "   2: 0400007F:D20D 0100007F:1389 01 00000000:00000000 00:00000000\n"
    )
    mapped = "0000000000000000FFFF0000"
    (tmp_path / "tcp6").write_text(
        HEAD + f"   0: {mapped}0100007F:1388 {mapped}0500007F:D20D 01 00000000:00000000 00:0000\n"
    )
    assert sources_in_use(5000) == {"127.0.0.5"}


def test_another_system_knows_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loopback, "_NET", tmp_path / "missing")
    assert sources_in_use(5000) == set()


@pytest.mark.parametrize(
    ("host", "source"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.9", "127.0.0.1"),
        ("203.0.113.1", None),
        ("::1", None),
        ("a..b", None),
    ],
)
def test_only_this_computer_is_reached_from_an_address_of_its_own(
    host: str, source: str | None
) -> None:
    assert usual_source(host) == source
