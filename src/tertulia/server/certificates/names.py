"""Under which addresses and names a certificate of this server is good.

Pure: what the system says comes in as arguments.
"""

import ipaddress
import re
from collections.abc import Iterable

# What every certificate may name. An authority that is good for others as well could be used to
# attack whoever has installed it.
PRIVATE_NETWORKS = tuple(
    map(
        ipaddress.ip_network,
        (
            "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
            "100.64.0.0/10",  # of providers, and of networks between computers at several places
            "::1/128", "fc00::/7", "fe80::/10",
        ),
    )
)  # fmt: skip
LOCAL_DOMAINS = ("localhost", "local", "lan", "home.arpa", "internal")

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")


def names_of_computer(hostname: str, given: Iterable[str]) -> list[str]:
    """Return the names of this computer: its host name, alone and with `.local`, and those given.

    What cannot be a name in a certificate is left out.
    """
    short = hostname.partition(".")[0]
    names = (name.lower().rstrip(".") for name in (hostname, short, f"{short}.local", *given))
    return [name for name in dict.fromkeys(names) if _NAME.fullmatch(name) and not _is_number(name)]


def _is_number(name: str) -> bool:
    """Return whether a name would be taken for an IPv4 address: its last part is a number."""
    return name.rpartition(".")[2].isdigit()


def names_to_certify(addresses: Iterable[str], names: Iterable[str]) -> set[str]:
    """Return what a certificate has to name: private addresses, and the names of this computer."""
    found = {*_LOOPBACK, *names}
    for text in addresses:
        address = ipaddress.ip_address(text)
        is_private = any(address in network for network in PRIVATE_NETWORKS)
        if is_private and not (address.version == 6 and address.is_link_local):
            found.add(str(address))  # a link cannot have a link-local one: it needs an interface
    return found
