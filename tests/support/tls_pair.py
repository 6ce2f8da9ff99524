"""Both ends of a TLS connection in one process: certificates, sockets and channels."""

import contextlib
import functools
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime

from client_fixtures import ScriptedPeer

from tertulia.server.certificates import authority
from tertulia.tls.channel import TlsChannel
from tertulia.tls.contexts import client_context, server_context

Script = Callable[[ScriptedPeer], None]


@functools.cache
def certificate() -> bytes:
    """Return a key with its certificate and its authority, as PEM."""
    now = datetime.now(UTC)
    ca = authority.make_authority("test", [], now)
    key = authority.new_key()
    made = authority.make_certificate(ca, ["127.0.0.1", "localhost"], key, now)
    return authority.write(key, made, ca.certificate)


@functools.cache
def server_side() -> ssl.SSLContext:
    return server_context(certificate(), certificate())


class TlsPair:
    """A server's channel and the client's plain socket with a channel of its own."""

    def __init__(
        self, context: ssl.SSLContext | None = None, *, buffer_bytes: int | None = None
    ) -> None:
        self.server_socket, self.client_socket = socket.socketpair()
        for sock in (self.server_socket, self.client_socket):
            sock.setblocking(False)
            if buffer_bytes is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer_bytes)
        self.server = TlsChannel(self.server_socket, server_side(), server_side=True)
        self.client = TlsChannel(self.client_socket, context or client_context(), server_side=False)

    def shake_hands(self) -> "TlsPair":
        """Carry out the handshake."""
        self.greet()
        while not (self.client.is_open and self.server.is_open):
            received(self.server)
            received(self.client)
        return self

    def greet(self) -> None:
        """Send the client's first record."""
        with contextlib.suppress(BlockingIOError):
            self.client.decrypt()

    def close(self) -> None:
        self.server_socket.close()
        self.client_socket.close()


def over_tls(script: Script, context: ssl.SSLContext | None = None) -> Script:
    """Return a script that is played inside TLS."""

    def play(peer: ScriptedPeer) -> None:
        peer.socket = (context or server_side()).wrap_socket(peer.socket, server_side=True)
        with contextlib.closing(ScriptedPeer(peer.socket)) as inside:
            script(inside)

    return play


def received(channel: TlsChannel, size: int = 65_536) -> bytes:
    """Return everything that has come."""
    data = b""
    with contextlib.suppress(BlockingIOError):
        while part := channel.recv(size):
            data += part
    return data
