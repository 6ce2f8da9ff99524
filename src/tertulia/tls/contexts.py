"""The settings of TLS for both sides.

It is TLS 1.2 or later, without renegotiation, compression and tickets.
"""

import os
import ssl

from tertulia.tls.channel import PROTOCOLS

_OPTIONS = ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_NO_TICKET


def server_context(certificates: bytes, key: bytes) -> ssl.SSLContext:
    """Return a context that shows a certificate, given with its chain and its key as PEM.

    Raises ssl.SSLError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= _OPTIONS
    # No client resumes a session of TLS 1.3, and each ticket costs a record and memory.
    context.num_tickets = 0
    context.set_alpn_protocols(list(PROTOCOLS))
    # The library reads only files. These have no name, and are gone when they are closed.
    with _Nameless(certificates) as certificates_path, _Nameless(key) as key_path:
        # Without a password the library would ask for one on the terminal.
        context.load_cert_chain(certificates_path, key_path, password="")
    return context


def client_context() -> ssl.SSLContext:
    """Return a context that accepts any certificate: the caller has to compare its key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= _OPTIONS
    context.set_alpn_protocols([PROTOCOLS[0]])
    return context


class _Nameless:
    """Bytes as a file that only this process can open, for as long as the `with` block runs."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __enter__(self) -> str:
        self._descriptor = os.memfd_create("tertulia", os.MFD_CLOEXEC)
        os.write(self._descriptor, self._data)
        return f"/proc/self/fd/{self._descriptor}"

    def __exit__(self, *_error: object) -> None:
        os.close(self._descriptor)
