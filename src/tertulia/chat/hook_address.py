"""The link and the options with which curl reaches the server, for programs that use a hook.

Pure functions; safe in any thread.
"""

import base64
from typing import TYPE_CHECKING

from tertulia.client.addresses import Address

if TYPE_CHECKING:
    from tertulia.tls.fingerprint import Fingerprint


def server_link(address: Address, certificate: "Fingerprint | None") -> str:
    """Return the beginning of every link to the server; it uses TLS if this client does."""
    place = str(address).replace("%", "%25")  # the % is in an address with a zone
    return f"{'http' if certificate is None else 'https'}://{place}"


def curl_options(certificate: "Fingerprint | None") -> str:
    """Return the options for curl to trust the certificate, which may be self-signed."""
    if certificate is None:
        return ""
    return f'-k --pinnedpubkey "sha256//{base64.b64encode(certificate.digest).decode()}"'
