"""Where the console's socket is, and who may use it."""

import os
import socket
import stat
import struct

import pytest

from tertulia.server.console.place import (
    PlaceTaken,
    connect_to_console,
    console_path,
    is_allowed,
    is_view,
    listen_for_consoles,
)


class Other:
    """The other end of a connection, run by some user."""

    def __init__(self, user: int) -> None:
        self._credentials = struct.pack("3i", 1, user, user)

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        assert (level, option) == (socket.SOL_SOCKET, socket.SO_PEERCRED)
        return self._credentials


def test_the_user_of_the_server_and_root_are_allowed(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1_000)
    assert [is_allowed(Other(user)) for user in (1_000, 0, 1_001, 65_534)] == [
        *(True, True, False, False)
    ]


def test_only_its_user_may_connect_however_deep_the_directory(tmp_path):
    path = console_path(tmp_path / ("long" * 30) / ("name" * 30), 5_000)
    with listen_for_consoles(path) as listener:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        with connect_to_console(path), listener.accept()[0] as other:
            assert is_allowed(other)


def test_a_view_is_told_from_a_console_by_how_it_names_its_end(tmp_path):
    path = console_path(tmp_path, 5_000)
    with listen_for_consoles(path) as listener:
        for as_view in (True, False, True):
            with connect_to_console(path, as_view=as_view):
                other, peer = listener.accept()
                other.close()
                assert is_view(peer) == as_view


def test_the_socket_of_a_killed_server_is_replaced_but_not_that_of_a_running_one(tmp_path):
    path = console_path(tmp_path, 5_000)
    listen_for_consoles(path).close()
    with listen_for_consoles(path):
        with pytest.raises(PlaceTaken):
            listen_for_consoles(path)
        connect_to_console(path).close()


def test_another_file_in_this_place_is_an_error(tmp_path):
    console_path(tmp_path, 5_000).mkdir()
    with pytest.raises(OSError, match="directory"):
        listen_for_consoles(console_path(tmp_path, 5_000))
