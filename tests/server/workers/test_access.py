"""From which addresses connections are accepted."""

import pytest

from tertulia.protocol.networks import parse_network
from tertulia.server.config import Config
from tertulia.server.workers.access import Access, HeaderRule


def access(allow="", deny="", proxy_from=""):
    def networks(text):
        return tuple(parse_network(word) for word in text.split())

    return Access(
        Config(port=0, allow=networks(allow), deny=networks(deny), proxy_from=networks(proxy_from))
    )


def test_without_lists_everyone_may_come():
    assert all(access().admits(address) for address in ("10.0.0.1", "fd00::1", "fe80::1%eth0"))


def test_with_a_list_only_those_in_it_may_come():
    lists = access(allow="192.168.1.0/24 10.0.0.7 fd00::/8")
    may = [
        lists.admits(address)
        for address in ("192.168.1.9", "10.0.0.7", "fd00::1", "192.168.2.9", "10.0.0.8", "fe80::1")
    ]
    assert may == [True, True, True, False, False, False]


def test_who_is_denied_may_not_come_even_if_allowed():
    lists = access(allow="10.0.0.0/8", deny="10.0.0.7 10.1.0.0/16")
    assert lists.admits("10.0.0.8")
    assert not lists.admits("10.0.0.7")
    assert not lists.admits("10.1.2.3")
    assert access(deny="10.0.0.7").admits("fd00::1")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_this_computer_is_an_address_like_any_other(address):
    assert not access(allow="192.168.1.0/24").admits(address)


def test_the_interface_of_a_local_address_does_not_count():
    assert access(allow="fe80::/10").admits("fe80::1%eth0")
    assert not access(deny="fe80::1").admits("fe80::1%wlan0")


def test_a_header_is_required_from_proxies_alone():
    lists = access(proxy_from="10.0.0.5 fd00::5/128")
    assert lists.header_rule("10.0.0.5") is HeaderRule.REQUIRED
    assert lists.header_rule("fd00::5") is HeaderRule.REQUIRED
    assert lists.header_rule("10.0.0.6") is HeaderRule.NONE
    assert access().header_rule("10.0.0.5") is HeaderRule.NONE
