"""The addresses of nats-servers, as the operator writes them. Pure."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from tertulia.server.cluster.unusable import wrong_url

_PORT = 4222  # NATS's own


class Address(NamedTuple):
    """The address of one nats-server. `str` never shows the password that a URL may hold."""

    url: str  # the complete URL, with a port
    host: str
    port: int
    has_tls: bool  # the connection is refused if the server does not speak TLS

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Read `nats://host:4222`, `tls://host:4222`, `host:4222` or `host`. Raises ClusterUnusable."""
    url = text if "://" in text else f"nats://{text}"
    try:
        parts = urlsplit(url)
        port = _PORT if parts.port is None else parts.port
    except ValueError:
        raise wrong_url(_without_login(text)) from None
    is_bare = parts.path in ("", "/") and not parts.query and not parts.fragment
    has_space = any(char.isspace() or not char.isprintable() for char in text)
    is_complete = parts.scheme in ("nats", "tls") and parts.hostname and port
    if not is_complete or not is_bare or has_space:
        raise wrong_url(_without_login(text))
    login, at, _host = parts.netloc.rpartition("@")
    address = Address(url, parts.hostname or "", port, parts.scheme == "tls")
    return address._replace(url=f"{parts.scheme}://{login}{at}{address}")


def _without_login(text: str) -> str:
    return re.sub(r"[^/]*@", "***@", text)
