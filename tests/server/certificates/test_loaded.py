"""The certificate in use, and what a client that trusts its authority sees of it."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from tertulia.server.certificates.authority import (
    Authority,
    make_authority,
    make_certificate,
    new_key,
    write,
)
from tertulia.server.certificates.loaded import (
    Certified,
    LoadedCertificate,
    certified,
    load,
    load_own,
)

LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return make_authority("box", [], NOW)


def own(authority: Authority, names: list[str], now: datetime = NOW) -> bytes:
    key = new_key()
    return write(key, make_certificate(authority, names, key, now), authority.certificate)


def plain(authority: Authority, *extensions: x509.ExtensionType) -> bytes:
    """Return a certificate of this authority with only these extensions."""
    key = new_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "box")])
    builder = x509.CertificateBuilder().subject_name(name).serial_number(1)
    builder = builder.issuer_name(authority.certificate.subject).public_key(key.public_key())
    builder = builder.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return write(key, builder.sign(authority.key, hashes.SHA256()), authority.certificate)


def test_a_client_sees_names_addresses_in_short_form_and_dates(authority: Authority) -> None:
    loaded = load_own(own(authority, ["box.local", "10.1.2.3", "::1"]))
    begins = NOW - timedelta(days=1)
    assert certified(loaded) == Certified(
        {"box.local", "10.1.2.3", "::1"}, begins, begins + timedelta(days=397)
    )


def test_the_second_certificate_of_the_server_s_own_file_is_its_authority(
    authority: Authority,
) -> None:
    pem = own(authority, ["box.local"])
    assert load_own(pem).authority == authority.pem
    other = make_authority("other", [], NOW)
    assert load_own(pem + other.pem).authority == authority.pem


def test_a_certificate_of_another_authority_has_none_of_its_own(authority: Authority) -> None:
    pem = own(authority, ["box.local"])
    assert load(pem, pem).authority == b""
    assert load(pem, pem).fingerprint == load_own(pem).fingerprint


def test_a_certificate_may_have_comments_that_are_not_ascii(authority: Authority) -> None:
    pem = own(authority, ["box.local"])
    commented = "Computación\n".encode() + pem
    assert load(commented, pem).fingerprint == load(pem, pem).fingerprint


def test_a_file_without_an_authority_is_refused(authority: Authority) -> None:
    pem = own(authority, ["box.local"]).removesuffix(authority.pem)
    with pytest.raises(ValueError, match="the certificate or its authority is missing"):
        load_own(pem)


def test_bytes_that_are_not_text_are_refused() -> None:
    with pytest.raises(ValueError, match="is missing"):
        load_own(b"\xff\x00")


def test_a_certificate_that_is_no_longer_valid_can_be_looked_at() -> None:
    authority = make_authority("box", [], LONG_AGO)
    found = certified(load_own(own(authority, ["box.local"], LONG_AGO)))
    assert found.ends == LONG_AGO + timedelta(days=396)


def test_a_certificate_that_the_authority_has_not_signed_is_refused(authority: Authority) -> None:
    other = make_authority("box", [], NOW)
    loaded = load_own(own(authority, ["box.local"]))
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        certified(LoadedCertificate(loaded.context, loaded.fingerprint, other.pem))


def test_a_certificate_that_strict_clients_refuse_is_refused(authority: Authority) -> None:
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        certified(load_own(plain(authority)))


def test_a_certificate_without_names_is_for_nobody(authority: Authority) -> None:
    of_issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    of_subject = x509.SubjectKeyIdentifier.from_public_key(authority.key.public_key())
    loaded = load_own(plain(authority, of_issuer, of_subject))
    assert certified(loaded).names == set()
