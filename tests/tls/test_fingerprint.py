"""The fingerprint of a certificate, and its six words."""

import hashlib
import subprocess

import pytest
from tls_pair import certificate

from tertulia.tls.fingerprint import Fingerprint, certificate_in, normal_pin

WORDS = "abandon abandon abandon abandon abandon abandon"


def pem(*arguments: str) -> str:
    """Return a certificate that another program has made."""
    command = ["openssl", "req", "-x509", "-nodes", "-days", "1", "-subj", "/CN=x"]
    command += ["-keyout", "/dev/null", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def digest_by_openssl(text: str) -> str:
    key = subprocess.run(
        ["openssl", "x509", "-noout", "-pubkey"],
        input=text.encode(),
        capture_output=True,
        check=True,
    ).stdout
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-outform", "DER"], input=key, capture_output=True, check=True
    ).stdout
    return hashlib.sha256(der).hexdigest()


@pytest.mark.parametrize(
    "arguments",
    [
        ["-newkey", "rsa:2048"],
        ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
        ["-newkey", "ed25519"],
    ],
)
def test_the_fingerprint_is_that_of_the_public_key_of_any_certificate(arguments: list[str]) -> None:
    text = pem(*arguments)
    found = Fingerprint.of_certificate(certificate_in(text))
    assert found.hex == digest_by_openssl(text)


def test_the_first_certificate_of_a_chain_counts() -> None:
    text = certificate().decode()
    assert Fingerprint.of_certificate(certificate_in(text)).hex == digest_by_openssl(text)


def test_the_words_are_the_first_bits_of_the_fingerprint() -> None:
    assert Fingerprint(bytes(32)).words == WORDS
    assert Fingerprint(b"\xff" * 32).words == " ".join(["zoo"] * 6)
    one = Fingerprint((1 << 190).to_bytes(32, "big"))
    assert one.words == "abandon abandon abandon abandon abandon ability"
    assert Fingerprint((1 << 189).to_bytes(32, "big")).words == WORDS


@pytest.mark.parametrize(
    "text", [WORDS, f"  {WORDS.upper()}\n", WORDS.replace(" ", "-"), WORDS.replace(" ", ", ")]
)
def test_a_pin_may_be_the_words(text: str) -> None:
    assert normal_pin(text) == WORDS
    assert Fingerprint(bytes(32)).fits(normal_pin(text))
    assert not Fingerprint(b"\x01" * 32).fits(normal_pin(text))


@pytest.mark.parametrize("text", ["00" * 32, "SHA256:" + "00" * 32, " " + "00" * 32])
def test_a_pin_may_be_all_of_it(text: str) -> None:
    assert Fingerprint(bytes(32)).fits(normal_pin(text))
    assert not Fingerprint(bytes(31) + b"\x01").fits(normal_pin(text))


@pytest.mark.parametrize("text", ["", "abandon", WORDS + " abandon", "hola " * 6, "00" * 31, "zz"])
def test_anything_else_is_no_pin(text: str) -> None:
    with pytest.raises(ValueError, match=r"fingerprint|hexadecimal"):
        normal_pin(text)


@pytest.mark.parametrize("size", [0, 1, 4, 100])
def test_what_is_cut_off_is_no_certificate(size: int) -> None:
    der = certificate_in(certificate().decode())
    with pytest.raises(ValueError, match="not a certificate"):
        Fingerprint.of_certificate(der[:size])
