"""IP addresses and networks as people write them: which texts are one, and which mean the same.

An IPv4 address inside IPv6 (`::ffff:10.0.0.7`) is the IPv4 address. The interface of a local
address (`fe80::1%eth0`) does not count.
"""

import ipaddress

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# The addresses at which this computer reaches itself.
LOOPBACK: tuple[Network, ...] = (
    ipaddress.IPv4Network("127.0.0.0/8"),
    ipaddress.IPv6Network("::1/128"),
)
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


def parse_network(text: str) -> Network | None:
    """Return the network that a text stands for; None if it is not one.

    A single address is a network of one address."""
    address, _, length = text.partition("/")
    text = address.partition("%")[0] + ("/" + length if "/" in text else "")
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    if network.version == 6 and network.subnet_of(_MAPPED):
        first = ipaddress.IPv4Address(int(network.network_address) & 0xFFFF_FFFF)
        return ipaddress.IPv4Network((first, network.prefixlen - _MAPPED.prefixlen))
    return network


def shown_network(network: Network) -> str:
    """Return the one spelling of a network; an address is written without its length."""
    if network.prefixlen == network.max_prefixlen:
        return str(network.network_address)
    return str(network)
