"""Keys, authorities and certificates: what is made, and what is refused when it is read."""

import base64
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tertulia.server.certificates.authority import (
    Authority,
    Key,
    make_authority,
    make_certificate,
    new_key,
    read_authority,
    read_key,
    write,
)
from tertulia.server.certificates.names import LOCAL_AREAS

NOW = datetime(2030, 1, 1, tzinfo=UTC)
P256 = bytes.fromhex("2a8648ce3d030107")
P192_V2 = bytes.fromhex("2a8648ce3d030102")  # prime192v2, a curve that the library lacks


@pytest.fixture(scope="module")
def authority() -> Authority:
    return make_authority("box", ["chat.example", "8.8.8.0/24"], NOW)


def private_pem(key: Key | rsa.RSAPrivateKey, password: bytes = b"") -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption(),
    )


def key_of_another_curve() -> bytes:
    der = new_key().private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    text = base64.encodebytes(der.replace(P256, P192_V2))
    return b"-----BEGIN PRIVATE KEY-----\n" + text + b"-----END PRIVATE KEY-----\n"


def signed_by_itself(*extensions: x509.ExtensionType) -> bytes:
    """Return a key and a certificate with only these extensions."""
    key, name = new_key(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "box")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
    builder = builder.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return write(key, builder.public_key(key.public_key()).sign(key, hashes.SHA256()))


def permitted_subtrees(authority: Authority) -> list[object]:
    extensions = authority.certificate.extensions
    constraints = extensions.get_extension_for_class(x509.NameConstraints).value
    return [subtree.value for subtree in constraints.permitted_subtrees or ()]


def common_name(authority: Authority) -> object:
    [attribute] = authority.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return attribute.value


def test_an_authority_is_valid_for_local_areas_and_those_that_are_given(
    authority: Authority,
) -> None:
    assert authority.permitted == {*LOCAL_AREAS, "chat.example", "8.8.8.0/24"}
    assert authority.allows(["10.1.2.3", "box.local", "a.chat.example", "8.8.8.8"])
    assert not authority.allows(["10.1.2.3", "9.9.9.9"])
    subtrees = permitted_subtrees(authority)
    assert ip_network("8.8.8.0/24") in subtrees
    assert "chat.example" in subtrees


def test_an_authority_that_permits_nothing_by_name_allows_nothing() -> None:
    excluded = [x509.DNSName("chat.example")]
    constraints = x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=excluded)
    authority = read_authority(signed_by_itself(constraints))
    assert authority.permitted == set()
    assert not authority.allows(["10.1.2.3"])


def test_an_authority_lasts_if_it_is_valid_longer_than_a_new_certificate(
    authority: Authority,
) -> None:
    until = authority.certificate.not_valid_after_utc
    assert until == NOW + timedelta(days=3_649)
    assert authority.lasts(until - timedelta(days=397, seconds=1))
    assert not authority.lasts(until - timedelta(days=397))


def test_a_long_name_of_the_computer_is_cut(authority: Authority) -> None:
    assert common_name(authority) == "tertulia CA of box"
    long = make_authority("x" * 41, [], NOW)
    assert common_name(long) == "tertulia CA of " + "x" * 40


def test_an_authority_gets_the_given_key_or_a_new_one() -> None:
    key = new_key()
    assert make_authority("box", [], NOW, key).key is key
    first, second = (make_authority("box", [], NOW).key for _ in range(2))
    assert first.public_key() != second.public_key()


def test_a_certificate_names_addresses_as_addresses_and_names_as_names(
    authority: Authority,
) -> None:
    certificate = make_certificate(authority, ["10.1.2.3", "::1", "box.local"], new_key(), NOW)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("10.1.2.3"), ip_address("::1")]
    assert names.get_values_for_type(x509.DNSName) == ["box.local"]


def test_only_the_authority_may_sign_certificates(authority: Authority) -> None:
    certificate = make_certificate(authority, ["box.local"], new_key(), NOW)
    for made, is_authority in ((authority.certificate, True), (certificate, False)):
        usage = made.extensions.get_extension_for_class(x509.KeyUsage).value
        assert (usage.key_cert_sign, usage.digital_signature) == (is_authority, not is_authority)
        assert (
            made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca == is_authority
        )


def test_what_is_written_can_be_read(authority: Authority) -> None:
    pem = write(authority.key, authority.certificate)
    read = read_authority(pem)
    assert read.certificate == authority.certificate
    assert read.pem == authority.pem
    assert read_key(pem).private_numbers() == authority.key.private_numbers()


def test_a_key_with_a_password_of_another_kind_or_of_another_curve_is_refused() -> None:
    with pytest.raises(ValueError, match="encrypted"):
        read_key(private_pem(new_key(), b"secret"))
    with pytest.raises(ValueError, match="not supported"):
        read_key(key_of_another_curve())
    with pytest.raises(ValueError, match="a key of another kind"):
        read_key(private_pem(rsa.generate_private_key(65_537, 2_048)))


def test_an_authority_with_the_key_of_another_is_refused(authority: Authority) -> None:
    with pytest.raises(ValueError, match="the key belongs to another certificate"):
        read_authority(write(new_key(), authority.certificate))


def test_an_authority_without_constraints_is_refused() -> None:
    with pytest.raises(ValueError, match="an authority without constraints"):
        read_authority(signed_by_itself())
