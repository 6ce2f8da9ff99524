"""The sockets that a server listens at: opened, inherited, or given by systemd."""

import socket
from pathlib import Path

import pytest

from tertulia.server.config import Config
from tertulia.server.listening import Listening, SocketUnusable, WrongPort


def open_all(tmp_path: Path) -> tuple[Config, Listening, dict[str, socket.socket]]:
    config = Config(port=0, host="127.0.0.1", unix=str(tmp_path / "chat.sock"))
    first = Listening(config)
    first.open_console(tmp_path / "console.sock")
    return config, first, first.pop_opened()


def close(*sockets: socket.socket) -> None:
    for sock in sockets:
        sock.close()


def test_what_is_inherited_is_not_opened_again(tmp_path: Path) -> None:
    config, first, opened = open_all(tmp_path)
    assert opened.keys() == {"tcp", "unix", "console"}
    second = Listening(config, opened)
    assert second.all == first.all
    assert second.open_console(tmp_path / "console.sock") is opened["console"]
    assert second.pop_opened() == {}
    close(*opened.values())


def test_what_has_lost_its_path_is_opened_again(tmp_path: Path) -> None:
    config, _, opened = open_all(tmp_path)
    (tmp_path / "chat.sock").unlink()
    (tmp_path / "console.sock").unlink()
    second = Listening(config, opened)
    second.open_console(tmp_path / "console.sock")
    again = second.pop_opened()
    assert again.keys() == {"unix", "console"}
    assert (tmp_path / "chat.sock").exists()
    close(*opened.values(), *again.values())


def test_sockets_of_systemd_take_the_place_of_the_port_and_stand_beside_a_path(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as local:
        local.bind(str(tmp_path / "s"))
        local.listen()
        port = tcp.getsockname()[1]
        listening = Listening(Config(port=port), {"given-0": local, "given-1": tcp})
        assert (listening.tcp, listening.host) == (tcp, "127.0.0.1")
        assert listening.all == [tcp, local]
        assert listening.pop_opened() == {}
        assert not tcp.getblocking()
        with pytest.raises(WrongPort, match=str(port)):
            Listening(Config(port=port % 65_535 + 1), {"given-0": tcp})


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_socket_that_does_not_listen_is_refused(kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as sock, pytest.raises(SocketUnusable):
        Listening(Config(port=0), {"given-0": sock})
