"""TLS for a client: the handshake, and the check that the certificate is the expected one.

Only a client that uses TLS imports this module. Its functions block the calling thread.
"""

import contextlib
import socket
import ssl
import time
from typing import NamedTuple

from tertulia.client.errors import (
    CertificateRefused,
    ConnectFailure,
    NoConnection,
    RegistrationRefused,
)
from tertulia.client.waiter import is_ready
from tertulia.protocol.lines import decode_server_message
from tertulia.protocol.messages import Error, ErrorCode
from tertulia.tls.channel import TlsChannel
from tertulia.tls.contexts import client_context
from tertulia.tls.fingerprint import Fingerprint

_RECEIVE_BYTES = 16 * 1024
# OpenSSL's reasons if the other side answers with another protocol, or refuses all of TLS.
_NO_TLS = {"WRONG_VERSION_NUMBER", "SSLV3_ALERT_HANDSHAKE_FAILURE", "HTTP_REQUEST"}
# OpenSSL's words for it: not every version of Python has a name for this reason.
_ANOTHER_PROTOCOL = "no application protocol"


class Secured(NamedTuple):
    """A connection over TLS. `early` has the bytes that the server has already sent."""

    channel: TlsChannel
    fingerprint: Fingerprint
    early: bytes


def secure(
    sock: socket.socket,
    host: str,
    context: ssl.SSLContext | None,
    pin: str | None,
    timeout: float,
) -> Secured:
    """Perform the TLS handshake over a connected socket, within `timeout` seconds.

    If a `context` is given, it decides which certificates to trust. If a `pin`, in its normal form,
    is given, only that certificate is accepted. Raises NoConnection and CertificateRefused, and
    RegistrationRefused if the server is full.
    """
    try:
        channel, early = _shake_hands(sock, host, context, timeout)
    except ssl.SSLCertVerificationError as error:
        raise CertificateRefused(pin, None, error.verify_message) from error
    except ssl.SSLError as error:
        reason = error.reason or str(error)
        if reason in _NO_TLS and pin is not None:
            raise CertificateRefused(pin, None, "the server does not speak TLS") from error
        failure = ConnectFailure.NO_TLS if reason in _NO_TLS else ConnectFailure.OTHER
        failure = ConnectFailure.NOT_TERTULIA if _ANOTHER_PROTOCOL in str(error) else failure
        raise NoConnection(failure, reason.lower()) from error
    except OSError as error:
        raise NoConnection(ConnectFailure.NO_ANSWER, error.strerror or str(error)) from error
    fingerprint = Fingerprint.of_certificate(channel.peer_certificate or b"")
    if pin is not None and not fingerprint.fits(pin):
        channel.say_end()
        raise CertificateRefused(pin, fingerprint, "the server shows another certificate")
    return Secured(channel, fingerprint, early)


def _shake_hands(
    sock: socket.socket, host: str, context: ssl.SSLContext | None, timeout: float
) -> tuple[TlsChannel, bytes]:
    """Perform the handshake; return the channel and early bytes. Raises OSError."""
    deadline = time.monotonic() + timeout
    sock.setblocking(False)
    channel = TlsChannel(
        sock,
        context or client_context(),
        server_side=False,
        server_hostname=host.partition("%")[0] if context else _name_to_send(host),
    )
    early = b""
    with contextlib.suppress(BlockingIOError):
        channel.decrypt()  # sends the first record
    while not channel.is_open:
        if not is_ready(sock, sends=channel.has_unsent, within_s=deadline - time.monotonic()):
            raise TimeoutError("no answer to the TLS handshake")
        if channel.has_unsent:
            channel.flush()
        _raise_if_full(sock)
        try:
            early = channel.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            continue
        if not early:
            raise ConnectionError("closed in the middle of the TLS handshake")
    return channel, early


def _raise_if_full(sock: socket.socket) -> None:
    """Raise RegistrationRefused if the server reports that it is full.

    A server with too many connections sends that without TLS, before it knows whether the client
    uses TLS.
    """
    with contextlib.suppress(BlockingIOError, ValueError):
        first = sock.recv(_RECEIVE_BYTES, socket.MSG_PEEK)
        said = decode_server_message(first.partition(b"\n")[0])
        if isinstance(said, Error) and said.code == ErrorCode.SERVER_FULL:
            raise RegistrationRefused(said)


def _name_to_send(host: str) -> str | None:
    """Return the host name, by which a proxy finds the server; None for an address."""
    return host if host.isascii() and host[-1:].isalpha() and ":" not in host else None
