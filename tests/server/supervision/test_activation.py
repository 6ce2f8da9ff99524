"""The sockets that systemd passes: whose they are, and that they are passed on to nobody."""

import os
import socket

import pytest

from tertulia.server.supervision import activation
from tertulia.server.supervision.activation import given_sockets


def variables(process: int, count: str) -> dict[str, str]:
    return {"LISTEN_PID": str(process), "LISTEN_FDS": count, "LISTEN_FDNAMES": "a:b", "HOME": "/"}


def test_sockets_for_another_process_are_left_alone_as_is_what_is_no_number() -> None:
    own = os.getpid()
    for process, count in ((1, "2"), (own, ""), (own, "-1"), (own, "0")):
        environment = variables(process, count)
        assert given_sockets(environment) == {}
        assert environment == {"HOME": "/"}


def test_each_socket_has_a_role_and_no_child_inherits_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one:
        first = os.dup(one.fileno())
        monkeypatch.setattr(activation, "_FIRST_DESCRIPTOR", first)
        os.set_inheritable(first, True)
        sockets = given_sockets(variables(os.getpid(), "1"))
        assert list(sockets) == ["given-0"]
        with sockets["given-0"] as given:
            assert given.getsockname() == one.getsockname()
            assert not given.get_inheritable()


def test_what_is_no_socket_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as file:
        monkeypatch.setattr(activation, "_FIRST_DESCRIPTOR", file.fileno())
        with pytest.raises(OSError, match="socket"):
            given_sockets(variables(os.getpid(), "1"))
