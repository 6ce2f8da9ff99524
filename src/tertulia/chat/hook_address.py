"""How curl reaches the server of this chat, for programs that speak through a hook. Pure."""

import base64
from typing import TYPE_CHECKING

from tertulia.client.addresses import Address

if TYPE_CHECKING:
    from tertulia.tls.fingerprint import Fingerprint


def server_link(address: Address, certificate: "Fingerprint | None") -> str:
    """Return the beginning of every link to the server; with TLS if this client uses it."""
    place = str(address).replace("%", "%25")  # of an address with a zone
    return f"{'http' if certificate is None else 'https'}://{place}"


def curl_options(certificate: "Fingerprint | None") -> str:
    """Return what curl needs to trust the certificate, which may be one of the server's own."""
    if certificate is None:
        return ""
    return f'-k --pinnedpubkey "sha256//{base64.b64encode(certificate.digest).decode()}"'
