"""The listening sockets that systemd passes to a program that it starts (LISTEN_FDS)."""

import os
import socket
from collections.abc import MutableMapping

from tertulia.server.supervision.listener import Listener

GIVEN_ROLE = "given"  # the beginning of the roles of these sockets
_FIRST_DESCRIPTOR = 3
_VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")


def given_sockets(
    environment: MutableMapping[str, str] = os.environ,
) -> dict[str, socket.socket]:
    """Return the sockets by role, and take the variables out of the environment.

    Raises OSError if one of the descriptors is not a socket.
    """
    process, count, _names = (environment.pop(name, "") for name in _VARIABLES)
    if process != str(os.getpid()) or not count.isdecimal():
        return {}
    sockets: dict[str, socket.socket] = {}
    for number in range(int(count)):
        sock = Listener(fileno=_FIRST_DESCRIPTOR + number)
        sock.set_inheritable(False)
        sockets[f"{GIVEN_ROLE}-{number}"] = sock
    return sockets
