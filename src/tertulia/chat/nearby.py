"""Finds the servers that announce themselves on the local network.

Every announcement is only a hint, because anyone on the network can announce anything. So only
addresses of neighbours are accepted, texts are shortened, and no fingerprint is trusted. Any
thread; the calls wait.
"""

import asyncio
import contextlib
import ipaddress
import re
import threading
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tertulia.i18n import _
from tertulia.mdns import (
    SERVICE_TYPE,
    LocalAddress,
    is_neighbour,
    local_addresses,
    open_zeroconf,
    stay_on_link,
)

if TYPE_CHECKING:
    from zeroconf import ServiceInfo, Zeroconf

_WAIT_S = 1.0  # for answers, which take about 0.15 s; the last ones arrive within this time
_WAIT_FOR_FIRST_S = 1.5  # if there is no answer: the question is repeated after a second
_MAX_SERVICES = 2_000  # further ones are ignored: a single computer must be announcing very many
_MAX_INCOMPLETE = 32  # the most services about which one more question is sent
_ASK_MS = 400
_MAX_ASKED = 500
_ANSWER_WITHIN_S = 0.5
_MAX_NAME_CHARS = 64
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


class NearbyServer(NamedTuple):
    """The announcement of a server; `fingerprint` is "" if it contains none."""

    name: str
    address: str
    port: int
    fingerprint: str = ""
    requires_tls: bool = False


class CannotLook(Exception):
    """The search is impossible, without a network or a library. The text is for people."""


def find_servers() -> list[NearbyServer]:
    """Return the servers on the local network, within 2 s. Raises CannotLook."""
    try:
        import zeroconf as library
    except ImportError as error:  # in the one-file client
        raise CannotLook(_("this client lacks the library for it")) from error
    own = local_addresses()
    if not own:
        raise CannotLook(_("this computer is in no network"))
    names = _Names()
    try:
        with open_zeroconf(own) as zeroconf:
            stay_on_link(zeroconf)
            browser = library.ServiceBrowser(zeroconf, SERVICE_TYPE, handlers=[names.on_change])
            names.wait()
            infos = [library.ServiceInfo(SERVICE_TYPE, name) for name in names.all()]
            incomplete = [info for info in infos if not info.load_from_cache(zeroconf)]
            _ask(zeroconf, incomplete[:_MAX_INCOMPLETE])
            browser.cancel()
    except (OSError, RuntimeError, library.Error) as error:
        raise CannotLook(str(error)) from error
    return servers_in(infos, own)


def that_answer(servers: Sequence[NearbyServer]) -> list[NearbyServer]:
    """Return the servers whose ports accept a connection, within half a second.

    It is used for very many announcements, because most of them are then false.
    """
    import selectors  # seldom needed
    import socket

    found: list[NearbyServer] = []
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as sockets:
        for server in servers[:_MAX_ASKED]:
            family = socket.AF_INET6 if ":" in server.address else socket.AF_INET
            try:
                sock = sockets.enter_context(socket.socket(family, socket.SOCK_STREAM))
                sock.setblocking(False)
                sock.connect_ex((server.address, server.port))
            except OSError:
                continue  # there is no free descriptor, or the address cannot be used
            selector.register(sock, selectors.EVENT_WRITE, server)
        give_up_at = time.monotonic() + _ANSWER_WITHIN_S
        while selector.get_map() and (left_s := give_up_at - time.monotonic()) > 0:
            for key, _events in selector.select(left_s):
                selector.unregister(key.fileobj)
                if not key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):  # type: ignore[union-attr]
                    found.append(key.data)
    return sorted(found)


def servers_in(infos: Iterable["ServiceInfo"], own: Sequence[LocalAddress]) -> list[NearbyServer]:
    """Return the announced servers that have an address of a neighbour, ordered by name.

    Several announcements of the same address and port count as one server.
    """
    found: dict[tuple[str, int], NearbyServer] = {}
    for info in infos:
        address = _neighbour_in(info, own)
        if address is None or not info.port:
            continue
        texts = {
            key.decode(errors="replace"): (value or b"").decode(errors="replace")
            for key, value in info.properties.items()
        }
        name = texts.get("name", "")[:_MAX_NAME_CHARS].strip() or address
        fingerprint = texts.get("fp", "")
        if not _FINGERPRINT.fullmatch(fingerprint):
            fingerprint = ""
        server = NearbyServer(
            name, address, info.port, fingerprint, texts.get("tls", "") == "require"
        )
        found.setdefault((address, info.port), server)
    return sorted(found.values())


def _neighbour_in(info: "ServiceInfo", own: Sequence[LocalAddress]) -> str | None:
    """Return the address to connect to: IPv4 is preferred, link-local is the last choice."""
    addresses = []
    for text in info.parsed_scoped_addresses():
        address, _percent, scope = text.partition("%")
        ip = ipaddress.ip_address(address)
        is_scoped = ip.version == 6 and ip.is_link_local
        if is_neighbour(ip, own) and (scope or not is_scoped):
            addresses.append((ip.version, is_scoped, ip, text))
    return min(addresses)[-1] if addresses else None


class _Names:
    """The names of the announced services; zeroconf's thread adds to them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: dict[str, None] = {}

    def on_change(self, *, name: str, **_rest: object) -> None:
        with self._lock:
            if len(self._names) < _MAX_SERVICES:
                self._names[name] = None

    def all(self) -> list[str]:
        with self._lock:
            return list(self._names)

    def wait(self) -> None:
        """Wait for the names, and longer while there is none."""
        time.sleep(_WAIT_S)
        give_up_at = time.monotonic() + _WAIT_FOR_FIRST_S - _WAIT_S
        while not self.all() and time.monotonic() < give_up_at:
            time.sleep(0.05)


def _ask(zeroconf: "Zeroconf", infos: Sequence["ServiceInfo"]) -> None:
    """Ask for the missing data of all services together, for a short time."""

    async def ask() -> None:
        requests = (info.async_request(zeroconf, _ASK_MS) for info in infos)
        await asyncio.gather(*requests)

    if infos and zeroconf.loop is not None:
        asyncio.run_coroutine_threadsafe(ask(), zeroconf.loop).result()
