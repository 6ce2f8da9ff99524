"""Finds the addresses at which others can reach this server.

An address that the system does not report is left out; no error here ends a start. Any thread.
"""

import contextlib
import fcntl
import ipaddress
import socket
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from tertulia.mdns import CONTAINERS

_NET = Path("/proc/self/net")
_SIOCGIFFLAGS = 0x8913
_UP_AND_RUNNING = 0x1 | 0x40  # IFF_UP, and IFF_RUNNING: a cable or a radio network is connected
_RTF_UP, _RTF_REJECT = 0x1, 0x200
# IFA_F_DADFAILED: another computer has this address. IFA_F_DEPRECATED: it is about to be removed.
_UNUSABLE = 0x08 | 0x20

_IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class JoinAddress(NamedTuple):
    """An address at which the server can be reached, and the name of its interface."""

    address: str
    interface: str  # "": unknown

    @property
    def is_this_computer(self) -> bool:
        """Return whether no other computer can reach this address."""
        return self.address.startswith("127.") or self.address == "::1"

    def with_port(self, port: int) -> str:
        """Return address and port in the form 10.0.0.2:5000, or [::1]:5000."""
        return f"[{self.address}]:{port}" if ":" in self.address else f"{self.address}:{port}"


def addresses_to_join(listener: socket.socket) -> list[JoinAddress] | None:
    """Return the addresses that reach a listening socket, the likeliest first.

    None if the system does not tell the addresses of this computer.
    """
    bound, *rest = listener.getsockname()
    found = _addresses_of_this_computer()
    if not ipaddress.ip_address(bound).is_unspecified:
        interface = next((name for ip, name in found or () if str(ip) == bound), "")
        if len(rest) == 3 and rest[2]:
            interface = socket.if_indextoname(rest[2])
            return [JoinAddress(f"{bound}%{interface}", interface)]
        return [JoinAddress(bound, interface)]
    if found is None:
        return None
    versions = _versions(listener)
    usable = [each for each in found if each[0].version in versions and _is_running(each[1])]
    this_computer = JoinAddress("127.0.0.1" if 4 in versions else "::1", "lo")
    return likeliest_first(usable, _default_interfaces()) or [this_computer]


def addresses_for_others(listener: socket.socket, names: Iterable[str], port: int) -> list[str]:
    """Return names, then addresses, at which clients of other nodes can reach this server.

    Link-local addresses of IPv6 are left out, because each computer has its own name for the
    interface in them.
    """
    found = addresses_to_join(listener) or []
    reached = [one for one in found if not one.is_this_computer] or found
    named = [JoinAddress(name, "") for name in names]
    return [one.with_port(port) for one in [*named, *reached] if "%" not in one.address]


def own_addresses() -> list[str]:
    """Return all addresses of this computer, as far as the system tells them."""
    return [str(ip) for ip, _interface in _addresses_of_this_computer() or ()]


def _versions(listener: socket.socket) -> set[int]:
    """Return the versions of IP that reach a listening socket."""
    if listener.family == socket.AF_INET:
        return {4}
    return {6} if listener.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) else {4, 6}


def likeliest_first(
    found: Iterable[tuple[_IPAddress, str]], default_interfaces: Sequence[str]
) -> list[JoinAddress]:
    """Return addresses in the order in which others are likely to reach them.

    Interfaces of a default route come first, networks of containers last. Link-local addresses
    are left out if a network has others.
    """
    real: list[JoinAddress] = []
    link_local: list[JoinAddress] = []
    containers: list[JoinAddress] = []
    scoped: list[JoinAddress] = []

    def rank(each: tuple[_IPAddress, str]) -> tuple[int, int]:
        ip, interface = each
        if interface in default_interfaces:
            return default_interfaces.index(interface), ip.version
        return len(default_interfaces), ip.version

    for ip, interface in sorted(found, key=rank):  # then in the system's own order
        if ip.is_loopback:
            continue
        if ip.is_link_local and ip.version == 6:
            scoped.append(JoinAddress(f"{ip}%{interface}", interface))
        elif interface not in default_interfaces and CONTAINERS.match(interface):
            containers.append(JoinAddress(str(ip), interface))
        elif ip.is_link_local:
            link_local.append(JoinAddress(str(ip), interface))
        else:
            real.append(JoinAddress(str(ip), interface))
    return (real or link_local) + containers or scoped


def _addresses_of_this_computer() -> list[tuple[_IPAddress, str]] | None:
    import ifaddr  # slow to import, and not needed for a server on one address

    try:
        adapters = list(ifaddr.get_adapters())
    except (OSError, ValueError):  # Netlink is forbidden, or a name is not UTF-8.
        return None
    unusable = _unusable_addresses()
    found = []
    for adapter in adapters:
        interface = adapter.name.partition(":")[0]  # "eth0:1" is a label.
        for each in adapter.ips:
            ip = ipaddress.ip_address(each.ip if isinstance(each.ip, str) else each.ip[0])
            if ip not in unusable:
                found.append((ip, interface))
    return found


def _unusable_addresses() -> set[_IPAddress]:
    return {
        ipaddress.IPv6Address(int(digits, 16))
        for digits, _index, _prefix, _scope, flags, _name in _table("if_inet6", 6)
        if int(flags, 16) & _UNUSABLE
    }


def _default_interfaces() -> list[str]:
    """Return the interfaces of the default routes, for IPv4 and then for IPv6, the best first."""
    ipv4 = [
        (int(row[6]), row[0])
        for row in _table("route", 11)
        if row[1] == row[7] == "0" * 8 and int(row[3], 16) & (_RTF_UP | _RTF_REJECT) == _RTF_UP
    ]
    ipv6 = [
        (int(row[5], 16), row[9])
        for row in _table("ipv6_route", 10)
        if (row[0], row[1]) == ("0" * 32, "00")
        and int(row[8], 16) & (_RTF_UP | _RTF_REJECT) == _RTF_UP
    ]
    return [name for _metric, name in sorted(ipv4) + sorted(ipv6)]


def _table(name: str, columns: int) -> list[list[str]]:
    """Return the rows of a table of the kernel; none if it is not there."""
    with contextlib.suppress(OSError, UnicodeError):
        rows = [line.split() for line in (_NET / name).read_text().splitlines()]
        return [row for row in rows if len(row) == columns]
    return []


def _is_running(interface: str) -> bool:
    """Return whether an interface is up and connected, and True if the system does not tell."""
    request = struct.pack("16s240x", interface.encode()[:15])
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        (flags,) = struct.unpack_from("16xH", fcntl.ioctl(probe, _SIOCGIFFLAGS, request))
        return bool(flags & _UP_AND_RUNNING == _UP_AND_RUNNING)
    return True
