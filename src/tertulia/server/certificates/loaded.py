"""The certificate that clients get, checked in the same way as a client checks it."""

import contextlib
import datetime
import ipaddress
import ssl
from typing import Any

from msgspec import Struct

from tertulia.tls.contexts import server_context
from tertulia.tls.fingerprint import Fingerprint, certificate_in

_NO_CHECK_OF_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL
_END = "-----END CERTIFICATE-----\n"


class LoadedCertificate(Struct, frozen=True):
    """A certificate in use. `authority` is the server's own CA as PEM; b"" for another CA."""

    context: ssl.SSLContext
    fingerprint: Fingerprint
    authority: bytes = b""


class Certified(Struct, frozen=True):
    """The contents of a certificate."""

    names: set[str]
    begins: datetime.datetime
    ends: datetime.datetime


def load(certificates: bytes, key: bytes, authority: bytes = b"") -> LoadedCertificate:
    """Return a certificate, ready for use. Raises ssl.SSLError and ValueError."""
    context = server_context(certificates, key)
    pem = certificates.decode("ascii", "replace")
    return LoadedCertificate(context, Fingerprint.of_certificate(certificate_in(pem)), authority)


def load_own(pem: bytes) -> LoadedCertificate:
    """Return a certificate, ready for use, from a file with key, certificate and authority."""
    certificates = pem.decode("ascii", "replace").split(_END)
    if len(certificates) < 3:
        raise ValueError("the certificate or its authority is missing")
    return load(pem, pem, f"{certificates[1]}{_END}".encode())


def certified(loaded: LoadedCertificate) -> Certified:
    """Return the contents of a certificate, as a client that trusts its authority sees them.

    Raises ssl.SSLError if such a client would refuse it for a reason other than its dates.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VerifyFlags(ssl.VERIFY_X509_STRICT | _NO_CHECK_OF_TIME)
    context.load_verify_locations(cadata=loaded.authority.decode())
    found = _shake_hands(loaded.context, context)
    names = {_plain(kind, name) for kind, name in found.get("subjectAltName", ())}
    return Certified(names, _moment(found["notBefore"]), _moment(found["notAfter"]))


def _shake_hands(server_side: ssl.SSLContext, client_side: ssl.SSLContext) -> dict[str, Any]:
    """Return the certificate that a client gets in a handshake without a network."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_side.wrap_bio(to_server, to_client, server_side=True)
    client = client_side.wrap_bio(to_client, to_server)
    for side in (client, server, client):
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    found: dict[str, Any] = client.getpeercert() or {}
    return found


def _plain(kind: str, name: str) -> str:
    return str(ipaddress.ip_address(name)) if kind == "IP Address" else name


def _moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(ssl.cert_time_to_seconds(text), datetime.UTC)
