"""Finds addresses of this computer for further users of a server on the same computer.

It asks the kernel and sends nothing; an address counts as unused if the kernel reports no use. Safe
in any thread.
"""

import contextlib
import re
import socket
import sys
from pathlib import Path

_NET = Path("/proc/self/net")
_ROW = re.compile(r" *\d+: ([0-9A-F]+):([0-9A-F]{4}) ([0-9A-F]+):([0-9A-F]{4}) ([0-9A-F]{2}) ")
_ESTABLISHED = "01"


def usual_source(host: str) -> str | None:
    """Return the IPv4 address from which this computer reaches itself by the name `host`.

    None if `host` is another computer.
    """
    with contextlib.suppress(OSError, UnicodeError), socket.socket(type=socket.SOCK_DGRAM) as probe:
        probe.connect((host, 9))  # a datagram socket sends nothing here
        source, peer = str(probe.getsockname()[0]), str(probe.getpeername()[0])
        return source if peer == source or peer.startswith("127.") else None
    return None


def sources_in_use(port: int) -> set[str]:
    """Return the IPv4 addresses that are connected to a port of this computer."""
    used = set()
    for name in ("tcp", "tcp6"):
        try:
            rows = (_NET / name).read_text().splitlines()
        except OSError:
            continue  # a system other than Linux, or one without IPv6
        for row in rows:
            if (found := _ROW.match(row)) is None or found[5] != _ESTABLISHED:
                continue
            # Both ends of a connection are on this computer, so each has a row.
            for source, server_port in ((found[1], found[4]), (found[3], found[2])):
                if int(server_port, 16) == port:
                    used.add(_address(source))
    return used


def free_source(port: int, after: str) -> str | None:
    """Return the first loopback address after `after` that has no connection to a port here."""
    found = re.fullmatch(r"(127\.\d+\.\d+\.)(\d+)", after)
    network, last = (found[1], int(found[2])) if found is not None else ("127.0.0.", 1)
    used = sources_in_use(port)
    candidates = (f"{network}{(last + step) % 254 + 1}" for step in range(253))
    return next((source for source in candidates if source not in used), None)


def _address(kernels: str) -> str:
    """Read an address in the kernel's format: words of 32 bits, in the CPU's byte order.

    The last word of an IPv6 address is the IPv4 address that it may contain.
    """
    return socket.inet_ntoa(int(kernels[-8:], 16).to_bytes(4, sys.byteorder))
