"""The connection between the parent and a child: small messages in JSON, with sockets beside them.

Each message is one packet, so it comes whole or not at all. Sending never waits. Both ends use
this; in the child one thread receives, and any thread may send. After an upgrade the child is of a
later version than the parent: each end ignores what it does not know, and no field goes away.
"""

import array
import contextlib
import json
import os
import socket
from collections.abc import Mapping, MutableMapping
from typing import Any, NamedTuple

CHANNEL_VARIABLE = "TERTULIA_CHANNEL"  # in the environment of the child: the descriptor of its end
_MAX_MESSAGE_BYTES = 65_536
_MAX_SOCKETS = 64  # beside one message

Sockets = Mapping[str, socket.socket]  # by role, for example `tcp`


class Message(NamedTuple):
    """A message and the sockets that came with it, which are the receiver's own."""

    kind: str
    fields: dict[str, Any]
    sockets: dict[str, socket.socket]


class Channel:
    """One end of the connection."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def fileno(self) -> int:
        """Return the descriptor, to wait for messages."""
        return self._sock.fileno()

    def send(self, kind: str, sockets: Sockets | None = None, **fields: object) -> bool:
        """Send a message; return False if the other end has gone or has long not read."""
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
        """Wait for the next message; None once the other end has gone."""
        try:
            packet, descriptors, *_ = socket.recv_fds(self._sock, _MAX_MESSAGE_BYTES, _MAX_SOCKETS)
        except ConnectionError:
            return None
        if not packet:
            return None
        sockets = [socket.socket(fileno=descriptor) for descriptor in descriptors]
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

    The variable is removed, so that no program that this one starts takes itself for a child.
    """
    named = environment.pop(CHANNEL_VARIABLE, "")
    if not named.isdecimal():
        return None
    with contextlib.suppress(OSError):  # it is no socket: somebody else has set the variable
        sock = socket.socket(fileno=int(named))
        if sock.type == socket.SOCK_SEQPACKET:
            sock.set_inheritable(False)
            return Channel(sock)
        sock.detach()
    return None
