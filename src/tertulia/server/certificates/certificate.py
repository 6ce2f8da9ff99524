"""The certificate of a server: its own, or one that the operator gives."""

import datetime
import socket
from pathlib import Path
from typing import Protocol

from tertulia.server.addresses import own_addresses
from tertulia.server.certificates.files import SecretFiles
from tertulia.server.certificates.given import GivenCertificate
from tertulia.server.certificates.loaded import LoadedCertificate
from tertulia.server.certificates.names import names_of_computer, names_to_certify
from tertulia.server.certificates.own import OwnCertificate
from tertulia.server.config import Config
from tertulia.state_directory import state_directory


class Certificate(Protocol):
    """A certificate that may change while the server runs. The main thread calls its methods."""

    check_every_s: float  # seconds between two calls of `refresh`

    @property
    def current(self) -> LoadedCertificate:
        """The certificate that new clients get. Any thread."""

    @property
    def problem(self) -> str:
        """The reason, for people, why it was not saved; empty if it was."""

    def refresh(self, now: datetime.datetime) -> bool:
        """Change to a new certificate if it is time; return whether there is one."""


def find_certificate(config: Config) -> Certificate:
    """Return the certificate of a server. Raises CertificateUnusable."""
    if config.certificate is not None and config.key is not None:
        return GivenCertificate(Path(config.certificate), Path(config.key))
    hostname, directory = socket.gethostname(), state_directory()
    names = names_of_computer(hostname, config.names)
    return OwnCertificate(
        SecretFiles(None if directory is None else directory / "tls"),
        hostname,
        lambda: names_to_certify(own_addresses(), names),
        datetime.datetime.now(datetime.UTC),
    )
