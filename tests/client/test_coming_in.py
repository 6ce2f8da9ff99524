"""The library and a real server that asks for a code and holds names."""

import pytest
from client_fixtures import RealServer

from tertulia import Client, PersistentClient, RegistrationRefused
from tertulia.client import reconnect

CODE, KEY = "able-baker-cat", "k" * 32


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(reconnect, "FIRST_DELAY_S", 0.05)
    monkeypatch.setattr(reconnect, "MAX_DELAY_S", 0.2)


@pytest.fixture
def server(persistent_server):
    """Start a server with a code that holds names, on a history and a port that stay."""
    persistent_server.kill()
    persistent_server.options += ("--code", CODE, "--hold-names", "30")
    persistent_server.start()
    return persistent_server


def refusal_of(server: RealServer, name: str, **options) -> str:
    with pytest.raises(RegistrationRefused) as refused:
        Client.connect("127.0.0.1", server.port, name, **options)
    return refused.value.code


def test_a_code_and_a_key_bring_a_client_back_over_the_death_of_the_server(server):
    with PersistentClient.connect("127.0.0.1", server.port, "ana", code=CODE, key=KEY) as ana:
        ana.say("before")
        server.kill()
        server.start()
        ana.say("after", within_s=20)
        assert refusal_of(server, "Aná", code=CODE, key="o" * 32) == "name_held"
    assert refusal_of(server, "ana", code=CODE) == "name_held"
    assert refusal_of(server, "luis") == "code_required"
    assert refusal_of(server, "luis", code="no") == "code_wrong"
    with Client.connect("127.0.0.1", server.port, "ana", code=CODE, key=KEY) as back:
        back.say("I am back")


def test_who_comes_back_with_a_code_that_is_right_no_longer_is_told_so(server):
    with PersistentClient.connect("127.0.0.1", server.port, "ana", code=CODE) as ana:
        ana.say("hola")
        server.kill()
        server.options += ("--code", "another")
        server.start()
        with pytest.raises(RegistrationRefused) as refused:
            ana.say("still here?", within_s=20)
        assert refused.value.code == "code_wrong"
        with pytest.raises(RegistrationRefused, match="code_wrong"):
            list(ana.events())
