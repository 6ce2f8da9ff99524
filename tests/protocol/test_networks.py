"""IP addresses and networks as people write them."""

import pytest

from tertulia.protocol.networks import parse_network, shown_network


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("10.0.0.7/32", "10.0.0.7"),
        ("10.0.0.7/28", "10.0.0.0/28"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("::FFFF:0a00:0007", "10.0.0.7"),
        ("::ffff:10.0.0.0/124", "10.0.0.0/28"),
        ("::1", "::1"),
        ("2001:DB8:0::7/64", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::1"),
        ("::/0", "::/0"),
    ],
)
def test_each_network_has_one_spelling(text, shown):
    network = parse_network(text)
    assert network is not None
    assert shown_network(network) == shown


@pytest.mark.parametrize(
    "text",
    [
        *("", "luis", "10.0.0", "10.0.0.256", "10.0.0.7/33", "10.0.0.7/-1", "10.0.0.07"),
        *(
            "١٠.0.0.7",
            " 10.0.0.7",
            "10.0.0.7/",
            "1::2::3",
            "10.0.0.7\n",
            "%eth0",
            "/",
            "9" * 60_000,
        ),
    ],
)
def test_what_is_no_network_is_none(text):
    assert parse_network(text) is None
