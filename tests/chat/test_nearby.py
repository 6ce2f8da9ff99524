"""What counts of what is announced on the local network. Nothing is sent."""

import ipaddress
from typing import Any

import pytest
from zeroconf import ServiceInfo

from tertulia.chat.nearby import NearbyServer, servers_in
from tertulia.mdns import SERVICE_TYPE, LocalAddress

OWN = [
    LocalAddress(ipaddress.ip_interface("192.168.1.5/24"), "eth0", 2),
    LocalAddress(ipaddress.ip_interface("fd00::5/64"), "eth0", 2),
    LocalAddress(ipaddress.ip_interface("fe80::5/64"), "eth0", 2),
]


def announced(*addresses: str, port: int = 5000, **properties: Any) -> ServiceInfo:
    return ServiceInfo(
        SERVICE_TYPE,
        f"someone.{SERVICE_TYPE}",
        port=port,
        parsed_addresses=list(addresses),
        properties={"v": "1", "name": "sala", **properties},
        server="someone.local.",
        interface_index=2,
    )


def test_a_neighbour_is_a_server_with_its_name_and_its_hints() -> None:
    info = announced("192.168.1.10", fp="ab" * 32, tls="require")
    found = NearbyServer("sala", "192.168.1.10", 5000, "ab" * 32, requires_tls=True)
    assert servers_in([info], OWN) == [found]


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "10.0.0.1", "127.0.0.1", "0.0.0.0", "224.0.0.251", "::1", "::", "2001:db8::1"],
)
def test_an_address_that_is_in_no_network_of_this_computer_is_not_offered(address: str) -> None:
    assert servers_in([announced(address)], OWN) == []
    both = announced(address, "192.168.1.10")
    assert [server.address for server in servers_in([both], OWN)] == ["192.168.1.10"]


@pytest.mark.parametrize(
    ("addresses", "chosen"),
    [
        (["fe80::9", "fd00::9", "192.168.1.9"], "192.168.1.9"),
        (["fe80::9", "fd00::9"], "fd00::9"),
        (["fe80::9"], "fe80::9%2"),
    ],
)
def test_the_address_that_is_the_easiest_to_use_is_chosen(
    addresses: list[str], chosen: str
) -> None:
    info = announced(*addresses)
    assert [server.address for server in servers_in([info], OWN)] == [chosen]


def test_what_is_no_port_no_name_and_no_fingerprint_is_left_out() -> None:
    assert servers_in([announced("192.168.1.10", port=0)], OWN) == []
    odd = announced("192.168.1.10", name="x" * 200, fp="\x1b[31m" + "ab" * 29)
    assert servers_in([odd], OWN) == [NearbyServer("x" * 64, "192.168.1.10", 5000)]
    empty = announced("192.168.1.10", name=b"\xff" * 2)
    assert servers_in([empty], OWN)[0].name == "\ufffd\ufffd"
    nameless = announced("192.168.1.10", name=None)
    assert servers_in([nameless], OWN)[0].name == "192.168.1.10"


def test_a_thousand_announcements_of_one_server_are_one() -> None:
    infos = [announced("192.168.1.10", name=f"sala {number}") for number in range(1_000)]
    assert len(servers_in(infos, OWN)) == 1
