"""The fingerprint of a certificate: the SHA-256 of its public key, for people six words.

A renewed certificate keeps its key, and so its fingerprint. The words come from one list, the
English one of BIP 39, whatever the language: client and server have to show the same.
"""

import base64
import hashlib
import re
from typing import NamedTuple, Self

from tertulia.words import BITS_PER_WORD, word_list

_WORDS = 6
_SEQUENCE, _VERSION = 0x30, 0xA0  # tags of DER
_BEFORE_PUBLIC_KEY = 5  # serial number, algorithm, issuer, validity, subject


class Fingerprint(NamedTuple):
    """The SHA-256 of a public key, with its algorithm (SubjectPublicKeyInfo)."""

    digest: bytes

    @classmethod
    def of_certificate(cls, der: bytes) -> Self:
        """Return the fingerprint of a certificate. Raises ValueError if the bytes are not one."""
        return cls(hashlib.sha256(_public_key(der)).digest())

    @classmethod
    def of_hex(cls, text: str) -> Self:
        """Return the fingerprint for a text that `hex` returned. Raises ValueError."""
        digest = bytes.fromhex(text)
        if len(digest) != hashlib.sha256().digest_size:
            raise ValueError("a fingerprint has 64 hexadecimal digits")
        return cls(digest)

    @property
    def hex(self) -> str:
        """The whole fingerprint, for programs and files."""
        return self.digest.hex()

    @property
    def words(self) -> str:
        """The first 66 bits as six words, for people to compare."""
        bits = int.from_bytes(self.digest, "big") >> (256 - _WORDS * BITS_PER_WORD)
        words, last = word_list(), _WORDS - 1
        places = (bits >> BITS_PER_WORD * (last - number) for number in range(_WORDS))
        return " ".join(words[place % len(words)] for place in places)

    def fits(self, pin: str) -> bool:
        """Return whether a pin, as `normal_pin` returns it, names this fingerprint."""
        return pin in (self.hex, self.words)


def normal_pin(text: str) -> str:
    """Return the normal form of a pin: 64 hexadecimal digits or six words. Raises ValueError."""
    words = re.split(r"[\s,-]+", text.strip().lower())
    if len(words) == _WORDS and set(words) <= set(word_list()):
        return " ".join(words)
    return Fingerprint.of_hex(text.strip().lower().removeprefix("sha256:")).hex


def certificate_in(pem: str) -> bytes:
    """Return the first certificate in a text of PEM, as DER. Raises ValueError."""
    found = re.search(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", pem, re.DOTALL)
    if found is None:
        raise ValueError("there is no certificate in this text")
    return base64.b64decode(found[1])


def _public_key(certificate: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo of a certificate (RFC 5280, section 4.1)."""
    tag, start, _ = _element(certificate, 0)
    inner_tag, place, _ = _element(certificate, start)
    if tag != _SEQUENCE or inner_tag != _SEQUENCE:
        raise ValueError("not a certificate")
    tag, _, end = _element(certificate, place)
    if tag == _VERSION:
        place = end
    for _skipped in range(_BEFORE_PUBLIC_KEY):
        _, _, place = _element(certificate, place)
    tag, _, end = _element(certificate, place)
    if tag != _SEQUENCE:
        raise ValueError("not a certificate")
    return certificate[place:end]


def _element(data: bytes, place: int) -> tuple[int, int, int]:
    """Return the tag of the element of DER at a place, and where its content begins and ends."""
    if len(data) < place + 2:
        raise ValueError("not a certificate: it ends too soon")
    tag, size, start = data[place], data[place + 1], place + 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[place + 2 : start], "big")
    if start + size > len(data):
        raise ValueError("not a certificate: it ends too soon")
    return tag, start, start + size
