"""Which certificate a server gets: the operator's, or its own."""

import socket
from pathlib import Path

import pytest
from tls_pair import certificate

from tertulia.i18n import set_language
from tertulia.server.certificates import certificate as finding
from tertulia.server.certificates.certificate import find_certificate
from tertulia.server.certificates.given import GivenCertificate
from tertulia.server.certificates.loaded import certified
from tertulia.server.certificates.own import OwnCertificate
from tertulia.server.config import Config


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the state directory of a computer called box, which has one address."""
    set_language("en")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(socket, "gethostname", lambda: "box")
    monkeypatch.setattr(finding, "own_addresses", lambda: ["10.1.2.3"])
    return tmp_path / "tertulia"


def test_a_certificate_and_a_key_of_the_operator_are_used(tmp_path: Path, state: Path) -> None:
    path = tmp_path / "chat.pem"
    path.write_bytes(certificate())
    found = find_certificate(Config(port=0, certificate=str(path), key=str(path)))
    assert isinstance(found, GivenCertificate)
    assert not state.exists()


def test_without_a_certificate_of_the_operator_the_server_keeps_one_of_its_own(
    state: Path,
) -> None:
    found = find_certificate(Config(port=0, names=("chat.example",)))
    assert isinstance(found, OwnCertificate)
    assert {path.name for path in (state / "tls").iterdir()} == {"ca.pem", "server.pem"}
    assert found.problem == ""
    assert certified(found.current).names == {
        *("127.0.0.1", "::1", "localhost", "10.1.2.3", "box.local", "chat.example"),
    }


@pytest.mark.parametrize("only", ["certificate", "key"])
def test_half_of_a_certificate_is_none(only: str) -> None:
    assert isinstance(find_certificate(Config(port=0, **{only: "chat.pem"})), OwnCertificate)


def test_a_user_without_a_home_directory_has_a_certificate_in_memory(
    monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    monkeypatch.setattr(finding, "state_directory", lambda: None)
    found = find_certificate(Config(port=0))
    assert found.problem == "there is no home directory"
    assert found.current.authority != b""
    assert not state.exists()
