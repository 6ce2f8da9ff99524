"""The addresses to join, in the order of their likelihood, and the command to type."""

import ipaddress
import socket

import pytest

from tertulia.server import addresses
from tertulia.server.addresses import (
    JoinAddress,
    addresses_for_others,
    addresses_to_join,
    likeliest_first,
)

ROUTES = """\
Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
docker0 000011AC 00000000 0001 0 0 0 0000FFFF 0 0 0
wlan0 00000000 0101A8C0 0003 0 0 600 00000000 0 0 0
eth0 00000000 0101A8C0 0003 0 0 100 00000000 0 0 0
gone0 00000000 0101A8C0 0002 0 0 1 00000000 0 0 0
"""
ROUTES_IPV6 = f"""\
{0:032x} 00 {0:032x} 00 {1:032x} 00000400 00000001 00000000 00000003 eth1
{0:032x} 00 {0:032x} 00 {0:032x} ffffffff 00000001 00000000 00200200 lo
{5:032x} 80 {0:032x} 00 {0:032x} 00000000 00000001 00000000 80200001 eth2
"""


def ordered(*found: str, defaults: tuple[str, ...] = ()) -> list[str]:
    """Order addresses, each written with its interface."""
    pairs = [each.split() for each in found]
    given = [(ipaddress.ip_address(ip), interface) for ip, interface in pairs]
    return [each.address for each in likeliest_first(given, defaults)]


def test_the_interface_of_the_default_route_comes_first():
    found = ("10.0.0.1 eth0", "2001:db8::2 eth1", "192.168.1.2 eth1", "10.9.0.1 tun0")
    assert ordered(*found, defaults=("eth1",)) == [
        *("192.168.1.2", "2001:db8::2"),
        *("10.0.0.1", "10.9.0.1"),
    ]
    assert ordered(*found, defaults=("tun0", "eth1"))[:2] == ["10.9.0.1", "192.168.1.2"]


@pytest.mark.parametrize(
    "bridge",
    ["docker0", "docker_gwbridge", "br-0123456789ab", "virbr0", "podman1", "cni0", "lxdbr0"],
)
def test_containers_come_after_every_real_network(bridge):
    found = (f"172.17.0.1 {bridge}", "192.168.1.2 br-lan", "2001:db8::2 br0", "169.254.3.4 eth1")
    assert ordered(*found) == ["192.168.1.2", "2001:db8::2", "172.17.0.1"]
    assert ordered(f"172.17.0.1 {bridge}", "169.254.3.4 eth1") == ["169.254.3.4", "172.17.0.1"]
    assert ordered("10.0.0.1 eth0", f"172.17.0.1 {bridge}", defaults=(bridge,))[0] == "172.17.0.1"


def test_a_link_local_address_is_there_only_without_a_better_one():
    assert ordered("169.254.3.4 eth0", "fe80::1 eth0") == ["169.254.3.4"]
    assert ordered("169.254.3.4 eth0", "10.0.0.1 eth1") == ["10.0.0.1"]
    assert ordered("fe80::1 eth0", "127.0.0.1 lo", "::1 lo") == ["fe80::1%eth0"]
    assert ordered("127.0.0.1 lo", "::1 lo") == []


# --- what the system tells -----------------------------------------------------------------------


def test_default_routes_are_read_in_the_order_of_their_metric(tmp_path, monkeypatch):
    (tmp_path / "route").write_text(ROUTES)
    (tmp_path / "ipv6_route").write_text(ROUTES_IPV6)
    monkeypatch.setattr(addresses, "_NET", tmp_path)
    assert addresses._default_interfaces() == ["eth0", "wlan0", "eth1"]


def test_without_the_tables_of_the_kernel_no_route_is_known(tmp_path, monkeypatch):
    monkeypatch.setattr(addresses, "_NET", tmp_path)
    assert addresses._default_interfaces() == []


def test_an_address_that_another_computer_has_is_left_out(tmp_path, monkeypatch):
    rows = (f"{n:032x} 03 40 00 {flags} eth0\n" for n, flags in enumerate(["88", "a0", "80", "01"]))
    (tmp_path / "if_inet6").write_text("".join(rows))
    monkeypatch.setattr(addresses, "_NET", tmp_path)
    assert {int(ip) for ip in addresses._unusable_addresses()} == {0, 1}


def test_without_netlink_the_addresses_are_unknown_but_the_one_asked_for(monkeypatch):
    def refuse():
        raise PermissionError

    monkeypatch.setattr("ifaddr.get_adapters", refuse)
    with socket.create_server(("", 0)) as listener:
        assert addresses_to_join(listener) is None
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert addresses_to_join(listener) == [JoinAddress("127.0.0.1", "")]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (["192.168.1.2", "2001:db8::2"], ["chat.example:80", "192.168.1.2:80", "[2001:db8::2]:80"]),
        (["fe80::1%eth0"], ["chat.example:80"]),  # eth0 is another one at another computer
        (["127.0.0.1"], ["chat.example:80", "127.0.0.1:80"]),  # a chat on this computer alone
        (None, ["chat.example:80"]),
    ],
)
def test_clients_of_other_nodes_are_told_what_they_can_reach(monkeypatch, found, told):
    pairs = found and [JoinAddress(address, "eth0") for address in found]
    monkeypatch.setattr(addresses, "addresses_to_join", lambda listener: pairs)
    with socket.socket() as listener:
        assert addresses_for_others(listener, ["chat.example"], 80) == told


# --- the command ---------------------------------------------------------------------------------
