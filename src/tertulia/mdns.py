"""Multicast DNS, by which servers and clients on one local network find each other.

No packet leaves that network: it uses only groups of link-local multicast, only interfaces that are
not tunnels, and answers only neighbours, never through a gateway. Any thread.
"""

import contextlib
import ipaddress
import os
import re
import socket
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from zeroconf import Zeroconf

SERVICE_TYPE = "_tertulia._tcp.local."
# `off`: nothing is announced or searched. An address: only its interface is used.
VARIABLE = "TERTULIA_MDNS"
OFF = "off"
MAX_INTERFACES = 8  # for IPv4, and for IPv6
# Bridges and cables that container and machine emulators create on this computer.
CONTAINERS = re.compile(
    r"docker|br-[0-9a-f]{12}$|veth|virbr|podman|cni|nerdctl|lxc|lxd|incus|vboxnet|vmnet|cali|"
    r"cilium|flannel|kube"
)

_SIOCGIFFLAGS = 0x8913
_UP, _LOOPBACK, _POINT_TO_POINT, _RUNNING, _MULTICAST = 0x1, 0x8, 0x10, 0x40, 0x1000

Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface


class LocalAddress(NamedTuple):
    """An address of this computer with its network and its interface."""

    ip: Interface
    interface: str
    scope: int | None  # the number of that interface


def is_switched_off() -> bool:
    """Return whether the user has disabled multicast DNS."""
    return os.environ.get(VARIABLE) == OFF


def can_be_found(bound_to: str) -> bool:
    """Return whether a server that listens on this address can be announced."""
    chosen = os.environ.get(VARIABLE)
    is_loopback = ipaddress.ip_address(bound_to.partition("%")[0]).is_loopback
    return chosen != OFF if chosen else not is_loopback


def local_addresses() -> list[LocalAddress]:
    """Return the addresses in the local networks of this computer.

    They are in the system's order, but networks of containers are last, because other computers are
    not in them. Tunnels are left out, because they lead to another network. The loopback interface
    is left out too, unless the environment names it.
    """
    if is_switched_off():
        return []
    import ifaddr  # slow to import

    try:
        adapters = list(ifaddr.get_adapters())
    except (OSError, ValueError):  # Netlink is forbidden, or a name is not UTF-8
        return []
    found = []
    for adapter in adapters:
        interface = adapter.name.partition(":")[0]  # "eth0:1" is a label
        flags = _flags(interface)
        for each in adapter.ips:
            text = each.ip if isinstance(each.ip, str) else each.ip[0]
            ip = ipaddress.ip_interface(f"{text}/{each.network_prefix}")
            if _is_usable(ip, flags):
                found.append(LocalAddress(ip, interface, adapter.index))
    return sorted(found, key=lambda each: CONTAINERS.match(each.interface) is not None)


def is_neighbour(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address, own: Sequence[LocalAddress]
) -> bool:
    """Return whether an address is in one of the networks of these addresses."""
    if ip.is_multicast or ip.is_unspecified:
        return False
    return any(ip in each.ip.network for each in own)


def open_zeroconf(own: Sequence[LocalAddress]) -> "Zeroconf":
    """Return a multicast DNS service on the interfaces of these addresses, the first ones of many.

    In a thread with a running asyncio loop it uses that loop, otherwise a thread of its own. Raises
    OSError and RuntimeError.
    """
    from zeroconf import Zeroconf  # slow to import, and not always needed

    # One address for each interface and version, because more of them would send everything twice.
    # Each needs a socket, and a computer with containers has many networks.
    ipv4: dict[str, str] = {}
    ipv6: dict[int, None] = {}
    for each in own:
        if each.ip.version == 4:
            ipv4.setdefault(each.interface, str(each.ip.ip))
        elif each.scope is not None:
            ipv6.setdefault(each.scope)
    chosen: list[str | int | tuple[tuple[str, int, int], int]] = []
    chosen += list(ipv4.values())[:MAX_INTERFACES]
    chosen += list(ipv6)[:MAX_INTERFACES]
    return Zeroconf(chosen)


def stay_on_link(zeroconf: "Zeroconf") -> None:
    """Forbid the sockets of `zeroconf` to use a gateway, once it has started. Raises OSError.

    Otherwise it would also answer a sender in another network that sends a question to this
    computer's own address.
    """
    for each in [*zeroconf.engine.senders, *zeroconf.engine.readers]:
        each.sock.setsockopt(socket.SOL_SOCKET, socket.SO_DONTROUTE, 1)
        if each.is_ipv6:  # Linux ignores that option for IPv6
            each.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 1)


def _is_usable(ip: Interface, flags: int | None) -> bool:
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return str(ip.ip) == chosen
    if ip.is_loopback:
        return False
    if flags is None:
        return True
    needed = _UP | _RUNNING | _MULTICAST
    return flags & needed == needed and not flags & (_LOOPBACK | _POINT_TO_POINT)


def _flags(interface: str) -> int | None:
    """Return the flags of an interface; None if this system does not report them."""
    try:
        import fcntl
    except ImportError:
        return None
    request = struct.pack("16s240x", interface.encode()[:15])
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        (flags,) = struct.unpack_from("16xH", fcntl.ioctl(probe, _SIOCGIFFLAGS, request))
        return int(flags)
    return None
