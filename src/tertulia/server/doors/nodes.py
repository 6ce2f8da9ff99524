"""Browsers and the nodes of a chat: which other node a page of this one may talk to, and back.

A page that has come from one node goes on at another one when its own is lost. Pure: the addresses
of the nodes in, also of those that are down, and what belongs into headers, or not, out.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


def is_of_a_node(origin: str, nodes: Iterable[str]) -> bool:
    """Return whether a page that sends this `Origin` has come from one of the nodes."""
    try:
        parts = urlsplit(origin)
        usual_port = _PORTS[parts.scheme]
        place = (_normal(parts.hostname or ""), parts.port or usual_port)
        return place in map(_place, nodes)
    except (KeyError, ValueError):  # another scheme, or no address
        return False


def hosts_of(nodes: Iterable[str]) -> set[str]:
    """Return the names and IP addresses of the nodes."""
    return {_place(node)[0] for node in nodes}


def sources_of(nodes: Sequence[str], *, is_secure: bool) -> str:
    """Return what `connect-src` has to allow besides the page's own server; "" for nothing.

    That is a WebSocket to anywhere: a policy cannot name an IPv6 address, and it stays as it was
    when the page was loaded, while nodes come up later.
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
