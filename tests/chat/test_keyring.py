"""The codes and keys that are kept for each server."""

import json
import stat
import threading

import pytest
from msgspec import UNSET

from tertulia.chat.keyring import Keyring, KeyringError, NamedKey, server_name

HERE, THERE = "192.168.1.10 5000", "192.168.1.11 5000"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "keyring.json"


@pytest.fixture
def keyring(path):
    return Keyring(path)


def test_a_server_has_one_name_however_its_address_is_written():
    assert server_name("Aula.local.", 5000) == server_name("aula.local", 5000)
    assert server_name("fd00:0::1", 5000) == server_name("FD00::1", 5000) == "fd00::1 5000"
    assert server_name("192.168.1.10", 5000) == HERE
    assert server_name("192.168.1.10", 5001) != HERE


def test_a_key_is_made_once_for_each_server_and_kept(keyring, path):
    key = keyring.entry_with_key(HERE).key
    assert len(key) == 32
    assert keyring.entry_with_key(HERE).key == key
    assert Keyring(path).entry_with_key(HERE).key == key
    assert keyring.entry_with_key(THERE).key != key


def test_only_this_user_can_read_the_file(keyring, path):
    keyring.entry_with_key(HERE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_code_is_remembered_for_its_server_alone_and_forgotten(keyring):
    keyring.remember_code(HERE, "able-baker-cat")
    assert keyring.entry(HERE).code == "able-baker-cat"
    assert keyring.entry(THERE).code is UNSET
    key = keyring.entry_with_key(HERE).key
    keyring.remember_code(HERE, None)
    assert keyring.entry(HERE).code is UNSET
    assert keyring.entry(HERE).key == key


def test_a_file_is_only_written_when_something_changes(keyring, path):
    keyring.entry(HERE)
    keyring.remember_code(HERE, None)
    assert not path.exists()


def test_programs_that_begin_at_one_instant_agree_on_the_key(path):
    start = threading.Barrier(8)
    found = []

    def begin():
        start.wait(30)
        found.append(Keyring(path).entry_with_key(HERE).key)

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


def test_a_key_from_elsewhere_takes_the_place_of_the_one_before_which_is_not_lost(keyring):
    before = keyring.entry_with_key(HERE).key
    keyring.set_key(HERE, "k" * 32)
    assert keyring.entry(HERE).key == "k" * 32
    assert keyring.entry(HERE).earlier_keys == [before]
    keyring.set_key(HERE, before)
    assert keyring.entry(HERE).earlier_keys == ["k" * 32]
    assert keyring.all_keys() == [NamedKey(HERE, before)]


@pytest.mark.parametrize("content", ["", "no JSON", "[]", '{"servers":{"a 1":{"key":"short"}}}'])
def test_a_file_that_is_not_understood_is_left_as_it_is(keyring, path, content):
    path.parent.mkdir()
    path.write_text(content)
    for use in (keyring.entry_with_key, keyring.entry, lambda one: keyring.set_key(one, "k" * 32)):
        with pytest.raises(KeyringError, match=str(path)):
            use(HERE)
    assert path.read_text() == content


def test_what_a_later_version_keeps_besides_does_no_harm(keyring, path):
    path.parent.mkdir()
    path.write_text(json.dumps({"servers": {HERE: {"code": "x", "later": 1}}, "later": 2}))
    assert keyring.entry(HERE).code == "x"


def test_without_a_place_for_the_file_there_is_no_key(path):
    path.parent.write_text("a file where the directory should be")
    with pytest.raises(KeyringError, match=str(path)):
        Keyring(path).entry_with_key(HERE)


def test_without_a_home_directory_there_is_no_key(monkeypatch):
    monkeypatch.setattr("tertulia.chat.keyring.state_directory", lambda: None)
    with pytest.raises(KeyringError, match="no home directory"):
        Keyring().entry_with_key(HERE)


def test_only_the_latest_of_the_replaced_keys_are_kept(keyring: Keyring) -> None:
    keys = [f"{number:02}" * 16 for number in range(13)]
    for key in keys:
        keyring.set_key(HERE, key)
    entry = keyring.entry(HERE)
    assert (entry.key, entry.earlier_keys) == (keys[-1], keys[-2:-12:-1])
