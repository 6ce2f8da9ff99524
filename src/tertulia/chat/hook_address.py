"""How curl reaches the server of this chat, for programs that speak through a hook. Pure."""

import base64
from typing import TYPE_CHECKING

from tertulia.chat.destination import Destination

if TYPE_CHECKING:
    from tertulia.tls.fingerprint import Fingerprint


def server_link(to: Destination, certificate: "Fingerprint | None") -> str:
    """Return the beginning of every link to the server; with TLS if this client uses it."""
    host = to.host.replace("%", "%25")  # of an address with a zone
    host = f"[{host}]" if ":" in host else host
    return f"{'http' if certificate is None else 'https'}://{host}:{to.port}"


def curl_options(certificate: "Fingerprint | None") -> str:
    """Return what curl needs to trust the certificate, which may be one of the server's own."""
    if certificate is None:
        return ""
    return f'-k --pinnedpubkey "sha256//{base64.b64encode(certificate.digest).decode()}"'
