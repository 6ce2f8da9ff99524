"""Refuses clients when the server is full: each is told so in its own protocol, then closed.

Only the acceptor's thread uses this, between accepting connections: nothing here waits. Times are
seconds of the monotonic clock.
"""

import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Protocol

from tertulia.server.workers.access import HeaderRule
from tertulia.server.workers.proxy_header import BadHeader, ProxyHeaderReader
from tertulia.tls.channel import HANDSHAKE_RECORD, TlsChannel

log = logging.getLogger("tertulia.server")


class RefusalWhenFull(Protocol):
    """Returns the answer to a client's first bytes, which may have come inside TLS.

    `client_address` is None if it is unknown. Returns None if more has to be read; never if
    `is_last`.
    """

    def __call__(
        self, first: bytes, tls: TlsChannel | None, client_address: str | None, /, *, is_last: bool
    ) -> bytes | None: ...


_MAX_AT_ONCE = 64  # beyond this bound, a client is answered in JSON and closed at once
_FIRST_BYTES = 16  # enough to show the protocol; the rest of a handshake is left in the socket
_MORE_BYTES = 4 * 1024  # read at a time from clients whose request matters
_FIRST_BYTES_S = 0.25  # for a client to show its protocol
_HANDSHAKE_S = 1.0  # for a whole handshake; the server's part takes less than a millisecond
_INSIDE_BYTES = 16 * 1024  # read at a time inside TLS
_LINGER_S = 1.0  # for the client to read the answer, which a reset would destroy


class _Client:
    """A refused client. After the answer it lingers until the client closes."""

    def __init__(self, sock: socket.socket, until: float, address: str = "") -> None:
        self.sock = sock
        self.address = address
        self.client_address: str | None = None  # as the proxy named it, if there is one
        self.first = b""  # what was read, inside TLS if it is used; bounded like an HTTP head
        self.until = until  # when `on_time` has to act
        self.tls: TlsChannel | None = None
        self.proxy: ProxyHeaderReader | None = None  # until the header of a proxy has come
        self.is_answered = False


class TurnedAway:
    """The refused clients whose sockets are still open, by descriptor."""

    def __init__(
        self,
        refusal_when_full: RefusalWhenFull,
        context: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        self._refusal_when_full = refusal_when_full
        self._context = context
        self._clients: dict[int, _Client] = {}

    def __len__(self) -> int:
        """Return the number of refused clients. Any thread."""
        return len(self._clients)

    @property
    def wake_at(self) -> float | None:
        """When `on_time` has to be called; None if there are no clients."""
        return min((client.until for client in self._clients.values()), default=None)

    @property
    def to_read(self) -> list[int]:
        """The descriptors from which something is still to be read."""
        return [fd for fd, client in self._clients.items() if not client.is_answered]

    def add(self, sock: socket.socket, header: HeaderRule, now: float, address: str = "") -> None:
        """Refuse a client as soon as its first bytes have shown its protocol."""
        if len(self._clients) >= _MAX_AT_ONCE:
            self.refuse_at_once(sock)
            return
        client = self._clients[sock.fileno()] = _Client(sock, now + _FIRST_BYTES_S, address)
        if header is HeaderRule.NONE:
            client.client_address = address or None
        else:
            client.proxy = ProxyHeaderReader(is_required=header is HeaderRule.REQUIRED)

    def refuse_at_once(self, sock: socket.socket) -> None:
        """Refuse a client that may not have sent anything yet, and close."""
        client = _Client(sock, 0.0)
        self._send(client, self._refusal(client))
        sock.close()

    def on_ready(self, fd: int, now: float) -> None:
        """Read from a descriptor if it is a client's; answer once its protocol is clear."""
        client = self._clients.get(fd)
        if client is None or client.is_answered:
            return
        try:
            if client.tls is not None:
                self._add_bytes(client, client.tls.recv(_INSIDE_BYTES), now)
                return
            first = client.sock.recv(_MORE_BYTES if client.first else _FIRST_BYTES)
            if client.proxy is not None and first:
                found = client.proxy.read(first)
                if found is None:
                    return
                client.proxy, client.client_address = None, found.client_address(client.address)
                if not found.rest:
                    return
                first = found.rest
            is_tls = not client.first and first[:1] == bytes((HANDSHAKE_RECORD,))
            if self._context is not None and is_tls:
                client.until = now + _HANDSHAKE_S
                client.tls = TlsChannel(client.sock, self._context(), server_side=True, first=first)
                return
            self._add_bytes(client, first, now)
        except BlockingIOError:
            pass  # more bytes, or the first ones inside TLS, are still to come
        except (OSError, BadHeader) as error:
            log.debug("refusal not sent error=%s", error)
            self._close(fd)

    def on_time(self, now: float) -> None:
        """Answer clients whose time to show their protocol is over; close those that lingered."""
        for fd, client in list(self._clients.items()):
            if client.until > now:
                continue
            if client.is_answered or (client.tls is not None and not client.tls.is_open):
                self._close(fd)
            else:
                self._answer(client, now, self._refusal(client))

    def close(self) -> None:
        """Close all clients."""
        for fd in list(self._clients):
            self._close(fd)

    def _add_bytes(self, client: _Client, data: bytes, now: float) -> None:
        client.first += data
        answer = self._refusal_when_full(
            client.first, client.tls, client.client_address, is_last=not data
        )
        if answer is not None:
            self._answer(client, now, answer)

    def _answer(self, client: _Client, now: float, answer: bytes) -> None:
        client.is_answered = True
        client.until = now + _LINGER_S
        self._send(client, answer)

    def _refusal(self, client: _Client) -> bytes:
        return (
            self._refusal_when_full(client.first, client.tls, client.client_address, is_last=True)
            or b""
        )

    def _send(self, client: _Client, answer: bytes) -> None:
        try:
            if client.tls is not None:
                client.tls.send(answer)
                client.tls.shutdown()
            else:
                client.sock.send(answer)
                client.sock.shutdown(socket.SHUT_WR)
        except OSError as error:  # the client is gone and needs no answer
            log.debug("refusal not sent error=%s", error)

    def _close(self, fd: int) -> None:
        with contextlib.suppress(KeyError):
            self._clients.pop(fd).sock.close()
