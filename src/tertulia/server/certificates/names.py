"""Works out the addresses and names for a certificate of this server.

Pure: what the system reports is passed in.
"""

import ipaddress
import re
from collections.abc import Iterable

# The networks and domains that exist only locally. An authority that is valid for others, too,
# could be used to attack people who have installed it.
LOCAL_AREAS = (
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
    # providers' networks, and virtual networks between computers in several places
    "100.64.0.0/10",
    # for documentation and tests
    "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15",
    "::1/128", "fc00::/7", "fe80::/10", "2001:db8::/32",
    "localhost", "local", "lan", "home.arpa", "internal",
)  # fmt: skip

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")


def lies_in(name: str, areas: Iterable[str]) -> bool:
    """Return whether an address is in one of the networks, or a name in one of the domains."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return any(name == area or name.endswith(f".{area}") for area in areas)
    return any(_contains(area, address) for area in areas)


def _contains(area: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(area)
    except ValueError:  # a domain
        return False


def is_local(name: str) -> bool:
    """Return whether an address or a name exists only on local networks."""
    return lies_in(name, LOCAL_AREAS)


def names_of_computer(hostname: str, given: Iterable[str]) -> list[str]:
    """Return the names of this computer: its host name, alone and with `.local`, and given names.

    It leaves out names that cannot be in a certificate, and those that could be a top-level
    domain: an authority for `dev` would be valid for every name that ends with `.dev`.
    """
    short = hostname.partition(".")[0]
    names = (name.lower().rstrip(".") for name in (hostname, short, f"{short}.local", *given))
    return [name for name in dict.fromkeys(names) if _can_be_certified(name)]


def _can_be_certified(name: str) -> bool:
    last = name.rpartition(".")[2]
    if not _NAME.fullmatch(name) or last.isdigit():  # it would be read as an address
        return False
    may_be_top_level = name == last and (name.isalpha() or name.startswith("xn--"))
    return is_local(name) or not may_be_top_level


def names_to_certify(addresses: Iterable[str], names: Iterable[str]) -> set[str]:
    """Return the addresses and names of this computer that a certificate has to contain.

    Public IPv6 addresses are left out, because they change often; so are link-local ones, which
    cannot be in a link, because they need an interface.
    """
    found = {*_LOOPBACK, *names}
    for text in addresses:
        address = ipaddress.ip_address(text)
        if address.version == 4 or (is_local(text) and not address.is_link_local):
            found.add(str(address))
    return found
