"""Operator, account and user of a nats-server that knows its users by signed tokens, for tests."""

import base64
import binascii
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_OPERATOR, _ACCOUNT, _USER = 14 << 3, 0, 20 << 3
_SEED = 18 << 3


def _encode(raw: bytes) -> str:
    checked = raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")
    return base64.b32encode(checked).decode().rstrip("=")


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class NatsKey:
    """A key with its name as NATS writes it."""

    def __init__(self, kind: int) -> None:
        self._key = Ed25519PrivateKey.generate()
        self.name = _encode(bytes([kind]) + self._key.public_key().public_bytes_raw())
        first = bytes([_SEED | kind >> 5, (kind & 31) << 3])
        self.seed = _encode(first + self._key.private_bytes_raw())

    def sign(self, subject: "NatsKey", kind: str, **claims: Any) -> str:
        """Return a token that says something about another key."""
        body = {
            "jti": "T", "iat": 1_700_000_000, "iss": self.name, "sub": subject.name, "name": kind,
            "nats": {"type": kind, "version": 2, **claims},
        }  # fmt: skip
        head = {"typ": "JWT", "alg": "ed25519-nkey"}
        text = ".".join(_unpadded(json.dumps(part).encode()) for part in (head, body))
        return f"{text}.{_unpadded(self._key.sign(text.encode()))}"


class SignedLogins:
    """Settings for a nats-server with one account, and the file of its user."""

    def __init__(self) -> None:
        operator, account, system = NatsKey(_OPERATOR), NatsKey(_ACCOUNT), NatsKey(_ACCOUNT)
        user = NatsKey(_USER)
        limits = dict.fromkeys(
            ("subs", "data", "payload", "imports", "exports", "conn", "leaf", "mem_storage",
             "disk_storage", "streams", "consumer"), -1,
        )  # fmt: skip
        tokens = {
            key.name: operator.sign(key, "account", limits={**limits, "wildcards": True})
            for key in (account, system)
        }
        del (
            limits["mem_storage"],
            limits["disk_storage"],
        )  # JetStream is not for the system account.
        tokens[system.name] = operator.sign(system, "account", limits={**limits, "wildcards": True})
        preload = "\n".join(f"{name}: {token}" for name, token in tokens.items())
        self.settings = f"""
operator: {operator.sign(operator, "operator")}
system_account: {system.name}
resolver: MEMORY
resolver_preload: {{ {preload} }}
"""
        self.credentials = f"""-----BEGIN NATS USER JWT-----
{account.sign(user, "user", subs=-1, data=-1, payload=-1)}
------END NATS USER JWT------

************************* IMPORTANT *************************
NKEY Seed printed below can be used to sign and prove identity.

-----BEGIN USER NKEY SEED-----
{user.seed}
------END USER NKEY SEED------
"""
