"""Who is connected, by name and by address."""

import pytest

from tertulia.protocol.messages import Status
from tertulia.protocol.names import Name, parse_name
from tertulia.protocol.networks import parse_network
from tertulia.server.hub.registry import Registry, sessions_at
from tertulia.server.hub.session import Route, Session


def session(spelling: str, address: str = "10.0.0.1") -> Session:
    name = parse_name(spelling)
    assert isinstance(name, Name)
    return Session(
        name=name,
        address=address,
        token="token",
        route=Route("", 1),
        since="2026-11-22T15:04:05.123Z",
        status=Status.ACTIVO,
        chosen=Status.ACTIVO,
        last_active=0.0,
    )


def test_an_added_session_is_found_by_key_by_address_and_by_any_spelling():
    registry = Registry(shared_addresses=False)
    ana = session("Ana")
    assert not ana.is_here
    registry.add(ana)
    assert ana.is_here
    assert registry.with_key("ana") is ana
    assert registry.at_address("10.0.0.1") is ana
    assert [registry.find(spelling) for spelling in ("Ana", "ana", "ＡＮＡ")] == [ana] * 3
    assert list(registry) == [ana]
    assert len(registry) == 1


@pytest.mark.parametrize("spelling", ["luis", "no name", ""])
def test_a_name_that_nobody_has_is_not_found(spelling: str):
    registry = Registry(shared_addresses=False)
    registry.add(session("ana"))
    assert registry.find(spelling) is None


@pytest.mark.parametrize("shared_addresses", [False, True])
def test_a_removed_session_is_found_in_no_way(shared_addresses: bool):
    registry = Registry(shared_addresses=shared_addresses)
    ana, luis = session("Ana", "10.0.0.1"), session("luis", "10.0.0.2")
    registry.add(ana)
    registry.add(luis)
    registry.remove(ana)
    assert not ana.is_here
    assert registry.find("Ana") is registry.find("ana") is registry.with_key("ana") is None
    assert registry.at_address("10.0.0.1") is None
    assert list(registry) == [luis]


def test_shared_addresses_are_occupied_by_nobody():
    registry = Registry(shared_addresses=True)
    ana, luis = session("ana"), session("luis")
    registry.add(ana)
    registry.add(luis)
    assert registry.at_address("10.0.0.1") is None
    registry.remove(ana)
    assert list(registry) == [luis]


def test_the_list_is_in_the_order_of_arrival():
    registry = Registry(shared_addresses=True)
    for name in ("luis", "ana", "bea"):
        registry.add(session(name))
    assert [one.name.shown for one in registry] == ["luis", "ana", "bea"]


@pytest.mark.parametrize(
    ("network", "names"),
    [
        ("10.0.0.7", ["own"]),
        ("10.0.0.4/30", ["first", "own"]),
        ("10.0.0.7/32", ["own"]),
        ("fe80::1", ["linked"]),
        ("fe80::/64", ["linked"]),
        ("::/8", ["low"]),
    ],
)
def test_a_network_holds_the_sessions_whose_addresses_are_in_it_and_of_its_family(network, names):
    addresses = {
        "first": "10.0.0.4",
        "own": "10.0.0.7",
        "next": "10.0.0.8",
        "linked": "fe80::1%eth0",
        "low": "::a00:7",  # the same number as 10.0.0.7
        "socket": "",
    }
    sessions = [session(name, address) for name, address in addresses.items()]
    found = sessions_at(parse_network(network), sessions)
    assert [one.name.shown for one in found] == names
