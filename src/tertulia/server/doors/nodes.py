"""Browsers and the nodes of a chat: which other node a page of this one may talk to, and back.

A page that has come from one node goes on at another one when its own is lost. Pure: the addresses
of the nodes in, as `welcome.nodes` has them, and what belongs into headers, or not, out.
"""

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
# What a Content-Security-Policy can name: an IPv6 address it cannot.
_IN_A_POLICY = re.compile(r"[A-Za-z0-9.-]+:[0-9]{1,5}")


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


def sources_of(nodes: Iterable[str], *, is_secure: bool) -> str:
    """Return what `connect-src` has to name besides the page's own server; "" for nothing."""
    scheme = "wss" if is_secure else "ws"
    return "".join(f" {scheme}://{node}" for node in nodes if _IN_A_POLICY.fullmatch(node))


def _place(node: str) -> tuple[str, int]:
    host, _colon, port = node.rpartition(":")
    return _normal(host.strip("[]")), int(port)


def _normal(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:  # a name
        return host.lower()
