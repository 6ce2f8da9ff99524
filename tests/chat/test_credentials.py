"""How a user comes in: which code and key are sent, and what is remembered."""

from types import SimpleNamespace

import pytest
from msgspec import UNSET

from tertulia.chat.credentials import Credentials
from tertulia.chat.destination import Destination
from tertulia.chat.entering import connect_face
from tertulia.chat.keyring import Keyring
from tertulia.client.addresses import Address
from tertulia.client.client import Client
from tertulia.client.errors import RegistrationRefused
from tertulia.protocol.messages import Error

HERE = "192.168.1.10 5000"


@pytest.fixture
def keyring(tmp_path):
    return Keyring(tmp_path / "keyring.json")


@pytest.fixture
def asked(monkeypatch):
    """Note what is sent, and refuse if the test says so."""

    class Asked(list):
        refusal = None

    asked = Asked()

    def connect(*_place, **options):
        asked.append((options["code"], options["key"]))
        if asked.refusal is not None:
            raise RegistrationRefused(Error(code=asked.refusal, message=""))
        return SimpleNamespace(
            fingerprint=None, welcome=SimpleNamespace(nodes=UNSET, per_node=UNSET)
        )

    monkeypatch.setattr(Client, "connect", connect)
    return asked


class Way:
    """The way of ana into a server."""

    def __init__(self, keyring, code=None, given=None):
        self.to = Destination("ana", "192.168.1.10", 5000, code=given)
        self.credentials = Credentials(self.to, keyring, code)

    def connect(self):
        return connect_face(self.to, print, self.credentials)


def refuse(asked, one, code):
    asked.refusal = code
    with pytest.raises(RegistrationRefused):
        one.connect()
    asked.refusal = None


def test_the_key_of_the_server_is_sent_each_time(keyring, asked):
    one = Way(keyring)
    one.connect()
    one.connect()
    assert asked == [(None, keyring.entry(HERE).key)] * 2


def test_without_a_keyring_nothing_is_sent_or_kept(asked):
    Way(None, "able").connect()
    assert asked == [("able", None)]


@pytest.mark.parametrize(
    ("given", "environment", "sent"),
    [("given", "env", "given"), (None, "env", "env"), (None, None, "kept"), (None, "", "kept")],
)
def test_a_given_code_counts_before_the_environment_and_that_before_a_kept_one(
    keyring, asked, given, environment, sent
):
    keyring.remember_code(HERE, "kept")
    Way(keyring, environment, given).connect()
    assert asked[0][0] == sent


def test_a_code_that_the_server_has_accepted_is_remembered(keyring, asked):
    Way(keyring, "able").connect()
    assert keyring.entry(HERE).code == "able"


@pytest.mark.parametrize("code", ["name_taken", "name_held", "address_taken", "server_full"])
def test_a_code_was_right_if_something_else_is_refused(keyring, asked, code):
    refuse(asked, Way(keyring, "able"), code)
    assert keyring.entry(HERE).code == "able"


@pytest.mark.parametrize("code", ["code_required", "code_wrong", "rate_limited", "malformed"])
def test_a_code_that_nobody_has_found_right_is_not_remembered(keyring, asked, code):
    refuse(asked, Way(keyring, "able"), code)
    assert not keyring.entry(HERE).code


def test_a_kept_code_that_is_wrong_now_is_forgotten(keyring, asked):
    keyring.remember_code(HERE, "old")
    one = Way(keyring)
    refuse(asked, one, "code_wrong")
    assert not keyring.entry(HERE).code
    one.credentials.code = "new"
    one.connect()
    assert keyring.entry(HERE).code == "new"


def test_a_code_that_was_right_in_this_run_and_is_wrong_now_is_forgotten_too(keyring, asked):
    one = Way(keyring, "able")
    one.connect()
    refuse(asked, one, "code_wrong")
    assert not keyring.entry(HERE).code


def test_a_wrong_code_from_the_command_line_leaves_the_kept_one(keyring, asked):
    keyring.remember_code(HERE, "old")
    refuse(asked, Way(keyring, given="typo"), "code_wrong")
    assert keyring.entry(HERE).code == "old"


def test_a_keyring_that_cannot_be_used_is_a_problem_in_words_and_no_obstacle(tmp_path, asked):
    path = tmp_path / "keyring.json"
    path.write_text("no JSON")
    one = Way(Keyring(path), "able")
    assert str(path) in one.credentials.problem
    one.connect()
    assert asked == [("able", None)]
    assert path.read_text() == "no JSON"


# --- several servers of one chat -----------------------------------------------------------------


def test_several_servers_have_one_key_and_one_code(keyring, asked):
    there = "192.168.1.11 5001"
    key = keyring.entry_with_key(there).key
    to = Destination(
        "ana", "192.168.1.10", 5000, code="able", others=(Address("192.168.1.11", 5001),)
    )
    for _time in range(2):
        connect_face(to, print, Credentials(to, keyring))
    assert asked == [("able", key)] * 2
    for server in (HERE, there):
        assert (keyring.entry(server).key, keyring.entry(server).code) == (key, "able")


def test_what_is_stored_for_all_servers_is_not_stored_again_on_each_connection(
    keyring, asked, monkeypatch
):
    to = Destination(
        "ana", "192.168.1.10", 5000, code="able", others=(Address("192.168.1.11", 5001),)
    )
    credentials = Credentials(to, keyring)
    connect_face(to, print, credentials)
    monkeypatch.setattr(keyring, "remember_code", lambda *_: pytest.fail("it is stored"))
    connect_face(to, print, credentials)
    assert asked == [("able", keyring.entry(HERE).key)] * 2


def test_a_server_that_has_a_key_already_keeps_it(keyring, asked):
    there = "192.168.1.11 5001"
    keys = [keyring.entry_with_key(server).key for server in (HERE, there)]
    to = Destination("ana", "192.168.1.10", 5000, others=(Address("192.168.1.11", 5001),))
    connect_face(to, print, Credentials(to, keyring))
    assert [keyring.entry(server).key for server in (HERE, there)] == keys
