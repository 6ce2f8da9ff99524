"""A listening socket that knows what it is."""

import socket

import pytest

from tertulia.server.supervision.listener import Listener, as_listener


@pytest.fixture(params=["127.0.0.1", "::1"])
def standard(request):
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    if family == socket.AF_INET6 and not socket.has_ipv6:
        pytest.skip("this system has no IPv6")
    return socket.create_server((request.param, 0), family=family)


def test_a_listener_takes_the_place_of_a_socket(standard):
    descriptor, family, name = standard.fileno(), standard.family, standard.getsockname()
    with as_listener(standard) as listener:
        assert standard.fileno() == -1
        assert listener.fileno() == descriptor
        assert (listener.family, listener.type) == (family, socket.SOCK_STREAM)
        assert listener.getsockname() == name


def test_accepted_sockets_are_standard_ones_of_its_family(standard):
    family = standard.family
    with (
        as_listener(standard) as listener,
        socket.create_connection(listener.getsockname()[:2]) as client,
        listener.accept()[0] as accepted,
    ):
        assert type(accepted) is socket.socket
        assert (accepted.family, accepted.type) == (family, socket.SOCK_STREAM)
        assert accepted.getpeername() == client.getsockname()


def test_it_finds_out_its_family_and_its_type_once(standard):
    with as_listener(standard) as listener, socket.create_connection(listener.getsockname()[:2]):
        listener.accept()[0].close()
        assert listener.family is vars(listener)["family"]
        assert listener.type is vars(listener)["type"]


def test_each_has_its_own(tmp_path):
    local = Listener(socket.AF_UNIX)
    with local, as_listener(socket.create_server(("127.0.0.1", 0))) as listener:
        assert (local.family, listener.family) == (socket.AF_UNIX, socket.AF_INET)
