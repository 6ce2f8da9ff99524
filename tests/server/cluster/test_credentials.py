"""The file with what a node shows to a nats-server."""

import base64
from pathlib import Path

import pytest
from nats_keys import SignedLogins

from tertulia.server.cluster.credentials import Credentials, read_credentials
from tertulia.server.cluster.unusable import ClusterUnusable


def written(tmp_path: Path, text: str | bytes) -> str:
    path = tmp_path / "login"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o600)
    return str(path)


@pytest.mark.parametrize(
    ("text", "credentials"),
    [
        ("abc\n", Credentials(token="abc")),
        ("ana\nse cret\n", Credentials(user="ana", password="se cret")),
        ("\r\nana\r\n\r\n contraseña \r\n", Credentials(user="ana", password="contraseña")),
    ],
)
def test_plain_files(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str, credentials: Credentials
) -> None:
    assert read_credentials(written(tmp_path, text)) == credentials
    assert caplog.messages == []


def test_a_file_of_nats_signs_with_its_key(tmp_path: Path) -> None:
    text = SignedLogins().credentials
    credentials = read_credentials(written(tmp_path, text.replace("\n", "\r\n")))
    assert credentials.jwt is not None
    assert credentials.jwt in text
    assert credentials.key is not None
    signature = base64.b64decode(credentials.sign("nonce"))
    credentials.key.public_key().verify(signature, b"nonce")


def seed_of(text: str) -> str:
    lines = text.splitlines()
    return lines[lines.index("-----BEGIN USER NKEY SEED-----") + 1]


def damaged(text: str) -> str:
    seed = seed_of(text)
    return text.replace(seed, seed[:-4] + ("AAAA" if seed[-4:] != "AAAA" else "BBBB"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        (" \n", "it is empty"),
        ("a\nb\nc\n", "it has too many lines"),
        (b"\xff\xfe", "it is not text"),
        (SignedLogins().credentials.split("****")[0], "a part of it is missing"),
        (damaged(SignedLogins().credentials), "its seed is damaged"),
        (SignedLogins().credentials.replace("\nSU", "\nS1"), "its seed is damaged"),
        (SignedLogins().credentials.replace("\nSU", "\nSA"), "its seed is damaged"),
    ],
    ids=range(8),
)
def test_files_that_are_of_no_use(tmp_path: Path, text: str | bytes, reason: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ClusterUnusable) as caught:
        read_credentials(path)
    assert str(caught.value).startswith(f"cannot use the credentials in {path} ({reason}): ")


def test_no_file(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "no", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(ClusterUnusable, match=reason):
            read_credentials(str(path))
