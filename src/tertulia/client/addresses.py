"""Addresses of servers as people write them, and lists of them: `a`, `a:5001`, `::1`, `[::1]:5000`.

Pure: no name is looked up.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

_IN_BRACKETS = re.compile(r"\[([^\[\]]+)\](?::(.*))?")


class Address(NamedTuple):
    """The host and the port of a server."""

    host: str  # a name or an IP address, without brackets
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_address(text: str, port: int | None = None) -> Address:
    """Return the address in `text`; `port` is used if the text has none. Raises ValueError."""
    text = text.strip()
    found = _IN_BRACKETS.fullmatch(text)
    if found is not None:
        host, digits = found[1], found[2]
    elif text.count(":") == 1:
        host, _colon, digits = text.partition(":")
    else:  # no port; with several colons it is an IPv6 address
        host, digits = text, None
    if digits is not None:
        if not (digits.isascii() and digits.isdigit() and 1 <= int(digits[:6]) <= 65_535):
            raise ValueError(f"{digits!r} is not a port")
        port = int(digits)
    if port is None or not host or "[" in host or "]" in host:
        raise ValueError(f"{text!r} is not the address of a server")
    return Address(host, port)


def parse_addresses(hosts: str | Sequence[str], port: int) -> tuple[Address, ...]:
    """Return the addresses of a sequence, or of a text with commas; each once, and at least one.

    `port` is used for the addresses without a port. Raises ValueError.
    """
    texts = hosts.split(",") if isinstance(hosts, str) else hosts
    found = [parse_address(text, port) for text in texts]
    if not found:
        raise ValueError("there is no address")
    return tuple(dict.fromkeys(found))
