"""Makes keys and certificates: the server's own authority (CA), and the server's certificate.

The authority cannot be used to attack people who have installed it: it is valid only for private
addresses, local names, and the names of this computer. This module is slow to import, so it is
imported only when something has to be made. It uses no file and no clock.
"""

import datetime
import ipaddress
from collections.abc import Iterable
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tertulia.server.certificates.names import LOCAL_AREAS, lies_in

Key = ec.EllipticCurvePrivateKey

_AUTHORITY_DAYS = 3_650
_DAYS = 397  # browsers refuse more than 825 under an authority that a user has installed
_EARLIER = datetime.timedelta(days=1)  # other computers' clocks may be behind
_MAX_LABEL_CHARS = 40  # a common name has at most 64


class Authority(NamedTuple):
    """A CA: its key and its certificate."""

    key: Key
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        """The certificate, which is public."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def permitted(self) -> set[str]:
        """The domains and networks for which it is valid."""
        constraints = self.certificate.extensions.get_extension_for_class(x509.NameConstraints)
        return {str(each.value) for each in constraints.value.permitted_subtrees or ()}

    def allows(self, names: Iterable[str]) -> bool:
        """Return whether it is valid for all these addresses and names."""
        permitted = self.permitted
        return all(lies_in(name, permitted) for name in names)

    def lasts(self, now: datetime.datetime) -> bool:
        """Return whether it outlasts a certificate that is made now."""
        return self.certificate.not_valid_after_utc > now + datetime.timedelta(days=_DAYS)


def new_key() -> Key:
    """Make a key."""
    return ec.generate_private_key(ec.SECP256R1())


def read_key(pem: bytes) -> Key:
    """Return the first key in a text of PEM. Raises ValueError."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (TypeError, UnsupportedAlgorithm) as error:  # encrypted, or of an unsupported kind
        raise ValueError(str(error)) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("a key of another kind")
    return key


def read_authority(pem: bytes) -> Authority:
    """Return the authority from a text that `write` has made. Raises ValueError."""
    authority = Authority(read_key(pem), x509.load_pem_x509_certificate(pem))
    if authority.certificate.public_key() != authority.key.public_key():
        raise ValueError("the key belongs to another certificate")
    try:
        authority.permitted  # noqa: B018 (an authority without constraints is refused)
    except x509.ExtensionNotFound as error:
        raise ValueError("an authority without constraints") from error
    return authority


def write(key: Key, *certificates: x509.Certificate) -> bytes:
    """Return a key with its certificates as PEM."""
    encoding = serialization.Encoding.PEM
    secret = key.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return b"".join([secret, *(each.public_bytes(encoding) for each in certificates)])


def make_authority(
    label: str, permitted: Iterable[str], now: datetime.datetime, key: Key | None = None
) -> Authority:
    """Make an authority for local names and addresses, and for these areas.

    It gets a new key if there is none.
    """
    key = key or new_key()
    subject = _subject(f"tertulia CA of {label[:_MAX_LABEL_CHARS]}")
    allowed = [_subtree(each) for each in sorted({*LOCAL_AREAS, *permitted})]
    certificate = (
        _builder(subject, subject, key, now, _AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(allowed, excluded_subtrees=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(key, certificate)


def make_certificate(
    authority: Authority, names: Iterable[str], key: Key, now: datetime.datetime
) -> x509.Certificate:
    """Make a server's certificate for addresses and names, all of which the authority allows."""
    issuer = authority.certificate
    names = list(names)
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        _builder(_subject("tertulia"), issuer.subject, key, now, _DAYS)
        .add_extension(x509.SubjectAlternativeName(map(_general_name, names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
        .sign(authority.key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Key, now: datetime.datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now - _EARLIER + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _subject(text: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "tertulia"),
            x509.NameAttribute(NameOID.COMMON_NAME, text),
        ]
    )


def _subtree(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_network(name))
    except ValueError:
        return x509.DNSName(name)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
