"""The credentials that a node shows to a nats-server, from the file of `--cluster-credentials`.

The file is one of three things: a `.creds` file as NATS's own tools write it (a signed token, and
the seed of the key that belongs to it); two lines, a user's name and a password; or one line, a
token. cluster_options.py warns of a file that others can read.
"""

import base64
import binascii
import re
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tertulia.i18n import _
from tertulia.server.cluster.unusable import credentials_unreadable

_MAX_BYTES = 65_536
_JWT = re.compile(r"-----BEGIN NATS USER JWT-----\s+(\S+)\s+-+END")
_SEED = re.compile(r"-----BEGIN USER NKEY SEED-----\s+(\S+)\s+-+END")
_SEED_BYTES = 36  # two for the kind of key, 32 for the seed, two for a checksum
_OF_A_USER = b"\x95\x00"  # the first two bytes of a user's seed, which make "SU" in base32


class Credentials(NamedTuple):
    """The contents of the file. Fields for the other kinds are None."""

    user: str | None = None
    password: str | None = None
    token: str | None = None
    jwt: str | None = None
    key: Ed25519PrivateKey | None = None  # belongs to `jwt`

    def sign(self, nonce: str) -> bytes:
        """Return the signature that proves to a nats-server that this node has the key."""
        assert self.key is not None
        return base64.b64encode(self.key.sign(nonce.encode()))


def read_credentials(path: str) -> Credentials:
    """Read the file. Raises ClusterUnusable."""
    try:
        with Path(path).open("rb") as file:
            text = file.read(_MAX_BYTES).decode()
    except OSError as error:
        raise credentials_unreadable(path, error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise credentials_unreadable(path, _("it is not text")) from None
    return _parse(path, text)


def _parse(path: str, text: str) -> Credentials:
    if "BEGIN NATS USER JWT" in text:
        return _parse_signed(path, text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) == 1:
        return Credentials(token=lines[0])
    if len(lines) == 2:
        return Credentials(user=lines[0], password=lines[1])
    reason = _("it is empty") if not lines else _("it has too many lines")
    raise credentials_unreadable(path, reason)


def _parse_signed(path: str, text: str) -> Credentials:
    jwt, seed = _JWT.search(text), _SEED.search(text)
    if jwt is None or seed is None:
        raise credentials_unreadable(path, _("a part of it is missing"))
    try:
        raw = base64.b32decode(seed[1] + "=" * (-len(seed[1]) % 8))
    except binascii.Error:
        raw = b""
    if len(raw) != _SEED_BYTES or not raw.startswith(_OF_A_USER) or not _has_valid_checksum(raw):
        raise credentials_unreadable(path, _("its seed is damaged"))
    return Credentials(jwt=jwt[1], key=Ed25519PrivateKey.from_private_bytes(raw[2:34]))


def _has_valid_checksum(raw: bytes) -> bool:
    return binascii.crc_hqx(raw[:-2], 0) == int.from_bytes(raw[-2:], "little")
