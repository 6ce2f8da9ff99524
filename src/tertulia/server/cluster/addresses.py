"""The addresses of nats-servers, as the operator writes them. Pure."""

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import urlsplit

_USUAL_PORT = 4222  # of a nats-server
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_.])?")


class Address(NamedTuple):
    """The address of one nats-server. `str` is what messages show of it."""

    host: str
    port: int
    has_tls: bool  # the connection is refused if the server does not speak TLS

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The complete URL, with the port."""
        return f"{'tls' if self.has_tls else 'nats'}://{self}"


def parse_address(text: str) -> Address:
    """Read `nats://HOST:PORT` or `tls://HOST:PORT`, in which `:PORT` may be missing.

    Raises ValueError, without the text, which may hold a password.
    """
    problem = ValueError("not the address of a nats-server")
    try:
        url = urlsplit(text)
        host, port = url.hostname or "", url.port
    except ValueError:
        raise problem from None
    # A path, a login or another part would be ignored later, and urlsplit drops some characters.
    is_plain = text.lower() in (f"{url.scheme}://{url.netloc}".lower() + end for end in ("", "/"))
    is_whole = is_plain and "@" not in text and not url.netloc.endswith(":")
    if url.scheme not in ("nats", "tls") or not is_whole or not _is_host(host, url.netloc):
        raise problem
    return Address(host, _USUAL_PORT if port is None else port, url.scheme == "tls")


def _is_host(host: str, netloc: str) -> bool:
    if not netloc.startswith("["):
        return _HOST.fullmatch(host) is not None
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return True
