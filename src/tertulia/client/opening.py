"""Opens a stream of bytes to an address: connects, and performs the TLS handshake if needed.

It blocks the calling thread.
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
    """Connect, perform the TLS handshake if needed; return the socket and the TLS state.

    Raises NoConnection and CertificateRefused, and ValueError for an invalid pin.
    """
    if not tls and pin is None:
        return open_socket(host, port, source, timeout), None
    # Imported here because it is slow to import and often not needed.
    from tertulia.client.handshake import secure
    from tertulia.tls.fingerprint import normal_pin

    pin = None if pin is None else normal_pin(pin)
    sock = open_socket(host, port, source, timeout)
    try:
        context = None if isinstance(tls, bool) else tls
        return sock, secure(sock, host, context, pin, timeout)
    except BaseException:
        sock.close()
        raise
