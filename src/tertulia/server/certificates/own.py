"""The server's own certificate: saved in the state directory, made and renewed when necessary.

A renewed certificate has the same key, so that clients still recognise it. Only the main thread
uses this; it reads and writes files.
"""

import datetime
import logging
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

from tertulia.server.certificates.files import SecretFiles
from tertulia.server.certificates.loaded import LoadedCertificate, certified, load_own
from tertulia.server.certificates.names import is_local

if TYPE_CHECKING:
    from tertulia.server.certificates.authority import Authority

log = logging.getLogger("tertulia.server")

_RENEW_BEFORE = datetime.timedelta(days=30)
_SERVER, _AUTHORITY = "server.pem", "ca.pem"


class OwnCertificate:
    """The certificate that a server makes for itself, with an authority that it also makes."""

    check_every_s = 600.0  # addresses may change, and after a suspension it may expire soon

    def __init__(
        self,
        files: SecretFiles,
        computer: str,
        names: Callable[[], set[str]],
        now: datetime.datetime,
    ) -> None:
        """Read the certificate, or make it.

        `computer` is the name of this computer for people. `names` returns the addresses and names
        that the certificate has to contain at present.
        """
        self._files = files
        self._computer = computer
        self._names = names
        self.current = self._find(now)  # changes with each `refresh` that returns True

    @property
    def problem(self) -> str:
        """The reason, for people, why it was not saved; empty if it was."""
        return self._files.problem

    def refresh(self, now: datetime.datetime) -> bool:
        """Renew the certificate if it expires soon or lacks an address; return whether it did."""
        if _is_good(self.current, self._names(), now):
            return False
        self.current = self._find(now)
        return True

    def _find(self, now: datetime.datetime) -> LoadedCertificate:
        names = self._names()
        kept = self._files.read(_SERVER)  # another server of this user may have renewed it
        if kept is not None:
            try:
                loaded = load_own(kept)
            except (ssl.SSLError, ValueError):
                log.debug("certificate file not usable as it is")
            else:
                if _is_good(loaded, names, now):
                    return loaded
        return load_own(self._make(names, now, kept))

    def _make(self, names: set[str], now: datetime.datetime, kept: bytes | None) -> bytes:
        from tertulia.server.certificates import authority as making  # slow and rarely needed

        authority = self._find_authority(names, now)
        key = None
        if kept is not None:
            try:
                key = making.read_key(kept)
            except ValueError:
                self._files.set_aside(_SERVER)
        new_or_kept = key or making.new_key()
        certificate = making.make_certificate(authority, sorted(names), new_or_kept, now)
        pem = making.write(new_or_kept, certificate, authority.certificate)
        until = certificate.not_valid_after_utc.date()
        if key is None:
            log.info("certificate made until=%s", until)
            return self._files.create(_SERVER, pem)
        log.info("certificate renewed with the same key until=%s", until)
        self._files.replace(_SERVER, pem)
        return pem

    def _find_authority(self, names: set[str], now: datetime.datetime) -> "Authority":
        """Return an authority that may certify these names."""
        from tertulia.server.certificates import authority as making

        permitted, key = {name for name in names if not is_local(name)}, None
        kept = self._files.read(_AUTHORITY)
        if kept is not None:
            try:
                found = making.read_authority(kept)
            except ValueError:
                self._files.set_aside(_AUTHORITY)
            else:
                if found.lasts(now) and found.allows(names):
                    return found
                key, permitted = found.key, permitted | found.permitted
                log.warning(
                    "certificate authority made anew: devices have to install /ca.crt again"
                )
        authority = making.make_authority(self._computer, permitted, now, key)
        pem = making.write(authority.key, authority.certificate)
        if key is not None:
            self._files.replace(_AUTHORITY, pem)
            return authority
        return making.read_authority(self._files.create(_AUTHORITY, pem))


def _is_good(loaded: LoadedCertificate, names: set[str], now: datetime.datetime) -> bool:
    try:
        found = certified(loaded)
    except ssl.SSLError:
        return False
    return names <= found.names and found.begins <= now <= found.ends - _RENEW_BEFORE
