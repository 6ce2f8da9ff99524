"""Decides whether a server must use TLS, and which certificate is accepted from it.

The first certificate of a server is trusted, as by ssh, and stored. From then on only that
certificate is accepted, and the server must use TLS unless the user turns it off. If several
servers are one chat, this holds for each of them. A user who entered over TLS does not go to
another server without TLS.
"""

from typing import NamedTuple

from tertulia.chat.destination import Destination
from tertulia.chat.known_servers import KnownServers
from tertulia.client.addresses import Address
from tertulia.i18n import _
from tertulia.tls.fingerprint import Fingerprint


class Expected(NamedTuple):
    """The user's requirements for a server; without a `pin` every certificate is accepted."""

    tls: bool
    pin: str | None


class Trust:
    """One user's requirements for the servers of one chat.

    Attempts to connect use it in their threads, one after another.
    """

    def __init__(self, to: Destination, known: KnownServers | None = None) -> None:
        """Look up the stored certificates of the servers, unless there is no `known`.

        For the servers of `to` its pin has priority. For servers that only the chat has named, the
        stored certificate has priority. `problem` explains why the file could not be read.
        """
        self._to = to
        self._known = known
        self._kept: dict[Address, Fingerprint | None] = {}
        # The server with a new certificate, until `introduction` has returned the text about it.
        self._contact: Address | None = None
        self._not_kept = ""  # why its certificate could not be stored
        self.problem = ""
        self._is_over_tls = any(self._find(address) for address in to.addresses)

    @property
    def uses_tls(self) -> bool:
        """Return whether the first server must use TLS."""
        return self.expect(self._to.addresses[0]).tls

    def expect(self, address: Address) -> Expected:
        """Return the requirements for a server."""
        found = self._find(address)
        kept = None if found is None else found.hex
        pin = self._to.pin or kept if address in self._to.addresses else kept or self._to.pin
        if self._to.tls is not None:
            return Expected(self._to.tls, pin if self._to.tls else None)
        return Expected(pin is not None or self._is_over_tls, pin)

    def note_certificate(self, address: Address, found: Fingerprint | None) -> None:
        """Store the certificate of a server that has accepted the user, if it is new."""
        self._is_over_tls = found is not None
        if found is None or found == self._find(address):
            return
        self._contact = address
        self._kept[address] = found
        self._not_kept = ""
        if self._known is None:
            return
        try:
            self._known.keep(*address, found)
        except OSError as error:
            self._not_kept = error.strerror or str(error)

    def _find(self, address: Address) -> Fingerprint | None:
        """Return the stored certificate of a server; it is looked up only once."""
        if address not in self._kept:
            self._kept[address] = None
            if self._known is not None and self._to.tls is not False:
                try:
                    self._kept[address] = self._known.find(*address)
                except OSError as error:
                    text = _("The known servers in {file} cannot be read ({reason}).")
                    reason = error.strerror or error
                    self.problem = text.format(file=self._known.path, reason=reason)
        return self._kept[address]

    def introduction(self) -> str:
        """Return a text about a first contact, only once; it is empty after a later contact."""
        address, self._contact = self._contact, None
        found = None if address is None else self._kept[address]
        if address is None or found is None:
            return ""
        if self._to.pin is not None and found.fits(self._to.pin):
            lines = [_("{host}, port {port}, has shown the expected certificate.")]
        else:
            lines = [
                _("This is the first contact with {host}, port {port}, over TLS. Its certificate:"),
                "    {words}",
                _("The server shows these words at its start. If they differ, do not trust it."),
            ]
        if self._not_kept:
            lines.append(_("The certificate could not be kept: {reason}"))
        elif self._known is not None:
            lines.append(_("From now on only this certificate is accepted. It is kept in {file}"))
        return "\n".join(lines).format(
            host=address.host,
            port=address.port,
            words=found.words,
            reason=self._not_kept,
            file=self._known.path if self._known is not None else "",
        )
