"""The certificate that a server makes for itself: when it is made, renewed, and what is kept."""

import ssl
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tertulia.i18n import set_language
from tertulia.server.certificates import authority as making
from tertulia.server.certificates.files import SecretFiles
from tertulia.server.certificates.loaded import certified
from tertulia.server.certificates.own import OwnCertificate

NOW = datetime.now(UTC).replace(microsecond=0)
NAMES = {"127.0.0.1", "::1", "localhost", "192.168.1.10", "box", "box.local"}


class Bench:
    """A directory, and servers that start with it."""

    def __init__(self, directory: Path | None) -> None:
        self.directory = directory
        self.names = set(NAMES)

    def start(self, now: datetime = NOW) -> OwnCertificate:
        return OwnCertificate(SecretFiles(self.directory), "box", lambda: self.names, now)

    def files(self) -> set[str]:
        assert self.directory is not None
        return {path.name for path in self.directory.iterdir()}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    set_language("en")
    return Bench(tmp_path / "tertulia" / "tls")


def verify(authority: bytes, pem: bytes, tmp_path: Path, host: str) -> str:
    """Return what OpenSSL says of a certificate and a host, with an installed authority."""
    (tmp_path / "ca.crt").write_bytes(authority)
    (tmp_path / "leaf.pem").write_bytes(pem)
    kind = "-verify_ip" if host[0].isdigit() or ":" in host else "-verify_hostname"
    command = ["openssl", "verify", "-x509_strict", kind, host, "-purpose", "sslserver"]
    command += ["-CAfile", str(tmp_path / "ca.crt"), str(tmp_path / "leaf.pem")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_the_first_start_makes_it_and_the_next_ones_find_it(bench: Bench) -> None:
    first, second = bench.start(), bench.start()
    assert first.current.fingerprint == second.current.fingerprint
    assert first.current.authority == second.current.authority
    found = certified(second.current)
    assert found.names == NAMES
    assert found.begins == NOW - timedelta(days=1)
    assert found.ends - found.begins <= timedelta(days=825)
    assert (first.problem, second.problem) == ("", "")


def test_only_its_owner_can_read_what_is_kept(bench: Bench) -> None:
    bench.start()
    assert bench.files() == {"ca.pem", "server.pem"}
    assert bench.directory is not None
    assert stat.S_IMODE(bench.directory.stat().st_mode) == 0o700
    for path in bench.directory.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        path.chmod(0o644)
    bench.start()
    assert stat.S_IMODE((bench.directory / "server.pem").stat().st_mode) == 0o600


@pytest.mark.parametrize("host", ["192.168.1.10", "127.0.0.1", "box", "box.local", "localhost"])
def test_a_device_with_the_authority_trusts_the_server(
    bench: Bench, tmp_path: Path, host: str
) -> None:
    server = bench.start()
    pem = (tmp_path / "tertulia/tls/server.pem").read_bytes()
    assert verify(server.current.authority, pem, tmp_path, host).endswith("leaf.pem: OK\n")


@pytest.mark.parametrize(
    "host", ["bank.example", "8.8.8.8", "2606:4700::1111", "notlocal", "box.example", "example"]
)
def test_the_authority_is_no_good_against_others(bench: Bench, tmp_path: Path, host: str) -> None:
    server = bench.start()
    authority = making.read_authority((tmp_path / "tertulia/tls/ca.pem").read_bytes())
    key = making.new_key()
    leaf = making.make_certificate(authority, [host], key, NOW)
    pem = making.write(key, leaf, authority.certificate)
    answer = verify(server.current.authority, pem, tmp_path, host)
    assert "permitted subtree violation" in answer


@pytest.mark.parametrize("host", ["10.9.8.7", "172.31.0.1", "fd00::1", "a.lan", "b.home.arpa"])
def test_the_authority_is_good_for_every_private_network(
    bench: Bench, tmp_path: Path, host: str
) -> None:
    bench.names.add(host)
    server = bench.start()
    pem = (tmp_path / "tertulia/tls/server.pem").read_bytes()
    assert "OK" in verify(server.current.authority, pem, tmp_path, host)


def test_it_is_renewed_in_time_with_the_same_key(bench: Bench) -> None:
    server = bench.start()
    before = server.current
    assert not server.refresh(NOW + timedelta(days=360))
    assert server.current is before
    assert server.refresh(NOW + timedelta(days=367))
    assert server.current.fingerprint == before.fingerprint
    assert server.current.authority == before.authority
    assert certified(server.current).ends > NOW + timedelta(days=367 + 365)
    later = bench.start(NOW + timedelta(days=367))
    assert later.current.fingerprint == before.fingerprint
    assert not later.refresh(NOW + timedelta(days=368))


def test_an_address_that_is_missing_is_added(bench: Bench) -> None:
    server = bench.start()
    before = server.current
    bench.names.add("192.168.7.7")
    assert server.refresh(NOW)
    assert certified(server.current).names == NAMES | {"192.168.7.7"}
    assert server.current.fingerprint == before.fingerprint
    bench.names.remove("192.168.7.7")
    assert not server.refresh(NOW), "one that is gone does no harm"


def test_what_another_server_of_the_user_has_renewed_is_taken_up(bench: Bench) -> None:
    one, other = bench.start(), bench.start()
    bench.names.add("192.168.7.7")
    assert one.refresh(NOW)
    assert other.refresh(NOW)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, "make_certificate", None)
        assert bench.start().current.fingerprint == one.current.fingerprint


def test_the_authority_is_made_anew_before_it_ends_with_its_key(bench: Bench) -> None:
    server = bench.start()
    before = server.current
    soon = NOW + timedelta(days=3_650 - 300)
    assert server.refresh(soon)
    assert server.current.authority != before.authority
    assert server.current.fingerprint == before.fingerprint
    assert making.read_authority((bench.directory / "ca.pem").read_bytes()).lasts(soon)
    assert certified(server.current).ends > soon


@pytest.mark.parametrize("new", ["chat.example", "192.88.99.1"])
def test_another_name_or_public_address_of_the_computer_needs_another_authority(
    bench: Bench, tmp_path: Path, caplog, new: str
) -> None:
    server = bench.start()
    bench.names.add(new)
    renamed = bench.start()
    assert certified(renamed.current).names == NAMES | {new}
    assert renamed.current.authority != server.current.authority
    assert renamed.current.fingerprint == server.current.fingerprint
    assert "install /ca.crt again" in caplog.text
    pem = (tmp_path / "tertulia/tls/server.pem").read_bytes()
    assert "OK" in verify(renamed.current.authority, pem, tmp_path, new)
    bench.names.remove(new)
    assert bench.start().current.authority == renamed.current.authority


def test_an_authority_of_another_version_that_allows_less_is_made_anew(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(making, "LOCAL_AREAS", ("127.0.0.0/8", "::1/128", "localhost", "local"))
        bench.names.remove("192.168.1.10")
        old = bench.start()
    bench.names.add("192.168.1.10")
    new = bench.start()
    assert certified(new.current).names == NAMES
    assert new.current.authority != old.current.authority
    assert new.current.fingerprint == old.current.fingerprint


@pytest.mark.parametrize("content", [b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nxx"])
def test_a_damaged_file_is_set_aside(bench: Bench, caplog, content: bytes) -> None:
    server = bench.start()
    (bench.directory / "server.pem").write_bytes(content)
    again = bench.start()
    assert again.current.fingerprint != server.current.fingerprint
    assert again.current.authority == server.current.authority
    assert any(name.startswith("server.pem.damaged-") for name in bench.files())
    assert "damaged" in caplog.text
    (bench.directory / "ca.pem").write_bytes(content)
    bench.names.add("192.168.7.7")
    last = bench.start()
    assert last.current.fingerprint == again.current.fingerprint
    assert last.current.authority != server.current.authority


def test_a_damaged_certificate_keeps_its_key(bench: Bench) -> None:
    server = bench.start()
    path = bench.directory / "server.pem"
    path.write_bytes(path.read_bytes()[:400])
    assert bench.start().current.fingerprint == server.current.fingerprint


def test_without_a_home_directory_it_is_kept_in_memory(tmp_path: Path) -> None:
    set_language("en")
    bench = Bench(None)
    server = bench.start()
    assert server.problem == "there is no home directory"
    before = server.current
    assert server.refresh(NOW + timedelta(days=390))
    assert server.current.fingerprint == before.fingerprint
    assert server.current.authority == before.authority


@pytest.mark.parametrize("in_the_way", ["file", "directory"])
def test_where_it_cannot_be_kept_it_says_why_and_goes_on(
    tmp_path: Path, caplog, in_the_way: str
) -> None:
    """Tests run as root, whom no permission stops."""
    directory = tmp_path / "tls"
    if in_the_way == "file":
        directory.write_text("")
    else:
        (directory / "server.pem").mkdir(parents=True)
    server = Bench(directory).start()
    assert server.problem in ("Not a directory", "Is a directory")
    assert "certificate not kept" in caplog.text
    assert server.refresh(NOW + timedelta(days=390))
    assert server.problem


def test_two_first_starts_at_the_same_time_show_one_certificate(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = making.write
    others: list[OwnCertificate] = []

    def start_another(*arguments) -> bytes:
        monkeypatch.setattr(making, "write", write)
        others.append(bench.start())
        return write(*arguments)

    monkeypatch.setattr(making, "write", start_another)
    server = bench.start()
    assert server.current.fingerprint == others[0].current.fingerprint
    assert server.current.authority == others[0].current.authority


def test_the_chain_is_shown(bench: Bench) -> None:
    server = bench.start()
    assert isinstance(server.current.context, ssl.SSLContext)
    assert (bench.directory / "server.pem").read_bytes().count(b"BEGIN CERTIFICATE") == 2


def test_a_start_that_has_a_certificate_does_not_load_the_library_that_makes_one(
    bench: Bench,
) -> None:
    bench.start()
    source = (
        "import sys, pathlib\n"
        "from datetime import UTC, datetime\n"
        "import tertulia.server.serving\n"
        "from tertulia.server.certificates.own import OwnCertificate\n"
        "from tertulia.server.certificates.files import SecretFiles\n"
        f"files = SecretFiles(pathlib.Path({str(bench.directory)!r}))\n"
        f"OwnCertificate(files, 'box', lambda: {NAMES!r}, datetime.now(UTC))\n"
        "print([name for name in sys.modules if name.startswith('cryptography')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
