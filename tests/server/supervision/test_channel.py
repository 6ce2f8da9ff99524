"""Messages between parent and child, with sockets beside them."""

import os
import socket

import pytest

from tertulia.server.supervision.channel import (
    CHANNEL_VARIABLE,
    Channel,
    inherited_channel,
    open_channel,
)


def test_a_message_arrives_whole_with_its_sockets() -> None:
    ours, theirs = open_channel()
    child = Channel(theirs)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert ours.send("hello", {"tcp": listener}, restarts=3, kept={"code": "ñ"})
        assert ours.send("go")
        hello = child.receive()
        assert hello is not None
        assert (hello.kind, hello.fields) == ("hello", {"restarts": 3, "kept": {"code": "ñ"}})
        with hello.sockets["tcp"] as received:
            assert received.getsockname() == listener.getsockname()
            assert not received.get_inheritable()
    go = child.receive()
    assert go == ("go", {}, {})
    ours.close()
    assert child.receive() is None
    assert not child.send("alive"), "there is nobody to hear it"
    child.close()


def test_a_reader_that_has_stopped_delays_nobody() -> None:
    ours, theirs = open_channel()
    with theirs:
        while ours.send("alive", users=1):
            pass
    ours.close()


def test_a_child_finds_its_end_in_the_environment_and_passes_it_on_to_nobody() -> None:
    ours, theirs = open_channel()
    environment = {CHANNEL_VARIABLE: str(theirs.detach())}
    child = inherited_channel(environment)
    assert child is not None
    assert environment == {}
    assert not os.get_inheritable(child.fileno())
    child.close()
    assert ours.receive() is None
    ours.close()


@pytest.mark.parametrize("value", ["", "no number", "99999"])
def test_a_value_that_no_parent_has_set_is_no_channel(value: str) -> None:
    assert inherited_channel({CHANNEL_VARIABLE: value}) is None


def test_a_socket_of_another_kind_is_no_channel_and_stays_open() -> None:
    near, far = socket.socketpair()
    with near, far:
        assert inherited_channel({CHANNEL_VARIABLE: str(near.fileno())}) is None
        near.send(b"x")
        assert far.recv(1) == b"x"
