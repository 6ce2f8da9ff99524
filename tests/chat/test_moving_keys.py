"""Keys on their way to another computer."""

import stat

import pytest

from tertulia.chat.destination import Destination
from tertulia.chat.keyring import Keyring
from tertulia.chat.moving_keys import KeyFileError, export_keys, import_keys

HERE, THERE = "192.168.1.10 5000", "fd00::1 6000"
TO_HERE, TO_THERE = Destination("ana", "192.168.1.10", 5000), Destination("ana", "fd00::1", 6000)


@pytest.fixture
def keyring(tmp_path):
    return Keyring(tmp_path / "keyring.json")


@pytest.fixture
def other(tmp_path):
    return Keyring(tmp_path / "other" / "keyring.json")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "keys"


def test_all_keys_move_to_another_computer(keyring, other, file):
    keys = [keyring.entry_with_key(server).key for server in (HERE, THERE)]
    assert "2 keys" in export_keys(keyring, str(file), None)
    assert "2 keys" in import_keys(other, str(file), None)
    assert [other.entry(server).key for server in (HERE, THERE)] == keys


def test_only_the_owner_can_read_the_file(keyring, file):
    export_keys(keyring, str(file), TO_HERE)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_key_for_one_server_moves_alone_and_is_made_if_need_be(keyring, other, file):
    keyring.entry_with_key(THERE)
    export_keys(keyring, str(file), TO_HERE)
    import_keys(other, str(file), None)
    assert [key.server for key in other.all_keys()] == [HERE]
    assert other.entry(HERE).key == keyring.entry(HERE).key


def test_the_only_key_of_a_file_is_for_whatever_server_is_named(keyring, other, file):
    export_keys(keyring, str(file), TO_HERE)
    import_keys(other, str(file), Destination("ana", "127.0.0.1", 5000))
    assert other.entry("127.0.0.1 5000").key == keyring.entry(HERE).key


def test_of_several_keys_the_one_for_the_named_server_is_taken(keyring, other, file):
    for server in (HERE, THERE):
        keyring.entry_with_key(server)
    export_keys(keyring, str(file), None)
    import_keys(other, str(file), TO_THERE)
    assert [key.server for key in other.all_keys()] == [THERE]
    with pytest.raises(KeyFileError, match=r"no key for 10\.0\.0\.1 1"):
        import_keys(other, str(file), Destination("ana", "10.0.0.1", 1))


def test_a_key_that_stands_alone_needs_a_server(other, file):
    file.write_text("k" * 32)
    with pytest.raises(KeyFileError, match="NAME SERVER-IP PORT"):
        import_keys(other, str(file), None)
    import_keys(other, str(file), TO_HERE)
    assert other.entry(HERE).key == "k" * 32


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"one two\n", b"a b c d\n", b"\xff\xfe"])
def test_a_file_without_keys_is_refused_and_says_how_to_make_one(other, file, content):
    file.write_bytes(content)
    with pytest.raises(KeyFileError, match="--export-key"):
        import_keys(other, str(file), None)
    assert other.all_keys() == []


def test_a_missing_file_is_named(other, file):
    with pytest.raises(KeyFileError, match=f"{file}.*No such file"):
        import_keys(other, str(file), None)


def test_no_file_is_overwritten(keyring, file):
    file.write_text("something else")
    keyring.entry_with_key(HERE)
    with pytest.raises(KeyFileError, match="File exists"):
        export_keys(keyring, str(file), None)
    assert file.read_text() == "something else"


def test_without_keys_there_is_nothing_to_export(keyring, file):
    with pytest.raises(KeyFileError, match="no keys yet"):
        export_keys(keyring, str(file), None)
    assert not file.exists()


def test_several_servers_of_one_chat_get_the_same_key(keyring, other, file):
    key = keyring.entry_with_key(THERE).key
    both = Destination("ana", TO_HERE.host, TO_HERE.port, others=TO_THERE.addresses)
    export_keys(keyring, str(file), both)
    words = import_keys(other, str(file), both)
    assert words.startswith("1 key")
    assert [other.entry(server).key for server in (HERE, THERE)] == [key, key]


def test_of_the_keys_for_several_servers_of_one_chat_the_first_is_for_all(keyring, other, file):
    keys = [keyring.entry_with_key(server).key for server in (HERE, THERE)]
    export_keys(keyring, str(file), None)
    both = Destination("ana", TO_HERE.host, TO_HERE.port, others=TO_THERE.addresses)
    assert import_keys(other, str(file), both).startswith("1 key")
    assert [other.entry(server).key for server in (HERE, THERE)] == [keys[0], keys[0]]
