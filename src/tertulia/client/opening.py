"""From an address to a stream of bytes: connect, and shake hands if TLS is wanted.

Both wait, in the thread that calls.
"""

import socket
from typing import TYPE_CHECKING

from tertulia.client.connection import open_socket

if TYPE_CHECKING:
    from ssl import SSLContext

    from tertulia.client.handshake import Secured


def open_stream(
    host: str,
    port: int,
    source: str | None,
    tls: "bool | SSLContext",
    pin: str | None,
    timeout: float,
) -> "tuple[socket.socket, Secured | None]":
    """Connect, and shake hands if TLS is wanted; return the socket and what TLS needs.

    Raises NoConnection and CertificateRefused, and ValueError for a pin that is none.
    """
    if not tls and pin is None:
        return open_socket(host, port, source, timeout), None
    from tertulia.client.handshake import secure  # slow to import, and not always needed
    from tertulia.tls.fingerprint import normal_pin

    pin = None if pin is None else normal_pin(pin)
    sock = open_socket(host, port, source, timeout)
    try:
        context = None if isinstance(tls, bool) else tls
        return sock, secure(sock, host, context, pin, timeout)
    except BaseException:
        sock.close()
        raise
