"""Which networks of this computer servers are looked for in, and whether one can be found."""

import ipaddress
from types import SimpleNamespace

import ifaddr
import pytest
import zeroconf

from tertulia import mdns
from tertulia.mdns import (
    MAX_INTERFACES,
    LocalAddress,
    can_be_found,
    is_neighbour,
    local_addresses,
    open_zeroconf,
)

UP, LOOPBACK, POINT_TO_POINT, RUNNING, MULTICAST = 0x1, 0x8, 0x10, 0x40, 0x1000
USUAL = UP | RUNNING | MULTICAST


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch):
    """Return a function that gives this computer interfaces, each with flags and addresses."""
    monkeypatch.delenv(mdns.VARIABLE)

    def have(**interfaces: tuple[int | None, list[tuple[str, int]]]) -> None:
        adapters = [
            SimpleNamespace(
                name=name,
                index=number,
                ips=[
                    SimpleNamespace(
                        ip=(text, 0, number) if ":" in text else text, network_prefix=prefix
                    )
                    for text, prefix in addresses
                ],
            )
            for number, (name, (_, addresses)) in enumerate(interfaces.items(), 1)
        ]
        monkeypatch.setattr(ifaddr, "get_adapters", lambda: adapters)
        monkeypatch.setattr(mdns, "_flags", lambda name: interfaces[name][0])

    return have


def found() -> list[str]:
    return [f"{each.ip} {each.interface} {each.scope}" for each in local_addresses()]


def test_the_addresses_of_local_networks_count_in_their_order(network):
    network(eth0=(USUAL, [("192.168.1.5", 24), ("fe80::5", 64)]), wlan0=(USUAL, [("10.0.0.5", 8)]))
    assert found() == ["192.168.1.5/24 eth0 1", "fe80::5/64 eth0 1", "10.0.0.5/8 wlan0 2"]


def test_networks_of_containers_come_after_those_that_others_are_in(network):
    network(
        docker0=(USUAL, [("172.17.0.1", 16), ("fe80::1", 64)]),
        eth0=(USUAL, [("192.168.1.5", 24)]),
        veth1a2b3c4=(USUAL, [("fe80::2", 64)]),
        br0=(USUAL, [("10.0.0.5", 8), ("fe80::3", 64)]),
    )
    assert [line.split()[1] for line in found()] == [
        *("eth0", "br0", "br0"),
        *("docker0", "docker0", "veth1a2b3c4"),
    ]


@pytest.mark.parametrize(
    "flags",
    [
        USUAL | LOOPBACK,
        USUAL | POINT_TO_POINT,
        USUAL & ~UP,
        USUAL & ~RUNNING,
        USUAL & ~MULTICAST,
    ],
)
def test_tunnels_and_interfaces_that_reach_nobody_are_left_out(network, flags):
    network(other=(flags, [("10.8.0.2", 24)]), eth0=(USUAL, [("192.168.1.5", 24)]))
    assert found() == ["192.168.1.5/24 eth0 2"]


def test_where_the_system_tells_no_flags_only_loopback_is_left_out(network):
    network(en0=(None, [("127.0.0.1", 8), ("::1", 128), ("192.168.1.5", 24)]))
    assert found() == ["192.168.1.5/24 en0 1"]


def test_the_environment_switches_it_off_or_names_the_only_address(network, monkeypatch):
    network(lo=(UP | LOOPBACK, [("127.0.0.1", 8)]), eth0=(USUAL, [("192.168.1.5", 24)]))
    monkeypatch.setenv(mdns.VARIABLE, "127.0.0.1")
    assert found() == ["127.0.0.1/8 lo 1"]
    monkeypatch.setenv(mdns.VARIABLE, mdns.OFF)
    assert found() == []


def test_where_the_interfaces_cannot_be_read_there_are_none(network, monkeypatch):
    def fail():
        raise OSError("Netlink is forbidden")

    monkeypatch.setattr(ifaddr, "get_adapters", fail)
    assert found() == []


@pytest.mark.parametrize(
    ("chosen", "bound_to", "expected"),
    [
        (None, "0.0.0.0", True),
        (None, "fe80::1%eth0", True),
        (None, "127.0.0.1", False),
        ("127.0.0.1", "127.0.0.1", True),
        (mdns.OFF, "0.0.0.0", False),
    ],
)
def test_a_server_can_be_found_unless_it_is_for_this_computer_alone(
    monkeypatch, chosen, bound_to, expected
):
    monkeypatch.delenv(mdns.VARIABLE)
    if chosen is not None:
        monkeypatch.setenv(mdns.VARIABLE, chosen)
    assert can_be_found(bound_to) is expected


def test_a_neighbour_is_in_one_of_the_networks():
    own = [LocalAddress(ipaddress.ip_interface("192.168.1.5/24"), "eth0", 1)]
    everything = [LocalAddress(ipaddress.ip_interface("192.168.1.5/0"), "eth0", 1)]
    for text, expected in (("192.168.1.9", True), ("192.168.2.9", False), ("fe80::1", False)):
        assert is_neighbour(ipaddress.ip_address(text), own) is expected, text
    for text in ("224.0.0.251", "0.0.0.0"):
        assert not is_neighbour(ipaddress.ip_address(text), everything), text


def test_each_interface_is_used_once_for_each_version_and_only_some_of_many(monkeypatch):
    def chosen(*addresses: tuple[str, str, int]) -> list[object]:
        own = [
            LocalAddress(ipaddress.ip_interface(text), name, scope)
            for text, name, scope in addresses
        ]
        return open_zeroconf(own)

    monkeypatch.setattr(zeroconf, "Zeroconf", list)
    few = chosen(
        ("192.168.1.5/24", "eth0", 2), ("192.168.1.6/24", "eth0", 2), ("10.0.0.5/8", "wlan0", 3),
        ("fe80::5/64", "eth0", 2), ("fe80::6/64", "eth0", 2),
    )  # fmt: skip
    assert len(few) == 3
    assert set(few) == {"192.168.1.5", "10.0.0.5", 2}
    numbers = range(1, MAX_INTERFACES + 2)
    many_4 = [(f"10.0.{number}.1/24", f"br{number}", number) for number in numbers]
    assert chosen(*many_4) == [f"10.0.{number}.1" for number in numbers][:MAX_INTERFACES]
    many_6 = [(f"fe80::{number}/64", f"br{number}", number) for number in numbers]
    assert chosen(*many_6) == list(numbers)[:MAX_INTERFACES]
    assert chosen(*many_6[::-1]) == list(numbers)[:0:-1]
