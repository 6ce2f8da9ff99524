"""Decides which nodes a page may connect to, and which pages may connect to this node.

A page from one node continues with another node when its own is lost. Pure: it gets the addresses
of all nodes, also of those that are down, and returns values for headers.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


def is_of_a_node(origin: str, nodes: Iterable[str]) -> bool:
    """Return whether a page that sends this `Origin` comes from one of the nodes."""
    try:
        parts = urlsplit(origin)
        usual_port = _PORTS[parts.scheme]
        place = (_normal(parts.hostname or ""), parts.port or usual_port)
        return place in map(_place, nodes)
    except (KeyError, ValueError):  # another scheme, or not an address
        return False


def hosts_of(nodes: Iterable[str]) -> set[str]:
    """Return the names and IP addresses of the nodes."""
    return {_place(node)[0] for node in nodes}


def sources_of(nodes: Sequence[str], *, is_secure: bool) -> str:
    """Return what `connect-src` has to allow besides the page's own server; "" for nothing.

    It allows WebSockets to every address: a policy cannot name an IPv6 address, and does not
    change after the page was loaded, while new nodes may come up.
    """
    if not nodes:
        return ""
    return " wss:" if is_secure else " ws:"


def _place(node: str) -> tuple[str, int]:
    host, _colon, port = node.rpartition(":")
    return _normal(host.strip("[]")), int(port)


def _normal(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:  # a name
        return host.lower()
