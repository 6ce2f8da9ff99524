"""The file with the servers whose certificates a user knows."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tertulia.chat.known_servers import KnownServers
from tertulia.tls.fingerprint import Fingerprint

ONE, OTHER = Fingerprint(b"\x01" * 32), Fingerprint(b"\x02" * 32)


@pytest.fixture
def known(tmp_path: Path) -> KnownServers:
    return KnownServers(tmp_path / "tertulia" / "known_servers")


def test_what_is_kept_is_found_again_by_its_server_alone(known: KnownServers) -> None:
    assert known.find("h", 5000) is None
    known.keep("h", 5000, ONE)
    known.keep("h", 5001, OTHER)
    assert known.find("h", 5000) == ONE
    assert known.find("h", 5001) == OTHER
    assert known.find("i", 5000) is None


@pytest.mark.parametrize(
    ("written", "same"), [("Chat.LAN.", "chat.lan"), ("fd00:0:0::1", "fd00::1"), ("máquina",) * 2]
)
def test_spellings_of_one_address_are_one_server(
    known: KnownServers, written: str, same: str
) -> None:
    known.keep(written, 5000, ONE)
    assert known.find(same, 5000) == ONE


def test_the_file_is_text_for_people_and_readable_by_them_alone(known: KnownServers) -> None:
    known.keep("192.168.1.10", 5000, ONE)
    assert known.path is not None
    assert known.path.read_text() == f"192.168.1.10 5000 sha256:{ONE.hex} {ONE.words}\n"
    assert stat.S_IMODE(known.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(known.path.parent.stat().st_mode) == 0o700


def test_of_several_lines_for_a_server_the_last_one_counts(known: KnownServers) -> None:
    known.keep("h", 5000, ONE)
    assert known.path is not None
    with known.path.open("a") as lines:
        lines.write(f"h 5000 sha256:{OTHER.hex} {OTHER.words}\n")
    assert known.find("h", 5000) == OTHER


def test_a_new_certificate_takes_the_place_of_the_old_one_and_other_lines_stay(
    known: KnownServers,
) -> None:
    known.keep("h", 5000, ONE)
    known.keep("i", 5000, ONE)
    assert known.path is not None
    mine = "# my notes: ñ\n\nh 5000 nonsense\nh 5000 sha256:zz\n"
    known.path.write_text(mine + known.path.read_text())
    known.keep("h", 5000, OTHER)
    assert known.find("h", 5000) == OTHER
    text = known.path.read_text()
    assert text.startswith(mine)
    assert text.count("\nh 5000 sha256:0") == 1
    assert known.find("i", 5000) == ONE


def test_bytes_that_are_no_text_do_no_harm(known: KnownServers) -> None:
    known.keep("h", 5000, ONE)
    assert known.path is not None
    known.path.write_bytes(b"\xff\xfe\n" + known.path.read_bytes())
    known.keep("i", 5000, OTHER)
    assert known.find("h", 5000) == ONE
    assert b"\xff" in known.path.read_bytes()


def test_several_programs_may_keep_servers_at_once(known: KnownServers) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda port: known.keep("h", port, ONE), range(1, 41)))
    assert all(known.find("h", port) == ONE for port in range(1, 41))


def test_without_a_home_directory_nothing_is_known_or_kept(monkeypatch) -> None:
    monkeypatch.setattr("tertulia.chat.known_servers.state_directory", lambda: None)
    known = KnownServers()
    assert known.find("h", 5000) is None
    with pytest.raises(OSError, match="no home directory"):
        known.keep("h", 5000, ONE)
