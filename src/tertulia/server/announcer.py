"""Announces the server to its local network by multicast DNS, so that clients find it by itself.

It has a thread of its own, which also looks every half minute whether the computer is in another
network now. A failure here is logged and stops nothing else.
"""

import asyncio
import contextlib
import ipaddress
import logging
import secrets
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from tertulia.mdns import SERVICE_TYPE, LocalAddress, local_addresses, open_zeroconf, stay_on_link
from tertulia.protocol.messages import PROTOCOL_VERSION

if TYPE_CHECKING:
    from zeroconf import ServiceInfo, Zeroconf

log = logging.getLogger("tertulia.announcer")

_LOOK_EVERY_S = 30.0
_LOOK_AGAIN_S = 2.0  # while there is no network
_MAX_ADDRESSES = 16  # of a computer with many virtual networks; the others are not announced
_MAX_NAME_BYTES = 40  # of a label's 63, beside the port and the random part


class Service(NamedTuple):
    """The announced server. The certificate's fingerprint is only a hint and proves nothing."""

    port: int
    name: str  # for people
    bound_to: str  # the address that the server listens on; unspecified: all of that version
    is_dual: bool  # it listens on IPv4 too, although `bound_to` is an IPv6 address
    requires_tls: bool


class Announcer:
    """The announcement of one server, from `start` to `stop`."""

    def __init__(self, service: Service, fingerprint: Callable[[], str]) -> None:
        """`fingerprint` returns that of the certificate, or "" without one. Any thread."""
        self._service = service
        self._fingerprint = fingerprint
        # Servers with equal names and ports that start together would not notice each other.
        self._random = secrets.token_hex(4)
        self._last_problem = ""
        self._broadcast: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = threading.Event()
        self._wake = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="announcer", daemon=True)

    def start(self) -> None:
        """Begin to announce. Raises RuntimeError if there can be no further thread."""
        self._thread.start()

    def begin_to_stop(self) -> None:
        """Withdraw the announcement, without waiting for that. Idempotent."""
        self._stopping.set()
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # It has ended meanwhile.
                loop.call_soon_threadsafe(self._wake.set)

    def stop(self, timeout_s: float) -> bool:
        """Withdraw the announcement; return whether that was done in time."""
        self.begin_to_stop()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        for noisy in ("zeroconf", "asyncio"):
            logging.getLogger(noisy).setLevel(logging.ERROR)
        try:
            asyncio.run(self._announce())
        except Exception:
            log.exception("not announced any more")

    async def _announce(self) -> None:
        self._loop = asyncio.get_running_loop()
        known: tuple[list[LocalAddress], str] | None = None
        zeroconf: Zeroconf | None = None
        try:
            while not self._stopping.is_set():
                now = (self._addresses(), self._fingerprint())
                if now != known:
                    if zeroconf is not None:
                        await self._withdraw(zeroconf)
                    zeroconf = await self._open(*now)
                    known = None if zeroconf is None else now
                wait_s = _LOOK_AGAIN_S if zeroconf is None else _LOOK_EVERY_S
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), wait_s)
        finally:
            if zeroconf is not None:
                await self._withdraw(zeroconf)

    def _addresses(self) -> list[LocalAddress]:
        bound_to = ipaddress.ip_address(self._service.bound_to)
        versions = {4, 6} if self._service.is_dual else {bound_to.version}
        return [
            each
            for each in local_addresses()
            if each.ip.version in versions and (bound_to.is_unspecified or each.ip.ip == bound_to)
        ]

    async def _open(self, own: list[LocalAddress], fingerprint: str) -> "Zeroconf | None":
        """Announce the server on these addresses; None if that is not possible now."""
        if not own:
            self._log_problem("there is no network", logging.INFO)
            return None
        import zeroconf as library  # slow to import

        zeroconf = None
        try:
            zeroconf = open_zeroconf(own)
            await zeroconf.async_wait_for_start()
            stay_on_link(zeroconf)
            await self._register(zeroconf, self._info(own, fingerprint))
        except (OSError, RuntimeError, library.Error) as error:
            self._log_problem(str(error) or type(error).__name__)
            if zeroconf is not None:
                await self._withdraw(zeroconf)
            return None
        self._last_problem = ""
        where = ",".join(str(each.ip.ip) for each in own[:_MAX_ADDRESSES])
        log.info("announced name='%s' addresses=%s", self._service.name, where)
        return zeroconf

    async def _register(self, zeroconf: "Zeroconf", info: "ServiceInfo") -> None:
        """Look whether the name is free, which takes most of a second, and announce it.

        It ends at once when the server stops.
        """
        registering = asyncio.ensure_future(
            zeroconf.async_register_service(info, allow_name_change=True)
        )
        waking = asyncio.ensure_future(self._wake.wait())
        await asyncio.wait((registering, waking), return_when=asyncio.FIRST_COMPLETED)
        waking.cancel()
        if registering.done():
            self._broadcast = asyncio.ensure_future(await registering)  # three times in a second
        else:
            registering.cancel()

    def _info(self, own: list[LocalAddress], fingerprint: str) -> "ServiceInfo":
        from zeroconf import ServiceInfo

        service = self._service
        properties = {"v": str(PROTOCOL_VERSION), "name": service.name}
        if fingerprint:
            properties["fp"] = fingerprint
        if service.requires_tls:
            properties["tls"] = "require"
        name = service.name.encode()[:_MAX_NAME_BYTES].decode(errors="ignore")
        return ServiceInfo(
            SERVICE_TYPE,
            f"{name} {service.port} ({self._random}).{SERVICE_TYPE}",
            port=service.port,
            server=f"tertulia-{self._random}-{service.port}.local.",
            addresses=[each.ip.ip.packed for each in own[:_MAX_ADDRESSES]],
            properties=properties,
        )

    async def _withdraw(self, zeroconf: "Zeroconf") -> None:
        """Withdraw the announcement from the network, and close the sockets."""
        from zeroconf.asyncio import AsyncZeroconf

        if self._broadcast is not None:
            self._broadcast.cancel()  # otherwise it would announce the service again
            self._broadcast = None
        await AsyncZeroconf(zc=zeroconf).async_close()

    def _log_problem(self, problem: str, level: int = logging.WARNING) -> None:
        if problem != self._last_problem:  # once, not every half minute
            log.log(level, "not announced on the local network: %s", problem)
            self._last_problem = problem


def service_of(listener: socket.socket, *, requires_tls: bool) -> Service:
    """Return the announcement for the server that listens at a socket."""
    bound_to, port = listener.getsockname()[:2]
    is_dual = listener.family == socket.AF_INET6 and not listener.getsockopt(
        socket.IPPROTO_IPV6, socket.IPV6_V6ONLY
    )
    name = "".join(sign for sign in socket.gethostname().partition(".")[0] if sign.isprintable())
    return Service(port, name or "tertulia", bound_to.partition("%")[0], is_dual, requires_tls)
