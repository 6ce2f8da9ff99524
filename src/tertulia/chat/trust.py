"""Which server a user expects: whether over TLS, and with which certificate.

The first contact over TLS is trusted, as by ssh, and its certificate kept. From then on it is the
only one, and nothing goes to this server without TLS unless the user says so.
"""

from tertulia.chat.destination import Destination
from tertulia.chat.known_servers import KnownServers
from tertulia.i18n import _
from tertulia.tls.fingerprint import Fingerprint


class Trust:
    """What one user expects of one server.

    Attempts to connect use it in their threads, one after another.
    """

    def __init__(self, to: Destination, known: KnownServers | None = None) -> None:
        """Look up what is known of the server, unless there is no `known`.

        The pin of `to` counts first. `problem` says in words why the file cannot be read.
        """
        self._to = to
        self._known = known
        self._kept: Fingerprint | None = None
        self._contact: Fingerprint | None = None  # at the first contact of this run
        self._not_kept = ""  # why it could not be kept
        self.problem = ""
        if known is not None and to.tls is not False:
            try:
                self._kept = known.find(to.host, to.port)
            except OSError as error:
                text = _("The known servers in {file} cannot be read ({reason}).")
                self.problem = text.format(file=known.path, reason=error.strerror or error)
        self.pin = to.pin or (None if self._kept is None else self._kept.hex)
        self.uses_tls = to.tls if to.tls is not None else self.pin is not None

    def note_certificate(self, found: Fingerprint | None) -> None:
        """Keep the certificate with which the server has let the user in, if it is a new one."""
        if found is None or found == self._kept:
            return
        self.pin = found.hex
        self._contact, self._kept = found, found
        if self._known is None:
            return
        try:
            self._known.keep(self._to.host, self._to.port, found)
        except OSError as error:
            self._not_kept = error.strerror or str(error)

    def introduction(self) -> str:
        """Return what the user has to know after the first contact; empty after a later one."""
        if self._contact is None:
            return ""
        if self._to.pin is not None:
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
            host=self._to.host,
            port=self._to.port,
            words=self._contact.words,
            reason=self._not_kept,
            file=self._known.path if self._known is not None else "",
        )
