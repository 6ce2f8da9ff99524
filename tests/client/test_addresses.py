"""Addresses of servers, as they are typed and as a `welcome` names them."""

import pytest

from tertulia.client.addresses import Address, parse_address, parse_addresses


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("lab1", ("lab1", 5000)),
        ("lab1:5001", ("lab1", 5001)),
        ("10.0.0.2:65535", ("10.0.0.2", 65535)),
        ("::1", ("::1", 5000)),
        ("fe80::1%eth0", ("fe80::1%eth0", 5000)),
        ("[::1]", ("::1", 5000)),
        ("[fe80::1%eth0]:5001", ("fe80::1%eth0", 5001)),
        (" lab1 ", ("lab1", 5000)),
    ],
)
def test_an_address_may_have_a_port_of_its_own(text, address):
    assert parse_address(text, 5000) == address


@pytest.mark.parametrize(
    "text",
    ["", ":5000", "a:", "a:0", "a:65536", "a:5x", "a:-1", "a:" + "9" * 5000, "a:²", "[]:1",
     "[::1]x", "[::1]:", "[a", "a]b", "[[::1]]"],
)  # fmt: skip
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError, match="is not"):
        parse_address(text, 5000)


def test_a_node_always_names_its_port():
    with pytest.raises(ValueError, match="not the address"):
        parse_address("10.0.0.2")


@pytest.mark.parametrize("hosts", ["a,b:5001, [::1] ,a:5000", ["a", "b:5001", "[::1]", "a"]])
def test_several_addresses_are_each_there_once_and_in_their_order(hosts):
    assert parse_addresses(hosts, 5000) == (("a", 5000), ("b", 5001), ("::1", 5000))


@pytest.mark.parametrize("hosts", [[], "", "a,,b", "a,"])
def test_a_list_without_addresses_or_with_an_empty_one_is_refused(hosts):
    with pytest.raises(ValueError, match="address"):
        parse_addresses(hosts, 5000)


@pytest.mark.parametrize("text", ["lab1:5001", "[::1]:5001"])
def test_an_address_is_written_as_it_is_read(text):
    assert str(parse_address(text)) == text
    assert str(Address("::1", 5001)) == "[::1]:5001"
