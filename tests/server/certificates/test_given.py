"""The operator's certificate: read at the start, and again when its files have changed."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tertulia.i18n import set_language
from tertulia.server.certificates.given import CertificateUnusable, GivenCertificate

NOW = datetime.now(UTC)


class Files:
    """A certificate and its key, which another program writes."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key = folder / "chat.crt", folder / "chat.key"

    def make(self, *password: str) -> "Files":
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-days", "9", "-subj", "/CN=chat"]
        command += ["-pkeyopt", "ec_paramgen_curve:prime256v1", *(password or ["-nodes"])]
        command += ["-keyout", str(self.key), "-out", str(self.certificate)]
        subprocess.run(command, capture_output=True, check=True)
        return self

    def read(self) -> GivenCertificate:
        return GivenCertificate(self.certificate, self.key)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    set_language("en")
    return Files(tmp_path).make()


@pytest.fixture
def others(tmp_path: Path) -> Files:
    (tmp_path / "others").mkdir()
    return Files(tmp_path / "others").make()


def test_files_that_stay_the_same_are_read_once(files: Files) -> None:
    given = files.read()
    before = given.current
    assert [given.refresh(NOW) for _ in range(3)] == [False] * 3
    assert given.current is before
    assert given.current.authority == b""
    assert given.problem == ""


def test_new_files_are_taken_up_once_they_stay_as_they_are(files: Files, others: Files) -> None:
    given = files.read()
    before = given.current
    os.replace(others.certificate, files.certificate)
    assert not given.refresh(NOW)
    os.replace(others.key, files.key)
    assert not given.refresh(NOW), "the key has changed since the last look"
    assert given.current is before
    assert given.refresh(NOW)
    assert given.current.fingerprint == others_fingerprint(files)
    assert given.current.fingerprint != before.fingerprint
    assert not given.refresh(NOW)


def others_fingerprint(files: Files):
    return files.read().current.fingerprint


def test_bad_new_files_leave_the_old_certificate_and_are_logged_once(
    files: Files, others: Files, caplog
) -> None:
    given = files.read()
    before = given.current
    os.replace(others.certificate, files.certificate)
    assert [given.refresh(NOW) for _ in range(4)] == [False] * 4
    assert given.current is before
    [record] = caplog.records
    assert "the old one stays" in record.getMessage()
    assert "does not belong to the certificate" in record.getMessage()
    os.replace(others.key, files.key)
    assert [given.refresh(NOW) for _ in range(2)] == [False, True]


def test_files_that_are_gone_leave_the_old_certificate(files: Files, caplog) -> None:
    given = files.read()
    key = files.key.read_bytes()
    files.key.unlink()
    assert [given.refresh(NOW) for _ in range(4)] == [False] * 4
    assert "No such file" in caplog.text
    files.key.write_bytes(key)
    assert [given.refresh(NOW) for _ in range(2)] == [False, True]


def test_a_link_to_other_files_counts_as_a_change(files: Files, others: Files) -> None:
    """Let's Encrypt keeps a link to the newest file."""
    link = Files(files.key.parent / "live")
    link.key.parent.mkdir()
    link.key.symlink_to(files.key)
    link.certificate.symlink_to(files.certificate)
    given = link.read()
    for path, target in ((link.key, others.key), (link.certificate, others.certificate)):
        path.unlink()
        path.symlink_to(target)
    assert [given.refresh(NOW) for _ in range(2)] == [False, True]


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("no certificate", "chat.crt cannot be read: No such file or directory"),
        ("no key", "chat.key cannot be read: No such file or directory"),
        ("swapped", "chat.crt holds no certificate in PEM format"),
        ("key is garbage", "chat.key holds no private key in PEM format"),
        ("certificate is garbage", "chat.crt or its key cannot be used"),
        ("another key", "chat.key does not belong to the certificate in"),
        ("password", "chat.key has a password"),
    ],
)
def test_files_that_cannot_be_used_are_explained(
    files: Files, others: Files, problem: str, words: str
) -> None:
    match problem:
        case "no certificate":
            files.certificate.unlink()
        case "no key":
            files.key.unlink()
        case "swapped":
            files.certificate, files.key = files.key, files.certificate
            words = words.replace("chat.crt", "chat.key")
        case "key is garbage":
            files.key.write_bytes(b"\x00\xff")
        case "certificate is garbage":
            files.certificate.write_text("-----BEGIN CERTIFICATE-----\nMIIB\n")
        case "another key":
            os.replace(others.key, files.key)
        case "password":
            files.make("-passout", "pass:secret")
    with pytest.raises(CertificateUnusable) as unusable:
        files.read()
    assert words in str(unusable.value)
