"""A certificate and a key that the operator gives, read again when their files change.

Only the main thread uses this; it reads files.
"""

import datetime
import logging
import ssl
from pathlib import Path

from tertulia.i18n import _
from tertulia.server.certificates.loaded import LoadedCertificate, load

log = logging.getLogger("tertulia.server")

_Stamp = tuple[tuple[int, int, int], ...] | None


class CertificateUnusable(Exception):
    """Certificate and key cannot be used; the text gives the reason, for people."""


class GivenCertificate:
    """The certificate and the key in two files."""

    check_every_s = 1.0
    problem = ""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raises CertificateUnusable."""
        self._files = certificate, key
        self._read_stamp = self._seen_stamp = self._stamp()
        self.current = self._read()  # changes with each `refresh` that returns True

    def refresh(self, _now: datetime.datetime) -> bool:
        """Read the files if they have changed; return whether they are used from now on.

        They are read when they have not changed between two calls: a program that renews them
        writes one after the other.
        """
        seen, self._seen_stamp = self._seen_stamp, self._stamp()
        if self._seen_stamp != seen or seen == self._read_stamp:
            return False
        self._read_stamp = seen
        try:
            self.current = self._read()
        except CertificateUnusable as problem:
            log.error("new certificate not used, the old one stays: %s", problem)
            return False
        log.info("certificate read again file=%s", self._files[0])
        return True

    def _stamp(self) -> _Stamp:
        """Return a value that changes with the files; None while one is missing."""
        try:
            found = [path.stat() for path in self._files]
        except OSError:
            return None
        return tuple((each.st_mtime_ns, each.st_ino, each.st_size) for each in found)

    def _read(self) -> LoadedCertificate:
        content = []
        for path in self._files:
            try:
                content.append(path.read_bytes())
            except OSError as error:
                text = _("{file} cannot be read: {reason}")
                raise CertificateUnusable(
                    text.format(file=path, reason=error.strerror or error)
                ) from error
        certificate, key = content
        try:
            return load(certificate, key)
        except (ssl.SSLError, ValueError) as error:
            raise CertificateUnusable(self._why_not(certificate, key, error)) from error

    def _why_not(self, certificate: bytes, key: bytes, error: Exception) -> str:
        certificate_file, key_file = self._files
        if b"-----BEGIN CERTIFICATE-----" not in certificate:
            return _("{file} holds no certificate in PEM format").format(file=certificate_file)
        if b"PRIVATE KEY-----" not in key:
            return _("{file} holds no private key in PEM format").format(file=key_file)
        if b"ENCRYPTED" in key:
            text = _(
                "the key in {file} has a password: write it without one, readable by you alone"
            )
            return text.format(file=key_file)
        if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            text = _("the key in {key} does not belong to the certificate in {file}")
            return text.format(key=key_file, file=certificate_file)
        text = _("the certificate in {file} or its key cannot be used: {reason}")
        return text.format(file=certificate_file, reason=getattr(error, "reason", None) or error)
