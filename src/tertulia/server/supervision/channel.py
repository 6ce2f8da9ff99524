"""The connection between the parent and a child: small JSON messages, which may carry sockets.

Each message is one packet, so it arrives completely or not at all. Sending never waits. Both ends
use this; in the child one thread receives, and any thread may send. After an upgrade the child has
a later version than the parent: each end ignores unknown fields, and no field is ever removed.
"""

import array
import contextlib
import json
import os
import socket
from collections.abc import Mapping, MutableMapping
from typing import Any, NamedTuple

from tertulia.server.supervision.listener import Listener

CHANNEL_VARIABLE = "TERTULIA_CHANNEL"  # the child's environment has the descriptor of its end
_MAX_MESSAGE_BYTES = 65_536
_MAX_SOCKETS = 64  # with one message

Sockets = Mapping[str, socket.socket]  # by role, for example `tcp`


class Message(NamedTuple):
    """A message and the sockets that came with it, which the receiver owns."""

    kind: str
    fields: dict[str, Any]
    sockets: dict[str, socket.socket]


class Channel:
    """One end of the connection."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def fileno(self) -> int:
        """Return the descriptor on which to wait for messages."""
        return self._sock.fileno()

    def send(self, kind: str, sockets: Sockets | None = None, **fields: object) -> bool:
        """Send a message; return False if the other end is gone or has not read for long."""
        sockets = sockets or {}
        packet = json.dumps({"kind": kind, "fields": fields, "roles": [*sockets]}).encode()
        descriptors = array.array("i", [sock.fileno() for sock in sockets.values()])
        beside = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)] if descriptors else []
        try:  # not socket.send_fds, which does not pass the flag on
            self._sock.sendmsg([packet], beside, socket.MSG_DONTWAIT)
        except OSError:
            return False
        return True

    def receive(self) -> Message | None:
        """Wait for the next message; return None once the other end is gone."""
        try:
            packet, descriptors, *_ = socket.recv_fds(self._sock, _MAX_MESSAGE_BYTES, _MAX_SOCKETS)
        except ConnectionError:
            return None
        if not packet:
            return None
        sockets = [Listener(fileno=descriptor) for descriptor in descriptors]
        for sock in sockets:
            sock.set_inheritable(False)
        content = json.loads(packet)
        by_role = dict(zip(content["roles"], sockets, strict=True))
        return Message(content["kind"], content["fields"], by_role)

    def close(self) -> None:
        """Close this end. Idempotent."""
        self._sock.close()


def open_channel() -> tuple[Channel, socket.socket]:
    """Return the parent's end of a new connection, and the socket for the child's end."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return Channel(ours), theirs


def inherited_channel(environment: MutableMapping[str, str] = os.environ) -> Channel | None:
    """Return the child's end in a program that a parent has started, else None.

    The variable is removed, so that programs started by this one do not see it.
    """
    named = environment.pop(CHANNEL_VARIABLE, "")
    if not named.isdecimal():
        return None
    with contextlib.suppress(OSError):  # not a socket: another program has set the variable
        sock = socket.socket(fileno=int(named))
        if sock.type == socket.SOCK_SEQPACKET:
            sock.set_inheritable(False)
            return Channel(sock)
        sock.detach()
    return None
